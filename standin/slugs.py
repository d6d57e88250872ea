"""Slugs: names as they stand in addresses, unique among the documents of one kind with the same owner."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from standin.documents import DocumentType
from standin.errors import Rejected


def slug(name: str) -> str:
    """Return a name as it stands in addresses: `My Project!` → `my-project`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"


def numbered(wanted: str, taken: Collection[str]) -> str:
    """Return a slug, with the first number after it that makes it free when it is taken."""
    if wanted not in taken:
        return wanted
    return next(found for number in count(1) if (found := f"{wanted}-{number}") not in taken)


async def new_slug(conn: Any, kind: DocumentType, members: Mapping[str, Any]) -> str:
    """Return the slug of a new document: the one asked for, else one of its name that nobody has yet.

    Raises:
        Rejected: 400, somebody has the one asked for.
    """
    if members.get("Slug"):
        return await free_slug(conn, kind, members)
    wanted, owner = slug(members["Name"]), members.get(_owner(kind))
    if not await conn.fetchval(_statements(kind).same, owner, wanted, None):
        return wanted
    return numbered(wanted, {row["slug"] for row in await conn.fetch(_statements(kind).alike, owner, wanted)})


async def free_slug(conn: Any, kind: DocumentType, document: Mapping[str, Any]) -> str:
    """Return the slug that a client has chosen for a document.

    Raises:
        Rejected: 400, another document has it.
    """
    wanted = slug(document["Slug"])
    if await conn.fetchval(_statements(kind).same, document.get(_owner(kind)), wanted, document.get("Id")):
        message = f"The slug '{wanted}' is already in use. Please choose a different one."
        raise Rejected(400, message, [message])
    return wanted


@dataclass(frozen=True, slots=True)
class _Statements:
    same: str
    alike: str


def _owner(kind: DocumentType) -> str:
    """Return the member that says whose document it is, among whose like its slug is unique."""
    return "ProjectId" if "ProjectId" in kind.columns else "SpaceId"


@cache
def _statements(kind: DocumentType) -> _Statements:
    """Spell the look-ups of a slug, and of those with a number after it: from names of the code, no values."""
    owner = _owner(kind)
    within = f"({owner} = $1 OR $1::text IS NULL AND {owner} IS NULL)" if owner in kind.columns else "$1::text IS NULL"
    return _Statements(
        same=f"SELECT true FROM {kind.table} WHERE {within} AND Slug = $2 AND Id IS DISTINCT FROM $3 LIMIT 1",  # noqa: S608 - as said
        alike=f"SELECT Slug FROM {kind.table} WHERE {within} AND (Slug = $2 OR Slug LIKE $2 || '-%')",  # noqa: S608 - as said
    )
