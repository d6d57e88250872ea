"""The governor: holds hosts to their capacity by stopping and continuing their processes, where no group may be made.

It needs no rights beyond those over its own processes. All processes of a host stop together, so that it punishes a
shared host more than a quota of the kernel does: its figures show the order of things, not their size.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from standin.hosts.family import family
from standin.hosts.mechanism import Usage

#: Seconds: shorter ones cost more than they tell (at 10 ms the governor itself takes a quarter of a CPU).
PERIOD = 0.050
#: Seconds between two looks at least.
SHORTEST = 0.002


@dataclass(slots=True)
class Bucket:
    """A host's account."""

    #: capacity in CPUs
    cpus: float
    #: process → its CPU time when last looked at, seconds
    seen: dict[int, float] = field(default_factory=dict)
    #: the processes that were placed here; the others are what they have started
    roots: set[int] = field(default_factory=set)
    #: CPU seconds that it may use until the period ends; below 0 it has overdrawn
    left: float = 0.0
    #: since when it stands still, or None
    stopped: float | None = None
    #: what it has used
    spent: float = 0.0
    periods: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0


class Governor:
    """Counts the CPU time of each host's processes, and stops them when the period's share is used up."""

    name = "governor"
    period = PERIOD

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._held: set[int] = set()
        self._ends = 0.0

    def limit(self, host: str, cpus: float) -> None:
        """Open an account, or give it another share."""
        self._buckets.setdefault(host, Bucket(cpus)).cpus = cpus

    def place(self, host: str, pids: Collection[int]) -> None:
        """Take processes to a host's account."""
        self.release(pids)
        bucket = self._buckets[host]
        bucket.roots |= set(pids)
        bucket.seen |= {pid: spent for pid in pids if (spent := _cpu_time(pid)) is not None}
        if bucket.stopped is not None:
            self._signal(bucket, "SIGSTOP")

    def release(self, pids: Collection[int]) -> None:
        """Close the account of processes, and let them go on."""
        for bucket in self._buckets.values():
            mine = set(pids) & (bucket.roots | set(bucket.seen))
            bucket.roots -= mine
            for pid in mine:
                bucket.seen.pop(pid, None)
                if bucket.stopped is not None and pid not in self._held:
                    _tell(pid, "SIGCONT")

    def members(self, host: str) -> set[int]:
        """Return the processes of an account."""
        self._gather(self._buckets[host])
        return set(self._buckets[host].seen)

    def usage(self, host: str) -> Usage:
        """Return what a host has used."""
        bucket = self._buckets[host]
        self._count(bucket)
        still = self._clock() - bucket.stopped if bucket.stopped is not None else 0.0
        return Usage(bucket.spent, bucket.periods, bucket.throttled, bucket.throttled_seconds + still)

    def hold(self, pids: Collection[int], *, held: bool) -> None:
        """Leave alone what somebody else has frozen."""
        self._held = self._held | set(pids) if held else self._held - set(pids)

    def tick(self) -> float | None:
        """Begin a period when one is due, stop who has used up his share; return when to look again."""
        now = self._clock()
        if now >= self._ends:
            self._ends = now + PERIOD
            for bucket in self._buckets.values():
                self._refill(bucket, now)
        for bucket in self._buckets.values():
            if bucket.stopped is None and bucket.seen:
                self._count(bucket)
                if bucket.left <= 0:
                    bucket.stopped = self._clock()
                    bucket.throttled += 1
                    self._signal(bucket, "SIGSTOP")
        # On its one CPU a host cannot use up what it has left any sooner than in as much time.
        running = [bucket.left for bucket in self._buckets.values() if bucket.stopped is None and bucket.seen]
        return max(SHORTEST, min([self._ends - self._clock(), *running]))

    def close(self) -> None:
        """Let all processes go on."""
        for bucket in self._buckets.values():
            self.release(list(bucket.seen))

    def _refill(self, bucket: Bucket, now: float) -> None:
        self._gather(bucket)
        used = self._count(bucket)
        bucket.periods += bool(used or bucket.stopped)
        # What was overdrawn is owed; what was not used is lost, as it is in the kernel's quota.
        bucket.left = min(0.0, bucket.left) + bucket.cpus * PERIOD
        if bucket.stopped is not None and bucket.left > 0:
            bucket.throttled_seconds += now - bucket.stopped
            bucket.stopped = None
            self._signal(bucket, "SIGCONT")

    def _gather(self, bucket: Bucket) -> None:
        """Find what the host's processes have started; who has lost his parent stays."""
        for pid in family(bucket.roots | set(bucket.seen)):
            if pid not in bucket.seen:
                bucket.seen[pid] = 0.0
                if bucket.stopped is not None:
                    _tell(pid, "SIGSTOP")

    def _count(self, bucket: Bucket) -> float:
        used = 0.0
        for pid, before in list(bucket.seen.items()):
            spent = _cpu_time(pid)
            if spent is None:
                del bucket.seen[pid]
                bucket.roots.discard(pid)
                self._held.discard(pid)
            else:
                used += spent - before
                bucket.seen[pid] = spent
        bucket.spent += used
        bucket.left -= used
        return used

    def _signal(self, bucket: Bucket, number: str) -> None:
        for pid in bucket.seen:
            if pid not in self._held:
                _tell(pid, number)


def _cpu_time(pid: int) -> float | None:
    """Return the CPU time of a process with all of its threads, seconds, None when it has ended.

    Linux numbers the clock of each process by its id (clock_getcpuclockid(3)): one call, nanoseconds, no files read.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2) if sys.platform == "linux" else None
    except OSError:
        return None


def _tell(pid: int, number: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.Signals[number])
