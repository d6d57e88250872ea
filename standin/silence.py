"""Silence: how long other nodes have given no sign of life, by this node's own stopwatch; pure."""

from collections.abc import Mapping
from datetime import datetime


class Silence:
    """Watches the signs of life of nodes.

    Times of day alone would not do: when a clock jumps an hour ahead, every node that lives would look dead until its
    next heartbeat, and its tasks would be cancelled.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[datetime | None, float]] = {}

    def watch(self, seen: Mapping[str, datetime | None], now: float, least: float) -> list[str]:
        """Return the nodes whose last sign of life has been the same for `least` seconds of watching.

        `seen` is each node's `LastSeen` as it stands in the database, `now` a stopwatch that never jumps.
        """
        self._last = {
            node: self._last[node] if node in self._last and self._last[node][0] == last else (last, now)
            for node, last in seen.items()
        }
        return [node for node, (_, since) in self._last.items() if now - since >= least]
