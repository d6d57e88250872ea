"""The database: connections, named queries, and the first documents of a fresh instance."""

import hashlib
import re
import secrets
import string
import uuid
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from standin import people
from standin.configuration import configuration, put_configuration
from standin.documents import KeyAllocator, insert
from standin.errors import FailureError, UsageError
from standin.kinds import API_KEY, SCOPED_USER_ROLE, TEAM, USER, USER_ROLE
from standin.spaces import create_space
from standin.statements import queries, text
from standin.work import Work

#: Connections that a node may hold, and all nodes of a server together: Octopus' `Max Pool Size` is 100 a node
#: (octopus-facts §1.1), but each one costs PostgreSQL a process.
POOL_SIZE = 40
ALL_POOLS = 160
ADMINISTRATOR = "Users-1"
#: What asyncpg raises when PostgreSQL refuses, ends or cannot be reached; the last when it ends within an answer.
FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

#: Milliseconds after which PostgreSQL ends a transaction in which its node does nothing: a frozen node must not keep
#: from the others what it holds.
ABANDONED = "15000"


async def open_pool(dsn: str, size: int) -> Any:
    """Open the connections of a node, `size` at most.

    Raises:
        FailureError: PostgreSQL does not answer, or refuses.
    """
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=0,
            reset=_keep,
            server_settings={"application_name": "octoload-standin", "idle_in_transaction_session_timeout": ABANDONED},
        )
    except FAULTS as exc:
        raise unreachable(dsn, exc) from exc


async def connect(dsn: str, **options: Any) -> Any:
    """Open one connection.

    Raises:
        FailureError: PostgreSQL does not answer, or refuses; UsageError: the DSN cannot be read.
    """
    try:
        return await asyncpg.connect(dsn, **options)
    except asyncpg.InvalidCatalogNameError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError) as exc:
        raise unreachable(dsn, exc) from exc
    except (ValueError, asyncpg.InterfaceError) as exc:
        raise UsageError(
            f"the DSN {hide_password(dsn)} cannot be read: {exc}", "Write postgresql://user@host:5432/name."
        ) from exc


async def open_database(dsn: str) -> tuple[Any, bool]:
    """Connect to a database, making it first when it does not exist; say whether it was made."""
    try:
        return await connect(dsn), False
    except asyncpg.InvalidCatalogNameError:
        await create_database(dsn)
        return await connect(dsn), True


async def create_database(dsn: str, name: str = "") -> None:
    """Create the database that a DSN (or `name`) names, through the server's database `postgres`."""
    conn = await connect(dsn, database="postgres")
    try:
        await conn.execute(await conn.fetchval(queries("database")["create"], name or database_name(dsn)))
    except asyncpg.DuplicateDatabaseError as exc:
        raise UsageError(f"the database {name or database_name(dsn)} exists already", "Choose another name.") from exc
    finally:
        await conn.close()


async def clone_database(dsn: str, name: str, *, replace: bool = False) -> None:
    """Copy a database on its own server, file by file; with `replace` an older copy of that name is dropped first.

    Raises:
        UsageError: there is no such database, somebody uses it, or the copy exists already.
    """
    conn = await connect(dsn, database="postgres")
    source = database_name(dsn)
    try:
        if replace and name != source:
            await (await connect(dsn)).close()  # what cannot be copied must not cost the older copy
            await conn.execute(await conn.fetchval(queries("database")["drop"], name))
        await conn.execute(await conn.fetchval(queries("database")["clone"], name, source))
    except asyncpg.DuplicateDatabaseError as exc:
        raise UsageError(f"the database {name} exists already", "Choose another name.") from exc
    except asyncpg.InvalidCatalogNameError as exc:
        raise UsageError(f"there is no database {source} to copy", "Load a history into it first.") from exc
    except asyncpg.ObjectInUseError as exc:
        raise UsageError(f"the database {source} is in use", "Stop what is connected to it, then copy.") from exc
    except asyncpg.DiskFullError as exc:
        raise FailureError(f"the disk is full: {source} cannot be copied", "Free some space.") from exc
    finally:
        await conn.close()


async def drop_database(dsn: str) -> None:
    """Drop the database that a DSN names, closing what is still connected to it."""
    conn = await connect(dsn, database="postgres")
    try:
        await conn.execute(await conn.fetchval(queries("database")["drop"], database_name(dsn)))
    finally:
        await conn.close()


async def prepare(dsn: str, api_key: str) -> str:
    """Make sure that a database holds an instance and that the administrator has `api_key`; return its InstallationId.

    Safe to call by several processes at once.

    Raises:
        UsageError: the instance in it was made by another version of the stand-in.
    """
    conn, _ = await open_database(dsn)
    try:
        async with conn.transaction():
            await conn.execute(queries("database")["lock"])
            if await has_instance(conn):
                await _check_schema(conn, dsn)
            else:
                await create_tables(conn)
                await create_indexes(conn)
                await create_instance(conn)
            await put_api_key(conn, api_key)
        return await installation_id(conn)
    finally:
        await conn.close()


async def has_instance(conn: Any) -> bool:
    """Say whether the stand-in's tables exist."""
    return bool(await conn.fetchval(queries("database")["has_instance"]))


async def is_empty(conn: Any) -> bool:
    """Say whether a database has no table at all."""
    return not await conn.fetchval(queries("database")["tables"])


async def create_tables(conn: Any) -> None:
    """Create the stand-in's tables, without the indexes that grow with history."""
    await conn.execute(text("schema.sql"))


async def create_indexes(conn: Any) -> None:
    """Create the indexes that grow with history."""
    await conn.execute(text("indexes.sql"))


async def create_instance(conn: Any) -> None:
    """Create what a fresh instance holds: its id, accounts, teams and roles, and the default space."""
    await put_configuration(conn, "installation", {"InstallationId": str(uuid.uuid4())})
    await put_configuration(conn, "schema", {"Fingerprint": schema_fingerprint()})
    for identifier, username, display in (
        ("users-system", "system", "Octopus Server"),
        (ADMINISTRATOR, "admin", "Administrator"),
    ):
        members = {"DisplayName": display, "EmailAddress": "", "IsService": identifier == "users-system"}
        await insert(conn, USER, {"Id": identifier, "Username": username, "IsActive": True, **members})
    for team in people.instance_teams(ADMINISTRATOR):
        await insert(conn, TEAM, team)
    for role in people.built_in_roles():
        await insert(conn, USER_ROLE, role)
    everything = people.role_of_team(people.ADMINISTRATORS, "userroles-systemadministrator", None)
    await insert(conn, SCOPED_USER_ROLE, everything)
    keys = KeyAllocator(_same(conn), block=1)
    await keys.take(USER, 1)
    managers = {"SpaceManagersTeams": [people.ADMINISTRATORS]}
    await create_space(Work(conn, keys), {"Name": "Default", "IsDefault": True, "Description": "", **managers})


def schema_fingerprint() -> str:
    """Return 16 hex digits that change with the tables and indexes, not with their comments or lines."""
    words = re.sub(r"--.*", "", text("schema.sql") + text("indexes.sql")).split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


async def _check_schema(conn: Any, dsn: str) -> None:
    made_by = (await configuration(conn, "schema")).get("Fingerprint")
    if made_by != schema_fingerprint():
        raise UsageError(
            f"the database {database_name(dsn)} was made by another version of the stand-in, whose tables are others",
            "Serve it with that version, or take a new folder or database and load the history again.",
        )


async def put_api_key(conn: Any, api_key: str) -> None:
    """Give the administrator an API key in place of the one given before; only its hash is kept."""
    await conn.execute(queries("database")["forget_key"], "apikeys-standin")
    members = {"Purpose": "octoload", "Hint": api_key[:7]}
    await insert(
        conn, API_KEY, {"Id": "apikeys-standin", "UserId": ADMINISTRATOR, "KeyHash": key_hash(api_key), **members}
    )


def key_hash(api_key: str) -> str:
    """Return what is stored of an API key: the hex SHA-256."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def new_api_key() -> str:
    """Return a fresh API key: `API-` and 28 capital letters and digits."""
    alphabet = string.ascii_uppercase + string.digits
    return "API-" + "".join(secrets.choice(alphabet) for _ in range(28))


async def installation_id(conn: Any) -> str:
    """Return the UUID of the installation, the same on all nodes."""
    return str((await configuration(conn, "installation"))["InstallationId"])


def database_name(dsn: str) -> str:
    """Return the name of the database in a DSN."""
    return unquote(urlsplit(dsn).path.lstrip("/")) or "postgres"


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path="/" + name))


def hide_password(dsn: str) -> str:
    """Return a DSN as it may be shown."""
    return re.sub(r"(://[^:/@]+):[^@]*@", r"\1:<hidden>@", dsn)


def unreachable(dsn: str, exc: BaseException) -> FailureError:
    """Say why PostgreSQL cannot be used."""
    reason = str(exc) or type(exc).__name__
    return FailureError(
        f"PostgreSQL at {hide_password(dsn)} cannot be used: {reason}", "Is it running? `standin postgres` starts one."
    )


async def _keep(_conn: Any) -> None:
    """Leave a connection as it is when it goes back to the pool.

    asyncpg's own reset costs a round trip a request; nothing here leaves state behind on a pooled connection.
    """


def _same(conn: Any) -> Any:
    async def connect_again() -> Any:
        return conn

    return connect_again
