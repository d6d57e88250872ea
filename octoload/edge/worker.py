"""A worker's line to its master: which versions it has, what its clock shows, and whether anybody still leads."""

import os
import time
from typing import Any, Final

import gevent
import locust
import numpy as np
from locust.env import Environment

import octoload
from octoload.edge.conversation import Conversation
from octoload.errors import UsageError

#: Locust messages between master and workers.
HELLO, REFUSED, PING, PONG = "octoload-hello", "octoload-refused", "octoload-ping", "octoload-pong"

#: Seconds without Locust's heartbeat, which comes each second, after which a master counts as gone. Locust itself waits
#: for 60 s, in which the worker would go on with its load.
MASTER_SILENCE: Final = 10.0


def versions() -> dict[str, str]:
    """Return what master and workers must have in common.

    Each worker draws the whole schedule and takes its share, so numpy's random streams must be the same; they, and
    Locust's messages, may change with a minor version.
    """
    libraries = {"locust": locust.__version__, "numpy": np.__version__}
    return {"octoload": octoload.__version__} | {
        name: ".".join(version.split(".")[:2]) for name, version in libraries.items()
    }


class Line:
    """The worker's side of what is said besides trials."""

    def __init__(self, environment: Environment, conversation: Conversation | None) -> None:
        """Say hello; with a conversation, which only `octoload worker` has, end when the master has gone."""
        self._environment = environment
        self._conversation = conversation
        self._heard = time.monotonic()
        runner: Any = environment.runner
        self._runner = runner
        runner.register_message(PING, self._on_ping)
        runner.register_message(REFUSED, self._on_refused)
        runner.send_message(HELLO, versions())
        if conversation:
            conversation.say({"event": "connected"})
            events: Any = environment.events
            events.heartbeat_received.add_listener(self._on_heartbeat)
            gevent.spawn(self._watch)

    def _on_ping(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002  Locust's signature
        received = time.time()
        missing = [name for name in msg.data["keys"] if not os.environ.get(name)]
        answer = {**msg.data, "received": received, "missing": missing, "answered": time.time()}
        self._runner.send_message(PONG, answer)

    def _on_refused(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002
        if self._conversation:
            self._conversation.say({"event": "refused", **msg.data})
        self._quit(UsageError.exit_code)

    def _on_heartbeat(self, **_: Any) -> None:
        self._heard = time.monotonic()

    def _watch(self) -> None:
        """End the load when nobody leads any more."""
        while time.monotonic() - self._heard < MASTER_SILENCE:
            gevent.sleep(1.0)
        self._quit(0)

    def _quit(self, code: int) -> None:
        self._environment.process_exit_code = code
        gevent.spawn(self._runner.quit)  # not from this greenlet, which Locust's end kills
