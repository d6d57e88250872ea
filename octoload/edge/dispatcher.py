"""Hands each arrival to a free slot at its time; when all slots are busy, arrivals wait in line."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import gevent

from octoload.edge import timer
from octoload.edge.arrivals import Schedule
from octoload.edge.client import clock

#: Arrivals that are turned from arrays into tuples at once.
PIECE: Final = 2_048


class Arrival(NamedTuple):
    """A session that is due."""

    #: Steady time at which it is intended to begin.
    intended: float
    #: Index of its scenario in the sorted names of the mix.
    scenario: int
    #: A uniform number in [0, 1).
    draw: float
    #: Its number in the whole schedule.
    number: int


class Dispatcher:
    """The schedule of a process and its idle slots."""

    def __init__(self) -> None:
        self._hub: Any = gevent.get_hub()
        self._timer = timer.make(self._expire)
        self._idle: list[Any] = []
        self._pieces: Iterator[Schedule] = iter(())
        self._coming: deque[Arrival] = deque()
        self._due: deque[Arrival] = deque()
        self._start = 0.0
        self._busy = 0
        self._ended = _ignore
        self._running = False
        self._exhausted = False
        #: How late each arrival was noticed, in seconds: the generator's own lateness.
        self.lags = array("f")
        self._lags_from = 0.0
        #: Most arrivals that waited for a slot at once.
        self.longest_line = 0
        #: How the schedule is kept.
        self.kind = self._timer.kind

    def begin(self, blocks: Iterable[Schedule], start: float, measured_from: float, ended: Callable[[], None]) -> None:
        """Run a schedule from the steady time `start`; call `ended` in the hub when its last session has ended."""
        self._pieces = _pieces(blocks)
        self._start = start
        self._lags_from = measured_from
        self._ended = ended
        self.lags = array("f")
        self.longest_line = 0
        self._running = True
        self._exhausted = False
        self._coming.clear()
        self._due.clear()
        self._set_timer()

    def halt(self) -> list[Arrival]:
        """Hand out no more; return the arrivals that are still in line."""
        left = list(self._due)
        self._due.clear()
        self._coming.clear()
        self._pieces = iter(())
        self._exhausted = True
        self._settle()
        return left

    @property
    def waiting(self) -> int:
        """Arrivals in line."""
        return len(self._due)

    @property
    def busy(self) -> int:
        """Sessions under way."""
        return self._busy

    def take(self) -> Arrival:
        """Wait in the calling slot until there is an arrival for it."""
        if self._due:
            self._busy += 1
            return self._due.popleft()
        slot = gevent.getcurrent()
        self._idle.append(slot)
        try:
            arrival: Arrival = self._hub.switch()
        except BaseException:
            self._idle.remove(slot)
            raise
        return arrival

    def give_back(self) -> None:
        """Say that the session of an arrival has ended."""
        self._busy -= 1
        self._settle()

    def _expire(self) -> None:
        now = clock()
        coming, idle = self._coming, self._idle
        while coming and coming[0].intended <= now:
            arrival = coming.popleft()
            if arrival.intended >= self._lags_from:
                self.lags.append(clock() - arrival.intended)
            if idle:
                self._busy += 1
                idle.pop().switch(arrival)
            else:
                self._due.append(arrival)
        self.longest_line = max(self.longest_line, len(self._due))
        self._set_timer()

    def _set_timer(self) -> None:
        while not self._coming:
            piece = next(self._pieces, None)
            if piece is None:
                self._exhausted = True
                self._settle()
                return
            self._coming.extend(_arrivals(piece, self._start))
        self._timer.at(self._coming[0].intended)

    def _settle(self) -> None:
        if self._running and self._exhausted and not self._busy and not self._due:
            self._running = False
            self._ended()


def _pieces(blocks: Iterable[Schedule]) -> Iterator[Schedule]:
    for block in blocks:
        for begin in range(0, len(block), PIECE):
            yield block.part(begin, begin + PIECE)


def _arrivals(piece: Schedule, start: float) -> Iterator[Arrival]:
    times = (piece.times + start).tolist()
    columns = (times, piece.scenarios.tolist(), piece.draws.tolist(), piece.numbers.tolist())
    return map(Arrival._make, zip(*columns, strict=True))


def _ignore() -> None:
    """Nobody waits for the end."""
