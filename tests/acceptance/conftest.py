"""A small experiment on the stand-in, run as a user would run it; a browser."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

TINY = """
name: tiny
question: Does the whole chain work?
standin: {nodes: 1, time_scale: 100}
history:
  name: tiny
  seed: 3
  projects: 6
  environments: 3
  releases_per_project: 30
  deployments_per_release: 3
  machines: 4
compare: {baseline: keep-all, contender: keep-3}
arms:
  keep-all: {subject: keeping all releases}
  keep-3: {subject: keeping 3 releases, retention: {keep: 3}}
workload:
  mix: {dashboard: 30, audit-search: 5, task-list: 3, project-page: 2, release-and-deploy: 1}
  pollers: {portal-dashboard: 8, waiting-agent: 20}
design: {pairs: 4, seconds: 2.5, warm_up: 0.5, attempts: 1, demonstration: true}
objectives: {primary: [dashboard p50], control: [audit]}
"""


def read(file: Path) -> dict[str, Any]:
    """Return what a file of a run says."""
    return json.loads(file.read_text(encoding="utf-8"))


class Command:
    """An octoload command as a process, with all that it starts."""

    def __init__(self, *arguments: str, cwd: Path, **variables: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("OCTOPUS_", "OCTOLOAD_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "experiments", *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**environment, "COLUMNS": "200", **variables},
        )
        self.family: set[psutil.Process] = set()

    def watch(self) -> None:
        """Note all processes that the command has started so far."""
        with_children = psutil.Process(self.process.pid)
        self.family |= set(with_children.children(recursive=True))

    def until(self, done: Callable[[], bool], within: float = 120) -> None:
        """Wait for a state of the world, noting processes meanwhile."""
        deadline = time.monotonic() + within
        while not done():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "it took too long"
            self.watch()
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> None:
        """Send a signal, after a last look at the family."""
        self.watch()
        self.process.send_signal(number)

    def finish(self, within: float = 240) -> tuple[int, str]:
        """Wait for the end; return exit code and all that was said."""
        said = self.process.communicate(timeout=within)[0]
        return self.process.returncode, said

    def survivors(self, within: float = 20) -> list[str]:
        """Return which of its processes are still there after a while."""
        gone, alive = psutil.wait_procs(self.family, timeout=within)
        del gone
        return [" ".join(process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def octoload(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Return a function that starts an octoload command in a folder of its own; whatever it starts is ended."""
    started: list[Command] = []

    def start(*arguments: str, **variables: str) -> Command:
        command = Command(*arguments, cwd=tmp_path, **variables)
        started.append(command)
        return command

    yield start
    for command in started:
        if command.process.poll() is None:
            command.end(signal.SIGTERM)
            command.finish()
        for process in command.family:
            if process.is_running():
                process.kill()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return the file of an experiment that takes half a minute."""
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        yield play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
