"""A proxy before a server that is as rude as networks are: it cuts, limits and refuses, and can change what is said."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

#: What may happen to a request instead of its answer.
CUT_BEFORE, CUT_AFTER, LIMITED, UNAVAILABLE = "cut before", "cut after", "429", "503"
_REFUSALS = {
    LIMITED: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}",
    UNAVAILABLE: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
}

Change = Callable[[Any], Any]


@dataclass
class RudeProxy:
    """Stands before `upstream`; `with` starts and stops it.

    It runs in a thread with a loop of its own. A request is cut off before it is passed on or after the server has done
    it, limited or refused with the given chances; answers to `GET` of a path in `changes` are changed, and a status in
    place of a change is answered as such.
    """

    upstream: str
    chances: dict[str, float] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(1))
    changes: dict[str, Change | int] = field(default_factory=dict)
    #: Path → what to do with the body of a `PUT` to it, which the server does not get; returns the status.
    puts: dict[str, Callable[[bytes], int]] = field(default_factory=dict)
    #: Method and path → requests that were passed on.
    passed: Counter[str] = field(default_factory=Counter)
    #: Answers of the server itself that were 429.
    limited: int = 0
    #: What happened to requests instead of their answers.
    happened: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, with one of its own to the server."""
        to = urlsplit(self.upstream)
        from_server, to_server = await asyncio.open_connection(to.hostname, to.port)
        try:
            while await self._exchange(reader, writer, from_server, to_server):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            to_server.close()
            writer.close()

    async def _exchange(self, reader: Any, writer: Any, from_server: Any, to_server: Any) -> bool:
        """Pass one request on and its answer back; return whether the connection stays."""
        head, body = await _message(reader)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        path = target.partition("?")[0]
        fate = self._fate()
        if fate in _REFUSALS or fate == CUT_BEFORE:
            self.happened[fate] += 1
            writer.write(_REFUSALS.get(fate, b""))
            await writer.drain()
            return fate != CUT_BEFORE
        change = self.changes.get(path) if method == "GET" else None
        if isinstance(change, int):
            writer.write(_answer(f"HTTP/1.1 {change} No", b'{"ErrorMessage":"You lack a permission."}'))
            return True
        if method == "PUT" and path in self.puts:
            writer.write(_answer(f"HTTP/1.1 {self.puts[path](body)} Done", body))
            return True
        self.passed[f"{method} {path}"] += 1
        to_server.write(head + body)
        head, body = await _message(from_server)
        self.limited += head.startswith(b"HTTP/1.1 429")
        if fate == CUT_AFTER:
            self.happened[fate] += 1
            return False
        if change is not None:
            head, body = b"", _answer("HTTP/1.1 200 OK", json.dumps(change(json.loads(body))).encode())
        writer.write(head + body)
        await writer.drain()
        return True

    def _fate(self) -> str:
        drawn = self.random.random()
        for fate, chance in self.chances.items():
            drawn -= chance
            if drawn < 0:
                return fate
        return ""


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a message whose length its head says."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    assert b"transfer-encoding" not in fields, "the stand-in says how long its answers are"
    return head, await reader.readexactly(int(fields.get(b"content-length", 0)))


def _answer(status: str, body: bytes) -> bytes:
    return f"{status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
