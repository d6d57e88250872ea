"""The supervisor: starts PostgreSQL and the nodes, and ends all of them together."""

import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from standin import database, node
from standin.errors import FailureError, UsageError
from standin.keeper import Keeper, interrupt_on_signals, stop_on_signals
from standin.parent import Parent, as_parent

#: Name of the instance's database on a PostgreSQL of our own.
DATABASE = "octopus"
#: Folders of an instance: logs of the tasks, files of the built-in feed.
TASK_LOGS = "TaskLogs"
PACKAGES = "Packages"
#: Seconds that the nodes get to finish what they are answering.
PATIENCE = 8.0


@dataclass(frozen=True, slots=True)
class Service:
    """What `serve` was asked for."""

    #: port of the first node; the others follow; 0 takes any
    port: int = 8065
    #: number of node processes
    nodes: int = 1
    #: the administrator's API key; "" makes one
    api_key: str = ""
    #: folder of the instance, or None for one that is deleted at the end
    data: Path | None = None
    #: DSN of a PostgreSQL that runs already, or ""
    database: str = ""
    #: Octopus' timers divided by this
    time_scale: float = 1.0
    #: which statement of dashboard.sql is run: `ranked` or `lateral`
    dashboard: str = "ranked"
    #: Retention is run by itself when its time comes
    schedule: bool = True


def serve(service: Service, say: Callable[[str], None]) -> None:
    """Serve in the foreground until Ctrl-C, SIGTERM or the parent's end.

    Raises:
        UsageError: a port, a folder or the key cannot be used.
        FailureError: PostgreSQL or a node has failed.
    """
    interrupt_on_signals()
    key = service.api_key or database.new_api_key()
    if not re.fullmatch(r"API-[A-Z0-9]{4,60}", key):
        raise UsageError("the API key must be API- followed by capital letters and digits", "Leave it out to get one.")
    with contextlib.ExitStack() as stack:
        dsn, keeper = stack.enter_context(_storage(service))
        home = _home(service, keeper, stack)
        asyncio.run(database.prepare(dsn, key))
        nodes = [_settings(service, index, dsn, home) for index in range(service.nodes)]
        processes = stack.enter_context(_cluster(nodes))
        urls = [_first_words(process, settings) for process, settings in zip(processes, nodes, strict=True)]
        stop = stop_on_signals()
        if len(urls) > 1:
            for url in urls:
                say(f"node: {url}")
        say(f"ready: {urls[0]} api-key: {key}")
        _guard(stop, keeper, processes, nodes)


@contextlib.contextmanager
def _storage(service: Service) -> Iterator[tuple[str, Keeper | None]]:
    """Yield the DSN of the instance's database, and the keeper when PostgreSQL is ours."""
    if service.database:
        yield service.database, None
        return
    data = service.data or Path(tempfile.mkdtemp(prefix="octoload-standin-"))
    with Keeper(data, temporary=service.data is None) as keeper:
        yield database.with_database(keeper.dsn, DATABASE), keeper


def _home(service: Service, keeper: Keeper | None, stack: contextlib.ExitStack) -> Path:
    """Return the folder of the task logs and the packages; one of its own when the instance has none."""
    home = service.data or (keeper.data if keeper else None)
    if home is None:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="octoload-files-")))
    for folder in (home / TASK_LOGS, home / PACKAGES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise UsageError(f"{folder} cannot be used: {exc.strerror}", "Choose another folder.") from exc
    return home


@contextlib.contextmanager
def _cluster(nodes: list[node.Settings]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the nodes; stop all of them at the end."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for settings in nodes:
            environment = {**as_parent(), node.VARIABLE: msgspec.json.encode(settings).decode()}
            command = [sys.executable, "-m", "standin.node"]
            # A session of its own: Ctrl-C in a terminal reaches the supervisor only, which stops them in order.
            process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True)
            processes.append(process)
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _first_words(process: subprocess.Popen[bytes], settings: node.Settings) -> str:
    """Return the URL of a node that has come up, or raise what it says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise FailureError(f"the node {settings.name} did not start", "What it wrote above says why.")
    said = msgspec.json.decode(line)
    if "url" in said:
        return str(said["url"])
    raise (UsageError if said["code"] == UsageError.exit_code else FailureError)(said["message"], said["cure"])


def _guard(
    stop: threading.Event,
    keeper: Keeper | None,
    processes: list[subprocess.Popen[bytes]],
    nodes: list[node.Settings],
) -> None:
    """Wait until it is time to stop.

    Raises:
        FailureError: PostgreSQL or a node has ended.
    """
    parent = Parent()
    while not stop.wait(0.1) and not parent.is_gone():
        if keeper is not None:
            keeper.check()
        for process, settings in zip(processes, nodes, strict=True):
            if process.poll() is not None:
                raise FailureError(
                    f"the node {settings.name} (process {process.pid}) has stopped with code {process.returncode}",
                    "The other nodes and PostgreSQL are stopped as well; start again with the same --data.",
                )


def _settings(service: Service, index: int, dsn: str, home: Path) -> node.Settings:
    return node.Settings(
        dsn=dsn,
        name=f"node-{index + 1}",
        port=service.port + index if service.port else 0,
        task_logs=str(home / TASK_LOGS),
        packages=str(home / PACKAGES),
        time_scale=service.time_scale,
        dashboard=service.dashboard,
        # Scheduled retention would surprise an experiment, and experiments run at a scale of their own.
        schedule=service.schedule and service.time_scale == 1,
        connections=min(database.POOL_SIZE, database.ALL_POOLS // service.nodes),
    )
