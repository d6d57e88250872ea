"""Machines that are not quiet, simulated: the three noise profiles in which procedures must prove themselves.

All factors are logarithms: a value of 0.1 makes every latency of that moment about 10 % longer.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import signal

from reports.statistics import Floats


@dataclass(frozen=True, slots=True)
class Profile:
    """How much a machine wavers (statistics §1.2)."""

    #: Standard deviation of the slow wave (600 s).
    slow: float
    #: Standard deviation of the medium wave (30 s).
    medium: float
    #: Factor of a burst of 20 s, one every 5 minutes on average; 1 is none.
    burst: float
    #: Standard deviation of what a restart of the server changes.
    restart: float


PROFILES = {
    "quiet": Profile(0.02, 0.03, 1.0, 0.005),
    "typical": Profile(0.08, 0.08, 1.5, 0.02),
    "noisy": Profile(0.20, 0.15, 2.5, 0.05),
}
SLOW, MEDIUM, BURST, BETWEEN_BURSTS = 600.0, 30.0, 20.0, 300.0


def environment(profile: Profile, machines: int, steps: int, step: float, generator: np.random.Generator) -> Floats:
    """Simulate the noise of some machines, one a row, over time; restarts are not in it.

    Args:
        profile: which kind of machine.
        machines: how many, independent of each other.
        steps: moments in time.
        step: seconds from one to the next.
        generator: where the randomness comes from.
    """
    shape = (machines, steps)
    waves = _wave(profile.slow, SLOW / step, shape, generator) + _wave(profile.medium, MEDIUM / step, shape, generator)
    return waves + math.log(profile.burst) * _bursts(shape, step, generator)


def _wave(deviation: float, steps: float, shape: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Ornstein-Uhlenbeck process that forgets itself over so many steps, begun in its stationary state."""
    keep = math.exp(-1 / steps)
    shocks = generator.normal(0, deviation * math.sqrt(1 - keep * keep), shape)
    shocks[:, 0] = generator.normal(0, deviation, shape[0])
    return np.asarray(signal.lfilter([1.0], [1.0, -keep], shocks, axis=1))


def _bursts(shape: tuple[int, int], step: float, generator: np.random.Generator) -> Floats:
    """Say when a burst is under way: 1 or 0."""
    length = max(1, round(BURST / step))
    begins = generator.uniform(size=(shape[0], shape[1] + length)) < step / BETWEEN_BURSTS
    begun = np.cumsum(begins, axis=1, dtype=np.int64)
    under_way = begun[:, length:] - begun[:, :-length]
    return np.asarray(under_way > 0, dtype=np.float64)
