"""Releases that two people change at the same moment: neither undoes what the other one has done."""

import asyncio
import contextlib

import asyncpg
import pytest

from standin import database
from standin.documents import KeyAllocator, find, get, lock, update
from standin.history import create_release
from standin.kinds import LIFECYCLE, PROJECT_GROUP, RELEASE
from standin.spaces import create_project
from standin.web.endpoints.releases import with_fresh_variables
from standin.work import begin

pytestmark = pytest.mark.integration


def test_fresh_variables_leave_a_defect_that_is_reported_meanwhile(dsn: str) -> None:
    """The release is read again when its lock is free, not written as it was before."""

    async def course() -> tuple[bool, bool]:
        keys = KeyAllocator(lambda: asyncpg.connect(dsn))
        async with contextlib.AsyncExitStack() as opened:
            opened.push_async_callback(keys.close)
            pool = await opened.enter_async_context(await database.open_pool(dsn, 3))
            async with begin(pool, keys) as work:
                (group,) = await find(work.conn, PROJECT_GROUP, SpaceId="Spaces-1")
                (lifecycle,) = await find(work.conn, LIFECYCLE, SpaceId="Spaces-1")
                owners = {"ProjectGroupId": group["Id"], "LifecycleId": lifecycle["Id"]}
                project = await create_project(work, {"Name": "Web", "SpaceId": "Spaces-1", **owners})
                release = await create_release(work, project["Id"], "1.0")

            async def refresh() -> None:
                async with begin(pool, keys) as work:
                    await with_fresh_variables(work, release)

            async with begin(pool, keys) as work:
                locked = await lock(work.conn, RELEASE, release["Id"])
                await update(work.conn, RELEASE, {**locked, "HasUnresolvedDefect": True})
                other = asyncio.create_task(refresh())
                async with asyncio.timeout(30):
                    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
                    while not await pool.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL tells nobody
                        await asyncio.sleep(0.01)
            await other
            after = await get(pool, RELEASE, release["Id"])
            return after["HasUnresolvedDefect"], after["LastModifiedBy"] == "system"

    assert asyncio.run(course()) == (True, True)
