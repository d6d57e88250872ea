"""A trial's server tasks reduced to block values: waits, run times, the rate of a drain, shares of nodes."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from octoload.errors import UsageError
from reports import drains, queueing
from reports.drains import Capacity, Drain
from reports.plan import Endpoint, Plan
from reports.statistics import Untold
from reports.summaries import Floats, Summary, quantiles

#: States in which a task stays for good (octopus-api §A.14).
TERMINAL = frozenset({"Success", "Failed", "Canceled", "TimedOut"})
#: Operations under which reports show tasks: how long they waited, how long they ran, how fast all were worked off.
OPERATIONS = WAIT, RUN, DRAIN = "queue-wait", "task-run", "drain"

_TEXTS, _TIMES = ("task", "kind", "project", "node", "state"), ("queued", "started", "completed")


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of a trial as columns of equal length; times in Unix seconds on the server's clock."""

    #: Ids.
    task: npt.NDArray[np.object_]
    #: `Deploy`, `Retention`, …
    kind: npt.NDArray[np.object_]
    #: Id of its project; empty when it has none.
    project: npt.NDArray[np.object_]
    #: The node that took it; empty when none did.
    node: npt.NDArray[np.object_]
    #: The state that it was last seen in.
    state: npt.NDArray[np.object_]
    #: When it was queued.
    queued: Floats
    #: When a node started it; NaN when none did.
    started: Floats
    #: When it ended; NaN when it has not.
    completed: Floats
    #: How often a node started it, by the server's events; -1 where nobody counted.
    starts: npt.NDArray[np.int64]

    @property
    def wait(self) -> Floats:
        """Seconds from queueing to start, of the tasks that were started."""
        wait = self.started - self.queued
        return wait[~np.isnan(wait)]

    @property
    def run(self) -> Floats:
        """Seconds from start to end, of the tasks that ran to their end."""
        run = self.completed - self.started
        return run[~np.isnan(run)]


def read(path: Path) -> Tasks:
    """Read `tasks.parquet`.

    Raises:
        UsageError: the file is missing, damaged or lacks a column.
    """
    try:
        table = pq.read_table(path, columns=[*_TEXTS, *_TIMES, "starts"])
    except (OSError, pa.ArrowException) as exc:
        raise UsageError(f"{path} cannot be read: {str(exc).splitlines()[0]}", "Run the trial again.") from exc
    texts = [np.asarray(table[name].cast(pa.string()).to_numpy(), np.object_) for name in _TEXTS]
    queued, started, completed = (np.asarray(table[name].to_numpy(), np.float64) for name in _TIMES)
    starts = np.asarray(table["starts"].to_numpy(), np.int64)
    task, kind, project, node, state = texts
    return Tasks(task, kind, project, node, state, queued, started, completed, starts)


def lost(tasks: Tasks, queued: int) -> int:
    """Return how many of the `queued` tasks are gone or have not come to an end."""
    return queued - sum(state in TERMINAL for state in tasks.state)


def twice(tasks: Tasks) -> int:
    """Return how many tasks were started more than once."""
    return int((tasks.starts > 1).sum())


def most_running(tasks: Tasks) -> int:
    """Return how many tasks ran at once at most, by the server's own times; one that has not ended runs on."""
    started = ~np.isnan(tasks.started)
    return queueing.most_at_once(tasks.started[started], np.nan_to_num(tasks.completed[started], nan=np.inf))


def drain(tasks: Tasks, slots: int) -> Drain | Untold:
    """Return how fast a full queue was worked off; Untold when too few ended to tell."""
    ended = ~np.isnan(tasks.completed) & ~np.isnan(tasks.started)
    return drains.measure(tasks.started[ended], tasks.completed[ended], slots)


def shares(tasks: Tasks) -> dict[str, float]:
    """Return the share of the started tasks that each node took."""
    counts = Counter(node for node in tasks.node.tolist() if node)
    return {node: count / counts.total() for node, count in sorted(counts.items())}


def capacity(tasks: Tasks, found: Drain | Untold, objective: float) -> Capacity | Untold:
    """Find by replay how many tasks an hour may arrive while 95 % wait less than `objective` seconds."""
    return found if isinstance(found, Untold) else drains.capacity_of(found, tasks.run, objective)


def summarise(tasks: Tasks, slots: int, objective: float) -> dict[str, Summary]:
    """Reduce a drain to block values: latencies are those of the server's clock, the drain's rate is tasks a minute."""
    measured = drain(tasks, slots)
    found = capacity(tasks, measured, objective)
    rate = None if isinstance(measured, Untold) else measured.per_minute
    hourly = None if isinstance(found, Untold) else found.per_hour
    return {
        WAIT: _summary(tasks, tasks.wait),
        RUN: _summary(tasks, tasks.run),
        DRAIN: msgspec.structs.replace(_summary(tasks, np.empty(0)), rate=rate, capacity=hourly),
    }


def requested(plan: Plan) -> list[Endpoint]:
    """Primary endpoints that are told from requests, not from tasks."""
    return [endpoint for endpoint in plan.primary if endpoint.operation not in OPERATIONS]


def waits(tasks: Tasks) -> dict[str, Summary]:
    """Reduce tasks that arrived as the load queued them: how long they waited and how long they ran."""
    return {WAIT: _summary(tasks, tasks.wait), RUN: _summary(tasks, tasks.run)}


def _summary(tasks: Tasks, seconds: Floats) -> Summary:
    count, failed = len(tasks.task), int(np.isin(tasks.state, ["Failed", "TimedOut", "Canceled"]).sum())
    p50, p95, p99 = quantiles(seconds)
    return Summary(count, failed, p50, p95, p99, None, failed / count if count else 0.0)
