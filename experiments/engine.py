"""Locust as a program that runs one trial after the other (docs/formats.md, "The engine")."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from experiments.processes import Program
from experiments.workload import Workload
from octoload.errors import InvalidRunError, OctoloadError, ServerError, UsageError

#: Seconds beyond its plan that a trial may take: late answers, files, workers.
GRACE = 120.0


class Engine:
    """A Locust process that stays up for all trials of a run."""

    def __init__(self, log: Path, keys: dict[str, str], processes: int = 1) -> None:
        """`keys` are API keys by the name of the environment variable that carries them."""
        self._log = log
        self._keys = keys
        self._processes = processes
        self._program: Program | None = None

    def start(self) -> None:
        """Start Locust if it is not running; the first trial waits for it."""
        if self._program and self._program.alive:
            return
        arguments = ["locust", "-f", str(_locustfile()), "--headless", "--octoload-engine"]
        if self._processes > 1:
            arguments += ["--processes", str(self._processes)]
        self._program = Program("Locust", arguments, self._log, self._keys)

    def run(self, command: dict[str, Any], progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Run one trial; return the facts that the engine finished with.

        Raises:
            InvalidRunError: the generator was at fault; the trial may be repeated.
            OctoloadError: the engine says why it could not.
            ServerError: Locust ended or went silent.
        """
        self.start()
        assert self._program is not None
        self._program.send(msgspec.json.encode({"command": "trial", **command}).decode())
        for line in self._program.lines(command["warm_up"] + command["seconds"] + command["timeout"] + GRACE):
            event = _decode(line)
            if event.get("event") == "finished":
                return event
            if event.get("event") == "failed":
                raise _failure(event)
            if event.get("event") == "progress":
                progress(event)
        raise self._program.ended()

    def stop(self) -> None:
        """End Locust."""
        if self._program:
            self._program.stop()


def command(workload: Workload, warm_up: float, seconds: float) -> dict[str, Any]:
    """Return the part of a trial's command that is the same for every trial."""
    return {**msgspec.to_builtins(workload), "warm_up": warm_up, "seconds": seconds}


def _failure(event: dict[str, Any]) -> OctoloadError:
    """Turn what the engine said into the error that it meant."""
    kinds: dict[int, type[OctoloadError]] = {kind.exit_code: kind for kind in (UsageError, InvalidRunError)}
    return kinds.get(event.get("code", 0), ServerError)(event["message"], event.get("cure", ""))


def _decode(line: str) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}  # a library that prints is no reason to lose a trial
    return event if isinstance(event, dict) else {}


def _locustfile() -> Path:
    spec = importlib.util.find_spec("locustfile")
    if spec is None or spec.origin is None:
        raise OctoloadError("locustfile.py is not installed", "Install octoload again: pip install .")
    return Path(spec.origin)
