"""Claims of several nodes on one queue in the database: at the same moment, frozen, and killed within one."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from standin import database, dispatch
from standin.documents import KeyAllocator, insert
from standin.history import task_document
from standin.kinds import NODE, TASK
from standin.work import Work

pytestmark = pytest.mark.integration

#: Seconds after which a node counts as gone.
OFFLINE = 180.0


async def fill(conn: Any, nodes: int, tasks: int) -> None:
    """Put nodes of cap 5 and tasks of 50 tags into an empty cluster."""
    now = datetime.now(UTC)
    await conn.execute("TRUNCATE ServerTask, OctopusServerNode")
    for index in range(nodes):
        await insert(conn, NODE, {"Id": f"OctopusServerNodes-{index}", "Name": str(index), "LastSeen": now})
    for number in range(tasks):
        members = {"ConcurrencyTag": f"tag-{number % 50}"}
        await insert(conn, TASK, task_document(f"ServerTasks-{number}", "Health", "", now, {}, **members))


async def claim(conn: Any, index: int) -> list[str]:
    work = Work(conn, KeyAllocator(lambda: conn))
    return [row["id"] for row in await dispatch.claim(work, f"OctopusServerNodes-{index}", OFFLINE)]


def test_one_node_looks_at_a_time(dsn: str) -> None:
    """While a node has the queue in its hands another waits, and then gets what is left."""

    async def look() -> tuple[list[str], bool, list[str]]:
        first, second = [await asyncpg.connect(dsn) for _ in range(2)]
        await fill(first, nodes=2, tasks=8)
        held = first.transaction()
        await held.start()
        mine = await claim(first, 0)

        async def look_too() -> list[str]:
            async with second.transaction():
                return await claim(second, 1)

        other = asyncio.create_task(look_too())
        early, _ = await asyncio.wait({other}, timeout=0.3)
        await held.commit()
        theirs = await other
        for conn in (first, second):
            await conn.close()
        return mine, bool(early), theirs

    mine, early, theirs = asyncio.run(look())
    assert not early
    assert (len(mine), len(theirs)) == (5, 3)
    assert not set(mine) & set(theirs)


def test_a_node_that_is_frozen_with_the_queue_in_its_hands_loses_it(dsn: str) -> None:
    """Its session is ended after some seconds, its claim is undone, and another node gets its tasks."""

    async def freeze() -> list[str]:
        first, second = [await asyncpg.connect(dsn) for _ in range(2)]
        await fill(first, nodes=2, tasks=20)
        await first.transaction().start()
        assert len(await claim(first, 0)) == 5
        async with second.transaction():
            theirs = await asyncio.wait_for(claim(second, 1), 60)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await first.execute("COMMIT")
        first.terminate()
        await second.close()
        return theirs

    assert asyncio.run(freeze()) == [f"ServerTasks-{number}" for number in range(5)]


def test_what_a_frozen_node_holds_is_given_free(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction in which its node does nothing any more is ended, and another node gets what it had locked."""
    monkeypatch.setattr(database, "ABANDONED", "200")

    async def course() -> None:
        async with await database.open_pool(dsn, 2) as pool, pool.acquire() as frozen, pool.acquire() as other:
            await frozen.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
            await asyncio.wait_for(other.execute("SELECT pg_advisory_xact_lock(1)"), 60)
            with contextlib.suppress(asyncpg.InterfaceError):  # released: this node has heard of its end
                frozen.terminate()  # it has not, and the pool would tidy up what is closed

    asyncio.run(course())


def test_a_node_that_is_killed_while_it_claims_has_taken_nothing(dsn: str) -> None:
    """Its connection breaks before its claim is written down; the tasks stay queued, and another node takes them."""

    async def die() -> tuple[list[str], list[str]]:
        first, second = [await asyncpg.connect(dsn) for _ in range(2)]
        await fill(first, nodes=2, tasks=20)
        await first.transaction().start()
        mine = await claim(first, 0)
        first.terminate()
        async with second.transaction():
            theirs = await asyncio.wait_for(claim(second, 1), 60)
        await second.close()
        return mine, theirs

    mine, theirs = asyncio.run(die())
    assert mine == theirs == [f"ServerTasks-{number}" for number in range(5)]


def test_nodes_that_look_at_the_same_moment_share_the_queue(dsn: str) -> None:
    """Four nodes looking at once, again and again, until 200 tasks are done: each task goes to one node."""

    async def compete() -> list[list[str]]:
        conns = [await asyncpg.connect(dsn) for _ in range(4)]
        await fill(conns[0], nodes=4, tasks=200)

        async def drain(index: int) -> list[str]:
            """Take tasks and end them until none waits; the next of a tag can be taken only then."""
            taken: list[str] = []
            while await conns[index].fetchval("SELECT count(*) FROM ServerTask WHERE State = 'Queued'"):
                async with conns[index].transaction():
                    mine = await claim(conns[index], index)
                await conns[index].execute("UPDATE ServerTask SET State = 'Success' WHERE Id = ANY($1)", mine)
                taken += mine
            return taken

        found = await asyncio.wait_for(asyncio.gather(*(drain(index) for index in range(4))), 60)
        for conn in conns:
            await conn.close()
        return found

    found = asyncio.run(compete())
    assert all(found), "a node got nothing"
    assert sorted(one for taken in found for one in taken) == sorted(f"ServerTasks-{number}" for number in range(200))
