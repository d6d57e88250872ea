"""The bulk loader: copies a history stream into an empty database, in one transaction."""

import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from standin import database, kinds
from standin.documents import DocumentType
from standin.errors import FailureError, UsageError
from standin.inspection import count_rows
from standin.rows import Rows
from standin.statements import queries
from standin.stream import History, Resource

#: Rows that are gathered before they are copied: enough that a COPY's own cost vanishes, few enough to stay small.
BATCH = 20_000
#: Resources between two words of progress.
STEP = 50_000
#: The node that has run the deployments of a loaded history: the first that `serve` starts.
NODE = "OctopusServerNodes-node-1"

_KINDS = (
    kinds.SPACE,
    kinds.ENVIRONMENT,
    kinds.LIFECYCLE,
    kinds.PROJECT_GROUP,
    kinds.PROJECT,
    kinds.CHANNEL,
    kinds.PROCESS,
    kinds.VARIABLE_SET,
    kinds.RUNBOOK,
    kinds.RUNBOOK_PROCESS,
    kinds.RUNBOOK_SNAPSHOT,
    kinds.MACHINE,
    kinds.MACHINE_POLICY,
    kinds.WORKER_POOL,
    kinds.TEAM,
    kinds.SCOPED_USER_ROLE,
    kinds.TENANT,
    kinds.FEED,
    kinds.RELEASE,
    kinds.DEPLOYMENT,
    kinds.TASK,
)


def _columns(kind: DocumentType) -> list[str]:
    return [name.lower() for name in ("Id", *kind.columns, "JSON")]


#: Table → columns of its rows.
COLUMNS: dict[str, list[str]] = {
    **{kind.table.lower(): _columns(kind) for kind in _KINDS},
    "event": ["autoid", *_columns(kinds.EVENT)],
    "deploymentrelatedmachine": ["deploymentid", "machineid"],
}


async def load_file(path: Path, dsn: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Load a history into an empty database (made if missing); return counts, rows by table and seconds.

    All of it happens in one transaction: when the file turns out to be damaged, the database stays as it was, and one
    that was made for it is dropped again.

    Raises:
        UsageError: the file cannot be read or is not whole, or the database is not empty.
        FailureError: PostgreSQL failed.
    """
    started = time.monotonic()
    history = History(path)
    gc.disable()  # rows hold no cycles, and there are too many of them to be looked at again and again
    try:
        async with _empty_database(dsn) as conn:
            rows = await _copy_all(conn, history, tell)
        return {"counts": dict(history.counts), "rows": rows, "seconds": round(time.monotonic() - started, 3)}
    finally:
        gc.enable()
        history.close()


@contextlib.asynccontextmanager
async def _empty_database(dsn: str) -> AsyncIterator[Any]:
    """Yield a connection in a transaction that is committed at the end; leave nothing behind when that fails."""
    conn, made = await database.open_database(dsn)
    try:
        await _check_empty(conn, dsn)
        async with conn.transaction():
            yield conn
    except BaseException as exc:
        await conn.close()
        if made:
            await database.drop_database(dsn)
        if isinstance(exc, asyncpg.DiskFullError):
            raise FailureError("the disk is full: the history was not loaded", "Free some space.") from exc
        if isinstance(exc, database.FAULTS):
            raise FailureError(f"PostgreSQL failed while loading: {exc}", "The database is as it was before.") from exc
        raise
    await conn.close()


async def _check_empty(conn: Any, dsn: str) -> None:
    if not await database.is_empty(conn):
        name = database.database_name(dsn)
        raise UsageError(f"the database {name} is not empty", "Name a new one: it is made by itself.")


async def _copy_all(conn: Any, history: History, tell: Callable[[str], None]) -> dict[str, int]:
    await database.create_tables(conn)
    await database.create_instance(conn)
    await conn.execute(queries("node")["register"], NODE, NODE.partition("-")[2], datetime.now(UTC), None)
    allocated = {row["collectionname"]: row["allocated"] for row in await conn.fetch(queries("load")["allocated"])}
    rows, told = Rows(history.header, allocated, NODE), 0
    for block in history:
        for resource in block:
            _add(rows, resource)
        await _copy(conn, rows, BATCH)
        if history.counts.total() >= told + STEP:
            told = history.counts.total()
            tell(f"{told} resources")
    rows.finish()
    await _copy(conn, rows, 1)
    await _close(conn, rows, tell)
    return await count_rows(conn)


def _add(rows: Rows, resource: Resource) -> None:
    try:
        rows.add(resource)
    except KeyError as exc:
        what = f"{type(resource).__name__.lower()} {getattr(resource, 'key', '')}".strip()
        raise UsageError(f"the {what} refers to {exc}, which has not come before", "Write it again.") from exc


async def _copy(conn: Any, rows: Rows, least: int) -> None:
    """Copy the tables that have gathered enough rows."""
    for table, records in rows.tables.items():
        if len(records) >= least:
            await conn.copy_records_to_table(table, records=records, columns=COLUMNS[table])
            records.clear()


async def _close(conn: Any, rows: Rows, tell: Callable[[str], None]) -> None:
    """Advance the ids; then make what follows from the rows: look-up rows, history, indexes, statistics."""
    named = queries("load")
    await conn.executemany(named["allocate"], list(rows.allocated.items()))
    await conn.execute(named["event_sequence"])
    await conn.execute(named["relate_all"])
    await conn.execute(named["remember_all"])
    tell("indexes")
    await database.create_indexes(conn)
    await conn.execute("ANALYZE")
