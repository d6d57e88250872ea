"""How many requests a server bears at once: one more after a good round, half after a bad one."""

import math

#: Requests in flight at first, and at most.
_START, _MOST = 4.0, 64.0
#: A round is bad when answers take so many times what they took at best.
_RISING = 3.0
#: Weight of the newest answer in the running mean of its kind; by how much the best mean drifts upward an answer, so
#: that a server that has slowly become slower is not held to what it once was.
_WEIGHT, _DRIFT = 0.1, 1.0005
#: Seconds to wait after a first 429 or 503 that names no time, and at most.
_PAUSE, _LONGEST_PAUSE = 0.25, 60.0


class Limit:
    """The adaptive limit: additive up, halved on 429, on 503 and on rising latency; pure, the clock comes in.

    Latencies are compared within a kind of request only. A round is as many answers as may be in flight; after a cut
    the answers of those that were in flight already are not held against the server again.
    """

    def __init__(self, most: float = _MOST) -> None:
        self._most = most
        self._allowed = min(_START, most)
        self._mean: dict[str, float] = {}
        self._best: dict[str, float] = {}
        #: Answers until the round ends.
        self._left = self._allowed
        #: Answers to requests that were in flight when the limit was cut.
        self._stale = 0.0
        self._worst = 0.0
        self._busy = 0
        self._until = -math.inf

    @property
    def allowed(self) -> int:
        """Requests that may be in flight."""
        return int(self._allowed)

    def pause(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        return max(0.0, self._until - now)

    def answered(self, kind: str, seconds: float) -> None:
        """Take account of an answer that was no 429 and no 503."""
        self._busy = 0
        seconds = max(seconds, 1e-6)
        mean = self._mean.get(kind, seconds)
        mean += _WEIGHT * (seconds - mean)
        self._mean[kind] = mean
        self._best[kind] = min(self._best.get(kind, mean) * _DRIFT, mean)
        if self._stale > 0:
            self._stale -= 1
            return
        self._worst = max(self._worst, mean / self._best[kind])
        self._left -= 1
        if self._left <= 0:
            self._end_round()

    def refused(self, now: float, retry_after: float | None) -> float:
        """Take account of a 429 or a 503 and return the seconds for which nothing may be sent."""
        pause = min(_LONGEST_PAUSE, _PAUSE * 2.0**self._busy if retry_after is None else retry_after)
        if self._stale <= 0:
            self._busy = min(self._busy + 1, 10)
            self._cut()
        else:
            self._stale -= 1
        self._until = max(self._until, now + pause)
        return pause

    def _end_round(self) -> None:
        if self._worst > _RISING:
            self._cut()
            return
        self._allowed = min(self._most, self._allowed + 1)
        self._left, self._worst = self._allowed, 0.0

    def _cut(self) -> None:
        self._stale = self._allowed
        self._allowed = max(1.0, self._allowed / 2)
        self._left, self._worst = self._allowed, 0.0
