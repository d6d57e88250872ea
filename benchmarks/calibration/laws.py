"""Cells about models of behaviour over time and size: warm-up, scaling, depth, correlation and trends."""

import math

import msgspec
import numpy as np

from benchmarks.calibration import rows
from benchmarks.calibration.rows import Row
from benchmarks.calibration.traffic import PLAN
from reports import correlation, depth, noise, scaling, steadiness, trend, warmup
from reports.correlation import Link
from reports.depth import Depth
from reports.scaling import Scaling
from reports.statistics import Floats


def warm_up(seed: int) -> list[Row]:
    """Bias that MSER-5 leaves of a warm-up of x2 decaying in 180 s, and what it finds where there is none."""
    said = {
        "quiet": {1: "1.6 %", 16: "0.8 %", 40: "0.7 %"},
        "typical": {1: "3.2 %", 16: "1.2 %", 40: "1.0 %"},
        "noisy": {1: "6.0 %", 16: "2.2 %", 40: "1.6 %"},
    }
    curve = math.log(2) * np.exp(-(np.arange(240) * 5 + 2.5) / 180)
    found = []
    for number, name in enumerate(noise.PROFILES):
        generator = np.random.default_rng([seed, number])
        for trials, specified in said[name].items():
            left = []
            for _ in range(300):
                cut, _limit = warmup.mser(warmup.batches((_blocks(name, trials, 240, 5.0, generator) + curve).mean(0)))
                left.append(math.expm1(curve[cut * warmup.BATCH :].mean()))
            found.append(rows.mean(f"{name}, {trials} trials of 20 min", "bias left", left, specified))
        for seconds in (13, 75, 135, 315):
            found += _false_steadiness(name, seconds, generator)
    return found


def _blocks(name: str, trials: int, steps: int, step: float, generator: np.random.Generator) -> Floats:
    """Slices of trials: the machine's noise, a restart each, and the sampling error of a median of 10 requests/s."""
    profile = noise.PROFILES[name]
    path = noise.environment(profile, trials, steps, step, generator)
    restart = generator.normal(0, profile.restart, (trials, 1))
    return np.asarray(path + restart + generator.normal(0, 0.63 / math.sqrt(10 * step), path.shape))


def _false_steadiness(name: str, seconds: int, generator: np.random.Generator) -> list[Row]:
    """Short trials without any warm-up: how often the rule finds none steady, and how often the check speaks."""
    design = msgspec.structs.replace(PLAN.design, pairs=8, warm_up=seconds * 0.1, seconds=seconds * 0.9)
    at_limit, spoken, void = [], [], []
    for _ in range(300):
        step = seconds / 100
        pairs = list(zip(*(_blocks(name, 8, 100, step, generator) for _ in range(2)), strict=True))
        arm = warmup.of_arm([a for a, _ in pairs], float(seconds))
        judged = steadiness.judge(pairs, design, 0.10)
        assert arm is not None
        assert judged is not None
        at_limit.append(not arm.steady)
        spoken.append(judged.state != "ok")
        void.append(judged.state == "invalid")
    case = f"{name}, 8 pairs of {seconds} s, no warm-up"
    return [
        rows.rate(case, "MSER-5 at its limit in an arm", at_limit, "-"),
        rows.at_most(case, "check speaks", spoken, "at most 5 %", 0.05),
        rows.at_most(case, "check voids the run", void, "at most 1 %", 0.01),
    ]


def scale(seed: int) -> list[Row]:
    """The scalability law: coherency found, peaks stated and covered (statistics §5.1)."""
    cases = [
        ((0.05, 0.01), 4, 3, 0.02, "45 %", "0 %"),
        ((0.05, 0.01), 4, 6, 0.02, "66 %", "0 %"),
        ((0.05, 0.01), 4, 3, 0.05, "14 %", "0 %"),
        ((0.05, 0.01), 8, 6, 0.05, "99 %", "80 %"),
        ((0.10, 0.05), 4, 3, 0.02, "100 %", "99 %"),
        ((0.10, 0.05), 4, 3, 0.05, "78 %", "53 %"),
        ((0.10, 0.00), 4, 3, 0.02, "3 to 5 %", "0 %"),
        ((0.10, 0.00), 4, 6, 0.05, "3 to 5 %", "0 %"),
    ]
    found = []
    for number, (law, most, rounds, spread, seen, stated) in enumerate(cases):
        generator = np.random.default_rng([seed, number])
        fits = [_fit(law, most, rounds, spread, generator) for _ in range(300)]
        peak = math.sqrt((1 - law[0]) / law[1]) if law[1] else math.inf
        beyond = peak >= scaling.REACH * most
        case = f"sigma {law[0]:g}, kappa {law[1]:g} (N* {peak:.1f}), 1-{most}, {rounds} rounds, {spread:.0%}"
        named = [one.peak_stated for one in fits]
        found += [
            rows.rate(case, "kappa found", [one.kappa_found for one in fits], seen),
            rows.at_most(case, "peak stated", named, stated, 0.0)
            if beyond
            else rows.rate(case, "peak stated", named, stated),
            rows.at_least(
                case,
                "interval of N* holds it",
                [one.peak.low <= peak <= one.peak.high for one in fits],
                "91 to 100 %",
                0.91,
            ),
            rows.at_least(
                case,
                "interval of sigma holds it",
                [one.sigma.low <= law[0] <= one.sigma.high for one in fits],
                "89 to 100 %",
                0.89,
            ),
        ]
    return found


def _fit(law: tuple[float, float], most: int, rounds: int, spread: float, generator: np.random.Generator) -> Scaling:
    sigma, kappa = law
    truth = {n: 100 * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) for n in range(1, most + 1)}
    measured = [{n: x * math.exp(generator.normal(0, spread)) for n, x in truth.items()} for _ in range(rounds)]
    found = scaling.fit(measured)
    assert isinstance(found, Scaling)
    return found


def depths(seed: int) -> list[Row]:
    """What doubling the history does: coverage of its interval over rounds of five depths."""
    generator, found = np.random.default_rng(seed), []
    levels = [1e3, 4e3, 16e3, 64e3, 256e3]
    for rounds in (4, 6):
        held = []
        for _ in range(2000):
            measured = [
                {d: d ** math.log2(1.6) * math.exp(generator.normal(0, 0.08)) for d in levels} for _ in range(rounds)
            ]
            one = depth.respond(measured)
            assert isinstance(one, Depth)
            held.append(one.doubling.low <= 1.6 <= one.doubling.high)
        found.append(rows.rate(f"{rounds} rounds, noise 8 %", "coverage of x1.6 a doubling", held, "95 %", 0.95))
    return found


def correlate(seed: int) -> list[Row]:
    """Links with nothing and with x1.11: false alarms and power (statistics §7)."""
    found = []
    power = {("typical", 2): "93 %", ("typical", 8): "76 %"}
    cases = [
        (name, hours, count, length) for name in noise.PROFILES for hours, count, length in ((2, 7, 12), (8, 3, 60))
    ]
    for number, (name, hours, count, length) in enumerate(cases):
        generator = np.random.default_rng([seed, number])
        alarms, seen, factors = [], [], []
        for _ in range(300):
            for effect, hits in ((1.0, alarms), (1.11, seen)):
                link = _link(name, hours * 360, count, length, effect, generator)
                if link is not None:
                    hits.append(link.p < 0.05)
                    if effect > 1:
                        factors.append(link.factor)
        case = f"{name}, {hours} h, {count} episodes of {length // 6} min"
        found += [
            rows.at_most(case, "false alarms", alarms, "2 to 8 %", 0.08),
            rows.rate(case, "power for x1.11", seen, power.get((name, hours), "-")),
            rows.mean(case, "factor found, less 1.11", [factor - 1.11 for factor in factors], "-0.01 to 0"),
        ]
    return found


def _link(
    name: str, slices: int, count: int, length: int, effect: float, generator: np.random.Generator
) -> Link | None:
    """One machine, one suspect; None when its episodes happened to touch and fewer than three are left."""
    y = noise.environment(noise.PROFILES[name], 1, slices, 10.0, generator)[0] + generator.normal(0, 0.09, slices)
    x = np.zeros(slices)
    for begin in generator.choice(slices - length, count, replace=False):
        x[begin : begin + length] = 1
    found = correlation.link("suspect", y + math.log(effect) * x, x, np.empty((slices, 0)))
    return found if isinstance(found, Link) else None


def trends(seed: int) -> list[Row]:
    """Change points: series without one, and a step of a quarter in the middle."""
    found = []
    for number, runs in enumerate((12, 30)):
        generator = np.random.default_rng([seed, number])
        false, seen = [], []
        for _ in range(400):
            series = generator.normal(0, 0.08, runs)
            false.append(bool(trend.changes(series.tolist())))
            series[runs // 2 :] += math.log(1.25)
            marks = trend.changes(series.tolist())
            seen.append(any(abs(mark.index - runs // 2) <= 1 for mark in marks))
        case = f"{runs} runs, noise 8 %"
        found.append(rows.at_most(case, "series without change marked", false, "1 %", 0.01))
        found.append(rows.rate(case, "step of x1.25 marked within a run of its place", seen, "-"))
    return found
