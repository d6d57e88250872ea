"""Token buckets: how many requests a minute somebody may send, and how many at once; no clock, no I/O."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """The tokens of one user or address; a request takes one."""

    #: tokens in it, at most the burst
    tokens: float
    #: when they were counted last, seconds
    counted: float

    def take(self, now: float, per_minute: int, burst: int) -> float:
        """Take a token; return 0, or in how many seconds the next one comes."""
        refill = (now - self.counted) * per_minute / 60
        self.tokens, self.counted = min(self.tokens + refill, burst), now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) * 60 / per_minute


class Limiter:
    """The buckets of one node: they are not shared with others (octopus-facts §1.6)."""

    def __init__(self, largest: int = 10_000) -> None:
        """`largest` is how many users and addresses are told apart."""
        self._largest = largest
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._reported: dict[tuple[str, str], float] = {}

    def take(self, policy: str, who: str, now: float, *, per_minute: int, burst: int) -> int:
        """Count a request under a policy; return 0, or after how many whole seconds to try again."""
        if len(self._buckets) >= self._largest:
            self._buckets.clear()
        bucket = self._buckets.setdefault((policy, who), Bucket(burst, now))
        return math.ceil(bucket.take(now, per_minute, burst))

    def report(self, policy: str, who: str, now: float, every: float) -> bool:
        """Say whether it is time to record that somebody is limited: once in `every` seconds."""
        if now - self._reported.get((policy, who), -math.inf) < every:
            return False
        if len(self._reported) >= self._largest:
            self._reported.clear()
        self._reported[policy, who] = now
        return True

    def clear(self, policy: str) -> None:
        """Start anew under a policy that has changed."""
        for kept in (self._buckets, self._reported):
            for key in [key for key in kept if key[0] == policy]:
                del kept[key]
