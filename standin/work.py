"""Work: one transaction on behalf of one user, which every change of the stand-in's documents goes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standin.documents import KeyAllocator


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, as the audit trail names him (octopus-api §A.20)."""

    #: id of the user
    user_id: str
    #: name of the user
    username: str
    #: how he proved who he is: "" for the server itself, "API key", "Session cookie"
    established_with: str = ""
    #: his client's User-Agent, "Server" for the server itself
    user_agent: str = "Server"
    #: his client's address
    ip_address: str | None = None
    #: id and first letters of the API key that he came with
    api_key_id: str | None = None
    api_key_hint: str | None = None
    #: the account is a program's
    is_service: bool = False


#: The server itself.
SERVER = Actor("users-system", "system")


@dataclass(frozen=True, slots=True)
class Work:
    """An open transaction and all that a rule needs beside its arguments."""

    #: a connection inside a transaction
    conn: Any
    #: gives out ids
    keys: KeyAllocator
    #: who does it
    actor: Actor = SERVER
    #: when it happens; one time for all rows of the transaction
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@asynccontextmanager
async def begin(pool: Any, keys: KeyAllocator, actor: Actor = SERVER) -> AsyncIterator[Work]:
    """Open a transaction; it is committed at the end of the block, and undone when the block raises."""
    async with pool.acquire() as conn, conn.transaction():
        yield Work(conn, keys, actor)
