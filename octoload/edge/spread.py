"""A distribution that grows while a trial runs: its percentiles at any moment, at the price of counting."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Seconds of the first bucket, the ratio of a bucket to the one before, and how many there are: up to 10,000 s.
SHORTEST: Final = 1e-6
STEP: Final = 1.005
BUCKETS: Final = math.ceil(math.log(1e10) / math.log(STEP))


class Spread:
    """Latencies counted by logarithmic buckets half a percent wide, whatever their number."""

    def __init__(self) -> None:
        self._counts = np.zeros(BUCKETS, np.int64)

    def add(self, seconds: NDArray[np.float64]) -> None:
        """Count some more."""
        places = np.log(np.maximum(seconds, SHORTEST) / SHORTEST) / math.log(STEP)
        self._counts += np.bincount(np.minimum(places.astype(np.int64), BUCKETS - 1), minlength=BUCKETS)

    def percentile(self, share: float) -> float | None:
        """Return the value below which `share` of them lie, a quarter percent off at most; None when there is none."""
        total = int(self._counts.sum())
        if not total:
            return None
        rank = max(1, math.ceil(share * total))
        place = int(np.searchsorted(np.cumsum(self._counts), rank))
        return SHORTEST * float(STEP ** (place + 0.5))
