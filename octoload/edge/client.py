"""The lean HTTP/1.1 client: one keep-alive connection a slot and node, requests under way watched for time-outs."""

from typing import Final

import gevent

from octoload.edge.connection import CLOSED, TIMEOUT, Connection, clock
from octoload.edge.stamps import RATE, Stamps
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
        #: How late answers are read.
        self.stamps = Stamps()
        self._open: set[Connection] = set()
        self._over = False
        self._sweeper = gevent.get_hub().loop.timer(SWEEP, SWEEP)
        self._sweeper.start(self._sweep)

    def connect(self, target: int) -> "Connection":
        """Return a connection to a target; it is made with its first request."""
        kind = TlsConnection if self.targets[target].context else Connection
        connection = kind(self.targets[target], self.timeout, self.stamps)
        connection.over = self._over
        self._open.add(connection)
        return connection

    def close(self) -> None:
        """Close all connections; a request that is still under way fails, and its session can make no other."""
        self._sweeper.stop()
        self._sweeper.close()
        self._over = True
        connections, self._open = self._open, set()
        for connection in connections:
            connection.over = True
            if connection.waiter:  # which is resumed by the hub, as always
                gevent.get_hub().loop.run_callback(connection.fail, CLOSED)
            elif connection.alive:
                connection.close()
        gevent.sleep(0)

    def _sweep(self) -> None:
        now = clock()
        late = [connection for connection in self._open if connection.waiter and connection.deadline < now]
        for connection in late:
            connection.fail(TIMEOUT)
        self.stamps.left = round(RATE * SWEEP)
        for connection in self._open:
            connection.stamp_next()
