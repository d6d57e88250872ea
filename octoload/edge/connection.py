"""A keep-alive connection: a raw non-blocking socket on the gevent hub, with a standing watcher."""

import contextlib
import math
import os
import socket
import ssl
import time
from typing import Any, Final

import gevent
from gevent import monkey
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from octoload.edge.answer import AnswerError, AnswerReader
from octoload.edge.stamps import Stamps
from octoload.edge.target import Target

# Locust patches the standard library at import; the client wants the operating system's own sockets.
_Socket: Any = monkey.get_original("socket", "socket")

clock = time.perf_counter

#: Seconds after which an unused connection is looked at before it is used again.
IDLE_LOOK: Final = 1.0
#: Seconds that making a connection may take.
CONNECT_TIMEOUT: Final = 10.0

#: One receive buffer for the whole process: what it holds is taken by a reader before another greenlet runs.
scratch = bytearray(262_144)

READ, WRITE = 1, 2

# Errors of a request, by the phase in which the connection was lost.
TIMEOUT = "timeout"
CONNECT_TIMED_OUT = "connect timed out"
REFUSED = "connection refused"
NOT_SENT = "connection lost before the request was sent"
NO_ANSWER = "connection lost before the answer"
CUT_ANSWER = "connection lost in the answer"
NO_SLOT = "no free slot"
CLOSED = "given up at the end of the trial"


class TrialOverError(Exception):
    """A session wants to send after its trial has ended."""


class Connection:
    """A keep-alive connection with a standing watcher; one request at a time."""

    __slots__ = (
        "_armed", "_done", "_hub", "_park", "_put", "_recv_into", "_send", "_socket", "_stamps", "_target",
        "_timeout", "_watcher", "alive", "answer", "deadline", "done", "error", "first", "over", "waiter",
    )  # fmt: skip

    def __init__(self, target: Target, timeout: float, stamps: Stamps) -> None:
        self._target = target
        self._timeout = timeout
        self._stamps = stamps
        # Whether the next receive is stamped, or no receive of this connection can be.
        self._armed = True
        self._hub: Any = gevent.get_hub()
        # gevent's own switch looks first whether the greenlet wants to know, which none here does.
        self._park: Any = greenlet.switch.__get__(self._hub)
        self._socket: Any = None
        # What takes a request, and what takes bytes for the socket: the same without TLS.
        self._send: Any = None
        self._put: Any = None
        self._recv_into: Any = None
        self._watcher: Any = None
        #: Whether it is connected, as far as is known.
        self.alive = False
        self._done = True
        #: The last answer, as long as `error` is empty.
        self.answer = AnswerReader()
        #: The greenlet that waits for an answer, if any.
        self.waiter: Any = None
        #: Steady time at which the request under way counts as timed out.
        self.deadline = 0.0
        #: Whether the trial has ended, so that nothing may be sent any more.
        self.over = False
        #: What went wrong with the last request; empty when nothing did.
        self.error = ""
        #: Steady times of the first byte of the last answer (NaN: none came) and of its end.
        self.first = math.nan
        self.done = 0.0

    def exchange(self, request: bytes, keep: bool, now: float) -> None:  # noqa: FBT001  called once a request
        """Send a request and wait for its answer; `keep` says whether the body is wanted, `now` is the steady time.

        `error` names what went wrong. A request is sent a second time only if nothing of it had left, which is when the
        server had closed the connection before.

        Raises:
            TrialOverError: the trial has ended meanwhile; nothing was sent.
        """
        self.error = ""
        self.deadline = now + self._timeout
        try:
            if not (self.alive and now - self.done < IDLE_LOOK and self._transmit(request, keep)):
                self._transmit_anew(request, keep)
            if not self._done:
                self.waiter = getcurrent()
                self._park()
        except BaseException:
            self.waiter = None
            self.close()
            raise
        if self.error:
            self.done = clock()
            if self.answer.untouched:
                self.first = math.nan
        elif not self.answer.reusable:
            self.close()

    def stamp_next(self) -> None:
        """Have the next receive note how late it is, if it can and would not anyway."""
        if not self._armed and self.alive:
            self._armed = True
            self._recv_into = self._receive_stamped

    def fail(self, error: str) -> None:
        """End the request under way with an error."""
        self.error = error
        self.close()
        self._finish()

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = self._send = self._put = self._recv_into = None
        self.alive = False

    def _finish(self) -> None:
        self._done = True
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            waiter.switch()

    def _transmit_anew(self, request: bytes, keep: bool) -> None:  # noqa: FBT001
        """Send on a connection that has idled and is still there, or else on a new one."""
        if self.over:
            raise TrialOverError
        if self.alive:
            self._receive()  # a server that has closed it meanwhile is noticed here
        if self.alive and self._transmit(request, keep):
            return
        self.error = ""
        if self._connect():
            self._transmit(request, keep)

    def _transmit(self, request: bytes, keep: bool) -> bool:  # noqa: FBT001
        """Send all of a request; False when nothing of it left."""
        self.answer.keep = keep
        self._done = False
        try:
            sent: int = self._send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose(NOT_SENT)
            return False
        if sent != len(request):
            self._transmit_rest(request, sent)
        return True

    def _transmit_rest(self, data: bytes, sent: int) -> None:
        """Send what the system did not take at once; a server may answer meanwhile."""
        while sent < len(data) and not self._done:
            if not self._wait(WRITE, self.deadline):
                self._lose(TIMEOUT)
                return
            try:
                sent += self._put(data[sent:])
            except BlockingIOError:
                continue
            except OSError:
                self._lose(NO_ANSWER)

    def _lose(self, error: str) -> None:
        self.error = error
        self._done = True
        self.close()

    def _connect(self) -> bool:
        """Make the connection, trying each address of the host in turn."""
        self._done = True
        deadline = min(clock() + CONNECT_TIMEOUT, self.deadline)
        try:
            addresses = self._target.addresses()
        except OSError as exc:
            self.error = f"name not resolved: {self._target.host} ({exc.strerror or exc})"
            return False
        for family, address in addresses:
            self.error = self._reach(family, address, deadline)
            if not self.error:
                return True
            self.close()
        return False

    def _reach(self, family: int, address: tuple[Any, ...], deadline: float) -> str:
        """Connect to one address; return what went wrong."""
        self._socket = _Socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(0.0)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with contextlib.suppress(BlockingIOError):
                self._socket.connect(address)
            if not self._wait(WRITE, deadline):
                return CONNECT_TIMED_OUT
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                return _name_of(OSError(error, os.strerror(error)))
            self._send = self._put = self._socket.send
            self._recv_into = self._socket.recv_into
            self._armed = not self._stamps.enable(self._socket)
            self._secure(deadline)
        except OSError as exc:
            return _name_of(exc)
        if self.over:
            return CLOSED
        self.answer = AnswerReader()
        self.alive = True
        self._watcher = self._hub.loop.io(self._socket.fileno(), READ)
        self._watcher.start(self._receive)
        return ""

    def _secure(self, deadline: float) -> None:
        """Plain connections need no handshake."""

    def _wait(self, events: int, deadline: float) -> bool:
        """Wait until the socket is ready, or in vain until the deadline."""
        watcher = self._hub.loop.io(self._socket.fileno(), events)
        timer = self._hub.loop.timer(max(deadline - clock(), 0.0))
        current = gevent.getcurrent()
        outcome: list[bool] = []

        def resume(*, ready: bool) -> None:
            if not outcome:
                outcome.append(ready)
                current.switch()

        try:
            watcher.start(lambda: resume(ready=True))
            timer.start(lambda: resume(ready=False))
            self._hub.switch()
        finally:
            for each in (watcher, timer):
                each.stop()
                each.close()
        return outcome == [True]

    def _receive_stamped(self, buffer: bytearray) -> int:
        if self._stamps.left <= 0:
            self._recv_into = self._socket.recv_into
            self._armed = False
        return self._stamps.receive(self._socket, buffer)

    def _receive(self) -> None:
        """Read what has come; the hub calls this when the socket is readable."""
        try:
            count = self._recv_into(scratch)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        self._take(count)

    def _take(self, count: int) -> bool:
        """Give bytes to the reader; return whether more may come."""
        if self._done:
            self.close()  # the server closed an unused connection, or talks unasked
            return False
        if not count:
            self._cut()
            return False
        now = clock()
        if self.answer.untouched:
            self.first = now
        try:
            if not self.answer.feed(scratch, count):
                return True
        except AnswerError as exc:
            self.fail(f"malformed answer: {exc}")
            return False
        self.done = now
        self._finish()
        return False

    def _cut(self) -> None:
        untouched = self.answer.untouched
        if self.answer.end():
            self.done = clock()
            self.close()
            self._finish()
        else:
            self.fail(NO_ANSWER if untouched else CUT_ANSWER)


def _name_of(exc: OSError) -> str:
    """Return the error of a request whose connection could not be made."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed: {exc.reason or exc}"
    if isinstance(exc, TimeoutError):
        return CONNECT_TIMED_OUT
    return REFUSED if isinstance(exc, ConnectionRefusedError) else f"no connection: {exc.strerror or exc}"
