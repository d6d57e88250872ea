"""Server tasks: the list with its counts, the log, and what may be done to a task (octopus-api §A.14)."""

from collections.abc import Iterable, Mapping
from typing import Any

from standin import kinds, tasks
from standin.documents import Document, get
from standin.errors import not_found
from standin.history import create_task as queue_task
from standin.statements import queries
from standin.tasklog import log_path, read_tree
from standin.timers import Timers
from standin.web import commands
from standin.web.activities import LogPart, lines_of, show_activity, without_log
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import across_spaces, referenced, spaces_of
from standin.web.endpoints.scheduling import schedule
from standin.web.filters import columns, count_and_fetch
from standin.web.granted import granted
from standin.web.paging import envelope
from standin.web.refusals import bad_request
from standin.web.resources import SPACE
from standin.web.tasks import show, show_all, show_one

#: the order of lists
NEWEST = "QueueTime DESC, Id DESC"
STATES = ("Canceled", "Cancelling", "Executing", "Failed", "Queued", "Success", "TimedOut")

#: Names of tasks → what the portal calls them; clients may queue those that have a description.
TASK_TYPES = {
    "AdHocScript": "Script console",
    "Deploy": "Deploy",
    "Health": "Health check",
    "Retention": "Apply retention policies",
    "RunbookRun": "Runbook run",
    "SystemIntegrityCheck": "Check system integrity",
    "UpdateCalamari": "Update Calamari",
}
QUEUEABLE = {
    "AdHocScript": "Script run from the console",
    "Health": "Check deployment target health",
    "Retention": "Apply retention policies",
    "SystemIntegrityCheck": "Check system integrity",
    "UpdateCalamari": "Update Calamari",
}


async def list_tasks(call: Call) -> Any:
    """List tasks, newest first, with how many there are in each state."""
    window = call.query.window()
    spaces = spaces_of(call)
    async with call.state.pool.acquire() as conn:
        total, rows = await count_and_fetch(conn, (kinds.TASK, NEWEST), _filters(call), window)
        counts = await conn.fetch(queries("web/tasks")["total_counts"], spaces)
        items = await show_all(conn, [kinds.TASK.read(row) for row in rows])
    result = envelope("Task", items, total, window, call.path, call.query.filters())
    result["TotalCounts"] = _by_state(row for row in counts if row["here"])
    result["TotalCountsInOtherSpaces"] = _by_state(row for row in counts if not row["here"])
    return result


async def read_task(call: Call) -> Any:
    """Return one task."""
    return await show_one(call.state.pool, await _task(call, call.state.pool))


async def task_types(_call: Call) -> Any:
    """Return the kinds of tasks that this server runs."""
    return [{"Id": key, "Name": name, "Links": {}} for key, name in TASK_TYPES.items()]


async def create_task(call: Call) -> Reply:
    """Queue one of the tasks that clients may queue."""
    sent = await call.read(commands.CreateTask)
    name = next((known for known in QUEUEABLE if known.lower() == sent.name.lower()), None)
    if name is None:
        raise bad_request(f"A task named '{sent.name}' cannot be queued; only {', '.join(QUEUEABLE)} can.")
    times = schedule(call, sent.queue_time, sent.queue_time_expiry)
    async with call.begin() as work:
        space = call.space_id
        if sent.space_id:
            space = await referenced(work.conn, SPACE, sent.space_id, None)
        call.check({"SpaceId": space})
        task = await queue_task(work, name, sent.description or QUEUEABLE[name], sent.arguments, space, **times)
    return created(show(await get(call.state.pool, kinds.TASK, task["Id"])))


async def read_details(call: Call) -> Any:
    """Return a task with its log as a tree of activities; `verbose` and `tail` say how much of it."""
    task = await _task(call, call.state.pool)
    path = log_path(call.state.home.task_logs, task["Id"])
    tree = read_tree(path)
    part = LogPart(verbose=call.query.flag("verbose") is not False, tail=call.query.number("tail"))
    done = task["State"] not in tasks.ACTIVE
    base = f"/api/tasks/{task['Id']}"
    return {
        "Id": f"{task['Id']}-details",
        "Task": await show_one(call.state.pool, task),
        "ActivityLogs": [show_activity(task["Id"], tree, part)] if tree else [without_log(task)],
        "Progress": {"ProgressPercentage": 100 if done else 0, "EstimatedTimeRemaining": ""},
        "PhysicalLogSize": path.stat().st_size if tree else 0,
        "Links": {
            "Self": f"{base}/details",
            "Task": base,
            "Web": f"/app#/{task['SpaceId'] or 'system'}/tasks/{task['Id']}",
            "Raw": f"{base}/raw",
        },
    }


async def read_raw(call: Call) -> Reply:
    """Return the log of a task as text."""
    task = await _task(call, call.state.pool)
    tree = read_tree(log_path(call.state.home.task_logs, task["Id"]))
    head = [f"Task ID:        {task['Id']}", f"Task status:    {task['State']}", f"Task queued:    {task['QueueTime']}"]
    head += [f"Task started:   {task['StartTime'] or ''}", f"Task completed: {task['CompletedTime'] or ''}", ""]
    return Reply("\n".join([*head, *(lines_of(tree) if tree else ())]) + "\n", media_type="text/plain; charset=utf-8")


async def cancel_task(call: Call) -> Any:
    """Cancel a task: at once while it is queued, by its node while it runs."""
    async with call.begin() as work:
        task = await _task(call, work.conn)
        return show(await tasks.cancel(work, task["Id"]))


async def set_state(call: Call) -> Any:
    """Put a finished task into another state."""
    sent = await call.read(commands.SetState)
    if not sent.state:
        raise bad_request("No state was provided.")
    async with call.begin() as work:
        task = await _task(call, work.conn)
        return show(await tasks.set_state(work, task["Id"], sent.state, sent.reason or ""))


async def prioritize_task(call: Call) -> Any:
    """Move a queued task to the head of the queue."""
    async with call.begin() as work:
        task = await _task(call, work.conn)
        return show(await tasks.prioritize(work, task["Id"]))


async def abandon_task(call: Call) -> Any:
    """Give up a task that does not end although it was cancelled long ago."""
    async with call.begin() as work:
        task = await _task(call, work.conn)
        return show(await tasks.abandon(work, task["Id"], Timers(call.state.time_scale).abandon))


async def rerun_task(call: Call) -> Any:
    """Queue a task like one that has ended; deployments cannot be run again."""
    async with call.begin() as work:
        task = await _task(call, work.conn)
        if task["Name"] not in QUEUEABLE or task["State"] in tasks.ACTIVE:
            raise bad_request("This task cannot be re-run.")
        again = await queue_task(work, task["Name"], task["Description"], task["Arguments"], task["SpaceId"])
    return show(await get(call.state.pool, kinds.TASK, again["Id"]))


async def queued_behind(call: Call) -> Any:
    """List what goes before a queued task: what runs with its tag, and what is ahead in the queue."""
    return await _ahead(call, "queued_behind")


async def blocked_by(call: Call) -> Any:
    """List what a queued task cannot run beside: what has its tag, running or ahead in the queue."""
    return await _ahead(call, "blocked_by")


async def status_messages(call: Call) -> Any:
    """Say in words why a task waits."""
    task = await show_one(call.state.pool, await _task(call, call.state.pool))
    messages = []
    if task["HasPendingInterruptions"]:
        messages.append(f"The task waits for somebody's answer: {', '.join(task['PendingInterruptionTypes'])}.")
    elif task["State"] == "Queued":
        ahead = (await _ahead(call, "queued_behind"))["TotalResults"]
        blocking = (await _ahead(call, "blocked_by"))["TotalResults"]
        messages.append(f"The task is queued; {ahead} go before it, {blocking} of them of its own kind.")
    return [{"Category": "Info", "Message": message} for message in messages]


async def _ahead(call: Call, query: str) -> Any:
    task, window = await _task(call, call.state.pool), call.query.window()
    source, order = queries("web/tasks")[query], queries("web/tasks")["ahead_order"]
    async with call.state.pool.acquire() as conn:
        total = await conn.fetchval(f"SELECT count(*) {source}", task["Id"])
        page = f"SELECT {columns(kinds.TASK, 'ahead.')} {source} {order}"
        rows = await conn.fetch(page, task["Id"], window.take, window.skip)
        items = await show_all(conn, [kinds.TASK.read(row) for row in rows])
    return envelope("Task", items, total, window, call.path)


async def _task(call: Call, conn: Any) -> Document:
    task = await get(conn, kinds.TASK, call.id)
    if call.space_id is not None and task["SpaceId"] != call.space_id:
        raise not_found(call.id)
    return call.check(task)


def _filters(call: Call) -> dict[str, Any]:
    query = call.query
    texts = {name: query.text(name) for name in ("node", "project", "environment", "tenant", "runbook")}
    dates = {
        f"{condition}_{end}": query.time(f"{end}{date}")
        for condition, date in (("queued", "queuedate"), ("started", "startdate"), ("completed", "completeddate"))
        for end in ("from", "to")
    }
    return {
        **across_spaces(call),
        **granted(call, kinds.TASK),
        "ids": query.many("ids"),
        "names": query.many("name"),
        **texts,
        "states": query.many("states"),
        "active": query.flag("active"),
        "running": query.flag("running"),
        "batch": query.text("batch"),
        "of_tenants_tagged": query.many("tenanttag"),
        "interrupted": query.flag("haspendinginterruptions"),
        "nothing": query.flag("haspendingpreconditions") or None,  # no task here has any
        "troubled": query.flag("haswarningsorerrors"),
        "description": query.text("description") or query.text("partialname"),
        **dates,
    }


def _by_state(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys((*STATES, "Interrupted"), 0)
    for row in rows:
        counts[row["state"]] += row["number"]
        if row["haspendinginterruptions"]:
            counts["Interrupted"] += row["number"]
    return counts
