"""Which task cap to set: the smallest that gives nearly all of the throughput and does not slow the pages.

Measured by drains at several caps in randomised rounds, together with the latency of the API (statistics §5.2).
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from reports import queueing, statistics, tasks
from reports.queueing import OVER
from reports.run import Run, Trial
from reports.statistics import Floats, Untold
from reports.words import share, times

#: A node's task cap when nobody has set it (octopus-facts §1.1).
USUAL = 5
#: Share of the best throughput that a recommended cap gives at least.
ENOUGH = 0.95


class CapTrial(msgspec.Struct, frozen=True):
    """One drain at one task cap, with the API under its usual load."""

    #: Tasks a minute.
    per_minute: float
    #: p95 latency of the API in seconds.
    latency: float
    #: Tasks that failed, as a share.
    failed: float
    #: Mean run time of a task in seconds.
    service: float


class CapResult(msgspec.Struct, frozen=True):
    """What one cap gives, as geometric means over rounds."""

    cap: int
    per_minute: float
    #: Share of the throughput of the best cap.
    share: float
    #: p95 latency against the usual cap, and its upper one-sided 95 % limit.
    latency_ratio: float
    latency_upper: float
    #: Mean share of tasks that failed.
    failed: float
    #: Mean run time against the usual cap: contention; at cap / usual, nothing is gained.
    contention: float


class CapChoice(msgspec.Struct, frozen=True):
    """The recommendation and what it rests on."""

    #: The smallest cap that meets all three conditions; None when none does.
    cap: int | None
    results: list[CapResult]
    usual: int
    rounds: int


def choose(rounds: Sequence[Mapping[int, CapTrial]], usual: int = USUAL, margin: float = 0.10) -> CapChoice | Untold:
    """Choose the smallest cap with 95 % of the best throughput, pages not slower by the margin, and no more failures.

    Each round visits all caps; comparisons are paired by round.
    """
    caps = sorted(set.intersection(*(set(values) for values in rounds))) if rounds else []
    if len(rounds) < 2 or len(caps) < 2 or usual not in caps:
        return Untold(f"two rounds that each visit cap {usual} and another are needed")
    values = [(one.per_minute, one.latency, one.service) for each in rounds for one in each.values()]
    if not all(math.isfinite(value) and value > 0 for row in values for value in row):
        return Untold("a round has a rate, latency or run time that is no number above 0")
    rates = {cap: _mean(rounds, cap, "per_minute") for cap in caps}
    best = max(rates.values())
    results = [_result(rounds, cap, usual, rates[cap], best) for cap in caps]
    allowed = next(one.failed for one in results if one.cap == usual)
    fit = [
        one.cap
        for one in results
        if one.share >= ENOUGH and one.latency_upper < 1 + margin and one.failed <= allowed + 1e-12
    ]
    return CapChoice(min(fit, default=None), results, usual, len(rounds))


def recommend(run: Run) -> CapChoice | Untold | None:
    """Choose among the arms of a run that differ in their task cap; None when they do not.

    Pages are judged by the p95 of the first operation that an endpoint names with it (statistics §5.2).

    Raises:
        UsageError: a file of tasks is damaged.
    """
    if len(set(run.plan.caps.values())) < 2:
        return None
    pages = [one.operation for one in tasks.requested(run.plan) if one.metric == "p95"]
    if not pages:
        return Untold("no endpoint tells the p95 of a page: name one, such as dashboard p95")
    rounds: dict[int, dict[int, CapTrial]] = {}
    for trial in run.trials:
        cap, found = run.plan.caps.get(trial.facts.arm), _cap_trial(trial, pages[0])
        if cap and found:
            rounds.setdefault(trial.facts.pair, {})[cap] = found
    caps = set(run.plan.caps.values())
    usual = USUAL if USUAL in caps else run.plan.caps.get(run.plan.baseline, min(caps))
    return choose([each for each in rounds.values() if set(each) == caps], usual, run.plan.margin)


def _cap_trial(trial: Trial, page: str) -> CapTrial | None:
    drain, asked = trial.operations.get(tasks.DRAIN), trial.operations.get(page)
    if not drain or not drain.rate or not asked or not asked.p95:
        return None
    service = float(tasks.read(trial.folder / "tasks.parquet").run.mean())
    return CapTrial(drain.rate, asked.p95, drain.error_rate, service)


def _mean(rounds: Sequence[Mapping[int, CapTrial]], cap: int, name: str) -> float:
    return math.exp(float(np.mean([math.log(getattr(each[cap], name)) for each in rounds])))


def _result(rounds: Sequence[Mapping[int, CapTrial]], cap: int, usual: int, rate: float, best: float) -> CapResult:
    ratios = [math.log(each[cap].latency / each[usual].latency) for each in rounds]
    test = statistics.paired_t(ratios)
    return CapResult(
        cap=cap,
        per_minute=rate,
        share=rate / best,
        latency_ratio=math.exp(test.mean),
        latency_upper=math.exp(test.mean + test.margin_of_error(0.95)),
        failed=float(np.mean([each[cap].failed for each in rounds])),
        contention=_mean(rounds, cap, "service") / _mean(rounds, usual, "service"),
    )


def for_rate(services: Mapping[int, Floats], nodes: int, rate: float, objective: float) -> int | Untold:
    """Smallest measured cap a node at which 95 % of tasks wait less than the objective, by replay of its run times.

    Args:
        services: cap -> run times in seconds as measured at that cap.
        nodes: how many nodes share the tasks.
        rate: tasks a second that arrive.
        objective: seconds of queue wait.
    """
    for cap in sorted(services):
        late = queueing.late_share(services[cap], cap * nodes, rate, objective)
        if isinstance(late, Untold):
            return late
        if late <= OVER:
            return cap
    return Untold(f"no measured cap keeps {share(1 - OVER)} of {rate * 3600:,.0f} tasks an hour below {objective:g} s")


def sentence(found: CapChoice | Untold) -> str:
    """Say the recommendation in words."""
    if isinstance(found, Untold):
        return f"No task cap can be recommended: {found.reason}."
    best = max(found.results, key=lambda one: one.per_minute)
    if found.cap is None:
        return (
            f"No measured task cap gives {share(ENOUGH)} of the best throughput ({best.per_minute:.3g} a minute at "
            f"{best.cap}) without slower pages or more failures; stay at {found.usual}."
        )
    chosen = next(one for one in found.results if one.cap == found.cap)
    return (
        f"Set the task cap to {chosen.cap}: {chosen.per_minute:.3g} tasks a minute, {chosen.share:.0%} of the best "
        f"({best.cap}); API p95 {times(chosen.latency_ratio)} x that at cap {found.usual} (at most "
        f"{times(chosen.latency_upper)} x), run times {times(chosen.contention)} x; {found.rounds} rounds."
    )
