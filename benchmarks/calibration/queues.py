"""Cells about queues: capacity of tasks and of the API, drains in pairs, and the textbook's formula."""

import math

import numpy as np

from benchmarks.calibration import rows
from benchmarks.calibration.rows import Row
from reports import drains, queueing, ramp, statistics
from reports.drains import Capacity, Drain
from reports.ramp import ApiCapacity, RampTrial
from reports.statistics import Floats


def services(cv: float, count: int, mean: float, generator: np.random.Generator) -> Floats:
    """Lognormal run times in seconds."""
    sigma = math.sqrt(math.log(1 + cv * cv))
    return np.asarray(mean * np.exp(generator.normal(-sigma * sigma / 2, sigma, count)))


def _drained(run_times: Floats, slots: int) -> Drain:
    starts = queueing.waits(np.zeros(run_times.size), run_times, slots)
    found = drains.measure(starts, starts + run_times, slots)
    assert isinstance(found, Drain)
    return found


def task_capacity(seed: int) -> list[Row]:
    """Drain and replay against the truth: 5 slots, 10 s, 95 % within 60 s (statistics §4.2)."""
    said = {
        (1.0, 200): ("+1.8 %", "9.3 %"),
        (1.0, 400): ("+1.1 %", "5.9 %"),
        (1.0, 800): ("+0.8 %", "4.4 %"),
        (0.3, 100): ("+0.8 %", "3.1 %"),
        (0.3, 200): ("+0.5 %", "2.2 %"),
        (0.3, 400): ("0 %", "1.6 %"),
    }
    found = []
    for number, ((cv, tasks), (bias, sd)) in enumerate(said.items()):
        generator = np.random.default_rng([seed, number])
        truth = float(np.mean([_capacity(services(cv, 200_000, 10, generator), own) for own in range(8)]))
        errors, rate = [], []
        for _ in range(100):
            run_times = services(cv, tasks, 10, generator)
            errors.append(_capacity(run_times) / truth - 1)
            rate.append(_drained(run_times, 5).per_minute / 30 - 1)
        case = f"CV {cv:g}, {tasks} tasks ({tasks * 10 / 5 / 60:.0f} min)"
        found += [
            rows.median(case, "error of the capacity, median", errors, bias),
            rows.spread(case, "error of the capacity, sd", errors, sd),
            rows.mean(case, "error of tasks a minute, mean", rate, "-5 to +2 %"),
        ]
        if cv < 1:
            near = [abs(error) <= 0.05 for error in errors]
            found.append(rows.at_least(case, "capacity within 5 % of the truth", near, "9 of 10", 0.90))
    return found


def _capacity(run_times: Floats, seed: int | None = None) -> float:
    if seed is not None:
        rate = queueing.highest_rate(run_times, 5, 60.0, seed)
        assert isinstance(rate, float)
        return 3600 * rate
    found = drains.capacity(run_times, 5, 60.0)
    assert isinstance(found, Capacity)
    return found.per_hour


def paired_drains(seed: int) -> list[Row]:
    """Five pairs of drains whose contender is x1.2 as fast: coverage and width, same list and lists of their own."""
    found = []
    for number, (cv, said) in enumerate([(0.5, ("6.4 %", "10.7 %")), (1.0, ("6.8 %", "19 %"))]):
        generator = np.random.default_rng([seed, number])
        held: dict[bool, list[bool]] = {True: [], False: []}
        widths: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(600):
            for same in (True, False):
                ratios = [_drain_ratio(cv, generator, same=same) for _ in range(5)]
                limits = statistics.paired_t(ratios).interval()
                held[same].append(limits.low <= math.log(1.2) <= limits.high)
                widths[same].append(math.expm1((limits.high - limits.low) / 2))
        for same, words in ((True, "the same list"), (False, "lists of their own")):
            case = f"5 pairs of 100 tasks, CV {cv:g}, {words}"
            found.append(rows.rate(case, "coverage of x1.2", held[same], "93 to 97 %", 0.95))
            found.append(rows.median(case, "half-width", widths[same], said[0] if same else said[1]))
    return found


def _drain_ratio(cv: float, generator: np.random.Generator, *, same: bool) -> float:
    """log(contender / baseline) of a pair; a task's own time wavers by 10 % from one drain to the next."""
    first = services(cv, 100, 10, generator)
    second = first if same else services(cv, 100, 10, generator)
    wavered = [run_times * np.exp(generator.normal(0, 0.10, 100)) for run_times in (first, second / 1.2)]
    machine = generator.normal(0, 0.03, 2)
    rates = [_drained(one * math.exp(slow), 5).per_minute for one, slow in zip(wavered, machine, strict=True)]
    return math.log(rates[1] / rates[0])


def api_capacity(seed: int) -> list[Row]:
    """Ramp, trials and logit fit against the truth: 8 workers, 40 ms with CV 1.5, 95 % within 250 ms."""
    found = []
    for number, (seconds, searches, bias, sd, time) in enumerate(
        [(30.0, 200, "+2.2 %", "6.0 %", "8 min"), (120.0, 60, "+1.5 %", "4.2 %", "27 min")]
    ):
        generator = np.random.default_rng([seed, number])
        truth = _true_rate(generator)
        errors, minutes = [], []
        for _ in range(searches):
            capacity, trials = _search(seconds, generator)
            errors.append(capacity / truth - 1)
            minutes.append(trials * seconds / 60)
        case = f"trials of {seconds:.0f} s, truth {truth:.0f} a second"
        near = [abs(error) <= 0.12 for error in errors]
        found += [
            rows.median(case, "error, median", errors, bias),
            rows.spread(case, "error, sd", errors, sd),
            rows.at_least(case, "within 12 % of the truth", near, "9 of 10", 0.90),
            rows.mean(case, "time of a search", minutes, time, unit="min"),
        ]
    return found


def _true_rate(generator: np.random.Generator) -> float:
    """Rate at which 5 % take longer than 250 ms in the long run, the machine wavering by 5 %."""
    low, high = 120.0, 200.0
    speeds = np.exp(generator.normal(0, 0.05, 60))
    states = generator.bit_generator.state
    while high - low > 0.5:
        middle = (low + high) / 2
        generator.bit_generator.state = states
        late = [_server(middle, 200.0, generator, float(speed)) for speed in speeds]
        share = sum(one.over for one in late) / sum(one.requests for one in late)
        low, high = (middle, high) if share <= ramp.OVER else (low, middle)
    return (low + high) / 2


def _server(rate: float, seconds: float, generator: np.random.Generator, speed: float) -> RampTrial:
    count = generator.poisson(rate * seconds)
    arrivals = np.sort(generator.uniform(0, seconds, count))
    run_times = services(1.5, count, 0.04, generator) * speed
    latency = queueing.waits(arrivals, run_times, 8) + run_times
    return RampTrial(rate, count, int((latency > 0.25).sum()), 0.0, float((arrivals + latency <= seconds).mean()))


def _search(seconds: float, generator: np.random.Generator) -> tuple[float, int]:
    """Search once; the machine's speed wanders by 5 % with a memory of a few trials."""
    trials: list[RampTrial] = []
    speed = generator.normal(0, 0.05)
    while isinstance(rate := ramp.next_rate(trials, 150.0), float):
        speed = 0.5 * speed + generator.normal(0, 0.05 * math.sqrt(0.75))
        trials.append(_server(rate, seconds, generator, math.exp(speed)))
    found = ramp.capacity(trials)
    assert isinstance(found, ApiCapacity)
    return found.per_second, len(trials)


def queue_formula(seed: int) -> list[Row]:
    """Allen-Cunneen against the replay of a million arrivals (statistics §5.2)."""
    found = []
    said = {
        0.3: ("-9 to +2 %", "-11 to +5 %"),
        1.0: ("-1 to +13 %", "-6 to +14 %"),
        2.0: ("+12 to +47 %", "-1 to +51 %"),
    }
    for number, (cv, slots, used) in enumerate([(c, s, u) for c in said for s in (1, 5, 20) for u in (0.8, 0.95)]):
        generator = np.random.default_rng([seed, number])
        means, tails = [], []
        for _ in range(4):
            run_times = services(cv, 300_000, 10, generator)
            rate = used * slots / float(run_times.mean())
            waited = queueing.waits(np.cumsum(generator.exponential(1 / rate, run_times.size)), run_times, slots)[
                30_000:
            ]
            line = queueing.allen_cunneen(rate, run_times, slots)
            means.append(line.mean / float(waited.mean()) - 1)
            tails.append(line.p95 / float(np.quantile(waited, 0.95)) - 1)
        case = f"CV {cv:g}, {slots} slots, {used:.0%} used"
        found += [
            rows.mean(case, "error of the mean wait", means, said[cv][0]),
            rows.mean(case, "error of the p95 wait", tails, said[cv][1]),
        ]
    return found
