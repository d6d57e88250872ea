"""The distance to the database: a proxy on the loopback that hands on every byte a little later.

Run as `python -m standin.hosts.proxy HOST PORT`. It says its own port as a line of JSON, then reads orders, one a line
of JSON: `{"round_trip": seconds}`. It ends when its input or its parent does.
"""

import asyncio
import contextlib
import selectors
import socket
import sys
import threading
from collections import deque
from typing import Any

import msgspec

from standin.parent import Parent


class Distance:
    """How long a byte is on its way."""

    def __init__(self) -> None:
        #: seconds, one way
        self.delay = 0.0


class End(asyncio.Protocol):
    """One end of a connection; what it receives goes out at the other end, in order and not before its time."""

    def __init__(self, distance: Distance) -> None:
        self._distance = distance
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.transport: Any = None
        self.other: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; each write shall leave at once."""
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Hand data on."""
        if self.other is not None:
            self.other.send(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name for it
        """Close the other end, after what is still on its way."""
        if self.other is not None:
            self.other.send(None)

    def pause_writing(self) -> None:
        """Read no more from the other end than this one can write."""
        if self.other is not None and self.other.transport is not None:
            with contextlib.suppress(RuntimeError):
                self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if self.other is not None and self.other.transport is not None:
            with contextlib.suppress(RuntimeError):
                self.other.transport.resume_reading()

    def send(self, data: bytes | None) -> None:
        """Write data when its time has come; None closes."""
        due = self._loop.time() + self._distance.delay
        if self._waiting:  # a shorter distance does not let bytes overtake each other
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, data))
        if self._timer is None:
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        while self._waiting and self._waiting[0][0] <= self._loop.time():
            _, data = self._waiting.popleft()
            if data is None:
                self.transport.close()
            elif not self.transport.is_closing():
                self.transport.write(data)
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0][0], self._flush)


async def serve(address: tuple[str, int], distance: Distance) -> asyncio.Server:
    """Listen on any port of the loopback, and connect each caller to `address`."""
    loop = asyncio.get_running_loop()

    class Caller(End):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.transport.pause_reading()
            self.connecting = loop.create_task(self._connect())

        async def _connect(self) -> None:
            try:
                _, far = await loop.create_connection(lambda: End(distance), *address)
            except OSError:
                self.transport.close()
                return
            if self.transport.is_closing():  # the caller did not wait
                far.transport.close()
                return
            self.other, far.other = far, self
            self.transport.resume_reading()

    return await loop.create_server(lambda: Caller(distance), "127.0.0.1", 0)


async def _run(address: tuple[str, int]) -> None:
    loop, distance, ended = asyncio.get_running_loop(), Distance(), asyncio.Event()
    server = await serve(address, distance)
    _say({"port": server.sockets[0].getsockname()[1]})

    def stop() -> None:
        loop.call_soon_threadsafe(ended.set)

    def read() -> None:
        for line in sys.stdin.buffer:
            distance.delay = float(msgspec.json.decode(line)["round_trip"]) / 2
            _say({})
        stop()

    threading.Thread(target=read, daemon=True).start()
    Parent().watch(stop)
    await ended.wait()


def _say(said: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.flush()


def _loop() -> asyncio.AbstractEventLoop:
    """Return a loop on select(): epoll rounds waits up to whole milliseconds, uvloop rounds them down to nothing."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _main() -> int:
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_run((sys.argv[1], int(sys.argv[2]))))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
