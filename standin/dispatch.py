"""Dispatch: how tasks come to nodes and leave dead ones, in the database; the rules themselves are in queue.py."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from standin.queue import Load, Waiting, choose
from standin.statements import queries
from standin.tasks import complete
from standin.work import Work

TERMINATED = "The Octopus Server process that was executing the task was terminated unexpectedly."
TOO_LATE = "The task was not started before its time ran out."


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


async def claim(work: Work, node_id: str, offline: float, clock: Callable[[], datetime] = utc_now) -> list[Any]:
    """Take the tasks that the rules give a node; return their rows, in the queue's order.

    One lock in the database lets one node look at a time, so that no task is ever taken twice (octopus-facts §2.2).
    Tasks whose time ran out end first. `offline` is after how many silent seconds a node's cap no longer counts.
    """
    await work.conn.execute(queries("dispatch")["lock"])
    for row in await work.conn.fetch(queries("dispatch")["expired"], work.now):
        await complete(work, row["id"], "TimedOut", TOO_LATE)
    rows = await work.conn.fetch(queries("dispatch")["waiting"], work.now)
    waiting = [Waiting(row["id"], row["concurrencytag"]) for row in rows]
    busy = {row["concurrencytag"] for row in await work.conn.fetch(queries("dispatch")["busy_tags"])}
    taken = [task.id for task in choose(waiting, busy, await _load(work, node_id, offline))]
    if not taken:
        return []
    # The transaction's time is that of its begin, before it waited for the lock: the task before this one of the same
    # tag may have ended since, and must not seem to end after this one starts.
    claimed = await work.conn.fetch(queries("dispatch")["claim"], taken, node_id, clock())
    return sorted(claimed, key=lambda row: taken.index(row["id"]))


async def resume(work: Work, task_id: str, node_id: str, offline: float) -> bool:
    """Let a paused task go on, on its own node, draining or not; False while there is no slot or no tag for it."""
    await work.conn.execute(queries("dispatch")["lock"])
    load = await _load(work, node_id, offline)
    if load.active >= load.cap or await work.conn.fetchval(queries("dispatch")["tag_is_taken"], task_id):
        return False
    return await work.conn.fetchval(queries("dispatch")["resume"], task_id, node_id) is not None


async def cancel_left(work: Work, node_id: str) -> None:
    """Cancel what a node left behind when it died; a task is never run twice (octopus-facts §2.5)."""
    for row in await work.conn.fetch(queries("dispatch")["left"], node_id):
        await complete(work, row["id"], "Canceled", TERMINATED)


async def other_nodes(conn: Any, node_id: str) -> dict[str, datetime | None]:
    """Return when other nodes that run tasks were last seen; None for one that has been deleted."""
    rows = await conn.fetch(queries("dispatch")["other_nodes"], node_id)
    return {row["id"]: row["lastseen"] for row in rows}


async def cancel_orphans(work: Work, nodes: Collection[str], orphan: float) -> None:
    """Cancel the tasks of those of the nodes that have been silent for `orphan` seconds, or were deleted."""
    limit = work.now - timedelta(seconds=orphan)
    for row in await work.conn.fetch(queries("dispatch")["orphans"], list(nodes), limit):
        await complete(work, row["id"], "Canceled", TERMINATED)


async def is_mine(work: Work, task_id: str, node_id: str) -> bool:
    """Say whether a task still runs on this node; while the transaction is open nobody else can end it.

    A node that was frozen finds, when it wakes, that others have cancelled its tasks.
    """
    return await work.conn.fetchval(queries("dispatch")["still_mine"], task_id, node_id) is not None


async def unwanted(conn: Any, task_ids: Collection[str], node_id: str) -> set[str]:
    """Return which of the tasks that a node runs it must stop: somebody cancelled them or ended them."""
    asked = list(task_ids)  # the node starts others meanwhile
    rows = await conn.fetch(queries("dispatch")["wanted"], asked, node_id)
    return set(asked) - {row["id"] for row in rows}


async def _load(work: Work, node_id: str, offline: float) -> Load:
    seen = work.now - timedelta(seconds=offline)
    rows = await work.conn.fetch(queries("dispatch")["loads"], seen, node_id)
    mine = next((row for row in rows if row["id"] == node_id), None)
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
