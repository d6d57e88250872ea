"""How a page answers to the depth of history: what doubling the history does to it (statistics §5.1)."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from reports import statistics
from reports.plan import Endpoint
from reports.run import Run
from reports.statistics import Floats, Interval, Untold
from reports.words import plain, times

#: The table whose rows are the depth of a history.
TABLE = "Deployment"
#: Fewer depths than this show no curve.
FEWEST_LEVELS = 3


class Depth(msgspec.Struct, frozen=True):
    """The response of one metric to the depth of history."""

    #: What twice the history multiplies the metric by, with its 95 % Student interval over rounds.
    doubling: Interval
    rounds: int
    #: Shallowest and deepest history that were measured; nothing is said beyond.
    shallowest: float
    deepest: float
    #: Two-sided p of "the response is straight on logarithmic axes"; NaN below two rounds.
    straight_p: float


def respond(rounds: Sequence[Mapping[float, float]]) -> Depth | Untold:
    """Fit ln(metric) to ln(depth) in each round and average the slopes; Untold says why it cannot be done.

    With a depth of 0 among the levels the axis is ln(1 + D / D0), D0 being the smallest depth above 0.

    Args:
        rounds: depth -> metric (such as p95 in seconds), one mapping a round; each visits all depths.
    """
    levels = sorted(set.intersection(*(set(values) for values in rounds))) if rounds else []
    if len(rounds) < 2:
        return Untold(f"{len(rounds)} round was measured, and an interval needs two")
    if len(levels) < FEWEST_LEVELS or levels[0] < 0:
        return Untold(f"{len(levels)} depths were measured in every round, and a curve needs {FEWEST_LEVELS}")
    measured = np.array([[values[level] for level in levels] for values in rounds])
    if not (np.isfinite(measured).all() and (measured > 0).all()):
        return Untold("a round has a value that is no number above 0")
    depth = _axis(np.array(levels, dtype=np.float64))
    slopes, bends = np.polynomial.polynomial.polyfit(depth, np.log(measured).T, 1)[1], _bends(depth, measured)
    limits = statistics.paired_t(slopes).interval()
    doubling = Interval(*(2**value for value in (limits.estimate, limits.low, limits.high)))
    return Depth(doubling, len(rounds), levels[0], levels[-1], statistics.paired_t(bends).p)


class DepthResult(msgspec.Struct, frozen=True):
    """What a run says about one primary endpoint and the deployments that each arm's database holds."""

    operation: str
    metric: str
    #: The answer; None where it cannot be given.
    found: Depth | None
    #: Why not; empty where it can.
    reason: str
    #: One mapping a round: depth, in deployments, as text -> metric.
    rounds: list[dict[str, float]]

    @property
    def what(self) -> str:
        """The endpoint in words."""
        return f"{plain(self.operation)} {self.metric}"

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return sentence(self.found or Untold(self.reason), self.what)


def of_run(run: Run) -> list[DepthResult]:
    """Answer for each primary endpoint of a run whose arms hold histories of three depths or more."""
    held = {arm: int(content.get("rows", {}).get(TABLE, 0)) for arm, content in run.database.items()}
    if len(set(held.values())) < FEWEST_LEVELS:
        return []
    return [_of_endpoint(run, held, endpoint) for endpoint in run.plan.primary]


def _of_endpoint(run: Run, held: Mapping[str, int], endpoint: Endpoint) -> DepthResult:
    rounds: dict[int, dict[float, float]] = {}
    for trial in run.trials:
        summary = trial.operations.get(endpoint.operation)
        value = summary.value(endpoint.metric) if summary else None
        if value is not None and trial.facts.arm in held:
            rounds.setdefault(trial.facts.pair, {})[float(held[trial.facts.arm])] = value
    whole = [found for found in rounds.values() if len(found) == len(set(held.values()))]
    answer = respond(whole)
    told, reason = (None, answer.reason) if isinstance(answer, Untold) else (answer, "")
    written = [{f"{depth:.0f}": value for depth, value in sorted(found.items())} for found in whole]
    return DepthResult(endpoint.operation, endpoint.metric, told, reason, written)


def _axis(levels: Floats) -> Floats:
    return np.log(levels) if levels[0] > 0 else np.log1p(levels / levels[1])


def _bends(depth: Floats, measured: Floats) -> Floats:
    """Curvature of each round: the quadratic term of a parabola through its values."""
    return np.asarray(np.polynomial.polynomial.polyfit(depth - depth.mean(), np.log(measured).T, 2)[2])


def sentence(found: Depth | Untold, what: str) -> str:
    """Say what doubling the history does to `what`, such as "dashboard p95"."""
    if isinstance(found, Untold):
        return f"What history does to {what} cannot be said: {found.reason}."
    doubling = found.doubling
    said = (
        f"Doubling the history multiplies {what} by {times(doubling.estimate)} (95 % CI {times(doubling.low)} to "
        f"{times(doubling.high)}; {found.rounds} rounds, {found.shallowest:,.0f} to {found.deepest:,.0f} deployments)."
    )
    if not math.isnan(found.straight_p) and found.straight_p < 0.05:
        said += f" The response is not even over that range (p = {found.straight_p:.2g}): look at the curve."
    return said
