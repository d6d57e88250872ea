"""Mechanisms: the ways in which a machine can hold a group of processes to a CPU capacity."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """What a host has used since it was made."""

    #: CPU time of its processes, those that have ended included, seconds
    cpu_seconds: float
    #: periods in which it computed
    periods: int = 0
    #: periods in which it was stopped because its capacity was used up
    throttled: int = 0
    #: how long it was stopped in all, seconds (CPU by CPU, as the kernel counts)
    throttled_seconds: float = 0.0


class Mechanism(Protocol):
    """One way for all hosts: figures of two ways must never be compared with each other."""

    #: as reports call it
    name: str
    #: length of a period, seconds; 0 when there are none
    period: float

    def limit(self, host: str, cpus: float) -> None:
        """Make a host, or give it another capacity."""

    def place(self, host: str, pids: Collection[int]) -> None:
        """Move processes to a host; what they start later goes there too."""

    def release(self, pids: Collection[int]) -> None:
        """Take processes from their host; they compute freely again."""

    def members(self, host: str) -> set[int]:
        """Return the processes of a host."""

    def usage(self, host: str) -> Usage:
        """Return what a host has used."""

    def hold(self, pids: Collection[int], *, held: bool) -> None:
        """Learn that somebody else has stopped processes, or lets them go on."""

    def tick(self) -> float | None:
        """Do what is due; return after how many seconds to come again, None for never."""

    def close(self) -> None:
        """Release all processes and leave nothing behind."""


class NoMechanism:
    """Where nothing can hold a process back: hosts are names only, and reports say so."""

    name = "none"
    period = 0.0

    def __init__(self) -> None:
        self._members: dict[str, set[int]] = {}

    def limit(self, host: str, cpus: float) -> None:  # noqa: ARG002 - it holds nobody back
        """Know a host."""
        self._members.setdefault(host, set())

    def place(self, host: str, pids: Collection[int]) -> None:
        """Count processes to a host."""
        self.release(pids)
        self._members[host] |= set(pids)

    def release(self, pids: Collection[int]) -> None:
        """Count processes to no host."""
        for members in self._members.values():
            members -= set(pids)

    def members(self, host: str) -> set[int]:
        """Return the processes that were placed and live."""
        self._members[host] = {pid for pid in self._members[host] if psutil.pid_exists(pid)}
        return self._members[host]

    def usage(self, host: str) -> Usage:
        """Return the CPU time of the processes that live."""
        total = 0.0
        for pid in self.members(host):
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return Usage(total)

    def hold(self, pids: Collection[int], *, held: bool) -> None:
        """Do nothing."""

    def tick(self) -> float | None:
        """Do nothing."""
        return None

    def close(self) -> None:
        """Do nothing."""
