"""Capacity and queue: simulated servers whose truth is known, within the error that the specification gives."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import run_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from octoload.files import write_json
from reports import confirmations, drains, queueing, ramp, run
from reports.drains import Capacity, Drain
from reports.ramp import ApiCapacity, RampTrial
from reports.statistics import Floats, Untold

pytestmark = pytest.mark.unit


def services(cv: float, count: int, mean: float, generator: np.random.Generator) -> Floats:
    """Lognormal run times in seconds."""
    sigma = math.sqrt(math.log(1 + cv * cv))
    return mean * np.exp(generator.normal(-sigma * sigma / 2, sigma, count))


def drained(run_times: Floats, slots: int) -> tuple[Floats, Floats]:
    """Starts and ends of tasks that were all queued at once."""
    starts = 1e9 + queueing.waits(np.zeros(run_times.size), run_times, slots)
    return starts, starts + run_times


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 20)), min_size=1, max_size=60),
    st.integers(1, 6),
)
def test_a_replay_is_first_come_first_served(tasks: list[tuple[float, float]], slots: int) -> None:
    """Tasks start in their order, never before they arrive, never more than c at once, and never leave a slot idle."""
    arrivals = np.cumsum([gap for gap, _ in tasks])
    run_times = np.array([service for _, service in tasks])
    waited = queueing.waits(arrivals, run_times, slots)
    starts = arrivals + waited
    assert (waited >= 0).all()
    assert (np.diff(starts) >= -1e-9).all()
    assert queueing.most_at_once(starts, starts + run_times * (1 - 1e-9)) <= slots
    for number in np.flatnonzero(waited > 1e-9):
        under_way = (starts[:number] <= starts[number] - 1e-9) & (
            starts[:number] + run_times[:number] > arrivals[number]
        )
        assert under_way.sum() >= slots


def test_erlangs_formula_is_the_printed_table() -> None:
    """C(c = 1) is the utilisation; C(5, load 4) = 0.5541, C(10, load 8) = 0.4092 (Erlang's tables)."""
    assert queueing.erlang_c(0.7, 1) == pytest.approx(0.7)
    assert queueing.erlang_c(4.0, 5) == pytest.approx(0.5541, abs=1e-4)
    assert queueing.erlang_c(8.0, 10) == pytest.approx(0.4092, abs=1e-4)
    assert queueing.erlang_c(5.0, 5) == 1.0


def test_the_textbook_line_agrees_with_an_exact_queue() -> None:
    """M/M/1 at 0.8 with 10 s: mean wait 40 s, p95 138.6 s; and with a replay of M/M/5 within 10 %."""
    generator = np.random.default_rng(3)
    exact = generator.exponential(10, 400_000)
    line = queueing.allen_cunneen(0.08, exact, 1)
    assert line.mean == pytest.approx(40, rel=0.03)
    assert line.p95 == pytest.approx(10 * math.log(0.8 / 0.05) / 0.2, rel=0.03)
    arrivals = np.cumsum(generator.exponential(1 / 0.4, exact.size))
    waited = queueing.waits(arrivals, exact, 5)[20_000:]
    line = queueing.allen_cunneen(0.4, exact, 5)
    assert line.mean == pytest.approx(waited.mean(), rel=0.10)
    assert line.p95 == pytest.approx(np.quantile(waited, 0.95), rel=0.10)
    assert queueing.allen_cunneen(1.0, exact, 5).mean == math.inf


def test_capacity_by_replay_is_the_specifications_truth() -> None:
    """5 slots, run times of 10 s with CV 1, p95 wait below 60 s: 1,624 tasks an hour, 0.90 of the slots' time."""
    found = drains.capacity(services(1.0, 200_000, 10, np.random.default_rng(11)), 5, 60.0)
    assert isinstance(found, Capacity)
    assert found.per_hour == pytest.approx(1624, rel=0.015)
    assert found.utilisation == pytest.approx(0.90, abs=0.015)
    assert drains.sentence(found).startswith("1,6")


def test_capacity_by_drain_has_the_error_of_the_specification() -> None:
    """Drains of 200 tasks with CV 0.3 miss the truth, 1,706 an hour, by sd 2.2 % with little bias (§4.2)."""
    cv, tasks, truth, sd = 0.3, 200, 1706, 0.022
    generator = np.random.default_rng(12)
    errors, rates = [], []
    for _ in range(8):
        starts, ends = drained(services(cv, tasks, 10, generator), 5)
        found, rate = drains.capacity(ends - starts, 5, 60.0), drains.measure(starts, ends, 5)
        assert isinstance(found, Capacity)
        assert isinstance(rate, Drain)
        errors.append(found.per_hour / truth - 1)
        rates.append(rate.per_minute / 30 - 1)
    assert abs(np.mean(errors)) < 0.02 + 3 * sd / math.sqrt(8)
    assert np.std(errors) < 2 * sd
    assert -0.05 < np.mean(rates) < 0.02 + 3 * cv / math.sqrt(tasks * 8)


def test_the_tail_of_a_drain_is_left_out() -> None:
    """20 slots and 200 tasks of CV 1: the rate of the whole drain is about a quarter low, the reduced one is not."""
    generator = np.random.default_rng(13)
    whole, reduced = [], []
    for _ in range(60):
        starts, ends = drained(services(1.0, 200, 10, generator), 20)
        found = drains.measure(starts, ends, 20)
        assert isinstance(found, Drain)
        reduced.append(found.per_minute / 120)
        whole.append(60 * 200 / (ends.max() - starts.min()) / 120)
        assert "few for 20 slots" in found.doubt
    assert np.mean(whole) == pytest.approx(0.765, abs=0.04)
    assert np.mean(reduced) == pytest.approx(1.0, abs=0.05)


def test_paired_drains_of_the_same_tasks_give_half_the_interval() -> None:
    """The same list in both arms gives a narrower interval of their ratio than lists of their own (§4.3 step 5)."""
    generator = np.random.default_rng(14)
    same, own = [], []
    for _ in range(60):
        run_times = services(0.5, 100, 10, generator)
        wobble = [run_times * np.exp(generator.normal(0, 0.05, 100)) for _ in range(2)]
        other = services(0.5, 100, 10, generator)
        rates = [drains.measure(*drained(one, 5), 5) for one in (*wobble, other)]
        assert all(isinstance(rate, Drain) for rate in rates)
        a, b, c = (rate.per_minute for rate in rates if isinstance(rate, Drain))
        same.append(math.log(b / a))
        own.append(math.log(c / a))
    assert np.std(same) < 0.75 * np.std(own)


@pytest.mark.parametrize(
    ("below", "above", "seconds", "state", "said"),
    [
        (0.0, 0.2, 1800.0, "ok", "1,000 tasks an hour are confirmed by open trials of 30 min"),
        (0.1, 0.2, 1800.0, "warn", "at 0.9 of it 10 % wait too long"),
        (0.0, 0.0, 1800.0, "warn", "at 1.15 of it only 0 % do"),
        (0.0, 0.2, 600.0, "warn", "30 min each are wanted"),
    ],
)
def test_open_trials_confirm_a_capacity_or_refute_it(
    tmp_path: Path, below: float, above: float, seconds: float, state: str, said: str
) -> None:
    """With shares of late tasks that are planted, those that never started among them; a caution where they refute."""
    folder = _confirmed(tmp_path, below, above, seconds)
    (found,) = confirmations.of_run(run.read(folder))
    assert (found.late_below, found.late_above, found.tasks) == (below, above, 200)
    (check,) = confirmations.check([found])
    assert check.state == state
    assert said in check.message


def test_an_open_trial_that_is_invalid_confirms_nothing(tmp_path: Path) -> None:
    """A generator that lags lets fewer tasks arrive than the trial is named for."""
    fault = {"name": "lag", "value": 1.0, "limit": 0.01, "state": "invalid", "message": "Requests left 1 s late."}
    (found,) = confirmations.of_run(run.read(_confirmed(tmp_path, 0.0, 0.2, 1800.0, [fault])))
    assert found.refuted == "Not confirmed: the trial above its capacity is invalid. Requests left 1 s late."
    assert confirmations.check([found])[0].state == "warn"


def _confirmed(place: Path, below: float, above: float, seconds: float, faults: Sequence[dict[str, Any]] = ()) -> Path:
    """Write a run with two open trials, the shares that came too late, and what is wrong with the second."""
    folder = run_folder.build(place, trials=0)
    content = {"arm": "keep-all", "capacity": 1000.0, "objective": 60.0, "seconds": seconds}
    for side, late, checks in (("below", below, ()), ("above", above, faults)):
        one = folder / "confirmations" / f"keep-all-{side}"
        one.mkdir(parents=True)
        _write_waits(one / "tasks.parquet", late)
        write_json(one / "confirmation.json", "confirmation", 1, {**content, "side": side, "checks": [*checks]})
    return folder


def _write_waits(path: Path, late: float) -> None:
    """Write 100 tasks of 10 s; of those that wait too long every second one never started."""
    queued = np.arange(100.0)
    wait = np.where(queued < 100 * late, np.where(queued % 2 == 0, np.nan, 90.0), 1.0)
    texts = {name: ["x"] * 100 for name in ("task", "kind", "project", "node", "state")}
    times = {"queued": queued, "started": queued + wait, "completed": queued + wait + 10}
    pq.write_table(pa.table({**texts, **times, "starts": np.ones(100, dtype=np.int32)}), path)


def test_a_confirmation_can_refute() -> None:
    """A rate holds when 0.90 of it keeps the objective and 1.15 of it does not; else the replay is refuted."""
    found = Capacity(1624, 60.0, 0.9)
    short, long = np.full(1000, 10.0), np.full(1000, 90.0)
    assert drains.refuted(found, short, long) == ""
    assert "at 0.9 of it 100 %" in drains.refuted(found, long, long)
    assert "at 1.15 of it only 0 %" in drains.refuted(found, short, short)
    assert "Not confirmed" in drains.refuted(found, short, np.array([]))


@pytest.mark.parametrize(
    ("starts", "ends", "slots"),
    [
        ([], [], 5),
        ([1.0] * 8, [2.0] * 8, 5),
        ([1.0] * 20, [math.nan] * 20, 5),
        ([5.0] * 20, [2.0] * 20, 5),
        ([1.0] * 20, [2.0] * 20, 0),
        ([1.0] * 20, [1.0] * 20, 5),
    ],
)
def test_a_drain_that_shows_nothing_is_a_statement(starts: list[float], ends: list[float], slots: int) -> None:
    """No tasks, too few, none that ended, ended before they began, no slots, no time: a reason and no number."""
    assert isinstance(drains.measure(np.array(starts), np.array(ends), slots), Untold)


@pytest.mark.parametrize("bad", [[], [10.0], [10.0, math.nan], [0.0, 0.0]])
def test_run_times_that_say_nothing_give_no_capacity(bad: list[float]) -> None:
    """Nothing to replay: a reason and no number; nor when no rate at all keeps the objective."""
    found = drains.capacity(np.array(bad), 5, 60.0)
    assert isinstance(found, Untold)
    assert "cannot be said" in drains.sentence(found)


def test_more_at_once_than_slots_is_said() -> None:
    """Tasks that overlap more than the caps allow betray clocks or caps."""
    found = drains.measure(np.arange(100.0), np.arange(100.0) + 10, 5)
    assert isinstance(found, Drain)
    assert "10 tasks ran at once with 5 slots" in found.doubt


def test_littles_law_finds_shifted_and_lost_tasks() -> None:
    """Polled and integrated numbers agree at 0.8 of 5 slots over 30 minutes; starts 5 s late, lost tasks do not."""
    generator = np.random.default_rng(15)
    arrivals = np.cumsum(generator.exponential(2.5, 1200))
    run_times = services(1.0, arrivals.size, 10, generator)
    starts = arrivals + queueing.waits(arrivals, run_times, 5)
    ends = starts + run_times
    begin, end = 600.0, 2400.0
    polls = np.arange(begin, end, 10.0)
    running = float(np.mean([((starts <= at) & (at < ends)).sum() for at in polls]))
    queued = float(np.mean([((arrivals <= at) & (at < starts)).sum() for at in polls]))
    assert queueing.mean_number(starts, ends, begin, end) / running == pytest.approx(1, abs=0.05)
    assert queueing.mean_number(arrivals, starts, begin, end) / queued == pytest.approx(1, abs=0.15)
    late = np.minimum(starts + 5, ends)
    assert queueing.mean_number(late, ends, begin, end) / running < 0.75
    kept = generator.uniform(size=starts.size) > 0.10
    assert queueing.mean_number(starts[kept], ends[kept], begin, end) / running == pytest.approx(0.90, abs=0.05)


def test_a_dispatch_that_is_none_in_order_is_said() -> None:
    """Waits twice as long, or half as long, as c slots explain are a doubt about the dispatch."""
    assert queueing.dispatch_doubt(60, 50) == ""
    assert "3.0 times as long" in queueing.dispatch_doubt(150, 50)
    assert queueing.dispatch_doubt(20, 50) != ""


def server(rate: float, seconds: float, generator: np.random.Generator, speed: float = 1.0) -> RampTrial:
    """8 workers, 40 ms with CV 1.5: the API server of statistics §4.2, whose truth is 170 to 174 requests a second."""
    count = generator.poisson(rate * seconds)
    arrivals = np.sort(generator.uniform(0, seconds, count))
    run_times = services(1.5, count, 0.04, generator) * speed
    latency = queueing.waits(arrivals, run_times, 8) + run_times
    served = float((arrivals + latency <= seconds).mean())
    return RampTrial(rate, count, int((latency > 0.25).sum()), 0.0, served)


def searched(guess: float, generator: np.random.Generator, noise: float = 0.05) -> tuple[ApiCapacity, list[RampTrial]]:
    trials: list[RampTrial] = []
    while isinstance(rate := ramp.next_rate(trials, guess), float):
        trials.append(server(rate, 30.0, generator, math.exp(generator.normal(0, noise))))
    assert rate is None
    found = ramp.capacity(trials)
    assert isinstance(found, ApiCapacity)
    return found, trials


def test_api_capacity_is_found_in_the_time_and_error_of_the_specification() -> None:
    """Of 20 searches in a machine that wavers by 5 %, 18 lie within 12 % of the truth, in about 8 minutes each."""
    generator = np.random.default_rng(16)
    found = [searched(150.0, generator) for _ in range(20)]
    errors = np.array([one.per_second / 172 - 1 for one, _ in found])
    assert (abs(errors) <= 0.12).sum() >= 18
    assert np.mean([len(trials) * 0.5 for _, trials in found]) < 9


def test_a_chance_failure_does_not_end_the_ramp() -> None:
    """A rate that fails once and holds when repeated is passed; one that fails twice ends the ramp."""
    good, bad = RampTrial(67.5, 2000, 10, 0.0, 1.0), RampTrial(67.5, 2000, 400, 0.0, 1.0)
    assert ramp.next_rate([], 150) == pytest.approx(67.5)
    assert ramp.next_rate([bad], 150) == pytest.approx(67.5)
    assert ramp.next_rate([bad, good], 150) == pytest.approx(67.5 * ramp.STEP)
    assert isinstance(ramp.next_rate([bad, bad], 150), Untold)


@pytest.mark.parametrize(
    ("errors", "served", "over", "failed"),
    [(0.0, 1.0, 50, False), (0.0, 1.0, 51, True), (0.011, 1.0, 0, True), (0.0, 0.96, 0, True)],
)
def test_a_trial_fails_by_its_three_rules(errors: float, served: float, over: int, *, failed: bool) -> None:
    """More than 5 % late, more than 1 % failed, or less than 97 % served."""
    assert RampTrial(100.0, 1000, over, errors, served).failed == failed


def test_a_known_curve_is_fitted() -> None:
    """Log-odds with slope 20 through 5 % at 170 come back from six exact trials."""
    rates = [150.0, 160.0, 165.0, 170.0, 175.0, 185.0]
    late = [float(special.expit(special.logit(0.05) + 20 * math.log(rate / 170))) for rate in rates]
    trials = [RampTrial(r, 1_000_000, round(1e6 * p), 0, 1) for r, p in zip(rates, late, strict=True)]
    found = ramp.fit(trials)
    assert isinstance(found, ApiCapacity)
    assert (found.per_second, found.slope) == pytest.approx((170, 20), rel=0.01)


@pytest.mark.parametrize("bad", [[], [RampTrial(100, 0, 0, 0, 1)] * 6, [RampTrial(100, 1000, 10, 0, 1)] * 6])
def test_trials_that_show_no_curve_give_a_statement(bad: list[RampTrial]) -> None:
    """No trial, none with requests, one rate only: a reason and no number."""
    assert isinstance(ramp.fit(bad), Untold)


def test_a_server_that_never_fails_ends_the_search() -> None:
    """The ramp gives up after two decades and says what to do."""
    trials: list[RampTrial] = []
    while isinstance(rate := ramp.next_rate(trials, 1.0), float):
        trials.append(RampTrial(rate, 1000, 0, 0.0, 1.0))
    assert isinstance(rate, Untold)
    assert "higher guess" in rate.reason
