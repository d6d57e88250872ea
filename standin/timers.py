"""Octopus' timers, and how long they are at a time scale (octopus-facts §2.6); pure."""

from dataclasses import dataclass

#: Seconds at Octopus' own pace.
POLL = 20.0
HEARTBEAT = 60.0
ORPHAN = 3600.0
SCHEDULE_WINDOW = 1800.0
ABANDON = 600.0
#: Heartbeats that a node misses before it counts as offline.
MISSED = 3
#: Least lengths, seconds, at any time scale: below them a busy machine would pass for a dead node.
LEAST_OFFLINE = 2.0
LEAST_ORPHAN = 10.0


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of a server whose clock runs `scale` times faster than Octopus'; all lengths in seconds."""

    #: Octopus' lengths are divided by this
    scale: float = 1.0

    @property
    def poll(self) -> float:
        """Between two looks of a node at the queue."""
        return max(POLL / self.scale, 0.01)

    @property
    def heartbeat(self) -> float:
        """Between two signs of life of a node."""
        return max(HEARTBEAT / self.scale, 0.1)

    @property
    def offline(self) -> float:
        """After which a silent node counts as offline."""
        return max(MISSED * HEARTBEAT / self.scale, LEAST_OFFLINE)

    @property
    def orphan(self) -> float:
        """After which another node cancels the tasks of a silent one."""
        return max(ORPHAN / self.scale, LEAST_ORPHAN)

    @property
    def schedule_window(self) -> float:
        """After its time in which a scheduled task may still start, when nobody said how long."""
        return SCHEDULE_WINDOW / self.scale

    @property
    def abandon(self) -> float:
        """After which a task that does not come to its end although it was cancelled may be given up."""
        return ABANDON / self.scale
