"""One request as an endpoint sees it, and what an endpoint may answer with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.types import Receive

from standin.documents import Document
from standin.web import body
from standin.web.query import Query
from standin.web.refusals import bad_request, forbidden, too_large, unsupported
from standin.web.rights import NOBODY, Rights
from standin.web.state import NodeState
from standin.work import Actor, Work, begin

T = TypeVar("T")

#: bytes; the largest process or variable set that a client may send
LARGEST_BODY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not simply 200 and JSON."""

    #: what is sent: JSON unless `media_type` says otherwise; a path is a file, sent piece by piece
    content: Any
    #: HTTP status
    status: int = 200
    #: of the content; text is sent as it is
    media_type: str = "application/json"
    #: headers beside the usual ones
    headers: tuple[tuple[str, str], ...] = ()


def created(content: Any) -> Reply:
    """Return the answer of a classic creation."""
    return Reply(content, 201)


@dataclass(slots=True)
class Call:
    """One request, its route already found and its key checked."""

    #: the node that answers
    state: NodeState
    #: who asks
    actor: Actor
    #: path as sent
    path: str
    #: what varies in the path
    params: dict[str, str]
    #: the query string
    query: Query
    #: id of the space; None on a route that spans all spaces
    space_id: str | None
    #: reads the body
    receive: Receive
    #: headers, their names in lower case
    headers: Mapping[str, str]
    #: what who asks may do
    rights: Rights = NOBODY
    #: the permission that the operation needs; None: none, or it is about himself
    permission: str | None = None

    @property
    def id(self) -> str:
        """The `{id}` of the path."""
        return self.params["id"]

    @property
    def space(self) -> str:
        """The id of the space of a route that needs one."""
        if self.space_id is None:
            raise bad_request("This operation needs a space.")
        return self.space_id

    def need(self, permission: str) -> None:
        """Refuse who has not the permission that an operation needs in some cases only (403)."""
        if not self.rights.allow(permission, self.space_id):
            raise forbidden(permission)

    def check(self, document: Document, permission: str | None = None) -> Document:
        """Return a document, if who asks has the permission for its space, project, environment and tenant.

        The permission is that of the operation, unless another one is named.

        Raises:
            Rejected: 403, his roles are for others.
        """
        needed = permission or self.permission
        if needed is not None:
            grants = self.rights.grants(needed, document.get("SpaceId"))
            if grants is not None and not any(one.covers(document) for one in grants):
                raise forbidden(needed)
        return document

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction on behalf of who asks."""
        return begin(self.state.pool, self.state.ids, self.actor)

    async def raw(self) -> bytes:
        """Return the body.

        Raises:
            Rejected: 413, it is larger than any resource.
        """
        parts, size = [], 0
        async for part in self.stream():
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise too_large(LARGEST_BODY)
        return b"".join(parts)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises:
            Rejected: 400, the client went away before its end.
        """
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise bad_request("The client went away while it sent the request.")
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def json(self) -> Any:
        """Return the body as a JSON value, or None where there is no body."""
        self._check_type()
        raw = await self.raw()
        return body.decode(raw) if raw.strip() else None

    async def read(self, record: type[T]) -> T:
        """Return the body as a record."""
        self._check_type()
        return body.read(await self.raw(), record)

    def _check_type(self) -> None:
        """Refuse a body that says that it is something else than JSON (415).

        One that says nothing is read, and one that claims to be a form: curl and PowerShell claim so of any text.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and not kind.endswith(("/json", "+json")) and kind != "application/x-www-form-urlencoded":
            raise unsupported(kind)
