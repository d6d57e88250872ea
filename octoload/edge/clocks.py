"""How far clocks are apart: a worker's from the master's by ping-pong, a server's from ours by what it stamped."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

#: Seconds by which a server's time may be off as it writes it: Octopus gives thousandths.
STAMP_STEP: Final = 0.001
#: Seconds by which the Date header may lie behind: it has whole seconds, and web servers renew its text but once a
#: second (Kestrel's heartbeat, uvicorn's tick). More calls so never bound a clock to less than a second.
DATE_LAG: Final = 2.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message to and fro: NTP's four timestamps (RFC 5905 §8), in seconds."""

    #: Our clock when it left.
    sent: float
    #: Their clock when it arrived there.
    received: float
    #: Their clock when the answer left.
    answered: float
    #: Our clock when the answer was here.
    returned: float

    @property
    def round_trip(self) -> float:
        """Seconds on the way, both ways together."""
        return (self.returned - self.sent) - (self.answered - self.received)

    @property
    def offset(self) -> float:
        """Their clock minus ours if both ways took equally long; else at most half the round trip off."""
        return ((self.received - self.sent) + (self.answered - self.returned)) / 2


class Offset(msgspec.Struct, frozen=True):
    """A clock against ours."""

    #: Theirs minus ours, in seconds.
    value: float = 0.0
    #: The truth lies at most so many seconds beside it.
    uncertainty: float = 0.0


def best(exchanges: Iterable[Exchange]) -> Offset:
    """Return what the quickest of some exchanges says: the less time on the way, the less doubt.

    Raises:
        ValueError: there is none.
    """
    quickest = min(exchanges, key=lambda exchange: exchange.round_trip)
    return Offset(quickest.offset, max(quickest.round_trip, 0.0) / 2)


class Bound(msgspec.Struct, frozen=True):
    """Between which seconds a server's clock minus ours lies; no clock does both when `low` is above `high`."""

    low: float
    high: float
    #: Calls that say so.
    calls: int = 1

    def meet(self, other: "Bound") -> "Bound":
        """Return what holds when both do."""
        return Bound(max(self.low, other.low), min(self.high, other.high), self.calls + other.calls)

    def shift(self, seconds: float, doubt: float = 0.0) -> "Bound":
        """Return the same against a clock that is `seconds` behind ours, give or take `doubt`."""
        return Bound(self.low + seconds - doubt, self.high + seconds + doubt, self.calls)


def bound(sent: float, received: float, stamp: float, step: float = STAMP_STEP) -> Bound:
    """Return what one call says (statistics §6): the server stamped its answer after we sent and before we received.

    `stamp` is the server's time, at most `step` seconds off to either side.
    """
    return Bound(stamp - step - received, stamp + step - sent)


def by_date(sent: float, received: float, header: str) -> Bound | None:
    """Return what the Date header of one answer says; None when it is missing or no date."""
    try:
        stamp = parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None
    return bound(sent, received, stamp + DATE_LAG / 2, DATE_LAG / 2)


class Bounds:
    """What the calls to several nodes say, node by node."""

    def __init__(self) -> None:
        self.nodes: dict[str, Bound] = {}

    def add(self, node: str, found: Bound) -> None:
        """Take one more call, or several, into account."""
        known = self.nodes.get(node)
        self.nodes[node] = known.meet(found) if known else found
