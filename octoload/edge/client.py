"""The lean HTTP/1.1 client: one keep-alive connection a slot and node, requests under way watched for time-outs."""

from typing import Final

import gevent

from octoload.edge.connection import TIMEOUT, Connection, clock
from octoload.edge.target import Target
from octoload.edge.tls import TlsConnection

#: Seconds between two looks for requests that wait too long.
SWEEP: Final = 0.1


class Client:
    """All connections of a process to the targets of a trial."""

    def __init__(self, targets: list[Target], timeout: float) -> None:
        """`timeout` is in seconds, from sending to the last byte of the answer."""
        self.targets = targets
        self.timeout = timeout
        self._open: set[Connection] = set()
        self._sweeper = gevent.get_hub().loop.timer(SWEEP, SWEEP)
        self._sweeper.start(self._sweep)

    def connect(self, target: int) -> "Connection":
        """Return a connection to a target; it is made with its first request."""
        connection = (TlsConnection if self.targets[target].context else Connection)(self.targets[target], self.timeout)
        self._open.add(connection)
        return connection

    def close(self) -> None:
        """Close all connections."""
        self._sweeper.stop()
        self._sweeper.close()
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _sweep(self) -> None:
        now = clock()
        late = [connection for connection in self._open if connection.waiter and connection.deadline < now]
        for connection in late:
            connection.fail(TIMEOUT)
