"""The generator looks at itself: CPU, steal, garbage-collector pauses, priority and a parent that has gone."""

import contextlib
import gc
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil
from gevent import monkey

#: Niceness that is asked for: the generator shall run before what it measures.
NICE: Final = -10
#: Seconds between two looks for the parent.
WATCH: Final = 0.25

_STAT = Path("/proc/stat")
# Real threads and real sleep, whatever gevent has patched: the watch goes on while the hub is blocked.
_start_thread: Any = monkey.get_original("_thread", "start_new_thread")
_sleep: Any = monkey.get_original("time", "sleep")


class Meter:
    """CPU time of this process and steal of the machine between `start` and `stop`."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.steal: float | None = None
        self.gc_pause = 0.0
        self.running = False
        self._began = 0.0
        self._cpu_before = 0.0
        self._ticks_before = _ticks()
        self._gc_began = 0.0
        gc.callbacks.append(self._on_gc)

    def start(self) -> None:
        """Begin to measure."""
        self.running = True
        self.gc_pause = 0.0
        self._began = time.perf_counter()
        self._cpu_before = time.process_time()
        self._ticks_before = _ticks()

    def stop(self) -> None:
        """Take the result: `cpu` as share of one core, `steal` as share of all cores."""
        self.running = False
        elapsed = time.perf_counter() - self._began
        self.cpu = (time.process_time() - self._cpu_before) / max(elapsed, 1e-9)
        before, after = self._ticks_before, _ticks()
        if before and after:
            self.steal = (after[0] - before[0]) / max(after[1] - before[1], 1)

    def _on_gc(self, phase: str, _info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._gc_began = now
        else:
            self.gc_pause = max(self.gc_pause, now - self._gc_began)


def _ticks() -> tuple[int, int] | None:
    """Return (stolen, all) clock ticks of all cores since boot, from /proc/stat (proc(5)); None elsewhere."""
    try:
        fields = [int(field) for field in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return fields[7], sum(fields)


def raise_priority() -> int | None:
    """Ask for a higher priority; return the niceness that the process has now, None on Windows."""
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        process.nice(getattr(psutil, "HIGH_PRIORITY_CLASS", NICE))  # Windows has classes instead of numbers
    return None if sys.platform == "win32" else int(process.nice())


def settle_memory() -> None:
    """Collect garbage once and set what is left apart: later collections then take microseconds, not 30 ms."""
    gc.collect()
    gc.freeze()


def die_with_parent(parent: int, declared: int | None) -> None:
    """End this process soon after its parent has gone, killed or not.

    `parent` is the process id of the parent, `declared` the one that octoload gave in `OCTOLOAD_PARENT`.
    """
    _start_thread(_watch, (parent, declared))


def _watch(parent: int, declared: int | None) -> None:
    while not _gone(parent, declared):
        _sleep(WATCH)
    # Nobody is left to report to, and a clean end might wait for workers or for a server that hangs.
    os._exit(1)


def _gone(parent: int, declared: int | None) -> bool:
    if sys.platform != "win32" and os.getppid() != parent:
        return True
    return declared is not None and not _runs(declared)


def _runs(pid: int) -> bool:
    """Whether a process is there; one that was killed stays in the system's list until somebody asks how it ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
