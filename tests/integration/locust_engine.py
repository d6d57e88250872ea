"""The load engine and a server to load, as processes, for the tests beside this file."""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq

HOUSE = Path(__file__).parents[2]
KEY = "API-TEST"
DEADLINE = 60.0


class Lines:
    """What a process says, line by line, with a deadline."""

    def __init__(self, stream):
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            self._lines.put(line)
        self._lines.put("")

    def next(self):
        return self._lines.get(timeout=DEADLINE)


@contextlib.contextmanager
def server(*options, program="fake_octopus.py"):
    """Yield (URL, what returns the requests by path when the server has ended)."""
    arguments = [sys.executable, str(HOUSE / "tests" / program), *options]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = Lines(process.stdout)

        def end():
            process.stdin.close()
            return json.loads(said.next())

        try:
            yield said.next().split()[1], end
        finally:
            process.kill()


def free_port(host="127.0.0.1"):
    with socket.create_server((host, 0)) as free:
        return free.getsockname()[1]


class Engine:
    """A running engine."""

    def __init__(self, log, *options, **variables):
        environment = {**os.environ, **variables, "OCTOLOAD_TEST_KEY": KEY, "OCTOLOAD_PARENT": str(os.getpid())}
        arguments = ["-m", "locust", "-f", str(HOUSE / "locustfile.py"), "--octoload-engine", *options]
        arguments += [] if "--web-port" in options else ["--headless"]
        if "--processes" in options:
            port = str(free_port())
            arguments += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            )
        self.said = Lines(self.process.stdout)
        self.progress = []

    def send(self, **command):
        self.process.stdin.write(json.dumps({"command": "trial", **command}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        """Return the event that ends a trial; keep its progress."""
        self.progress = []
        while True:
            event = self.event()
            if event["event"] not in {"progress", "waiting"}:
                return event
            if event["event"] == "progress":
                self.progress.append(event)

    def event(self):
        line = self.said.next()
        assert line, self.log.read_text()[-4000:]
        return json.loads(line)

    def until(self, kind):
        """Wait for an event of a kind, such as the first `progress` of a trial."""
        while (event := self.event())["event"] != kind:
            pass
        return event

    def run(self, **command):
        self.send(**command)
        return self.answer()

    def family(self):
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def end(self):
        """Close its input and return its exit code."""
        self.process.stdin.close()
        return self.process.wait(timeout=DEADLINE)


@contextlib.contextmanager
def engine(folder, *options, **variables):
    running = Engine(folder / "locust.log", *options, **variables)
    try:
        yield running
    finally:
        family = running.family() if running.process.poll() is None else []
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        running.process.wait()
        running.process.stdin.close() if not running.process.stdin.closed else None
        running.process.stdout.close()


def trial(folder, url, **changes):
    """Return a small trial with all scenarios."""
    mix = {"dashboard": 40, "project-page": 8, "release-and-deploy": 4, "audit-search": 6, "task-list": 6}
    return {
        "folder": str(folder), "urls": [url], "key_variable": "OCTOLOAD_TEST_KEY", "space": "Spaces-2", "seed": 7,
        "arrivals": "poisson", "mix": mix, "slots": 32, "warm_up": 0.5, "seconds": 2.0, "timeout": 10.0, **changes,
    }  # fmt: skip


def samples(folder):
    return pq.read_table(Path(folder) / "requests.parquet").to_pydict()


def wait_until(reached):
    deadline = time.monotonic() + DEADLINE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(process):
    """Say whether a process has ended; one whose new parent does not care stays as a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
