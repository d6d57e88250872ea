"""Locust as a program that runs one trial after the other (docs/formats.md, "The engine")."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from experiments.address import Address, free_port
from experiments.plan import Generator
from experiments.processes import Program
from experiments.workload import Workload
from octoload.errors import InvalidRunError, OctoloadError, ServerError, UsageError

#: Seconds beyond its plan that a trial may take: late answers, files, workers.
GRACE = 120.0

Progress = Callable[[dict[str, Any]], None]


class Engine:
    """A Locust process that stays up for all trials of a run."""

    def __init__(self, folder: Path, keys: dict[str, str], generator: Generator) -> None:
        """`folder` is the run's; `keys` are API keys by the name of the environment variable that carries them."""
        self._folder = folder
        self._keys = keys
        self._generator = generator
        self._program: Program | None = None

    def start(self) -> None:
        """Start Locust if it is not running; the first trial waits for it."""
        if self._program and self._program.alive:
            return
        arguments = ["locust", "-f", str(locustfile()), "--octoload-engine", *self._page()]
        log = self._folder / "logs" / "locust.log"
        self._program = Program("Locust", [*arguments, *_processes(self._generator)], log, self._keys)

    def _page(self) -> list[str]:
        """Return Locust's options for its web page, which shows the run's plan."""
        web = self._generator.web
        if web is None:
            return ["--headless"]
        return ["--web-host", web.host, "--web-port", str(web.port), "--octoload-run", str(self._folder.resolve())]

    def watch(self, trial: str, url: str, key_variable: str) -> None:
        """Have the web page, if there is one, show a trial (its folder below `trials/`) and its server's queue."""
        if self._generator.web:
            command = {"command": "watch", "trial": trial, "url": url, "key_variable": key_variable}
            self._converse(command, GRACE, lambda _: None)

    def gather(self, progress: Progress) -> None:
        """Wait for all workers.

        Raises:
            OctoloadError: the engine says which are missing, or what they lack.
        """
        command = {"command": "gather", "key_variables": list(self._keys)}
        self._converse(command, self._generator.patience + GRACE, progress)

    def run(self, command: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Run one trial; return the facts that the engine finished with.

        Raises:
            InvalidRunError: the generator was at fault; the trial may be repeated.
            OctoloadError: the engine says why it could not.
            ServerError: Locust ended or went silent.
        """
        within = command["warm_up"] + command["seconds"] + command["timeout"] + GRACE
        try:
            return self._converse({"command": "trial", **command}, within, progress)
        except InvalidRunError:
            if not self._generator.workers:
                self.stop()  # a fresh one for the next attempt; workers on other machines stay connected
            raise

    def stop(self) -> None:
        """End Locust."""
        if self._program:
            self._program.stop()

    def _converse(self, command: dict[str, Any], within: float, progress: Progress) -> dict[str, Any]:
        """Give a command and return the event that ends it; others are progress."""
        self.start()
        assert self._program is not None
        self._program.send(msgspec.json.encode(command).decode())
        for line in self._program.lines(within):
            event = decode(line)
            if event.get("event") in ("finished", "gathered", "watched"):
                return {name: value for name, value in event.items() if name != "event"}
            if event.get("event") == "failed":
                raise _failure(event)
            if event.get("event") in ("progress", "waiting"):
                progress(event)
        raise self._program.ended()


def command(workload: Workload, warm_up: float, seconds: float) -> dict[str, Any]:
    """Return the part of a trial's command that is the same for every trial."""
    return {**msgspec.to_builtins(workload), "warm_up": warm_up, "seconds": seconds}


def decode(line: str) -> dict[str, Any]:
    """Return an event of a Locust process; what a library printed is none, and no reason to lose a trial."""
    try:
        event = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def locustfile() -> Path:
    """Return what Locust runs."""
    spec = importlib.util.find_spec("locustfile")
    if spec is None or spec.origin is None:
        raise OctoloadError("locustfile.py is not installed", "Install octoload again: pip install .")
    return Path(spec.origin)


def _processes(generator: Generator) -> list[str]:
    """Return Locust's options for the processes that make the load."""
    if generator.workers:
        bind = _bind(generator.bind)
        expected = ["--expect-workers", str(generator.workers)]
        return ["--master", *bind, *expected, "--expect-workers-max-wait", str(round(generator.patience))]
    if generator.processes > 1:
        own = Address(port=free_port())  # Locust's own choice is one port for all runs, on all addresses
        return ["--processes", str(generator.processes), *_bind(own), "--master-port", str(own.port)]
    return []


def _bind(address: Address) -> list[str]:
    return ["--master-bind-host", address.bracketed, "--master-bind-port", str(address.port)]


def _failure(event: dict[str, Any]) -> OctoloadError:
    """Turn what the engine said into the error that it meant."""
    kinds: dict[int, type[OctoloadError]] = {kind.exit_code: kind for kind in (UsageError, InvalidRunError)}
    return kinds.get(event.get("code", 0), ServerError)(event["message"], event.get("cure", ""))
