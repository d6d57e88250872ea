"""What the processes of simulated servers compute: readings of their CPU time, and what a trial used of them."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from experiments.hosts import usable_cores

#: `at` (Unix seconds), `cpu_seconds` of all processes, `each` process of a server: id -> its CPU seconds.
Reading = dict[str, Any]
#: Seconds at the end of a measured phase in which processes are read: a reading takes 50 ms of a CPU.
LAST = 2.0


class Watch:
    """Reads the processes at the begin of a trial's measured phase and in its last seconds: a reading is dear."""

    def __init__(self, read: Callable[[], Reading], begin: float, end: float) -> None:
        """`begin` and `end` of the measured phase are seconds from the begin of the load."""
        self._read = read
        self._begin, self._end = begin, end
        self._first: Reading = {}
        self._last: Reading = {}

    def look(self, elapsed: float) -> None:
        """Read when the load has gone on for so many seconds, if that is a time to read."""
        if self._begin <= elapsed <= self._end and (not self._first or elapsed >= self._end - LAST):
            self._last = self._read()
            self._first = self._first or self._last

    @property
    def used(self) -> dict[str, Any]:
        """`server` of `trial.json`; empty in a trial too short for two readings."""
        return used(self._first, self._last) if self._first is not self._last else {}


def read(programs: Sequence[int], servers: Sequence[int]) -> Reading:
    """Read what programs and all processes below them have computed so far.

    Args:
        programs: process ids of servers and database; what children computed that have ended counts with their parents.
        servers: those of them whose single processes are told: a node computes on one CPU at a time.
    """
    found = {pid: _family(pid) for pid in programs}
    every = {process.pid: process for family in found.values() for process in family}
    spent = {pid: times for pid, process in every.items() if (times := _spent(process))}
    single = {process.pid for pid in servers for process in found[pid]}
    return {
        "at": time.time(),
        "cpu_seconds": sum(own + ended for own, ended in spent.values()),
        "each": {pid: own for pid, (own, _) in spent.items() if pid in single},
    }


def used(before: Reading, after: Reading) -> dict[str, Any]:
    """Return `server` of `trial.json` from two readings (docs/formats.md); empty where nothing was read."""
    if not before or not after:
        return {}
    seconds, cores = after["at"] - before["at"], usable_cores()
    computed = max(0.0, after["cpu_seconds"] - before["cpu_seconds"])
    single = [own - before["each"][pid] for pid, own in after["each"].items() if pid in before["each"]]
    return {
        "seconds": seconds,
        "cores": cores,
        "cpu_seconds": computed,
        "busy": computed / (cores * seconds),
        "node": max(single, default=0.0) / seconds,
    }


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _spent(process: psutil.Process) -> tuple[float, float] | None:
    """Return the CPU seconds of a process, and of its children that have ended; None when it has ended itself."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system, times.children_user + times.children_system
    return None
