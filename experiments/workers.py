"""Workers for runs that are led elsewhere: Locust processes, each started again whenever it ends."""

import math
import time
from pathlib import Path
from typing import Any

from experiments.address import Address
from experiments.display import Display
from experiments.engine import decode, locustfile
from experiments.processes import Program
from octoload.errors import UsageError

#: Seconds between two looks at the processes.
LOOK = 0.2
#: Seconds before a process that ended is started again.
PAUSE = 1.0
#: Seconds below which a process that reached no master did not wait for one: something is wrong with it.
QUICK = 30.0
#: How often in a row that may happen.
FAILURES = 5


class Worker:
    """One Locust process and its successors."""

    def __init__(self, master: Address, log: Path, display: Display, name: str) -> None:
        self._master = master
        self._log = log
        self._display = display
        self._name = name
        self._failures = 0
        self._began = self._again = 0.0
        self._said = ""
        self._program = self._start()

    def look(self) -> None:
        """Hear what it says; start it again when it has ended.

        Raises:
            UsageError: the master refuses it.
            ServerError: it ends again and again before it has reached a master.
        """
        for line in self._program.heard():
            self._take(decode(line))
        now = time.monotonic()
        if self._program.alive:
            self._again = now + PAUSE
        elif now >= self._again:
            self._failures = self._failures + 1 if self._again - self._began < QUICK + PAUSE else 0
            if self._failures >= FAILURES:
                raise self._program.ended()
            self._program.stop()
            self._program = self._start()

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    def _start(self) -> Program:
        self._began = time.monotonic()
        arguments = ["locust", "-f", str(locustfile()), "--octoload-engine", "--worker"]
        arguments += ["--master-host", self._master.host, "--master-port", str(self._master.port)]
        self._say(f"waits for a run at {self._master}")
        return Program(f"{self._name} (Locust)", arguments, self._log)

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("event") == "refused":
            raise UsageError(event["message"], event["cure"])
        if event.get("event") == "connected":
            self._began = -math.inf  # however soon it ends now, it has worked
            self._say("is connected")

    def _say(self, what: str) -> None:
        """Say what is new."""
        if what != self._said:
            self._said = what
            self._display.say(f"{self._name} {what}")


def serve(master: Address, processes: int, log: Path, display: Display) -> None:
    """Be so many workers for one run after the other, until interrupted.

    Raises:
        UsageError: a master refuses them.
        ServerError: Locust does not start.
    """
    workers: list[Worker] = []
    try:
        names = [f"worker {number} of {processes}" for number in range(1, processes + 1)]
        workers.extend(Worker(master, log, display, name) for name in names)
        while True:
            for worker in workers:
                worker.look()
            time.sleep(LOOK)
    finally:
        for worker in workers:
            worker.stop()
