"""What an outage of a node cost: how long users saw errors, which tasks were orphaned, and when all was well again."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from reports import summaries, tasks
from reports.run import Outage, Trial
from reports.summaries import Samples
from reports.tasks import Tasks
from reports.words import duration, share

#: Seconds before the node was struck, as far as we know, in which a failure is already its consequence.
EARLY = 1.0


class Spread(msgspec.Struct, frozen=True):
    """One measure over the trials of an arm."""

    median: float
    low: float
    high: float


class Cost(msgspec.Struct, frozen=True):
    """What the outages of one arm cost; all times in seconds."""

    arm: str
    #: `kill`, `freeze` or `strike`.
    does: str
    trials: int
    #: From the strike until the node was mended.
    lasted: Spread
    #: From the first to the last request that failed; 0 when none did.
    unavailable: Spread
    #: Share of the requests of that time that failed.
    failed: Spread
    #: Tasks that ran when the node was struck and were cancelled because of it.
    orphaned: Spread
    #: From the strike until each of them was cancelled; None when there were none.
    cancelled: Spread | None
    #: Tasks that have not come to an end; None when nobody followed them.
    left: int | None
    #: From the strike until no request failed any more and the node took tasks again; None when it took none.
    recovered: Spread | None


class _Case(msgspec.Struct, frozen=True):
    """One outage."""

    lasted: float
    unavailable: float
    failed: float
    orphaned: int
    cancelled: list[float]
    left: int | None
    recovered: float


def costs(trials: Sequence[Trial]) -> list[Cost]:
    """Reduce the valid trials of each arm that has outages.

    Raises:
        UsageError: a file of a trial is damaged.
    """
    found: dict[str, list[tuple[Outage, _Case]]] = {}
    for trial in trials:
        if trial.facts.valid and trial.facts.outage:
            found.setdefault(trial.facts.arm, []).append((trial.facts.outage, _case(trial, trial.facts.outage)))
    return [_cost(arm, cases[0][0].does, [case for _, case in cases]) for arm, cases in sorted(found.items())]


def _cost(arm: str, does: str, cases: Sequence[_Case]) -> Cost:
    cancelled = [after for case in cases for after in case.cancelled]
    recovered = [case.recovered for case in cases if math.isfinite(case.recovered)]
    lefts = [case.left for case in cases if case.left is not None]
    return Cost(
        arm=arm,
        does=does,
        trials=len(cases),
        lasted=spread([case.lasted for case in cases]),
        unavailable=spread([case.unavailable for case in cases]),
        failed=spread([case.failed for case in cases]),
        orphaned=spread([float(case.orphaned) for case in cases]),
        cancelled=spread(cancelled) if cancelled else None,
        left=sum(lefts) if lefts else None,
        recovered=spread(recovered) if len(recovered) == len(cases) else None,
    )


def spread(values: Sequence[float]) -> Spread:
    """Reduce one measure over trials."""
    return Spread(float(np.median(values)), min(values), max(values))


def _case(trial: Trial, outage: Outage) -> _Case:
    samples = summaries.read(trial.folder / "requests.parquet")
    begin, end, failed = _unavailable(samples, outage)
    followed = tasks.read(trial.folder / "tasks.parquet") if trial.facts.tasks else None
    cancelled = _cancelled(followed, outage) if followed else []
    back = _back(followed, outage) if followed and outage.node else outage.mended
    return _Case(
        lasted=outage.mended - outage.struck,
        unavailable=end - begin,
        failed=failed,
        orphaned=len(cancelled),
        cancelled=cancelled,
        left=tasks.lost(followed, len(followed.task)) if followed else None,
        recovered=max(back, end) - outage.struck,
    )


def _unavailable(samples: Samples, outage: Outage) -> tuple[float, float, float]:
    """Return when requests began to fail, when the last that failed was wanted, and the share that failed between."""
    late = samples.intended >= outage.struck - EARLY
    times = samples.intended[late & samples.failed]
    if times.size == 0:
        return outage.struck, outage.struck, 0.0
    begin, end = float(times.min()), float(times.max())
    between = (samples.intended >= begin) & (samples.intended <= end)
    return begin, end, float(samples.failed[between].mean())


def _cancelled(rows: Tasks, outage: Outage) -> list[float]:
    """Return how long after the strike each task that ran then was cancelled."""
    ran = (rows.started <= outage.struck) & (rows.completed >= outage.struck) & (rows.state == "Canceled")
    return [float(after) for after in rows.completed[ran] - outage.struck]


def _back(rows: Tasks, outage: Outage) -> float:
    """Return when the node took its first task after it was mended; infinity when it took none."""
    # The server names nodes by id, which ends with the name.
    own = np.array([node.endswith(f"-{outage.node}") for node in rows.node.tolist()], dtype=bool)
    started = rows.started[own & (rows.started >= outage.mended)]
    return float(started.min()) if started.size else math.inf


def sentence(cost: Cost) -> str:
    """Say what an arm's outages cost, each figure as a median with its range."""
    deed = {"kill": "A killed node", "freeze": "A node that stood still", "strike": "A node that was struck"}[cost.does]
    told = f"{deed} ({cost.arm}; {cost.trials} trials, {duration(cost.lasted.median)} each): requests failed for "
    said = [f"{told}{seconds(cost.unavailable)}, {share(round(cost.failed.median, 3))} of those of that time"]
    if cost.left is not None:
        said.append(_orphans(cost))
    if cost.recovered:
        said.append(f"all was well {seconds(cost.recovered)} after the strike")
    return "; ".join(said) + "."


def _orphans(cost: Cost) -> str:
    if not cost.cancelled:
        words = "no task was orphaned"
    else:
        words = f"{cost.orphaned.median:g} tasks orphaned ({cost.orphaned.low:g} to {cost.orphaned.high:g}), "
        words += f"each cancelled {seconds(cost.cancelled)} after the strike"
    return f"{words}, {cost.left} never ended" if cost.left else words


def seconds(value: Spread) -> str:
    """Write a spread of times as a median with its range."""
    return f"{duration(value.median)} ({duration(value.low)} to {duration(value.high)})"
