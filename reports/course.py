"""How a trial went, bin by bin of its time: requests, latencies, tasks and hosts, small enough to be drawn."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.summaries import SHARE, Floats, Samples

Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

#: Requests that a quantile is taken of at least: one or more lie beyond it then.
FEWEST = {"p50": 5, "p95": 20}
#: Where bins hold few, neighbours are taken along until there are about this many times as many, to leave few gaps.
_ENOUGH = 1.5
#: Bins at most that a quantile is taken of.
_WIDEST = 15
#: Bins of a trial at most, and of all trials of a run together: a page stays below a megabyte.
MOST_BINS, ALL_BINS = 240, 6_000
#: Lengths of a bin in seconds; the shortest that leaves few enough is taken.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
#: Seconds between which latencies are told apart.
_SHORTEST, _LONGEST = 1e-6, 1e5
#: Bits of a float32 that are dropped: its exponent and 6 bits are left, steps of 0.8 to 1.6 %.
_DROPPED = 17


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of equal length over a trial."""

    #: Unix time at which the first begins.
    begin: float
    #: Seconds of each.
    step: float
    #: How many there are.
    count: int

    @property
    def edges(self) -> Floats:
        """Bounds of the bins in seconds from the begin, one more than bins."""
        return self.step * np.arange(self.count + 1, dtype=np.float64)

    def place(self, times: Floats) -> Places:
        """Give the number of each Unix time's bin, from 1; what lies before is 0, what lies behind count + 1."""
        inside = times - self.begin  # in place from here on: a report holds ten million of them
        inside *= 1 / self.step
        inside += 1.0
        return np.clip(inside, 0, self.count + 1, out=inside).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Curve:
    """A latency quantile over time."""

    #: Seconds around the middle of each bin whose requests it is taken of: a bin, or an odd number of them.
    window: float
    #: Seconds, by intended time; NaN where there are too few requests.
    values: Floats


@dataclass(frozen=True, slots=True)
class Flow:
    """The requests of a trial in each bin, warm-up included."""

    grid: Grid
    #: Requests by their intended time.
    wanted: Counts
    #: Those of them that failed.
    failed: Counts
    #: Answers without a failure, by the time at which they were complete.
    answered: Counts
    #: Operation -> quantile -> its curve; "" is all operations together.
    latencies: dict[str, dict[str, Curve]]


def grid(begin: float, until: float, trials: int) -> Grid:
    """Lay bins over a trial from one Unix time to another; `trials` is how many the run has."""
    length, most = max(until - begin, 1.0), min(MOST_BINS, max(8, ALL_BINS // max(trials, 1)))
    step = next((step for step in _STEPS if length / step <= most), math.ceil(length / most))
    return Grid(begin, float(step), math.ceil(round(length / step, 6)))


def flow(bins: Grid, parts: Sequence[Samples], shown: Sequence[str], closed: Collection[str]) -> Flow:
    """Reduce the phases of a trial in one pass; `shown` have latencies of their own, `closed` loops are in none of all.

    Latencies are counted in steps of at most 1.6 %, so that no sorting is needed: this is a picture, no result.
    """
    failed, answered = (np.zeros(bins.count + 2, np.int64) for _ in range(2))
    for part in parts:
        amiss = np.flatnonzero(part.failed)  # few: so the answers without a failure are all but these
        failed += np.bincount(bins.place(part.intended.take(amiss)), minlength=bins.count + 2)
        answered += np.bincount(bins.place(part.done), minlength=bins.count + 2)
        answered -= np.bincount(bins.place(part.done.take(amiss)), minlength=bins.count + 2)
    tally, lowest = _tally(bins, parts, shown, closed)
    in_all = [place for place, name in enumerate(("", *shown)) if name not in closed]
    tallies = {"": tally[in_all].sum(axis=0), **dict(zip(shown, tally[1:-1], strict=True))}
    inner = slice(1, -1)
    latencies = {name: _curves(bins, found[inner], lowest) for name, found in tallies.items()}
    return Flow(bins, tally.sum(axis=(0, 2))[inner], failed[inner], answered[inner], latencies)


def _tally(bins: Grid, parts: Sequence[Samples], shown: Sequence[str], closed: Collection[str]) -> tuple[Counts, int]:
    """Count requests by group, bin and level of latency; return the counts and the level of the first column.

    Groups are the operations on schedule that are not shown, each that is, and closed loops that are not.
    """
    levels = [_level(part.latency) for part in parts]
    lowest = min((int(one.min()) for one in levels if one.size), default=0)
    count = max((int(one.max()) for one in levels if one.size), default=0) - lowest + 1
    shape = (len(shown) + 2, bins.count + 2, count)
    tally = np.zeros(math.prod(shape), np.int64)
    for part, cells in zip(parts, levels, strict=True):  # cells begin as levels, and are changed in place
        groups = [shown.index(name) + 1 if name in shown else -1 * (name in closed) for name in part.names]
        first = np.array([group % shape[0] for group in groups], np.int32) * np.int32(shape[1] * count)
        np.subtract(cells, lowest, out=cells)
        np.add(cells, bins.place(part.intended) * np.int32(count), out=cells)
        np.add(cells, first.take(part.kind), out=cells)
        tally += np.bincount(cells, minlength=tally.size)
    return tally.reshape(shape), lowest


def _level(latency: Floats) -> Places:
    """Give the level of each latency on a scale of about equal ratios: the leading bits of a float are one."""
    bits = latency.astype(np.float32).view(np.int32)
    bits >>= _DROPPED
    return np.clip(bits, _LOWEST, _HIGHEST, out=bits)


def _bits(seconds: float) -> int:
    return int(np.float32(seconds).view(np.int32) >> _DROPPED)


_LOWEST, _HIGHEST = _bits(_SHORTEST), _bits(_LONGEST)


def _curves(bins: Grid, tally: Counts, lowest: int) -> dict[str, Curve]:
    """Read quantiles off the counts of each bin (a row) and level (a column)."""
    reached, each = np.cumsum(tally, axis=1), tally.sum() / bins.count
    middles = ((np.arange(tally.shape[1], dtype=np.int32) + lowest) << _DROPPED) + (1 << (_DROPPED - 1))
    seconds = middles.astype(np.int32).view(np.float32).astype(np.float64)
    found = {}
    for name, fewest in FEWEST.items():
        reach = min(_WIDEST // 2, math.ceil((_ENOUGH * fewest / each - 1) / 2)) if each else 0
        wide = _moving(reached, reach)
        level = np.argmax(wide > (SHARE[name] * (wide[:, -1:] - 1)), axis=1)
        found[name] = Curve((2 * reach + 1) * bins.step, np.where(wide[:, -1] >= fewest, seconds[level], np.nan))
    return found


def _moving(rows: Counts, reach: int) -> Counts:
    """Add to each row so many neighbours to either side; the first and the last have fewer."""
    if not reach:
        return rows
    total = np.concatenate([np.zeros((1, rows.shape[1]), np.int64), np.cumsum(rows, axis=0)])
    place = np.arange(len(rows))
    return np.asarray(total[np.minimum(place + reach + 1, len(rows))] - total[np.maximum(place - reach, 0)])


def under_way(bins: Grid, begins: Floats, ends: Floats) -> Floats:
    """Give the mean number of what is under way in each bin; what has no end is NaN in `ends` and lasts for ever."""
    passed = [_passed(bins, times[np.isfinite(times)]) for times in (begins, ends)]
    return np.maximum(np.diff(passed[0] - passed[1]) / bins.step, 0.0)


def _passed(bins: Grid, times: Floats) -> Floats:
    """Add up, at each bound of a bin, the seconds that have passed since each of the times before it."""
    ordered = np.sort(times - bins.begin)
    sums = np.concatenate([np.zeros(1), np.cumsum(ordered)])
    number = np.searchsorted(ordered, bins.edges)
    return np.asarray(number * bins.edges - sums[number])


def rate(bins: Grid, at: Floats, total: Floats) -> Floats:
    """Give how much a growing total, read at some Unix times, grew a second in each bin; NaN where nobody read it."""
    read = np.interp(bins.edges, at - bins.begin, total, left=np.nan, right=np.nan)
    return np.asarray(np.diff(read) / bins.step)
