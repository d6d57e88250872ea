"""The scheduler: what runs by itself, switched on and off, and triggered at once (octopus-api §A.22)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from standin import events, kinds
from standin.archives import archive_events
from standin.configuration import put_configuration
from standin.documents import Document, get
from standin.errors import Rejected, not_found
from standin.history import create_task
from standin.schedule import EVENT_RETENTION, NAMES, RETENTION, SETTING, event_days, stopped
from standin.statements import queries
from standin.tasklog import TaskLog, log_path, read_tree
from standin.tasks import ACTIVE
from standin.web.activities import LogPart, lines_of, show_activity
from standin.web.call import Call, Reply

#: Seconds that a trigger waits for the end of what it started, and between two looks.
PATIENCE, LOOK = 3600.0, 0.1


async def read_scheduler(call: Call) -> Any:
    """Return what is scheduled, and whether it runs."""
    off = await stopped(call.state.pool)
    tasks = [{"Id": name, "Name": name, "IsEnabled": name not in off, "Links": _links(name)} for name in NAMES]
    running = call.state.schedule and len(off) < len(NAMES)
    return {"Id": "scheduler", "IsRunning": running, "TaskStatus": tasks, "Links": {"Self": "/api/scheduler"}}


async def start(call: Call) -> Any:
    """Switch a scheduled task on; all of them where none is named."""
    return await _switch(call, on=True)


async def stop(call: Call) -> Any:
    """Switch a scheduled task off; all of them where none is named."""
    return await _switch(call, on=False)


async def trigger(call: Call) -> Any:
    """Run a scheduled task now; answer when it has ended."""
    name = _name(call.query.text("task") or "")
    if name == RETENTION:
        await _apply_retention(call)
    else:
        await _archive(call)
    return await read_scheduler(call)


async def read_logs(call: Call) -> Any:
    """Return the log of the last run of a scheduled task as a tree of activities."""
    name = _name(call.params["name"], status=404)
    part = LogPart(verbose=call.query.flag("verbose") is not False, tail=call.query.number("tail"))
    task = await _last_run(call, name)
    tree = read_tree(log_path(call.state.home.task_logs, task)) if task else None
    activity = show_activity(str(task), tree, part) if tree else None
    return {"Id": f"scheduler-{name}", "ActivityLog": activity, "Links": _links(name)}


async def read_raw_logs(call: Call) -> Reply:
    """Return the log of the last run of a scheduled task as text."""
    name = _name(call.params["name"], status=404)
    task = await _last_run(call, name)
    tree = read_tree(log_path(call.state.home.task_logs, task)) if task else None
    text = "\n".join(lines_of(tree)) if tree else f"{name} has not run yet."
    return Reply(f"{text}\n", media_type="text/plain; charset=utf-8")


async def _apply_retention(call: Call) -> None:
    async with call.begin() as work:
        task = await create_task(work, RETENTION, "Apply retention policies")
    deadline = time.monotonic() + PATIENCE
    while (await get(call.state.pool, kinds.TASK, task["Id"]))["State"] in ACTIVE:
        if time.monotonic() > deadline:
            raise Rejected(400, f"The task {task['Id']} has not ended yet; its log says how far it is.")
        await asyncio.sleep(LOOK)


async def _archive(call: Call) -> None:
    days = await event_days(call.state.pool)
    path = log_path(call.state.home.task_logs, f"scheduler-{EVENT_RETENTION}")
    path.unlink(missing_ok=True)
    with TaskLog(path) as log:
        log.open(None, "Move old events to files")
        moved = await archive_events(call.state.pool, call.state.home.archives, datetime.now(UTC) - timedelta(days))
        log.write("", f"{moved} events older than {days} days were moved.")
        log.close("", "Success")


async def _switch(call: Call, *, on: bool) -> Any:
    wanted = call.query.text("task")
    names = {_name(wanted)} if wanted else set(NAMES)
    async with call.begin() as work:
        off = await stopped(work.conn)
        off = off - names if on else off | names
        await put_configuration(work.conn, SETTING, {"Stopped": sorted(off)})
        verb = "started" if on else "stopped"
        message = f"The scheduler's {', '.join(sorted(names))} was {verb}"
        await events.record(work, events.MODIFIED, message, [SETTING])
    return await read_scheduler(call)


async def _last_run(call: Call, name: str) -> str | None:
    if name == EVENT_RETENTION:
        return f"scheduler-{EVENT_RETENTION}"
    found: str | None = await call.state.pool.fetchval(queries("web/tasks")["last_run"], name)
    return found


def _name(wanted: str, status: int = 400) -> str:
    name = next((name for name in NAMES if name.lower() == wanted.lower()), None)
    if name is None:
        if status == 404:
            raise not_found(wanted)
        raise Rejected(status, f"Nothing is scheduled under the name '{wanted[:50]}'; there are {', '.join(NAMES)}.")
    return name


def _links(name: str) -> Document:
    return {"Self": f"/api/scheduler/{name}/logs", "Logs": f"/api/scheduler/{name}/logs{{?verbose,tail}}"}
