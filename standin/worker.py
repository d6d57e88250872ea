"""A node's task processor: it looks at the queue, runs what it takes, and says that it is alive."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from standin import jobs
from standin.database import FAULTS
from standin.documents import KeyAllocator
from standin.history import create_task
from standin.queue import Load, Waiting, choose
from standin.statements import queries
from standin.tasks import complete
from standin.work import Work, begin

#: Octopus' timers, seconds (octopus-facts §2.6); all are divided by the time scale.
POLL = 20.0
HEARTBEAT = 60.0
ORPHAN = 3600.0
#: Retention's schedule: whenever so many seconds of the day, UTC, have passed, as a cron line does.
RETENTION = 4 * 3600.0
#: Seconds that a node may be silent at least, at any time scale: a busy machine is not a dead node.
PATIENCE = 10.0
#: Seconds between two looks for tasks to cancel, whatever the time scale.
CANCEL_LOOK = 0.5

TERMINATED = "The Octopus Server process that was executing the task was terminated unexpectedly."
SHUT_DOWN = "The Octopus Server that was executing the task was shut down."

_log = logging.getLogger(__name__)


def node_id(name: str) -> str:
    """Return the id of a node."""
    return f"OctopusServerNodes-{name}"


def retention_is_due(began: datetime, last: datetime | None, now: datetime) -> bool:
    """Say whether the schedule's latest time lies after a node's start and after retention was last queued."""
    due = datetime.fromtimestamp(now.timestamp() // RETENTION * RETENTION, UTC)
    return due > began and (last is None or last < due)


class Worker:
    """The task processor of one node."""

    def __init__(
        self, pool: Any, keys: KeyAllocator, name: str, task_logs: Path, time_scale: float, *, schedule: bool = False
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._name = name
        self._node_id = node_id(name)
        self._task_logs = task_logs
        self._scale = time_scale
        self._schedule = schedule
        self._began = datetime.now(UTC)
        self._running: dict[str, asyncio.Task[jobs.Outcome]] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        self._reasons: dict[str, str] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Process tasks until `stop`; then cancel what still runs and return."""
        await self._cancel_mine()
        loops = [
            self._every(POLL / self._scale, self.look),
            self._every(HEARTBEAT / self._scale, self._beat),
            self._every(CANCEL_LOOK, self._cancel_wanted),
            self._every(min(HEARTBEAT, ORPHAN / 10) / self._scale, self._cancel_orphans),
        ]
        if self._schedule:
            loops.append(self._every(HEARTBEAT, self._queue_retention))
        await asyncio.gather(*loops)
        for identifier in self._running:
            self._cancel(identifier, SHUT_DOWN)
        await asyncio.gather(*self._finishing)

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()

    async def look(self) -> None:
        """Look at the queue once, and start what the rules give this node."""
        now = datetime.now(UTC)
        if self._stopping.is_set() or not await self._pool.fetchval(queries("worker")["anything"], now):
            return
        async with begin(self._pool, self._keys) as work:
            await work.conn.execute(queries("worker")["lock"])
            for row in await work.conn.fetch(queries("worker")["expired"], work.now):
                await complete(work, row["id"], "TimedOut", "The task was not started before its time ran out.")
            claimed = await self._claim(work)
        for row in claimed:
            self._start(row)

    async def _claim(self, work: Work) -> list[Any]:
        """Claim tasks under the queue's lock: no other node looks at the same time."""
        rows = await work.conn.fetch(queries("worker")["waiting"], work.now)
        waiting = [Waiting(row["id"], row["concurrencytag"], row["priority"]) for row in rows]
        busy = {row["concurrencytag"] for row in await work.conn.fetch(queries("worker")["busy_tags"])}
        taken = choose(waiting, busy, await self._load(work))
        if not taken:
            return []
        identifiers = [task.id for task in taken]
        claimed = await work.conn.fetch(queries("worker")["claim"], identifiers, self._node_id, work.now)
        return sorted(claimed, key=lambda row: identifiers.index(row["id"]))

    async def _load(self, work: Work) -> Load:
        seen = work.now - timedelta(seconds=max(3 * HEARTBEAT / self._scale, PATIENCE))
        rows = await work.conn.fetch(queries("worker")["loads"], seen, self._node_id)
        mine = next((row for row in rows if row["id"] == self._node_id), None)
        if mine is None:  # deleted while alive: it registers again with its next heartbeat
            return Load(0, 0, 0, 0, draining=True)
        taking = [row for row in rows if not row["isinmaintenancemode"]]
        return Load(
            mine["active"],
            mine["maxconcurrenttasks"],
            sum(row["active"] for row in taking),
            sum(row["maxconcurrenttasks"] for row in taking),
            draining=mine["isinmaintenancemode"],
        )

    def _start(self, row: Any) -> None:
        arguments = msgspec.json.decode(row["json"]).get("Arguments") or {}
        job = jobs.Job(row["id"], row["name"], row["description"], row["spaceid"], arguments)
        self._running[job.id] = asyncio.create_task(jobs.run(job, self._pool, self._keys, self._task_logs))
        finish = asyncio.create_task(self._finish(job.id, self._running[job.id]))
        self._finishing.add(finish)
        finish.add_done_callback(self._finishing.discard)

    async def _finish(self, identifier: str, running: "asyncio.Task[jobs.Outcome]") -> None:
        """Wait for a task's end and write it down."""
        try:
            outcome = await running
        except asyncio.CancelledError:
            outcome = jobs.Outcome("Canceled", self._reasons.get(identifier, "The task was canceled."))
        except Exception as exc:  # noqa: BLE001 - a task that breaks fails, in its row and in the log of the node
            _log.exception("task %s", identifier)
            outcome = jobs.Outcome("Failed", f"The task failed unexpectedly: {exc}")
        try:
            async with begin(self._pool, self._keys) as work:
                if await work.conn.fetchval(queries("worker")["still_mine"], identifier, self._node_id):
                    await complete(work, identifier, outcome.state, outcome.error, warnings=outcome.warnings)
        except FAULTS:
            # It stays Executing; this node cancels it at its next start, another one after the orphan limit.
            _log.exception("the end of task %s could not be written", identifier)
        finally:
            self._running.pop(identifier, None)
            self._reasons.pop(identifier, None)

    def _cancel(self, identifier: str, reason: str) -> None:
        if task := self._running.get(identifier):
            self._reasons[identifier] = reason
            task.cancel()

    async def _beat(self) -> None:
        await self._pool.execute(queries("node")["heartbeat"], self._node_id, self._name, datetime.now(UTC))

    async def _cancel_wanted(self) -> None:
        """Stop the tasks that somebody cancelled: only the node that runs a task ends it (octopus-facts §2.3)."""
        if not self._running:
            return
        for row in await self._pool.fetch(queries("worker")["cancelling"], self._node_id):
            self._cancel(row["id"], "The task was canceled.")

    async def _cancel_mine(self) -> None:
        """Cancel what this node left behind when it ended; a task is never run twice (octopus-facts §2.5)."""
        async with begin(self._pool, self._keys) as work:
            for row in await work.conn.fetch(queries("worker")["mine"], self._node_id):
                await complete(work, row["id"], "Canceled", TERMINATED)

    async def _cancel_orphans(self) -> None:
        """Cancel the tasks of nodes that have not been seen for 60 minutes."""
        limit = datetime.now(UTC) - timedelta(seconds=max(ORPHAN / self._scale, PATIENCE))
        async with begin(self._pool, self._keys) as work:
            for row in await work.conn.fetch(queries("worker")["orphans"], self._node_id, limit):
                await complete(work, row["id"], "Canceled", TERMINATED)

    async def _queue_retention(self) -> None:
        """Queue retention when its time has come since this node began, once in the cluster."""
        async with begin(self._pool, self._keys) as work:
            await work.conn.execute(queries("worker")["lock"])
            last = await work.conn.fetchval(queries("worker")["last_retention"])
            if retention_is_due(self._began, last, work.now):
                await create_task(work, "Retention", "Apply retention policies")

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now and then every so many seconds until the end; a fault of the database is not the end."""
        while not self._stopping.is_set():
            try:
                await action()
            except FAULTS as exc:
                _log.warning("%s: %s", action.__name__, exc)
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                continue
