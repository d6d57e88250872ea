"""A node: one process, one event loop, one web server and one task processor on the shared database.

Run by the supervisor as `python -m standin.node`; its settings come as JSON in the variable `OCTOLOAD_STANDIN_NODE`,
because the DSN holds a password. It says one line of JSON on standard output: `url`, or `message`, `cure` and `code`.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from standin.database import FAULTS, connect, installation_id, open_pool
from standin.documents import KeyAllocator
from standin.errors import FailureError, StandinError
from standin.heart import Heart
from standin.home import Home
from standin.parent import Parent, wake_when_orphaned
from standin.postgres import check_port
from standin.statements import queries
from standin.timers import Timers
from standin.web.app import create_app
from standin.web.endpoints.diagnostics import RECENT
from standin.web.state import NodeState
from standin.worker import Worker

VARIABLE = "OCTOLOAD_STANDIN_NODE"


class Settings(msgspec.Struct, frozen=True):
    """What a node is told at its start."""

    #: DSN of the instance's database
    dsn: str
    #: the node's name; its id is `OctopusServerNodes-<name>`
    name: str
    #: port on 127.0.0.1; 0 takes any
    port: int
    #: folder of the instance's files, shared by all nodes
    home: str
    #: Octopus' timers divided by this
    time_scale: float
    #: which statement of dashboard.sql is run
    dashboard: str
    #: Retention is run by itself when its time comes
    schedule: bool
    #: connections to the database at most
    connections: int


def node_id(name: str) -> str:
    """Return the id of a node."""
    return f"OctopusServerNodes-{name}"


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM, Ctrl-C or the parent's end.

    Raises:
        UsageError: the port is taken; FailureError: the database cannot be used.
    """
    listener = _listen(settings.port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    pool = await open_pool(settings.dsn, settings.connections)
    keys = KeyAllocator(lambda: connect(settings.dsn))
    try:
        state = await _register(settings, pool, keys, url)
        timers = Timers(settings.time_scale)
        worker = Worker(pool, keys, state.node_id, state.home, timers, schedule=settings.schedule)
        heart = Heart(settings.dsn, (state.node_id, state.node_name, url), timers.heartbeat)
        heart.start()
        try:
            await _run(create_app(state), listener, worker, url)
        finally:
            heart.stop()
    finally:
        await keys.close()
        await _close(pool)


async def _run(app: Any, listener: socket.socket, worker: Worker, url: str) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=300,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
    )
    Parent().watch(_stop)
    # uvicorn stops on these signals, and raises them again afterwards: there is still work to put in order by then.
    # Before it listens to them they must not be lost.
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    working = asyncio.create_task(worker.run())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    # What exists now lives as long as the process: the collector need not look at it again in the middle of requests.
    gc.collect()
    gc.freeze()
    _say({"url": url})
    await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    worker.stop()
    await working


def _stop() -> None:
    """Ask this process to end, from any thread; Windows' kill would end it at once."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


async def _close(pool: Any) -> None:
    try:
        await asyncio.wait_for(pool.close(), 3)
    except TimeoutError:  # a statement of a request that was cut off still runs
        pool.terminate()


async def _register(settings: Settings, pool: Any, keys: KeyAllocator, url: str) -> NodeState:
    identifier = node_id(settings.name)
    await pool.execute(queries("node")["register"], identifier, settings.name, datetime.now(UTC), url)
    return NodeState(
        pool=pool,
        ids=keys,
        node_id=identifier,
        node_name=settings.name,
        installation_id=await installation_id(pool),
        home=Home(Path(settings.home)),
        time_scale=settings.time_scale,
        schedule=settings.schedule,
        dashboard=settings.dashboard,
        started=time.time(),
    )


def _listen(port: int) -> socket.socket:
    if port:
        check_port(port)
    listener = socket.socket()
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2048)
    return listener


def _say(said: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.flush()


def _main() -> int:
    wake_when_orphaned()
    settings = msgspec.json.decode(os.environ.pop(VARIABLE), type=Settings)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[logging.StreamHandler(), RECENT])
    try:
        if sys.platform == "win32":
            asyncio.run(serve(settings))
        else:
            import uvloop  # noqa: PLC0415 - not there on Windows

            uvloop.run(serve(settings))
    except StandinError as exc:
        _say({"message": exc.message, "cure": exc.cure, "code": exc.exit_code})
        return exc.exit_code
    except FAULTS as exc:
        _say({"message": f"the node {settings.name} failed: {exc}", "cure": "", "code": FailureError.exit_code})
        return FailureError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
