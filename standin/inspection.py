"""Databases looked at from outside: what is in them, what the dashboard costs, and how they are brought to rest."""

import contextlib
import re
import time
from typing import Any

import asyncpg

from standin.database import connect, has_instance
from standin.errors import FailureError, UsageError
from standin.statements import queries, text

#: Tables of the schema, as Octopus writes their names.
TABLES = tuple(re.findall(r"CREATE TABLE (\w+)", text("schema.sql")))
#: Those that grow with history.
GROWING = tuple(dict.fromkeys(re.findall(r"^CREATE .* ON (\w+) ", text("indexes.sql"), re.MULTILINE)))


async def inspect_database(dsn: str, space: str | None, dashboard: str) -> dict[str, Any]:
    """Describe a database as `octoload.database` version 1 (docs/formats.md); `dashboard` names the statement.

    Raises:
        UsageError: there is no such database, or no instance in it; FailureError: PostgreSQL does not answer.
    """
    conn = await open_instance(dsn)
    try:
        return {
            "format": "octoload.database",
            "version": 1,
            "rows": await count_rows(conn),
            "bytes": await conn.fetchval(queries("inspection")["size"]),
            "dashboard": await _explain(
                conn, queries("dashboard")[dashboard], space or await conn.fetchval(queries("inspection")["busiest"])
            ),
        }
    finally:
        await conn.close()


async def settle_database(dsn: str) -> dict[str, Any]:
    """Rebuild a database's indexes and statistics and read all of it into memory, so that two of them start alike.

    Both copies need it: rows deleted from one would otherwise leave it bloated indexes (statistics §1.4), and rows
    loaded in bulk the other dense ones.

    Raises:
        UsageError: there is no such database, or no instance in it; FailureError: PostgreSQL failed.
    """
    started = time.monotonic()
    conn = await open_instance(dsn)
    try:
        for table in GROWING:
            await conn.execute(f"REINDEX TABLE {table}")
        await conn.execute("VACUUM (ANALYZE)")
        read = await _read_all(conn)
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
            await conn.execute("CHECKPOINT")
        return {"blocks": read, "seconds": round(time.monotonic() - started, 3)}
    except asyncpg.DiskFullError as exc:
        raise FailureError("the disk is full: the database cannot be settled", "Free some space.") from exc
    finally:
        await conn.close()


async def count_rows(conn: Any) -> dict[str, int]:
    """Count the rows of each table, under Octopus' names."""
    return {table: await conn.fetchval(_COUNT.format(table)) for table in TABLES}


async def open_instance(dsn: str) -> Any:
    """Connect to the database of an instance.

    Raises:
        UsageError: there is no such database, or no instance in it.
    """
    try:
        conn = await connect(dsn)
    except asyncpg.InvalidCatalogNameError as exc:
        raise UsageError(str(exc), "Load a history into it, or serve it, first.") from exc
    if not await has_instance(conn):
        await conn.close()
        raise UsageError("there is no instance in this database", "Load a history into it, or serve it, first.")
    return conn


async def _read_all(conn: Any) -> int:
    """Read all tables and indexes into PostgreSQL's memory; return how many blocks they have."""
    named = queries("inspection")
    # On somebody else's PostgreSQL the extension may be missing, or not be ours to make.
    with contextlib.suppress(asyncpg.FeatureNotSupportedError, asyncpg.InsufficientPrivilegeError):
        await conn.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        return int(await conn.fetchval(named["prewarm"]))
    await count_rows(conn)
    return int(await conn.fetchval(named["blocks"]))


async def _explain(conn: Any, sql: str, space: str) -> dict[str, Any]:
    """Run the dashboard's query, once to warm up and once under EXPLAIN; say what it cost."""
    await conn.fetch(sql, space, None)
    lines = await conn.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", space, None)
    plan = "\n".join(line[0] for line in lines)
    taken = re.search(r"Execution Time: ([\d.]+) ms", plan)
    # The first line of buffers is the whole query's; what planning read stands after "Planning:".
    buffers = re.search(r"Buffers: (.*)", plan.partition("Planning:")[0])
    return {
        "sql": sql,
        "plan": plan,
        "milliseconds": float(taken[1]) if taken else None,
        "shared_hit": _blocks("hit", buffers[1] if buffers else ""),
        "shared_read": _blocks("read", buffers[1] if buffers else ""),
    }


def _blocks(kind: str, buffers: str) -> int:
    shared = buffers.partition(", ")[0]
    found = re.search(rf"{kind}=(\d+)", shared)
    return int(found[1]) if found else 0


_COUNT = "SELECT count(*) FROM {}"
