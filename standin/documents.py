"""Documents: a row of mapped columns, and the rest of its members as JSON text, as Nevermore keeps them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import asyncpg
import msgspec

from standin.errors import Rejected, not_found

#: Ids that a node takes from the database at a time (octopus-facts §3.4: the library's default).
BLOCK = 20

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class DocumentType:
    """A kind of document: its table, its ids, and which members are columns."""

    #: table name as Octopus writes it
    table: str
    #: the word before the number in its ids, and its row in KeyAllocation
    collection: str
    #: members kept in columns of their own (besides Id), in the table's order
    columns: tuple[str, ...]
    #: columns that hold a list of ids as `|a|b|`
    lists: frozenset[str] = frozenset()
    #: columns that hold a time
    times: frozenset[str] = frozenset()
    #: values of columns whose member is missing
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def row(self, document: Mapping[str, Any]) -> tuple[Any, ...]:
        """Turn a document into the values of `Id, *columns, JSON`. `Links` are never stored."""
        rest = dict(document)
        take = rest.pop
        values = [take("Id")]
        for name, convert, default in _plan(self):
            value = take(name, None)
            values.append(default if value is None else convert(value) if convert else value)
        take("Links", None)
        values.append(encode(rest))
        return tuple(values)

    def read(self, row: Mapping[str, Any]) -> Document:
        """Turn a row that holds all of its columns into a document: API member names, times as text."""
        document = {"Id": row["id"]}
        for name, key in _keys(self):
            value = row[key]
            if name in self.lists:
                value = unpipe(value)
            elif value is not None and name in self.times:
                value = time_text(value)
            document[name] = value
        document.update(msgspec.json.decode(row["json"]))
        return document


async def insert(conn: Any, kind: DocumentType, document: Mapping[str, Any]) -> None:
    """Insert one document.

    Raises:
        Rejected: 400, another document has its id or name.
    """
    try:
        await conn.execute(_statements(kind).insert, *kind.row(document))
    except asyncpg.UniqueViolationError as exc:
        raise duplicate(document) from exc


async def update(conn: Any, kind: DocumentType, document: Mapping[str, Any]) -> None:
    """Replace one document.

    Raises:
        Rejected: 404, it does not exist; 400, another one has its name.
    """
    try:
        status = await conn.execute(_statements(kind).update, *kind.row(document))
    except asyncpg.UniqueViolationError as exc:
        raise duplicate(document) from exc
    if status.endswith(" 0"):
        raise not_found(document["Id"])


async def delete(conn: Any, kind: DocumentType, identifier: str) -> bool:
    """Delete one document; False when there was none."""
    status: str = await conn.execute(_statements(kind).delete, identifier)
    return not status.endswith(" 0")


async def get(conn: Any, kind: DocumentType, identifier: str) -> Document:
    """Fetch one document.

    Raises:
        Rejected: 404, it does not exist.
    """
    return await _one(conn, kind, identifier, "")


async def lock(conn: Any, kind: DocumentType, identifier: str) -> Document:
    """Fetch one document that will be changed in the same transaction: others who want to change it wait.

    Raises:
        Rejected: 404, it does not exist.
    """
    return await _one(conn, kind, identifier, "FOR UPDATE")


async def hold(conn: Any, kind: DocumentType, identifier: str) -> Document:
    """Fetch one document that must stay until the transaction ends: others who want to change or delete it wait.

    Raises:
        Rejected: 404, it does not exist.
    """
    return await _one(conn, kind, identifier, "FOR SHARE")


async def _one(conn: Any, kind: DocumentType, identifier: str, lock_words: str) -> Document:
    row = await conn.fetchrow(f"{_statements(kind).get} {lock_words}", identifier)
    if row is None:
        raise not_found(identifier)
    return kind.read(row)


async def get_many(conn: Any, kind: DocumentType, identifiers: Iterable[str]) -> dict[str, Document]:
    """Fetch documents by id; those that do not exist are left out."""
    rows = await conn.fetch(_statements(kind).get_many, list(identifiers))
    return {row["id"]: kind.read(row) for row in rows}


async def find(conn: Any, kind: DocumentType, **equals: Any) -> list[Document]:
    """Fetch all documents whose columns equal the values given, by id; for small sets."""
    rows = await conn.fetch(_find(kind, tuple(equals)), *equals.values())
    return [kind.read(row) for row in rows]


class KeyAllocator:
    """Gives out ids from blocks that it takes from KeyAllocation, on a connection of its own.

    A block is taken outside the caller's transaction, as Octopus does: ids that are not used are lost, and
    with several nodes the order of ids is not the order of creation (octopus-facts §3.4).
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], block: int = BLOCK) -> None:
        self._connect = connect
        self._block = block
        self._free: dict[str, list[int]] = {}
        self._lock = asyncio.Lock()
        self._conn: Any = None

    async def next(self, kind: DocumentType) -> str:
        """Allocate the next id of a kind: `Projects-21`."""
        return (await self.take(kind, 1))[0]

    async def take(self, kind: DocumentType, count: int) -> list[str]:
        """Allocate `count` ids of a kind, in order."""
        async with self._lock:
            free = self._free.setdefault(kind.collection, [])
            if len(free) < count:
                free.extend(await self._fetch(kind.collection, max(self._block, count - len(free))))
            taken, free[:] = free[:count], free[count:]
        return [f"{kind.collection}-{number}" for number in taken]

    async def _fetch(self, collection: str, count: int) -> range:
        if self._conn is None or self._conn.is_closed():
            self._conn = await self._connect()
        last: int = await self._conn.fetchval(_ALLOCATE, collection, count)
        return range(last - count + 1, last + 1)

    async def close(self) -> None:
        """Give the connection back; ids not used are lost."""
        if self._conn is not None:
            await self._conn.close()
            self._conn = None


def encode(members: Any) -> str:
    """Encode members as JSON text; times are written as Octopus writes them."""
    return _encoder.encode(members).decode()


def pipes(values: Iterable[str]) -> str:
    """Store a list of ids as Octopus does: `|a|b|`, so that LIKE '%|a|%' finds one; an empty list is ''."""
    joined = "|".join(values)
    return f"|{joined}|" if joined else ""


def unpipe(text: str) -> list[str]:
    """Read a list of ids that `pipes` stored."""
    return text[1:-1].split("|") if text else []


def time_text(moment: datetime) -> str:
    """Write a time as Octopus does: `2024-09-23T15:09:56.364+00:00`."""
    # Overviews write thousands of times a second; msgspec takes an eighth of isoformat's time. It writes UTC, with six
    # digits after the second or none.
    text = _encoder.encode(moment if moment.tzinfo is UTC else moment.astimezone(UTC)).decode()
    return f"{text[1:24]}+00:00" if moment.microsecond else f"{text[1:20]}.000+00:00"


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC.

    Raises:
        Rejected: 400, it is no time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise Rejected(400, f"'{text}' is not a date and time in ISO 8601 form.") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def duplicate(document: Mapping[str, Any]) -> Rejected:
    """Say that a unique name is taken (400)."""
    name = next(document[one] for one in ("Name", "Username", "Version", "Id") if document.get(one))
    message = f"'{name}' is already in use. Please choose a different name."
    return Rejected(400, message, [message])


@dataclass(frozen=True, slots=True)
class _Statements:
    insert: str
    update: str
    delete: str
    get: str
    get_many: str


@cache
def _statements(kind: DocumentType) -> _Statements:
    """Spell the five statements of a kind: from its table and column names only."""
    names = ("Id", *kind.columns, "JSON")
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(names[1:], start=2))
    listed = ", ".join(names)
    return _Statements(
        insert=f"INSERT INTO {kind.table} ({listed}) VALUES ({places})",  # noqa: S608 - names of the code, no values
        update=f"UPDATE {kind.table} SET {changes} WHERE Id = $1",  # noqa: S608 - as above
        delete=f"DELETE FROM {kind.table} WHERE Id = $1",  # noqa: S608 - as above
        get=f"SELECT {listed} FROM {kind.table} WHERE Id = $1",  # noqa: S608 - as above
        get_many=f"SELECT {listed} FROM {kind.table} WHERE Id = ANY($1::text[])",  # noqa: S608 - as above
    )


@cache
def _find(kind: DocumentType, names: tuple[str, ...]) -> str:
    """Spell the look-up by equal columns; a name that is no column of the kind is a mistake in the code."""
    unknown = set(names) - set(kind.columns)
    if unknown:
        raise KeyError(f"{kind.table} has no column {unknown}")
    listed = ", ".join(("Id", *kind.columns, "JSON"))
    conditions = " AND ".join(f"{name} = ${number}" for number, name in enumerate(names, start=1))
    order = "length(Id), Id"
    return f"SELECT {listed} FROM {kind.table} WHERE {conditions} ORDER BY {order}"  # noqa: S608 - names of the code


@cache
def _plan(kind: DocumentType) -> tuple[tuple[str, Callable[[Any], Any] | None, Any], ...]:
    """Return how each column is made of its member: name, conversion if any, value when the member is missing."""

    def step(name: str) -> tuple[str, Callable[[Any], Any] | None, Any]:
        if name in kind.lists:
            return name, pipes, ""
        return name, _moment if name in kind.times else None, kind.defaults.get(name)

    return tuple(step(name) for name in kind.columns)


def _moment(value: Any) -> Any:
    return parse_time(value) if isinstance(value, str) else value


@cache
def _keys(kind: DocumentType) -> tuple[tuple[str, str], ...]:
    return tuple((name, name.lower()) for name in kind.columns)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_ALLOCATE = (
    "INSERT INTO KeyAllocation AS k (CollectionName, Allocated) VALUES ($1, $2) "
    "ON CONFLICT (CollectionName) DO UPDATE SET Allocated = k.Allocated + excluded.Allocated RETURNING Allocated"
)
