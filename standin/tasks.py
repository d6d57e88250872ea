"""Server tasks and the ways in which their state changes (octopus-facts §2.3)."""

from typing import Any

import msgspec

from standin import events
from standin.documents import Document, get
from standin.errors import Rejected, not_found
from standin.kinds import TASK
from standin.statements import queries
from standin.work import Work

#: States of a task that has not ended.
ACTIVE = ("Queued", "Executing", "Cancelling")
#: States that somebody may put an ended task into.
SETTABLE = ("Canceled", "Failed", "Success")

#: Kinds of tasks whose end is told of in the audit trail.
_TOLD_OF = {"Deploy", "RunbookRun"}

_ENDINGS = {
    "Success": events.DEPLOYMENT_SUCCEEDED,
    "Failed": events.DEPLOYMENT_FAILED,
    "Canceled": events.DEPLOYMENT_CANCELED,
    "TimedOut": events.DEPLOYMENT_CANCELED,
}
_RUN_ENDINGS = {
    "Success": events.RUNBOOK_RUN_SUCCEEDED,
    "Failed": events.RUNBOOK_RUN_FAILED,
    "Canceled": events.RUNBOOK_RUN_CANCELED,
    "TimedOut": events.RUNBOOK_RUN_CANCELED,
}


async def cancel(work: Work, task_id: str) -> Document:
    """Cancel a task: a queued one ends at once, one that runs is stopped by its node; an ended one stays as it is.

    Raises:
        Rejected: 404, there is no such task.
    """
    before = await _lock(work, task_id)
    if before["state"] == "Queued":
        await complete(work, task_id, "Canceled", "The task was canceled before it started.")
    elif before["state"] == "Executing":
        await work.conn.execute(queries("tasks")["cancel_executing"], task_id, work.now)
    task = await get(work.conn, TASK, task_id)
    if before["state"] == "Executing" or (before["state"] == "Queued" and before["name"] not in _TOLD_OF):
        await events.about(work, events.MODIFIED, task, task["Description"], f"{task['Description']} was canceled")
    return task


async def abandon(work: Work, task_id: str, after: float) -> Document:
    """Give up a deployment or a run that was cancelled `after` seconds ago and has not ended (octopus-facts §2.4).

    Raises:
        Rejected: 404, there is no such task; 400, it is of another kind, or has not been cancelling for so long.
    """
    task = await _lock(work, task_id)
    if task["name"] not in _TOLD_OF:
        raise Rejected(400, "Only a deployment or a run of a runbook can be abandoned.")
    if task["state"] != "Cancelling":
        raise Rejected(400, "Only a task that is being canceled can be abandoned.")
    if (work.now - task["lastupdatedtime"]).total_seconds() < after:
        raise Rejected(400, "The task was canceled a short while ago; it gets time to end by itself.")
    await complete(work, task_id, "Canceled", "The task was abandoned: it did not end when it was canceled.")
    return await get(work.conn, TASK, task_id)


async def complete(work: Work, task_id: str, state: str, error: str = "", *, warnings: bool = False) -> None:
    """End a task, in its row, in the history of deployments and in the audit trail; nobody need answer it now."""
    named, troubled = queries("tasks"), warnings or state != "Success"
    row = await work.conn.fetchrow(named["complete"], task_id, state, error, work.now, troubled)
    if row["haspendinginterruptions"]:
        await work.conn.execute(named["interruptions_end"], task_id)
    if row["name"] == "Deploy":
        await _complete_deployment(work, task_id, state)
    elif row["name"] == "RunbookRun":
        await _complete_run(work, task_id, state)


async def set_state(work: Work, task_id: str, state: str, reason: str) -> Document:
    """Put an ended task into another state, as an administrator may (octopus-api §A.14).

    Raises:
        Rejected: 404, there is no such task; 400, no reason, or the state cannot be changed so.
    """
    if not reason.strip():
        raise Rejected(400, "No reason was provided.")
    if state not in SETTABLE:
        raise Rejected(400, f"A task cannot be put into the state '{state}'; only into {', '.join(SETTABLE)}.")
    task = await _lock(work, task_id)
    if task["state"] == state:
        raise Rejected(400, "The task is already in this state.")
    if task["state"] not in SETTABLE:
        raise Rejected(400, f"The state of a task can only be changed when it is {', '.join(SETTABLE)}.")
    await work.conn.execute(queries("tasks")["change_state"], task_id, state, reason, work.now)
    await work.conn.execute(queries("tasks")["remember"], task_id)
    changed = await get(work.conn, TASK, task_id)
    await events.modified(work, changed, f"Task {changed['Description']}")
    return changed


async def prioritize(work: Work, task_id: str) -> Document:
    """Move a queued task to the head of the queue.

    Raises:
        Rejected: 404, there is no such task; 400, it is not queued.
    """
    task = await _lock(work, task_id)
    if task["state"] != "Queued":
        raise Rejected(400, "Only a queued task can be moved to the head of the queue.")
    await work.conn.execute(queries("tasks")["prioritize"], task_id, work.now)
    moved = await get(work.conn, TASK, task_id)
    await events.modified(work, moved, f"Task {moved['Description']}")
    return moved


async def cancel_superseded(work: Work, task: Document) -> None:
    """Cancel older queued deployments or runs, whole ones, with the same concurrency tag (octopus-facts §2.4)."""
    for row in await work.conn.fetch(queries("tasks")["superseded"], task["ConcurrencyTag"], task["Id"]):
        if not is_partial(msgspec.json.decode(row["json"])):
            await complete(work, row["id"], "Canceled", f"A newer task, {task['Id']}, has taken its place.")


def is_partial(deployment: Document) -> bool:
    """Say whether a deployment leaves out steps or targets: it neither takes a place nor loses it."""
    return any(deployment.get(name) for name in ("SkipActions", "SpecificMachineIds", "ExcludedMachineIds"))


async def _complete_deployment(work: Work, task_id: str, state: str) -> None:
    deployment = await work.conn.fetchval(queries("tasks")["remember"], task_id)
    if deployment:
        await events.record_deployment(work, _ENDINGS[state], deployment)
    if state == "Failed":
        await work.conn.execute(queries("tasks")["deployment_failed"], task_id)


async def _complete_run(work: Work, task_id: str, state: str) -> None:
    run = await work.conn.fetchval(queries("tasks")["run_of"], task_id)
    if run:
        await events.record_run(work, _RUN_ENDINGS[state], run)
    if state == "Failed":
        await work.conn.execute(queries("tasks")["run_failed"], task_id)


async def _lock(work: Work, task_id: str) -> Any:
    row = await work.conn.fetchrow(queries("tasks")["lock_task"], task_id)
    if row is None:
        raise not_found(task_id)
    return row
