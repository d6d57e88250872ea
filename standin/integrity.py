"""The integrity check of an instance: documents that refer to what is not there."""

from typing import Any

from standin.statements import queries
from standin.tasklog import TaskLog


async def check_integrity(pool: Any, log: TaskLog) -> bool:
    """Look for broken references; False when there are any. Each check is one statement of integrity.sql."""
    whole = True
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        for name, statement in queries("integrity").items():
            element = log.open("", name.replace("_", " ").capitalize())
            broken = [row["id"] for row in await conn.fetch(statement)]
            for identifier in broken:
                log.write(element, f"{identifier} refers to what is not there.", "Error")
            log.close(element, "Failed" if broken else "Success")
            whole = whole and not broken
    return whole
