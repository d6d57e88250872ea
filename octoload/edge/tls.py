"""The same connection over TLS."""

import errno
import os
import ssl
from typing import Any

from octoload.edge.connection import READ, WRITE, Connection, scratch


class TlsConnection(Connection):
    """A connection whose TLS works in memory: the socket carries what it has encrypted."""

    __slots__ = ("_incoming", "_outgoing", "_tls")

    def exchange(self, request: bytes, keep: bool, now: float) -> None:  # noqa: FBT001
        """Send a request and wait for its answer."""
        super().exchange(request, keep, now)
        # A read takes a whole record, so what is left of bytes behind the answer lies before OpenSSL, not in it; no
        # readable event would announce it.
        if self.alive and self._incoming.pending:
            self._receive_more()

    def _secure(self, deadline: float) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: Any = self._target.context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=self._target.host
        )
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self._await_more(deadline)
            else:
                self._flush(deadline)
                self._send = self._encrypt
                return

    def _await_more(self, deadline: float) -> None:
        if not self._wait(READ, deadline):
            raise TimeoutError
        data = self._socket.recv(len(scratch))
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self._incoming.write(data)

    def _encrypt(self, request: bytes) -> int:
        """Send a request, encrypted, and return its length: a part of a record would be of no use to anybody."""
        self._tls.write(request)
        data = self._outgoing.read()
        try:
            sent = self._put(data)
        except BlockingIOError:
            sent = 0
        if sent != len(data):
            self._transmit_rest(data, sent)
        return len(request)

    def _flush(self, deadline: float) -> None:
        """Send what the handshake has to say.

        Raises:
            OSError: the connection is lost, or takes no more until the deadline.
        """
        data = self._outgoing.read()
        sent = 0
        while sent < len(data):
            try:
                sent += self._put(data[sent:])
            except BlockingIOError:
                if not self._wait(WRITE, deadline):
                    raise TimeoutError from None

    def _receive(self) -> None:
        try:
            count = self._recv_into(scratch)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        if not count:
            self._take(0)
            return
        self._incoming.write(memoryview(scratch)[:count])
        self._receive_more()

    def _receive_more(self) -> None:
        more = True
        while more:  # until the answer is complete or what was received is used up
            try:
                count = self._tls.read(len(scratch), scratch)
            except ssl.SSLWantReadError:
                return
            except OSError:
                count = 0
            more = self._take(count)
