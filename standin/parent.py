"""A process's parent: whether it is still there, so that nothing outlives what started it."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection

import psutil

VARIABLE = "OCTOLOAD_PARENT"
#: Seconds between two looks.
INTERVAL = 0.25


class Parent:
    """The process whose id stands in `OCTOLOAD_PARENT`; without the variable there is nobody to miss."""

    def __init__(self) -> None:
        self._pid = int(os.environ.get(VARIABLE) or 0)
        self._direct = sys.platform != "win32" and os.getppid() == self._pid
        self._process = None
        if self._pid and not self._direct:
            try:
                self._process = psutil.Process(self._pid)
            except psutil.NoSuchProcess:
                self._process = None

    def is_gone(self) -> bool:
        """Say whether it has ended; a direct parent's death shows in the parent's id, which is never reused."""
        if not self._pid:
            return False
        if self._direct:
            return os.getppid() != self._pid
        return self._process is None or not self._process.is_running()

    def watch(self, lost: Callable[[], None]) -> None:
        """Call `lost` once, from a thread, when it has ended."""

        def look() -> None:
            while not self.is_gone():
                pause.wait(INTERVAL)
            lost()

        pause = threading.Event()
        threading.Thread(target=look, daemon=True, name="parent").start()


def wake_when_orphaned() -> None:
    """Have Linux wake this process when its parent dies, should it be frozen then: only awake it can end."""
    _prctl(1, signal.SIGCONT if sys.platform == "linux" else 0)  # PR_SET_PDEATHSIG


def adopt_orphans() -> None:
    """Have Linux make this process the parent of what its children leave behind when they die."""
    _prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def reap(known: Collection[int]) -> None:
    """Take note of the ends of adopted processes, which would else stay in the process table; not of `known` ones."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in known:
                return
            os.waitpid(ended.si_pid, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def as_parent() -> dict[str, str]:
    """Return this process's environment for a child that shall end with it."""
    return {**os.environ, VARIABLE: str(os.getpid())}
