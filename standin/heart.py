"""A node's heart: it says that the node is alive, on a thread and a connection of its own (octopus-facts §1.3)."""

import asyncio
import logging
import threading
from datetime import UTC, datetime
from typing import Any

from standin.database import FAULTS, connect
from standin.errors import StandinError
from standin.statements import queries

_log = logging.getLogger(__name__)


class Heart:
    """Writes `LastSeen` every so many seconds, however busy the node is; a node that was deleted comes back so."""

    def __init__(self, dsn: str, row: tuple[str, str, str], seconds: float) -> None:
        """`row` is the node's id, name and URL."""
        self._dsn = dsn
        self._row = row
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._beat()), daemon=True, name="heart")

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more; returns when the connection is closed."""
        self._stopping.set()
        self._thread.join()

    async def _beat(self) -> None:
        conn: Any = None
        while True:
            try:
                conn = conn or await connect(self._dsn, timeout=10, command_timeout=10)
                await conn.execute(queries("node")["heartbeat"], *self._row, datetime.now(UTC))
            except (*FAULTS, StandinError) as exc:
                _log.warning("no sign of life could be given: %s", exc)
                if conn is not None:
                    conn.terminate()
                conn = None
            # Nothing else runs on this thread's loop: it may as well stand still.
            if self._stopping.wait(self._seconds):
                break
        if conn is not None:
            conn.terminate()
