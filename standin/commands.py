"""What the commands do besides serving: PostgreSQL alone, loading, copying, settling and inspecting databases."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from standin import database
from standin.documents import encode
from standin.inspection import inspect_database, settle_database
from standin.keeper import Keeper, interrupt_on_signals, stop_on_signals
from standin.load import load_file
from standin.parent import Parent
from standin.supervisor import DATABASE


def run_postgres(data: Path, port: int, say: Callable[[str], None]) -> None:
    """Run PostgreSQL until Ctrl-C, SIGTERM or the parent's end.

    Raises:
        UsageError, FailureError: as `Postgres.start` says, or FailureError: it has ended by itself.
    """
    interrupt_on_signals()
    with Keeper(data, port) as keeper:
        stop, parent = stop_on_signals(), Parent()
        say(f"ready: {keeper.dsn}")
        while not stop.wait(0.1) and not parent.is_gone():
            keeper.check()


def load(file: Path, data: Path | None, dsn: str, tell: Callable[[str], None]) -> str:
    """Load a history into a database or, without a `dsn`, a folder's instance; return one line of JSON of what came.

    Raises:
        UsageError: the file cannot be read or is not whole, or the database is not empty; it stays as it was.
        FailureError: PostgreSQL failed.
    """
    with _server(data, dsn) as target:
        return encode(asyncio.run(load_file(file, target, tell)))


def clone(dsn: str, name: str, *, replace: bool = False) -> str:
    """Copy a database on its own PostgreSQL, with `replace` instead of an older copy; return `cloned: DSN`.

    Raises:
        UsageError: the copy exists already, or there is no such database; FailureError: PostgreSQL failed.
    """
    asyncio.run(database.clone_database(dsn, name, replace=replace))
    return f"cloned: {database.with_database(dsn, name)}"


def settle(dsn: str) -> str:
    """Vacuum, analyse and read a database; return what was done as one line of JSON."""
    return encode(asyncio.run(settle_database(dsn)))


def inspect(dsn: str, space: str | None, dashboard: str) -> str:
    """Describe a database as `octoload.database`, one line of JSON."""
    return encode(asyncio.run(inspect_database(dsn, space, dashboard)))


@contextlib.contextmanager
def _server(data: Path | None, dsn: str) -> Iterator[str]:
    if dsn:
        yield dsn
        return
    assert data is not None
    with Keeper(data) as keeper:
        yield database.with_database(keeper.dsn, DATABASE)
