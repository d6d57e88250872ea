"""The engine's conversation: commands on standard input, answers on standard output, one JSON object a line."""

import logging
import os
from pathlib import Path
from typing import Any

import gevent
import gevent.os
import msgspec
from gevent.queue import Queue
from locust.env import Environment

from octoload.edge import tab
from octoload.edge.conductor import Conductor
from octoload.edge.conversation import Conversation
from octoload.edge.trial import Gather, Trial, Watch
from octoload.errors import OctoloadError, UsageError

logger = logging.getLogger("octoload")


class Engine:
    """Runs one trial after the other until its input ends."""

    def __init__(self, environment: Environment, conductor: Conductor, watch: tab.Watch) -> None:
        """`watch` hears which trial is under way, and on which server."""
        self._environment = environment
        self._watch = watch
        self._conductor = conductor
        self._commands: Queue[bytes] = Queue()
        self._conversation = Conversation()
        self._greenlet: Any = None
        environment.process_exit_code = 0  # a failed request is a sample, not a failure of the engine
        options: Any = environment.parsed_options
        # Workers that Locust forked cannot be replaced: when one is lost, all begin anew.
        self._brittle = bool(options.processes)
        # Locust alone would start its users at once, and end with its last worker; here trials decide.
        options.headless = False

    def start(self) -> None:
        """Begin to listen."""
        self._greenlet = gevent.spawn(self._work)
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
            if self._conductor.bereaved and self._brittle:
                self._quit()

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            command = msgspec.json.decode(line, type=Gather | Trial | Watch)
        except (msgspec.DecodeError, msgspec.ValidationError) as exc:
            raise UsageError(f"the engine cannot read its command: {exc}", "See docs/formats.md, The engine.") from exc
        if isinstance(command, Gather):
            return {"event": "gathered", "workers": self._conductor.gather(command.key_variables, self._say)}
        if isinstance(command, Watch):
            self._watch(tab.Watched(command.url, os.environ.get(command.key_variable, ""), command.trial))
            return {"event": "watched"}
        path = Path(command.folder) / "requests.parquet" if command.folder else None
        return self._conductor.run(command, path, self._say)

    def _say(self, event: dict[str, Any]) -> None:
        try:
            self._conversation.say(event)
        except OSError:
            self._quit()  # nobody listens any more

    def _quit(self) -> None:
        if self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()  # a trial under way leaves no half-written file
        runner: Any = self._environment.runner
        runner.quit()
        page: Any = self._environment.web_ui
        if page:
            page.greenlet.kill(block=False)  # Locust ends with its web page, when it has one
