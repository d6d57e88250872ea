"""A task as clients see it: what its row says, in the words of the API (octopus-api §A.14)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from standin.documents import Document
from standin.statements import queries
from standin.tasks import ACTIVE
from standin.web.links import links_of

#: texts of tasks that have not ended, or not in the usual way
_COMPLETED = {
    "Queued": "Queued...",
    "Executing": "Executing...",
    "Cancelling": "Cancelling...",
    "TimedOut": "Timed out",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
#: tasks that may be queued again when they have ended
_RERUN = {"AdHocScript", "Health", "Retention", "SystemIntegrityCheck", "UpdateCalamari"}


def show(task: Document, pending: Sequence[str] = ()) -> Document:
    """Return a task as the API shows it; `pending` are the types of questions that it waits with."""
    state, ended = task["State"], task["State"] not in ACTIVE
    home = task["SpaceId"] or "system"
    return {
        "Id": task["Id"],
        "SpaceId": task["SpaceId"],
        "Name": task["Name"],
        "Description": task["Description"],
        "Arguments": task.get("Arguments") or {},
        "State": state,
        "Completed": _completed(task),
        "QueueTime": task["QueueTime"],
        "QueueTimeExpiry": task["QueueTimeExpiry"],
        "StartTime": task["StartTime"],
        "LastUpdatedTime": task["LastUpdatedTime"],
        "CompletedTime": task["CompletedTime"],
        "ServerNode": task["ServerNodeId"],
        "Duration": duration_text(_seconds(task)),
        "ErrorMessage": task["ErrorMessage"],
        "HasBeenPickedUpByProcessor": task["StartTime"] is not None,
        "IsCompleted": ended,
        "FinishedSuccessfully": state == "Success",
        "HasPendingInterruptions": task["HasPendingInterruptions"],
        "PendingInterruptionTypes": list(pending),
        "HasPendingPreconditions": False,
        "PendingPreconditionTypes": [],
        "CanRerun": ended and task["Name"] in _RERUN,
        "HasWarningsOrErrors": task["HasWarningsOrErrors"],
        "ProjectId": task["ProjectId"],
        "EstimatedRemainingQueueDurationSeconds": 0,
        "Links": links_of("Task", {"Id": task["Id"], "Home": home}),
    }


async def show_all(conn: Any, tasks: Sequence[Document]) -> list[Document]:
    """Return tasks as the API shows them, with what those that wait wait for."""
    types = await pending_types(conn, [task["Id"] for task in tasks if task["HasPendingInterruptions"]])
    return [show(task, types.get(task["Id"], ())) for task in tasks]


async def pending_types(conn: Any, waiting: Sequence[str]) -> dict[str, list[str]]:
    """Return what tasks wait for: id of a task → types of its pending questions."""
    types: dict[str, list[str]] = {}
    for row in await conn.fetch(queries("web/tasks")["pending"], waiting) if waiting else ():
        types.setdefault(row["taskid"], []).append(row["type"])
    return types


async def show_one(conn: Any, task: Document) -> Document:
    """Return one task as the API shows it, with what it waits for."""
    (shown,) = await show_all(conn, [task])
    return shown


def duration_text(seconds: float) -> str:
    """Return a duration in words, as the portal writes it: `6 seconds`."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            number = round(seconds / size)
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    raise AssertionError


def _completed(task: Document) -> str:
    if task["State"] in _COMPLETED or not task["CompletedTime"]:
        return _COMPLETED.get(task["State"], "")
    ended = datetime.fromisoformat(task["CompletedTime"])
    day = f"{_DAYS[ended.weekday()]}, {ended.day} {_MONTHS[ended.month - 1]} {ended.year}"
    half = "AM" if ended.hour < 12 else "PM"
    return f"{day} {ended.hour % 12 or 12}:{ended.minute:02}:{ended.second:02} {half} +00:00"


def _seconds(task: Document) -> float:
    """Return how long a task has run, in seconds: so far, when it still runs."""
    if task["DurationSeconds"] is not None:
        return float(task["DurationSeconds"])
    if task["StartTime"] is None or task["CompletedTime"] is not None:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(task["StartTime"])).total_seconds()
