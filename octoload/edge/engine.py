"""The engine's conversation: commands on standard input, answers on standard output, one JSON object a line."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import gevent
import gevent.os
import msgspec
from gevent.queue import Queue
from locust.env import Environment

from octoload.edge.conductor import Conductor
from octoload.edge.trial import Trial
from octoload.errors import OctoloadError, UsageError

_encode = msgspec.json.Encoder().encode


logger = logging.getLogger("octoload")


class Engine:
    """Runs one trial after the other until its input ends."""

    def __init__(self, environment: Environment, conductor: Conductor) -> None:
        self._environment = environment
        self._conductor = conductor
        self._commands: Queue[bytes] = Queue()
        self._output = claim_output()
        self._worker: Any = None
        environment.process_exit_code = 0  # a failed request is a sample, not a failure of the engine

    def start(self) -> None:
        """Begin to listen."""
        self._worker = gevent.spawn(self._work)
        gevent.spawn(self._listen)

    def _listen(self) -> None:
        pending = b""
        while True:
            data = gevent.os.tp_read(0, 65_536)  # in a thread: works for pipes on every system
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                if line.strip():
                    self._commands.put(line)
        self._quit()

    def _work(self) -> None:
        while True:
            line = self._commands.get()
            try:
                self._say(self._obey(line))
            except OctoloadError as exc:
                self._say({"event": "failed", "message": exc.message, "cure": exc.cure, "code": exc.exit_code})
            except OSError as exc:
                self._say({"event": "failed", "message": f"the system refused: {exc}", "cure": "See Locust's log."})
            except Exception as exc:  # a fault of ours must not leave the other side waiting
                logger.exception("the trial failed")
                self._say({"event": "failed", "message": f"{type(exc).__name__}: {exc}", "cure": "See Locust's log."})
            if self._conductor.broken:
                self._quit()

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            command = msgspec.json.decode(line)
            if not isinstance(command, dict) or command.pop("command", None) != "trial":
                raise UsageError("the engine knows one command: trial", "See docs/formats.md, The engine.")
            trial = msgspec.convert(command, Trial)
        except (msgspec.DecodeError, msgspec.ValidationError) as exc:
            raise UsageError(f"the engine cannot read its command: {exc}", "See docs/formats.md, The engine.") from exc
        path = Path(trial.folder) / "requests.parquet" if trial.folder else None
        return self._conductor.run(trial, path, self._say)

    def _say(self, event: dict[str, Any]) -> None:
        data = _encode(event) + b"\n"
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except OSError:
            self._quit()  # nobody listens any more

    def _quit(self) -> None:
        if self._worker is not gevent.getcurrent():
            self._worker.kill()  # a trial under way leaves no half-written file
        runner: Any = self._environment.runner
        runner.quit()


def claim_output() -> int:
    """Keep standard output for the conversation: whatever else is printed goes to standard error."""
    sys.stdout.flush()
    conversation = os.dup(1)
    os.dup2(2, 1)
    return conversation
