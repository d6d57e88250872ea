"""Arrivals that waited for a slot, and whose fault that was."""

from typing import Final, Literal

#: Seconds that an arrival may wait for a slot before it is spoken of.
LONG_WAIT: Final = 0.5
#: Share of a core from which a generator counts as saturated (statistics §6).
BUSY: Final = 0.80

Cause = Literal["none", "generator", "server"]


def cause(wait: float, cpu: float) -> Cause:
    """Return who kept arrivals waiting.

    Args:
        wait: the longest wait for a slot, in seconds.
        cpu: share of a core that the busiest process of the generator used.
    """
    if wait < LONG_WAIT:
        return "none"
    return "generator" if cpu > BUSY else "server"
