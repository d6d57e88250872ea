"""The task queue of a trial over time: what waited and ran, for how long, and what each node did."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports import queueing, tasks
from reports.run import Run, Trial
from reports.statistics import Floats
from reports.tasks import Tasks


@dataclass(frozen=True, slots=True)
class NodeUse:
    """What one node did."""

    node: str
    tasks: int
    #: Share of all tasks.
    share: float
    #: Mean run time in seconds.
    run: float
    #: Mean number of tasks that it ran at once, from the first start to the last end.
    running: float


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one trial; times in seconds from the first start, by the server's clock."""

    arm: str
    #: Number of the trial.
    trial: int
    tasks: int
    #: Tasks that may run at once; None where that was not asked.
    slots: int | None
    #: Tasks queued a minute; None when all were queued before the first was started.
    arrivals: float | None
    #: Seconds of queue wait, and of run time, of each task that ended.
    waits: Floats
    runs: Floats
    #: (seconds, tasks): how many wait, and how many run, from that moment on.
    waiting: list[tuple[float, int]]
    running: list[tuple[float, int]]
    #: Mean number of tasks that run.
    mean_running: float
    most_running: int
    nodes: list[NodeUse]
    #: What speaks against a queue that is served in order; empty when nothing does.
    doubt: str


def of_run(run: Run) -> list[Queue]:
    """Give the first valid trial of each arm whose tasks were written down, in the order of the arms."""
    first: dict[str, Trial] = {}
    for trial in run.trials:
        if trial.facts.valid and (trial.folder / "tasks.parquet").exists():
            first.setdefault(trial.facts.arm, trial)
    found = [_queue(first[arm]) for arm in run.plan.ordered if arm in first]
    return [queue for queue in found if queue is not None]


def _queue(trial: Trial) -> Queue | None:
    whole, slots = tasks.read(trial.folder / "tasks.parquet"), trial.facts.slots
    ended = np.isfinite(whole.started) & np.isfinite(whole.completed)
    if not ended.any():
        return None
    queued, started, completed = (values[ended] for values in (whole.queued, whole.started, whole.completed))
    zero, end = float(started.min()), float(completed.max())
    late = queued[queued > zero]
    return Queue(
        arm=trial.facts.arm,
        trial=trial.facts.index,
        tasks=int(ended.sum()),
        slots=slots,
        arrivals=60 * late.size / (end - zero) if late.size and end > zero else None,
        waits=started - queued,
        runs=completed - started,
        waiting=_level(np.maximum(queued - zero, 0), started - zero),
        running=_level(started - zero, completed - zero),
        mean_running=queueing.mean_number(started, completed, zero, end) if end > zero else 0.0,
        most_running=queueing.most_at_once(started, completed),
        nodes=_nodes(whole, ended, zero, end),
        doubt=_doubt(queued, started, completed, slots) if slots else "",
    )


def _level(begins: Floats, ends: Floats) -> list[tuple[float, int]]:
    """Count intervals under way from each moment on at which the number changes."""
    times = np.concatenate([begins, ends])
    moments, place = np.unique(times, return_inverse=True)
    steps = np.bincount(place, weights=np.repeat([1.0, -1.0], begins.size))
    return [(float(at), round(level)) for at, level in zip(moments, np.cumsum(steps), strict=True)]


def _nodes(whole: Tasks, ended: npt.NDArray[np.bool_], zero: float, end: float) -> list[NodeUse]:
    shares, found = tasks.shares(whole), []
    for node, share in shares.items():
        own = (whole.node == node) & ended
        if own.any():
            started, completed = whole.started[own], whole.completed[own]
            running = queueing.mean_number(started, completed, zero, end) if end > zero else 0.0
            found.append(NodeUse(node, int(own.sum()), share, float((completed - started).mean()), running))
    return found


def _doubt(queued: Floats, started: Floats, completed: Floats, slots: int) -> str:
    """Hold the waits against those of a queue with these run times that is served in order (statistics §5.2)."""
    order = np.argsort(queued, kind="stable")
    begin = np.maximum(queued, started.min())[order]  # before the first start no node took any
    replayed = queueing.waits(begin, (completed - started)[order], slots)
    measured = started[order] - begin
    return queueing.dispatch_doubt(float(np.quantile(measured, 0.95)), float(np.quantile(replayed, 0.95)))
