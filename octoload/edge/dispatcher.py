"""Hands each arrival to a free slot at its time; when all slots are busy, arrivals wait in line."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import gevent

from octoload.edge import timer
from octoload.edge.arrivals import Schedule
from octoload.edge.connection import clock

#: Arrivals that are turned from arrays into tuples at once.
PIECE: Final = 512

#: Steady time at which a session is intended to begin; index of its scenario in the sorted names of the mix; a uniform
#: number in [0, 1); its number in the whole schedule. A plain tuple: they come by the ten thousand a second.
Arrival = tuple[float, int, float, int]


class Dispatcher:
    """The schedule of a process and its idle slots.

    The line of those that wait is the schedule itself: an arrival stays in it until there is a slot, so that overload
    costs neither memory nor time.
    """

    def __init__(self) -> None:
        self._hub: Any = gevent.get_hub()
        self._timer = timer.make(self._expire)
        self._idle: list[Any] = []
        self._pieces: Iterator[Schedule] = iter(())
        self._coming: deque[Arrival] = deque()
        self._start = 0.0
        self._measured_from = 0.0
        self._slots = 0
        self._ended = _ignore
        self._armed = False
        self._running = False
        self._exhausted = True
        #: How late each arrival was that found an idle slot, in seconds: the generator's own lateness.
        self.lags = array("f")
        #: Longest time that an arrival waited for a slot, in seconds.
        self.longest_wait = 0.0
        #: How the schedule is kept.
        self.kind = self._timer.kind

    def begin(self, blocks: Iterable[Schedule], start: float, measured_from: float, ended: Callable[[], None]) -> None:
        """Run a schedule from the steady time `start`; call `ended` when its last session has ended."""
        self._pieces = _pieces(blocks)
        self._start = start
        self._measured_from = measured_from
        self._ended = ended
        self.lags = array("f")
        self.longest_wait = 0.0
        self._running = True
        self._exhausted = False
        self._coming.clear()
        self._arm()

    def halt(self) -> Iterator[Arrival]:
        """Hand out no more; yield the arrivals that are in line, however many, as they are asked for."""
        line = self._line(self._coming, self._pieces)
        self._coming, self._pieces = deque(), iter(())
        self._exhausted = True
        self._settle()
        return line

    @property
    def busy(self) -> int:
        """Sessions under way."""
        return self._slots - len(self._idle)

    @property
    def waiting(self) -> int:
        """Arrivals that wait for a slot, as far as the schedule has been looked at."""
        now = clock()
        return sum(arrival[0] <= now for arrival in self._coming)

    def enter(self) -> None:
        """Say that the calling greenlet is a slot from now on."""
        self._slots += 1

    def leave(self) -> None:
        """Say that it is none any more."""
        self._slots -= 1
        self._settle()

    def take(self) -> Arrival:
        """Wait in the calling slot until there is an arrival for it; its session before has then ended."""
        coming = self._coming
        if coming or self._refill():
            wait = clock() - coming[0][0]
            if wait >= 0.0:
                if self._idle:
                    self._note(wait, coming[0][0])
                elif wait > self.longest_wait:
                    self.longest_wait = wait
                return coming.popleft()
        slot = gevent.getcurrent()
        self._idle.append(slot)
        try:
            if not self._armed:
                self._arm()
            arrival: Arrival = self._hub.switch()
        except BaseException:
            self._idle.remove(slot)
            raise
        return arrival

    def _expire(self) -> None:
        """Hand out what is due; the hub calls this when the timer does."""
        self._armed = False
        coming, idle = self._coming, self._idle
        now = clock()
        while idle and coming and coming[0][0] <= now:
            arrival = coming.popleft()
            self._note(clock() - arrival[0], arrival[0])
            idle.pop().switch(arrival)
        if idle:
            self._arm()

    def _note(self, lag: float, intended: float) -> None:
        if intended >= self._measured_from:
            self.lags.append(lag)

    def _arm(self) -> None:
        """Set the timer for the next arrival; a busy slot that comes back sees for itself what is due."""
        if self._coming or self._refill():
            self._armed = True
            self._timer.at(self._coming[0][0])
        else:
            self._settle()

    def _refill(self) -> bool:
        """Look further into the schedule; False when it has ended."""
        while not self._coming:
            piece = next(self._pieces, None)
            if piece is None:
                self._exhausted = True
                return False
            self._coming.extend(_arrivals(piece, self._start))
        return True

    def _line(self, coming: deque[Arrival], pieces: Iterator[Schedule]) -> Iterator[Arrival]:
        now = clock()
        while True:
            while coming and coming[0][0] <= now:
                yield coming.popleft()
            piece = None if coming else next(pieces, None)
            if piece is None:
                return
            coming.extend(_arrivals(piece, self._start))

    def _settle(self) -> None:
        if self._running and self._exhausted and not self.busy and not self._coming:
            self._running = False
            self._ended()


def _pieces(blocks: Iterable[Schedule]) -> Iterator[Schedule]:
    for block in blocks:
        for begin in range(0, len(block), PIECE):
            yield block.part(begin, begin + PIECE)


def _arrivals(piece: Schedule, start: float) -> Iterator[Arrival]:
    times = (piece.times + start).tolist()
    return zip(times, piece.scenarios.tolist(), piece.draws.tolist(), piece.numbers.tolist(), strict=True)


def _ignore() -> None:
    """Nobody waits for the end."""
