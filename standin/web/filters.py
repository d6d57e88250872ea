"""Lists under filters: how many there are and one page of them, each statement spelt from named conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from standin.documents import DocumentType
from standin.statements import queries
from standin.web.query import Window

#: names of conditions in filters.sql → what a client asks for; None asks for nothing
Filters = Mapping[str, Any]


#: a kind of documents, and the order in which it is listed, in SQL
Listing = tuple[DocumentType, str]


@dataclass(frozen=True, slots=True)
class _Statements:
    count: str
    page: str


async def count_and_fetch(conn: Any, listing: Listing, filters: Filters, window: Window) -> tuple[int, Sequence[Any]]:
    """Return how many rows there are under the filters, and the rows of one page."""
    asked = {name: value for name, value in filters.items() if value is not None}
    statements = _statements(listing, tuple(asked))
    total: int = await conn.fetchval(statements.count, *asked.values())
    return total, await conn.fetch(statements.page, *asked.values(), window.take, window.skip)


async def fetch_rows(conn: Any, listing: Listing, filters: Filters) -> Sequence[Any]:
    """Return all rows under the filters."""
    asked = {name: value for name, value in filters.items() if value is not None}
    found: Sequence[Any] = await conn.fetch(_statements(listing, tuple(asked)).page, *asked.values(), None, 0)
    return found


@cache
def columns(kind: DocumentType, prefix: str = "") -> str:
    """Return the columns that `kind.read` needs, each after `prefix`."""
    return ", ".join(f"{prefix}{name}" for name in ("Id", *kind.columns, "JSON"))


@lru_cache(maxsize=1000)
def _statements(listing: Listing, names: tuple[str, ...]) -> _Statements:
    """Spell the statements of a list from names of conditions, table and columns: no value is in them."""
    conditions = (
        queries("web/filters")[name].replace("$value", f"${number}") for number, name in enumerate(names, start=1)
    )
    kind, order = listing
    source = f"FROM {kind.table} WHERE {' AND '.join(conditions) or 'true'}"
    page = f"ORDER BY {order} LIMIT ${len(names) + 1} OFFSET ${len(names) + 2}"
    return _Statements(f"SELECT count(*) {source}", f"SELECT {columns(kind)} {source} {page}")
