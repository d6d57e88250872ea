"""Pairs of blocks turned into effects: a ratio, its interval and a verdict for each operation and metric."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from reports import looks, power, statistics
from reports.looks import Levels
from reports.plan import Endpoint, Plan
from reports.statistics import PairedT
from reports.summaries import METRICS, Summary

Role = Literal["primary", "control", "exploratory"]
Verdict = Literal["better", "worse", "slightly better", "slightly worse", "equivalent", "no worse", "inconclusive"]

#: Verdicts that name a change.
CLAIMS: frozenset[Verdict] = frozenset({"better", "worse", "slightly better", "slightly worse"})
#: Metrics of which more is better; of all others less is better (design §7).
MORE_IS_BETTER = frozenset({"throughput", "rate", "capacity", "sustained"})
#: What a run that is looked at once, at its end, may use.
ONE_LOOK = Levels()


class Block(msgspec.Struct, frozen=True):
    """One valid trial, reduced."""

    #: Position in the run, from 1.
    index: int
    #: Its pair, from 1.
    pair: int
    #: Name of its arm.
    arm: str
    #: Block values by operation.
    operations: dict[str, Summary]
    #: Length of the measured phase.
    seconds: float


class Pair(msgspec.Struct, frozen=True):
    """Two blocks close in time."""

    baseline: Block
    contender: Block

    @property
    def baseline_first(self) -> bool:
        """Whether the baseline ran before the contender."""
        return self.baseline.index < self.contender.index


class Effect(msgspec.Struct, frozen=True):
    """What the contender does to one metric of one operation."""

    operation: str
    #: `p50`, `p95`, `p99` (latency, seconds) or `throughput` (answers a second).
    metric: str
    #: Primary endpoints decide; controls must not change; the rest explores.
    role: Role
    #: Geometric mean over the baseline's blocks, in the metric's unit.
    baseline: float
    #: The same of the contender's.
    contender: float
    #: contender / baseline: geometric mean of the paired ratios.
    ratio: float
    #: 95 % Student interval of the ratio; with several planned looks all of them hold together in 95 %.
    ci_low: float
    ci_high: float
    #: Hodges-Lehmann estimate of the ratio and its exact Wilcoxon interval (None below six pairs).
    hl: float
    hl_low: float | None
    hl_high: float | None
    #: Two-sided p of "the ratio is 1".
    p: float
    #: The same after Holm, among the primary endpoints; None for others.
    p_adjusted: float | None
    #: Benjamini-Hochberg q among the others; None for primary endpoints.
    q: float | None
    #: Cliff's delta on block values: -1 when every contender block lies below every baseline block.
    cliffs_delta: float
    #: Pairs that carried the metric.
    pairs: int
    #: Smallest ratio above 1 that these pairs would have shown with a power of 80 %.
    resolves: float
    verdict: Verdict
    #: Pairs to add before an inconclusive endpoint can be expected to be decided; else 0.
    more_pairs: int
    #: log(contender / baseline) of each pair, in the order of the pairs.
    log_ratios: list[float]

    @property
    def more_is_better(self) -> bool:
        """Direction of goodness."""
        return self.metric in MORE_IS_BETTER

    @property
    def claimed(self) -> bool:
        """Whether the verdict names a change; the others say that there is none that matters, or none was shown."""
        return self.verdict in CLAIMS


class ErrorRate(msgspec.Struct, frozen=True):
    """How the share of failed requests differs between the arms; a difference, for it is mostly zero."""

    operation: str
    #: Mean share of failures over blocks.
    baseline: float
    contender: float
    #: contender - baseline, with its 95 % interval.
    difference: float
    ci_low: float
    ci_high: float
    #: Upper one-sided 95 % limit, which a gate holds against 0.5 percentage points.
    upper: float
    p: float
    pairs: int


def compare(pairs: Sequence[Pair], plan: Plan, beside: Sequence[float] = ()) -> list[Effect]:
    """Estimate every effect that at least two pairs carry; primary endpoints first, then controls.

    `beside` are the p-values of primary endpoints of further arms: they are adjusted for as one family, so that one
    false claim in the whole report stays at 5 % (statistics §2.7).
    """
    endpoints = _endpoints(pairs)
    p = {endpoint: statistics.paired_t(log_ratios(pairs, *endpoint)).p for endpoint in endpoints}
    roles = {endpoint: role_of(*endpoint, plan) for endpoint in endpoints}
    primary = [endpoint for endpoint in endpoints if roles[endpoint] == "primary"]
    others = [endpoint for endpoint in endpoints if roles[endpoint] != "primary"]
    family = statistics.holm([*(p[endpoint] for endpoint in primary), *beside])
    adjusted = dict(zip(primary, family, strict=False))
    adjusted |= zip(others, statistics.false_discovery([p[endpoint] for endpoint in others]), strict=True)
    effects = [
        _effect(endpoint, _values(pairs, *endpoint), roles[endpoint], adjusted[endpoint], plan)
        for endpoint in endpoints
    ]
    rank = {name: position for position, name in enumerate(("primary", "control", "exploratory"))}
    return sorted(effects, key=lambda effect: (rank[effect.role], effect.operation, METRICS.index(effect.metric)))


def primary_p(pairs: Sequence[Pair], plan: Plan) -> list[float]:
    """p-values of the primary endpoints, unadjusted."""
    deciding = [endpoint for endpoint in _endpoints(pairs) if role_of(*endpoint, plan) == "primary"]
    return [statistics.paired_t(log_ratios(pairs, *endpoint)).p for endpoint in deciding]


def _endpoints(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """(operation, metric) of all that at least two pairs carry."""
    return [
        (operation, metric)
        for operation in _operations(pairs)
        for metric in METRICS
        if len(_values(pairs, operation, metric)) >= 2
    ]


def role_of(operation: str, metric: str, plan: Plan) -> Role:
    """Look an endpoint's role up; a control is held against the metrics of the primary endpoints."""
    if Endpoint(operation, metric) in plan.primary:
        return "primary"
    deciding = {endpoint.metric for endpoint in plan.primary}
    return "control" if operation in plan.control and metric in deciding else "exploratory"


def log_ratios(pairs: Sequence[Pair], operation: str, metric: str) -> list[float]:
    """log(contender / baseline) of each pair that carries the metric."""
    return [math.log(contender / baseline) for baseline, contender in _values(pairs, operation, metric)]


def _operations(pairs: Sequence[Pair]) -> list[str]:
    return sorted({name for pair in pairs for block in (pair.baseline, pair.contender) for name in block.operations})


def _values(pairs: Sequence[Pair], operation: str, metric: str) -> list[tuple[float, float]]:
    """(baseline, contender) of each pair in which both blocks carry the metric.

    When a block has not one answer in time, half an answer is added to every block, so that the worst outcome is not
    left out (statistics §2.9: counts + 0.5).
    """
    found = []
    for pair in pairs:
        a, b = (_value(block, operation, metric) for block in (pair.baseline, pair.contender))
        if a is not None and b is not None:
            found.append((pair, a, b))
    if metric != "throughput" or all(a and b for _, a, b in found):
        return [(a, b) for _, a, b in found]
    if not any(a or b for _, a, b in found):
        return []
    return [(a + 0.5 / pair.baseline.seconds, b + 0.5 / pair.contender.seconds) for pair, a, b in found]


def _value(block: Block, operation: str, metric: str) -> float | None:
    """Give a block's value; None when it carries none that has a logarithm. No answers at all count as such."""
    value = block.operations[operation].value(metric) if operation in block.operations else None
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return value if value > 0 or (metric == "throughput" and block.seconds > 0) else None


def _effect(
    endpoint: tuple[str, str], values: list[tuple[float, float]], role: Role, adjusted: float, plan: Plan
) -> Effect:
    """Gather everything there is to say about one endpoint."""
    margin, levels = plan.margin, looks.levels(plan.design.looks)
    a, b = np.array(values).T
    d = np.log(b / a)
    t = statistics.paired_t(d)
    limits, robust = t.interval(1 - levels.claim), statistics.hodges_lehmann(d, 1 - levels.claim)
    verdict = judge(t, adjusted, margin, levels, more_is_better=endpoint[1] in MORE_IS_BETTER)
    return Effect(
        operation=endpoint[0],
        metric=endpoint[1],
        role=role,
        baseline=float(np.exp(np.log(a).mean())),
        contender=float(np.exp(np.log(b).mean())),
        ratio=math.exp(t.mean),
        ci_low=math.exp(limits.low),
        ci_high=math.exp(limits.high),
        hl=math.exp(robust.estimate),
        hl_low=None if math.isnan(robust.low) else math.exp(robust.low),
        hl_high=None if math.isnan(robust.high) else math.exp(robust.high),
        p=t.p,
        p_adjusted=adjusted if role == "primary" else None,
        q=None if role == "primary" else adjusted,
        cliffs_delta=statistics.cliffs_delta(a, b),
        pairs=t.pairs,
        resolves=power.smallest_effect(t.sd, t.pairs, levels.claim),
        verdict=verdict,
        more_pairs=more_pairs(t, margin, levels) if verdict == "inconclusive" else 0,
        log_ratios=d.tolist(),
    )


def judge(
    t: PairedT, p_adjusted: float, margin: float, levels: Levels = ONE_LOOK, *, more_is_better: bool = False
) -> Verdict:
    """Put an effect into one of the seven words of design §7, by the procedure of statistics §2.9.

    `t` is on log-ratios contender / baseline; `margin` is a share such as 0.10.
    """
    harm = PairedT(t.pairs, -t.mean, t.sd, t.p) if more_is_better else t
    limit, significant = math.log1p(margin), p_adjusted < levels.claim
    if significant and abs(harm.mean) > limit:
        return "worse" if harm.mean > 0 else "better"
    if statistics.equivalent(harm, limit, levels.limit):
        return "equivalent"
    if significant:
        return "slightly worse" if harm.mean > 0 else "slightly better"
    return "no worse" if statistics.no_worse(harm, limit, levels.limit) else "inconclusive"


def more_pairs(t: PairedT, margin: float, levels: Levels = ONE_LOOK) -> int:
    """How many pairs to add so that a change as large as the margin would be seen, with a power of 80 %.

    Planned with the upper limit of the standard deviation, for n pairs tell it badly (statistics §1.4 step 1).
    """
    needed = power.pairs_to_see(power.planning_sd(t.sd, t.pairs), math.log1p(margin), alpha=levels.claim)
    return max(1, needed - t.pairs)


def compare_errors(pairs: Sequence[Pair]) -> list[ErrorRate]:
    """Compare the error rate of every operation that all pairs asked for."""
    rates = []
    for operation in _operations(pairs):
        couples = [
            (pair.baseline.operations[operation].error_rate, pair.contender.operations[operation].error_rate)
            for pair in pairs
            if operation in pair.baseline.operations and operation in pair.contender.operations
        ]
        if len(couples) >= 2:
            rates.append(_error_rate(operation, np.array(couples)))
    return rates


def _error_rate(operation: str, couples: statistics.Floats) -> ErrorRate:
    t = statistics.paired_t(couples[:, 1] - couples[:, 0])
    limits = t.interval()
    return ErrorRate(
        operation=operation,
        baseline=float(couples[:, 0].mean()),
        contender=float(couples[:, 1].mean()),
        difference=t.mean,
        ci_low=limits.low,
        ci_high=limits.high,
        upper=t.mean + t.margin_of_error(0.95),
        p=t.p,
        pairs=t.pairs,
    )
