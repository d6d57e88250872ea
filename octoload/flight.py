"""Many requests in flight to one server, as many as it bears; what may have been lost is looked for, never repeated."""

import asyncio
import hashlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from octoload import access, refusals
from octoload.access import IDLE, Access
from octoload.errors import LostAnswerError, RejectedError, ServerError, UnreachableError
from octoload.limit import Limit

Document = dict[str, Any]
#: Finds what a request may have made though its answer was lost; None when it is not there.
Find = Callable[[], Awaitable[Document | None]]

#: Seconds without a single good answer after which the server is given up.
_PATIENCE = 60.0
#: Seconds before a broken request is sent again, at first and at most.
_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
#: Answers of a proxy whose server may have done what was asked.
_LOST = (502, 504)
_BUSY = (429, 503)


def settling(slowest: float) -> float:
    """Return the seconds for which a lost request may still be at work, from the slowest answer so far (seconds)."""
    return max(5.0, 3.0 * slowest)


class Flight:
    """A server asked from one event loop; `async with` opens and closes its connections.

    A path is `/api/…` as the server's documents have it, or what follows `/api/`. Whatever repeats nothing (GET, PUT,
    DELETE) is sent again when its connection breaks; `create` looks first whether it was done.

    Raises, from every method that asks:
        ServerError: as `octoload.api.Octopus`; 429, 503 and broken connections only after long patience.
    """

    def __init__(self, access: Access, limit: Limit | None = None) -> None:
        self._access = access
        self._limit = limit or Limit()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._in_flight = 0
        self._good = time.monotonic()
        #: The slowest answer so far, seconds.
        self.slowest = 0.0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._access.headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._access.timeout, sock_read=self._access.timeout
            ),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ssl=self._access.tls()),
            cookie_jar=aiohttp.DummyCookieJar(),  # the key is in each request
            trust_env=self._access.trusts_environment,
        )
        self._good = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def shown_url(self) -> str:
        """The address without a user name and a password."""
        return self._access.shown_url

    @property
    def settling(self) -> float:
        """Seconds for which a request that lost its connection may still be at work on the server."""
        return settling(self.slowest)

    async def get(self, path: str, **query: Any) -> Any:
        """Return the document at a path; lists in `query` are joined by commas."""
        asked = f"{path}?{urlencode(access.joined(query), safe=',')}" if query else path
        return await self._insist("GET", asked, None)

    async def put(self, path: str, body: Any) -> Any:
        """Replace a document; return the answer."""
        return await self._insist("PUT", path, body)

    async def delete(self, path: str) -> Any:
        """Delete a document; return the answer, which may be None. One that is gone already is no error."""
        try:
            return await self._insist("DELETE", path, None)
        except RejectedError as exc:
            if exc.status == 404:
                return None
            raise

    async def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as a form does; the path must say that one which is there already stays."""
        boundary = hashlib.sha256(content).hexdigest()
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        form = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return await self._insist("POST", path, _Body(form, f"multipart/form-data; boundary={boundary}"))

    async def pages(self, path: str, **query: Any) -> AsyncIterator[Document]:
        """Yield the items of all pages of a list, page after page by its `Page.Next` (octopus-api §B.2)."""
        page = await self.get(path, **query)
        while True:
            for item in page["Items"]:
                yield item
            link = access.following(page)
            if link is None:
                return
            page = await self.get(link)

    async def create(self, path: str, body: Any, find: Find, *, unique: bool = True) -> Document:
        """Create what a document says, once: when an answer was lost, see by `find` whether it is there.

        Where the server itself refuses a second one (`unique`: names, versions), asking again is safe at once. Where it
        does not, what was lost gets its time to appear first.
        """
        attempt = 0
        while True:
            try:
                made: Document = await self._ask("POST", path, body)
            except UnreachableError as exc:
                self._check_patience(exc)
                lost = isinstance(exc, LostAnswerError)
            except RejectedError:
                # The name is taken: perhaps by a request before this one, whose answer was lost.
                if (found := await find()) is not None:
                    return found
                raise
            else:
                return made
            await asyncio.sleep(_pause(attempt))
            attempt += 1
            if lost and (found := await self._wait_for(find, 0.0 if unique else self.settling)) is not None:
                return found

    async def _wait_for(self, find: Find, seconds: float) -> Document | None:
        """Return what was found within so many seconds, after one look at least."""
        deadline, attempt = time.monotonic() + seconds, 0
        while (found := await find()) is None and time.monotonic() < deadline:
            attempt += 1
            await asyncio.sleep(_pause(attempt))
        return found

    async def _insist(self, method: str, path: str, body: Any) -> Any:
        attempt = 0
        while True:
            try:
                return await self._ask(method, path, body)
            except UnreachableError as exc:
                self._check_patience(exc)
                await asyncio.sleep(_pause(attempt))
                attempt += 1

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        """Send a request, again after 429 and 503, when it was not done; return the document of its answer."""
        path = access.route(path)
        sent = body if isinstance(body, _Body) else _json(body)
        kind = _kind(method, path)
        while True:
            await self._enter()
            began = time.monotonic()
            try:
                answer = await self._send(method, path, sent)
            finally:
                self._leave()
            if answer.status in _BUSY:
                self._limit.refused(time.monotonic(), refusals.retry_after(answer))
                self._check_patience(self._access.refusal(method, path, answer))
                continue
            if answer.status in _LOST:
                error = self._access.refusal(method, path, answer)
                raise LostAnswerError(error.message, error.cure)
            took = time.monotonic() - began
            self._limit.answered(kind, took)
            self._good, self.slowest = time.monotonic(), max(self.slowest, took)
            if not answer.is_success:
                raise self._access.refusal(method, path, answer)
            return self._access.decode(path, answer)

    async def _send(self, method: str, path: str, sent: "_Body") -> refusals.Answer:
        headers = {"Content-Type": sent.kind} if sent.kind else {}
        url = URL(self._access.url + path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=sent.content, headers=headers, allow_redirects=False
            ) as answer:
                return refusals.Answer(answer.status, answer.reason or "", answer.headers, await answer.read())
        except TimeoutError as exc:
            raise LostAnswerError(*self._access.late(method, path)) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise refusals.unreachable(self.shown_url, exc) from exc

    async def _enter(self) -> None:
        """Wait until one more may be in flight, and a server that asked for a pause has had it."""
        await self._take_turn()
        try:
            while pause := self._limit.pause(time.monotonic()):  # noqa: ASYNC110  (a time, not an event)
                await asyncio.sleep(pause)
        except asyncio.CancelledError:
            self._leave()
            raise

    async def _take_turn(self) -> None:
        if self._in_flight < self._limit.allowed:
            self._in_flight += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come, and is given on
                self._leave()
            raise

    def _leave(self) -> None:
        """Make room for those that have waited longest."""
        self._in_flight -= 1
        while self._waiting and self._in_flight < self._limit.allowed:
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _check_patience(self, error: ServerError) -> None:
        """Raise an error when there was no good answer for too long."""
        if time.monotonic() - self._good > _PATIENCE:
            raise error


@dataclass(frozen=True, slots=True)
class _Body:
    """A body and its type."""

    content: bytes | None
    kind: str


def _json(body: Any) -> _Body:
    return _Body(None, "") if body is None else _Body(msgspec.json.encode(body), "application/json")


def _kind(method: str, path: str) -> str:
    """Return what a request has in common with those of like cost: the last word of its path without a number."""
    words = [word for word in path.partition("?")[0].split("/") if not word[-1:].isdigit()]
    return f"{method} {words[-1]}"


def _pause(attempt: int) -> float:
    """Return the seconds before the next attempt; chance keeps those that broke together from coming back together."""
    return min(_LONGEST_PAUSE, _PAUSE * 2.0 ** min(attempt, 20)) * random.uniform(0.5, 1.5)
