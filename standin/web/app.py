"""The web application of one node: every request goes through one table of routes, every refusal into one envelope."""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from standin.errors import Rejected, not_found
from standin.filestore import PIECE
from standin.web import routing
from standin.web.call import Call, Reply
from standin.web.identity import find_space, identify
from standin.web.maintenance import guard
from standin.web.query import Query
from standin.web.refusals import bad_request
from standin.web.rights import NOBODY, authorise
from standin.web.routes import ROUTES
from standin.web.state import NodeState
from standin.web.throttle import enforce
from standin.work import Actor

log = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()
_OVERRIDES = {"PUT", "DELETE", "PATCH"}
#: the database is away, or has no connection left
_NO_DATABASE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.TooManyConnectionsError)


def create_app(state: NodeState) -> Starlette:
    """Return the ASGI application of a node.

    The caller owns `state.pool` and closes it after the server has stopped; the database already has its schema, the
    default space and an administrator with an API key. The application starts no task of its own.
    """
    app = Starlette()
    # Not a mount: its pattern leaves out paths with an end of line in them.
    app.router.default = Contract(state)
    return app


class Contract:
    """Octopus' HTTP contract over one node's state."""

    def __init__(self, state: NodeState) -> None:
        self._state = state
        self._router = routing.Router(ROUTES)
        self._node = (b"octopus-node", state.node_name.encode("latin-1", "replace"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever fails, the answer is an envelope and the server goes on."""
        file = None
        try:
            reply = await self._answer(scope, receive)
            if isinstance(reply.content, Path):
                file, content = await asyncio.to_thread(_open, reply.content), b""
            else:
                content = _encode(reply)
        except Rejected as exc:
            reply = Reply(_problem(exc.message, exc.errors), exc.status, headers=exc.headers)
            content = _encoder.encode(reply.content)
        except Exception as exc:  # noqa: BLE001 - the last line of defence: known failures are named, others logged
            reply = _failure(exc, scope)
            content = _encoder.encode(reply.content)
        await (self._send(send, reply, content) if file is None else self._send_file(send, reply, file))

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = Query(scope["query_string"])
        method = _method(scope["method"], headers)
        match = self._router.match(method, scope["path"])
        address = scope["client"][0] if scope.get("client") else None
        actor = await self._actor(match, method, headers, query, address)
        space = await self._space(match)
        rights, permission = NOBODY, None
        if not match.route.anonymous:
            rights, permission = await authorise(self._state, actor, match, space)
            await guard(self._state, method, rights)
        call = Call(
            state=self._state,
            actor=actor,
            path=scope["path"],
            params=match.params,
            query=query,
            space_id=space,
            receive=receive,
            headers=headers,
            rights=rights,
            permission=permission,
        )
        answer = await match.route.endpoint(call)
        return answer if isinstance(answer, Reply) else Reply(answer)

    async def _actor(
        self, match: routing.Match, method: str, headers: Mapping[str, str], query: Query, address: str | None
    ) -> Actor:
        """Return who asks, within the rate that he may ask at."""
        if match.route.anonymous:
            await enforce(self._state, None, address)
            return Actor("", "", user_agent=headers.get("user-agent", ""), ip_address=address)
        try:
            actor = await identify(self._state, method, headers, query, address)
        except Rejected:
            await enforce(self._state, None, address)
            raise
        await enforce(self._state, actor, address)
        return actor

    async def _space(self, match: routing.Match) -> str | None:
        if match.space is None and match.route.scope is not routing.Scope.SPACE:
            return None
        return await find_space(self._state, match.space)

    async def _send(self, send: Send, reply: Reply, content: bytes) -> None:
        await self._start(send, reply, len(content))
        await send({"type": "http.response.body", "body": content})

    async def _send_file(self, send: Send, reply: Reply, file: BinaryIO) -> None:
        """Send a file piece by piece."""
        with file:
            await self._start(send, reply, os.fstat(file.fileno()).st_size)
            while piece := await asyncio.to_thread(file.read, PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _start(self, send: Send, reply: Reply, length: int) -> None:
        headers = [
            (b"content-type", reply.media_type.encode()),
            (b"content-length", str(length).encode()),
            self._node,
            *((name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})


def _method(sent: str, headers: Mapping[str, str]) -> str:
    """Return the method meant: the .NET client sends PUT and DELETE as POST (octopus-api §1.3)."""
    override = headers.get("x-http-method-override", "").upper()
    return override if sent == "POST" and override in _OVERRIDES else sent


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as exc:
        raise not_found("the file") from exc


def _encode(reply: Reply) -> bytes:
    if isinstance(reply.content, bytes):
        return reply.content
    if reply.media_type.startswith("text/"):
        return str(reply.content).encode()
    return _encoder.encode(reply.content)


def _problem(message: str, errors: list[str]) -> dict[str, Any]:
    return {"ErrorMessage": message, "Errors": errors}


def _failure(exc: Exception, scope: Scope) -> Reply:
    """Turn what no endpoint expected into an envelope; what the client caused is 400."""
    if isinstance(exc, asyncpg.DataError | asyncpg.UniqueViolationError | UnicodeError):
        refusal = bad_request("A value in the request cannot be stored.", [str(exc)[:300]])
        return Reply(_problem(refusal.message, refusal.errors), 400)
    where = f"{scope['method']} {scope['path']}"
    if isinstance(exc, _NO_DATABASE):
        log.error("%s: the database does not answer: %s", where, exc)
        return Reply(_problem("The database does not answer. Please try again later.", []), 503)
    log.error("%s failed", where, exc_info=exc)
    return Reply(_problem("There was a problem on the server. Its log says more.", []), 500)
