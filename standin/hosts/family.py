"""Families of processes: all that some processes have started, found fast, and pinned to a CPU."""

import contextlib
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil


def family(pids: Iterable[int]) -> set[int]:
    """Return processes that live with all of their descendants."""
    found: set[int] = set()
    left = list(pids)
    while left:
        pid = left.pop()
        if pid not in found and psutil.pid_exists(pid):
            found.add(pid)
            left.extend(_children(pid))
    return found


def pin(pids: Iterable[int], cores: Collection[int]) -> None:
    """Let processes compute on some CPUs only, all of their threads; what they start later inherits it."""
    for pid in pids:
        if sys.platform == "linux":
            for thread in _threads(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(thread, cores)
        elif hasattr(psutil.Process, "cpu_affinity"):
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).cpu_affinity(list(cores))


def usable_cores() -> list[int]:
    """Return the numbers of the CPUs that this process may compute on."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _children(pid: int) -> list[int]:
    """Return a process's children; the kernel keeps a list for each thread, much faster than looking at all."""
    if not _LISTED:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(pid).children()]
        return []
    found: list[int] = []
    for thread in _threads(pid):
        with contextlib.suppress(OSError):
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text("ascii").split())
    return found


def _threads(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    return []


_LISTED = Path(f"/proc/self/task/{os.getpid()}/children").exists()
