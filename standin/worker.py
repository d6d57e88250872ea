"""A node's task processor: it looks at the queue, runs what it takes, and stops what is no longer wanted."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from standin import dispatch, jobs
from standin.archives import archive_events
from standin.database import FAULTS
from standin.documents import KeyAllocator
from standin.history import create_task
from standin.home import Home
from standin.interruptions import Desk
from standin.schedule import EVENT_RETENTION, EVENTS_EVERY, RETENTION, event_days, retention_is_due, stopped
from standin.silence import Silence
from standin.statements import queries
from standin.tasks import complete
from standin.timers import HEARTBEAT, Timers
from standin.work import begin

#: Seconds between two looks for tasks to cancel, whatever the time scale.
CANCEL_LOOK = 0.5

SHUT_DOWN = "The Octopus Server that was executing the task was shut down."

_log = logging.getLogger(__name__)


class Worker:
    """The task processor of one node."""

    def __init__(
        self, pool: Any, keys: KeyAllocator, node_id: str, home: Home, timers: Timers, *, schedule: bool = False
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._node_id = node_id
        self._timers = timers
        self._schedule = schedule
        self._began = datetime.now(UTC)
        self._running: dict[str, asyncio.Task[jobs.Outcome]] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        self._reasons: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self._silence = Silence()
        self._desk = Desk(pool, keys, self._node_id, timers.offline)
        self._shop = jobs.Workshop(pool, keys, home.task_logs, home.packages, self._desk)
        self._home = home

    async def run(self) -> None:
        """Process tasks until `stop`; then cancel what still runs and return."""
        async with begin(self._pool, self._keys) as work:
            await dispatch.cancel_left(work, self._node_id)
        loops = [
            self._every(self._timers.poll, self.look),
            self._every(CANCEL_LOOK, self._cancel_unwanted),
            self._every(CANCEL_LOOK, self._desk.look),
            self._every(min(HEARTBEAT / self._timers.scale, self._timers.orphan / 10), self._cancel_orphans),
        ]
        if self._schedule:
            loops.append(self._every(HEARTBEAT, self._queue_retention))
            loops.append(self._every(EVENTS_EVERY, self._archive_events))
        await asyncio.gather(*loops)
        for identifier in self._running:
            self._cancel(identifier, SHUT_DOWN)
        await asyncio.gather(*self._finishing)

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()

    async def look(self) -> None:
        """Look at the queue once, and start what the rules give this node."""
        if self._stopping.is_set():
            return
        if not await self._pool.fetchval(queries("dispatch")["anything"], datetime.now(UTC)):
            return
        async with begin(self._pool, self._keys) as work:
            claimed = await dispatch.claim(work, self._node_id, self._timers.offline)
        for row in claimed:
            self._start(row)

    def _start(self, row: Any) -> None:
        arguments = msgspec.json.decode(row["json"]).get("Arguments") or {}
        job = jobs.Job(row["id"], row["name"], row["description"], row["spaceid"], arguments, self._node_id)
        self._running[job.id] = asyncio.create_task(jobs.run(job, self._shop))
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
                if await dispatch.is_mine(work, identifier, self._node_id):
                    await complete(work, identifier, outcome.state, outcome.error, warnings=outcome.warnings)
        except FAULTS:
            # It stays Executing; this node cancels it at its next start, another one after the orphan limit.
            _log.exception("the end of task %s could not be written", identifier)
        finally:
            self._running.pop(identifier, None)
            self._reasons.pop(identifier, None)

    def _cancel(self, identifier: str, reason: str) -> None:
        task = self._running.get(identifier)
        if task and identifier not in self._reasons:  # told once: it needs time to kill its scripts
            self._reasons[identifier] = reason
            task.cancel()

    async def _cancel_unwanted(self) -> None:
        """Stop the tasks that somebody cancelled: only the node that runs a task ends it (octopus-facts §2.3)."""
        if self._running:
            for identifier in await dispatch.unwanted(self._pool, self._running, self._node_id):
                self._cancel(identifier, "The task was canceled.")

    async def _cancel_orphans(self) -> None:
        """Cancel the tasks of nodes that have not been seen for 60 minutes."""
        seen = await dispatch.other_nodes(self._pool, self._node_id)
        silent = self._silence.watch(seen, time.monotonic(), self._timers.offline)
        if silent:
            async with begin(self._pool, self._keys) as work:
                await dispatch.cancel_orphans(work, silent, self._timers.orphan)

    async def _queue_retention(self) -> None:
        """Queue retention when its time has come since this node began, once in the cluster."""
        async with begin(self._pool, self._keys) as work:
            await work.conn.execute(queries("dispatch")["lock"])
            last = await work.conn.fetchval(queries("worker")["last_retention"])
            if retention_is_due(self._began, last, work.now) and RETENTION not in await stopped(work.conn):
                await create_task(work, RETENTION, "Apply retention policies")

    async def _archive_events(self) -> None:
        """Move old events to files, if somebody has started that."""
        if EVENT_RETENTION not in await stopped(self._pool):
            old = datetime.now(UTC) - timedelta(days=await event_days(self._pool))
            await archive_events(self._pool, self._home.archives, old)

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now and then every so many seconds until the end; a fault of the database is not the end.

        The phase is that of the start, as Octopus' own (octopus-facts §2.2): what took longer leaves a beat out.
        """
        began = time.monotonic()
        while not self._stopping.is_set():
            try:
                await action()
            except FAULTS as exc:
                _log.warning("%s: %s", action.__name__, exc)
            now = time.monotonic()
            following = began + ((now - began) // seconds + 1) * seconds
            try:
                await asyncio.wait_for(self._stopping.wait(), following - now)
            except TimeoutError:
                continue
