"""The cells of dashboards: one deployment as the portal's overviews show it (octopus-api §A.19)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standin.documents import Document, time_text
from standin.tasks import ACTIVE
from standin.web.links import links_of
from standin.web.tasks import duration_text, pending_types


async def show_items(conn: Any, rows: Sequence[Mapping[str, Any]], space: str) -> list[Document]:
    """Return cells, with what those that wait for somebody wait for."""
    types = await pending_types(conn, [row["taskid"] for row in rows if row["haspendinginterruptions"]])
    return [show_item(row, space, types.get(row["taskid"], ())) for row in rows]


def show_item(row: Mapping[str, Any], space: str, pending: Sequence[str] = ()) -> Document:
    """Return a cell from a row that joins a deployment, its task and its release; `kind` is C or P, or neither."""
    item: Document = {
        "Id": row["id"],
        "ProjectId": row["projectid"],
        "EnvironmentId": row["environmentid"],
        "ReleaseId": row["releaseid"],
        "DeploymentId": row["id"],
        "TaskId": row["taskid"],
        "TenantId": row["tenantid"],
        "ChannelId": row["channelid"],
        "SpaceId": space,
        "ReleaseVersion": row["releaseversion"],
        **course(row),
        "IsCurrent": row["kind"] == "C",
        "IsPrevious": row["kind"] == "P",
        "PendingInterruptionTypes": list(pending),
    }
    item["Links"] = links_of("DashboardItem", item)
    return item


def course(row: Mapping[str, Any]) -> Document:
    """Return what cells of deployments and of runs say alike: when, how long, and how it stands."""
    started, completed = row["starttime"], row["completedtime"]
    return {
        "Created": time_text(row["created"]),
        "QueueTime": time_text(row["queuetime"]),
        "StartTime": time_text(started) if started else None,
        "CompletedTime": time_text(completed) if completed else None,
        "State": row["state"],
        "HasPendingInterruptions": row["haspendinginterruptions"],
        "HasWarningsOrErrors": row["haswarningsorerrors"],
        "ErrorMessage": row["errormessage"],
        "Duration": duration_text(seconds_between(started, completed)),
        "IsCompleted": row["state"] not in ACTIVE,
    }


def seconds_between(started: datetime | None, completed: datetime | None) -> float:
    """Return how long something has run, in seconds: so far, when it still runs."""
    if started is None:
        return 0.0
    return ((completed or datetime.now(UTC)) - started).total_seconds()
