"""Cells about verdicts: false alarms and coverage on simulated machines, few pairs, looks, endpoints, gates."""

import math

import numpy as np
from scipy import stats

from benchmarks.calibration import rows, traffic
from benchmarks.calibration.rows import Row
from benchmarks.calibration.traffic import PAIRS, PLAN, log
from reports import calibration, looks, statistics
from reports.effects import compare
from reports.noise import PROFILES

#: Experiments of a cell, and how many are simulated at a time.
EXPERIMENTS, CHUNK = 600, 20
METRICS = ("p50", "p95", "p99")
#: statistics §2.2, randomised pairs: false alarms of Mann-Whitney on requests, and of paired t before and after.
_MANN_WHITNEY = {"quiet": "22 %", "typical": "68 %", "noisy": "84 %"}
_BEFORE_AFTER = {"quiet": "10 %", "typical": "25 %", "noisy": "17 %"}


def alarms(seed: int) -> list[Row]:
    """A/A: how often each procedure sees a difference where there is none."""
    found: list[Row] = []
    for number, (name, profile) in enumerate(PROFILES.items()):
        generator = np.random.default_rng([seed, number])
        raw: dict[str, list[bool]] = {metric: [] for metric in METRICS}
        flagged, reports, requests, before_after = [], [], [], []
        for _ in range(EXPERIMENTS // CHUNK):
            values = traffic.latencies(profile, CHUNK, generator)
            for one, order in zip(values, traffic.orders(CHUNK, generator), strict=True):
                effects = compare(traffic.pairs(one, order), PLAN)
                for metric in METRICS:
                    effect = next(e for e in effects if (e.operation, e.metric) == ("dashboard", metric))
                    raw[metric].append(effect.p < 0.05)
                primary = [effect for effect in effects if effect.role == "primary"]
                flagged.append(any((effect.p_adjusted or 0) < 0.05 for effect in primary))
                reports.append(any(effect.claimed for effect in primary))
                a, b = one[0, order[:, 0]].ravel(), one[0, order[:, 1]].ravel()
                requests.append(bool(stats.mannwhitneyu(a, b, method="asymptotic").pvalue < 0.05))
                straight = np.stack([np.arange(PAIRS), PAIRS + np.arange(PAIRS)], axis=1)
                ordered = compare(traffic.pairs(one, straight), PLAN)
                p95 = next(e for e in ordered if (e.operation, e.metric) == ("dashboard", "p95"))
                before_after.append(p95.p < 0.05)
        found += [rows.rate(f"{name}, {m}", "paired t, p < 0.05", raw[m], "5 %", 0.05) for m in METRICS]
        found += [
            rows.at_most(f"{name}, 5 endpoints", "report with any p < 0.05 after Holm", flagged, "at most 5 %", 0.05),
            rows.at_most(f"{name}, 5 endpoints", "report whose verdict claims anything", reports, "at most 5 %", 0.05),
            rows.at_least(
                f"{name}, all requests",
                "Mann-Whitney, p < 0.05: wrong, for comparison",
                requests,
                f"20 % and more ({_MANN_WHITNEY[name]})",
                0.20,
            ),
            rows.rate(f"{name}, p95", "paired t before and after: wrong", before_after, _BEFORE_AFTER[name]),
        ]
    return found


def alarms_again(seed: int) -> list[Row]:
    """A/A on the noisy machine once more, with five times as many experiments, for its p99 lay outside at first."""
    raw: dict[str, list[bool]] = {metric: [] for metric in METRICS}
    generator = np.random.default_rng(seed)
    for _ in range(5 * EXPERIMENTS // CHUNK):
        values = traffic.latencies(PROFILES["noisy"], CHUNK, generator)
        for one, order in zip(values, traffic.orders(CHUNK, generator), strict=True):
            for effect in compare(traffic.pairs(one, order), PLAN):
                if effect.operation == "dashboard" and effect.metric in METRICS:
                    raw[effect.metric].append(effect.p < 0.05)
    return [rows.rate(f"noisy, {m}", "paired t, p < 0.05", raw[m], "5 %", 0.05) for m in METRICS]


def coverage(seed: int) -> list[Row]:
    """A true effect of x1.30: how often the intervals hold it, and what the verdict says."""
    found: list[Row] = []
    for number, (name, profile) in enumerate(PROFILES.items()):
        generator = np.random.default_rng([seed, number])
        student: dict[str, list[bool]] = {metric: [] for metric in METRICS}
        ranks: dict[str, list[bool]] = {metric: [] for metric in METRICS}
        widths: dict[str, list[float]] = {metric: [] for metric in METRICS}
        for _ in range(EXPERIMENTS // CHUNK):
            values = traffic.latencies(profile, CHUNK, generator)
            for one, order in zip(values, traffic.orders(CHUNK, generator), strict=True):
                for effect in compare(traffic.pairs(one, order, 1.30), PLAN):
                    if effect.operation == "dashboard" and effect.metric in METRICS:
                        assert effect.hl_low is not None
                        assert effect.hl_high is not None
                        student[effect.metric].append(effect.ci_low <= 1.30 <= effect.ci_high)
                        ranks[effect.metric].append(effect.hl_low <= 1.30 <= effect.hl_high)
                        widths[effect.metric].append(math.sqrt(effect.ci_high / effect.ci_low) - 1)
        half = {"quiet": ("3.2", "6", "14"), "typical": ("9.3", "12", "18"), "noisy": ("26", "38", "39")}[name]
        for metric, said in zip(METRICS, half, strict=True):
            case = f"{name}, {metric}"
            found += [
                rows.rate(case, "coverage, Student", student[metric], "95 %", 0.95),
                rows.at_least(case, "coverage, Hodges-Lehmann", ranks[metric], "95 to 98 %", 0.95),
                rows.median(case, "half-width of the interval", widths[metric], f"{said} %"),
            ]
    return found


def few_pairs(seed: int) -> list[Row]:
    """Coverage of both intervals for few normal log-ratios (statistics §2.3)."""
    said = {4: "94.5 %", 5: "95.2 %", 6: "94.4 %", 8: "95.4 %", 10: "95.0 %", 20: "95.3 %"}
    ranks = {6: "96.3 %", 8: "96.3 %", 10: "95.6 %", 20: "95.6 %"}
    found = []
    for number, pairs in enumerate(said):
        generator = np.random.default_rng([seed, number])
        draws = generator.normal(size=(4000, pairs))
        intervals = [statistics.paired_t(d).interval() for d in draws]
        held = [one.low <= 0 <= one.high for one in intervals]
        found.append(rows.rate(f"{pairs} pairs", "coverage, Student", held, said[pairs], 0.95))
        if pairs in ranks:
            robust = [statistics.hodges_lehmann(d) for d in draws]
            inside = [one.low <= 0 <= one.high for one in robust]
            found.append(rows.at_least(f"{pairs} pairs", "coverage, Hodges-Lehmann", inside, ranks[pairs], 0.95))
    return found


def planned_looks(seed: int) -> list[Row]:
    """Stopping at significance: at planned looks with their level, and without (statistics §2.6)."""
    draws = np.random.default_rng(seed).normal(size=(10_000, 40))

    def alarmed(planned: range | tuple[int, ...], level: float) -> list[bool]:
        p = np.empty((len(draws), len(planned)))
        for column, n in enumerate(planned):
            part = draws[:, :n]
            t = part.mean(axis=1) / (part.std(axis=1, ddof=1) / math.sqrt(n))
            p[:, column] = 2 * stats.t.sf(np.abs(t), n - 1)
        return (p < level).any(axis=1).tolist()

    two, three = (8, 16), (6, 12, 18)
    return [
        rows.at_most("looks at 8 and 16", "false alarms", alarmed(two, looks.levels(two).claim), "5.2 %", 0.055),
        rows.at_most("looks at 6, 12, 18", "false alarms", alarmed(three, looks.levels(three).claim), "5.5 %", 0.058),
        rows.rate("a look after each pair, 6 to 20: wrong", "false alarms", alarmed(range(6, 21), 0.05), "18 %"),
        rows.rate("a look after each pair, 6 to 40: wrong", "false alarms", alarmed(range(6, 41), 0.05), "25 %"),
    ]


def endpoints(seed: int) -> list[Row]:
    """Five primary endpoints: false alarms of a report, and the power for a true x1.2 (statistics §2.7)."""
    found = []
    generator = np.random.default_rng(seed)
    for pairs, said in ((6, "61 %"), (8, "96 %"), (12, "100 %")):  # of the specification's wider endpoints
        alarm = calibration.false_alarms(5, pairs, 3000, generator)
        hits = [True] * round(alarm.share * alarm.runs) + [False] * round((1 - alarm.share) * alarm.runs)
        found.append(rows.at_most(f"{pairs} pairs, sd 0.08", "report that claims anything", hits, "2 to 5 %", 0.05))
        draws = generator.normal(log(1.2), 0.08, size=(1500, 5, pairs))
        seen = [statistics.holm([statistics.paired_t(d).p for d in one])[0] < 0.05 for one in draws]
        found.append(
            rows.rate(
                f"{pairs} pairs, sd 0.08", "power for x1.2 on all five, after Holm", seen, f"{said} where sd is larger"
            )
        )
    return found


def gates(seed: int) -> list[Row]:
    """How often an endpoint passes a gate of 10 % (statistics §2.9)."""
    generator, found = np.random.default_rng(seed), []
    table = {(0.05, 8): (100, 76, 5), (0.08, 8): (91, 43, 5), (0.12, 12): (82, 35, 5), (0.20, 30): (82, 35, 5)}
    for (sd, pairs), said in table.items():
        for ratio, percent in zip((1.00, 1.05, 1.10), said, strict=True):
            passed = calibration.gate(sd, pairs, ratio, 3000, generator)
            hits = [True] * round(passed.share * passed.runs) + [False] * round((1 - passed.share) * passed.runs)
            row = rows.rate(f"sd {sd:g}, {pairs} pairs, true x{ratio:.2f}", "gate passed", hits, f"{percent} %")
            found.append(row)
    return found
