"""The server's tasks of a trial, written down as `tasks.parquet` after it: one row a task, the server's own times."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from octoload import serverqueue
from octoload.api import Octopus
from octoload.files import disk_error

#: Ids in one request (octopus-api, sequence of await-task).
_AT_ONCE = 300
#: States of a task that has not ended.
_UNDER_WAY = f"{serverqueue.QUEUED},{serverqueue.EXECUTING}"
#: Events that say that a node has taken a task up (octopus-api §A.20).
_STARTED = "DeploymentStarted,RunbookRunStarted"

_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        *((name, _TEXT) for name in ("kind", "project", "node", "state")),
        *((name, pa.float64()) for name in ("queued", "started", "completed")),
        ("starts", pa.int32()),
    ],
    metadata={"format": "octoload.tasks", "version": "1"},
)


def read(octopus: Octopus, space: str, ids: list[str]) -> list[dict[str, Any]]:
    """Return the tasks with these ids as the server has them now, in the order of `ids`; deleted ones are missing."""
    found: dict[str, dict[str, Any]] = {}
    for begin in range(0, len(ids), _AT_ONCE):
        page = octopus.get(f"/api/{space}/tasks", ids=ids[begin : begin + _AT_ONCE], take=_AT_ONCE)
        found |= {task["Id"]: task for task in page["Items"]}
    return [found[one] for one in ids if one in found]


def left(octopus: Octopus, space: str) -> int:
    """Return how many tasks of a space have not ended."""
    return int(octopus.get(f"/api/{space}/tasks", states=_UNDER_WAY, take=1)["TotalResults"])


def during(octopus: Octopus, since: float, space: str = "") -> list[dict[str, Any]]:
    """Return the tasks of a space, or of all, that were queued since a Unix time by its clock, oldest first."""
    begin = dt.datetime.fromtimestamp(since, dt.UTC).isoformat()
    path = f"/api/{space}/tasks" if space else "/api/tasks"
    found = list(octopus.pages(path, fromQueueDate=begin, take=_AT_ONCE))
    return in_order(found)


def in_order(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tasks in the order of their queueing."""
    return sorted(found, key=lambda task: (task["QueueTime"], len(task["Id"]), task["Id"]))


def write(path: Path, tasks: Sequence[dict[str, Any]], starts: Counter[str] | None = None) -> None:
    """Write `octoload.tasks` (docs/formats.md); without `starts` nobody has counted them.

    Raises:
        UsageError: the disk is full.
    """
    columns: dict[str, list[Any]] = {
        "task": [task["Id"] for task in tasks],
        "kind": [task["Name"] for task in tasks],
        "project": [task.get("ProjectId") or "" for task in tasks],
        "node": [task.get("ServerNode") or "" for task in tasks],
        "state": [task["State"] for task in tasks],
        "queued": [seconds(task["QueueTime"]) for task in tasks],
        "started": [seconds(task["StartTime"]) for task in tasks],
        "completed": [seconds(task["CompletedTime"]) for task in tasks],
        "starts": [-1 if starts is None else starts[task["Id"]] for task in tasks],
    }
    try:
        pq.write_table(pa.table(columns, SCHEMA), path)
    except OSError as exc:
        raise disk_error(path, exc) from exc


def count_starts(octopus: Octopus, space: str, since: float) -> Counter[str]:
    """Return how often each task was started since a Unix time, by the audit trail: more than once is a fault."""
    begin = dt.datetime.fromtimestamp(since, dt.UTC).isoformat()
    query = {"eventCategories": _STARTED, "from": begin, "take": 100}
    events = octopus.pages(f"/api/{space}/events", **query)
    return Counter(one for event in events for one in event["RelatedDocumentIds"] if one.startswith("ServerTasks-"))


def seconds(text: str | None) -> float:
    """Return a server's time as Unix seconds; NaN when there is none."""
    return dt.datetime.fromisoformat(text).timestamp() if text else math.nan
