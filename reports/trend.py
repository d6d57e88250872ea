"""Changes in a series of results over many runs: where the level moved, and by how much.

Binary segmentation with the largest two-sample t as statistic; its p comes from permutations with a fixed seed, so the
same series gives the same marks (the idea of MongoDB's and Hunter's change points, statistics §2.1).
"""

import itertools
import math
from collections.abc import Sequence

import msgspec
import numpy as np

from reports.statistics import Floats

#: Values on either side of a change, at least.
SIDE = 3
#: A change is marked below this p.
ALPHA = 0.01
#: Permutations that make up the null distribution.
PERMUTATIONS = 1999
_SEED = 21


class Change(msgspec.Struct, frozen=True):
    """A point at which the level of a series moved."""

    #: Position of the first value of the new level, from 0.
    index: int
    #: Level after it over the level before, for a series of logarithms of ratios or latencies.
    factor: float
    p: float


def changes(values: Sequence[float], seed: int = _SEED) -> list[Change]:
    """Mark the changes of a series of logarithms, in their order; a series that is too short has none."""
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError("a series of results holds numbers only")
    points = sorted(_split(series, 0, np.random.default_rng(seed)))
    edges = [0, *(index for index, _ in points), series.size]
    levels = [float(series[a:b].mean()) for a, b in itertools.pairwise(edges)] if series.size else []
    return [Change(index, math.exp(levels[number + 1] - levels[number]), p) for number, (index, p) in enumerate(points)]


def _split(series: Floats, offset: int, generator: np.random.Generator) -> list[tuple[int, float]]:
    """Find (position, p) of the changes of a part of the series."""
    if series.size < 2 * SIDE or series.std() == 0:
        return []
    shuffled = generator.permuted(np.tile(series, (PERMUTATIONS, 1)), axis=1)
    found = _statistic(series[None, :])
    p = (1 + int((_statistic(shuffled).max(axis=1) >= found.max() - 1e-12).sum())) / (1 + PERMUTATIONS)
    if p >= ALPHA:
        return []
    here = SIDE + int(found[0].argmax())
    before, after = _split(series[:here], offset, generator), _split(series[here:], offset + here, generator)
    return [*before, (offset + here, p), *after]


def _statistic(rows: Floats) -> Floats:
    """Two-sample |t| of every split that leaves enough values on either side; one row a series."""
    size = rows.shape[1]
    left = np.arange(SIDE, size - SIDE + 1)
    sums, squares = rows.cumsum(axis=1), (rows**2).cumsum(axis=1)
    a, b = sums[:, left - 1], sums[:, -1:] - sums[:, left - 1]
    within = squares[:, -1:] - a**2 / left - b**2 / (size - left)
    error = np.sqrt(np.maximum(within, 1e-24) / (size - 2) * (1 / left + 1 / (size - left)))
    return np.asarray(np.abs(a / left - b / (size - left)) / error)
