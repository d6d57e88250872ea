"""The database as its hosts see it: where its processes are, and how far away it is."""

import contextlib
import statistics
import time
from urllib.parse import urlsplit, urlunsplit

import psutil

from standin.database import connect
from standin.errors import UsageError

#: Round trips in a measurement of the distance.
TRIPS = 50


def with_address(dsn: str, address: str) -> str:
    """Return a DSN with another host and port."""
    parts = urlsplit(dsn)
    account, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account}{at}{address}"))


async def round_trip(dsn: str) -> float:
    """Return the median time of the shortest statement, seconds."""
    conn = await connect(dsn)
    try:
        times = []
        for _ in range(TRIPS + 1):
            began = time.perf_counter()
            await conn.fetchval("SELECT 1")
            times.append(time.perf_counter() - began)
        return statistics.median(times[1:])  # the first has to be prepared
    finally:
        await conn.close()


async def find_postmaster(dsn: str) -> int:
    """Return the process id of the PostgreSQL behind a DSN.

    Raises:
        UsageError: it does not run on this machine, or not where its processes can be seen.
    """
    conn = await connect(dsn)
    try:
        backend = await conn.fetchval("SELECT pg_backend_pid()")
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(backend)
            if "postgres" in process.name():
                return process.ppid()
    finally:
        await conn.close()
    raise UsageError("the database runs on another machine, so it has no host here", "Leave --host-cpus and --sql out.")
