"""The formulas: paired t on log-ratios, Hodges-Lehmann, Holm, equivalence, order, mix and trend.

Pure: numbers in, numbers out. "statistics §" names the specification; every formula gives its own source as well.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

#: A sample must hold this many values beyond a quantile before the quantile means something (statistics §1.4).
BEYOND = 10
#: The exact Wilcoxon interval at 95 % does not exist below this many pairs (statistics §2.3).
FEWEST_FOR_RANKS = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its two-sided interval, all in the unit of what was given."""

    #: The estimate.
    estimate: float
    #: Lower limit; NaN when no interval exists.
    low: float
    #: Upper limit; NaN when no interval exists.
    high: float


@dataclass(frozen=True, slots=True)
class Untold:
    """What the data cannot say: given in place of a number that would not mean anything."""

    #: Why not, as the end of a sentence: "one round was measured, and an interval needs two".
    reason: str


@dataclass(frozen=True, slots=True)
class PairedT:
    """What n paired differences say about their mean; in the unit of the differences."""

    #: How many pairs.
    pairs: int
    #: Mean of the differences.
    mean: float
    #: Their standard deviation (n - 1).
    sd: float
    #: Two-sided p of "the mean is 0".
    p: float

    def margin_of_error(self, one_sided: float) -> float:
        """Distance from the mean to its one-sided limit at this level, such as 0.975."""
        return t_quantile(one_sided, self.pairs - 1) * self.sd / math.sqrt(self.pairs)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Two-sided Student interval."""
        half = self.margin_of_error((1 + confidence) / 2)
        return Interval(self.mean, self.mean - half, self.mean + half)


def t_quantile(probability: float, degrees: float) -> float:
    """Quantile of Student's t."""
    return float(special.stdtrit(degrees, probability))


def t_tail(statistic: float, degrees: float) -> float:
    """Two-sided p of a t statistic."""
    return float(2 * special.stdtr(degrees, -abs(statistic)))


def paired_t(differences: Sequence[float] | Floats) -> PairedT:
    """Test the mean of paired differences; ratios come as log-ratios (statistics §2.9; Student 1908).

    Raises:
        ValueError: there are fewer than two differences, or one is no finite number.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.size < 2 or not np.isfinite(d).all():
        raise ValueError("a paired test needs two pairs, and numbers in each")
    mean, sd = float(d.mean()), float(d.std(ddof=1))
    return PairedT(d.size, mean, sd, _two_sided(mean, sd / math.sqrt(d.size), d.size - 1))


def _two_sided(mean: float, standard_error: float, degrees: int) -> float:
    """Two-sided p of a t statistic; differences that do not vary decide by their mean alone."""
    if standard_error == 0:
        return 1.0 if mean == 0 else 0.0
    return t_tail(mean / standard_error, degrees)


def hodges_lehmann(differences: Sequence[float] | Floats, confidence: float = 0.95) -> Interval:
    """Median of the Walsh averages, with the exact Wilcoxon interval (Hollander & Wolfe, §3.2 and §3.3).

    The interval runs from the k-th smallest to the k-th largest average; below six pairs none exists at 95 %.
    """
    d = np.asarray(differences, dtype=np.float64)
    rows, columns = np.triu_indices(d.size)
    walsh = np.sort((d[rows] + d[columns]) / 2)
    k = _wilcoxon_rank(d.size, round((1 - confidence) / 2, 12))
    if k == 0:
        return Interval(float(np.median(walsh)), math.nan, math.nan)
    return Interval(float(np.median(walsh)), float(walsh[k - 1]), float(walsh[-k]))


@functools.lru_cache(maxsize=256)
def _wilcoxon_rank(pairs: int, tail: float) -> int:
    """Largest k with P(W+ <= k - 1) <= tail; 0 when there is none.

    W+ is the sum of a random subset of the ranks 1..n, so its exact null distribution is a product of (1 + x^rank).
    """
    ways = np.ones(1)
    for rank in range(1, pairs + 1):
        ways = np.convolve(ways, np.r_[0.5, np.zeros(rank - 1), 0.5])
    return int(np.searchsorted(np.cumsum(ways), tail, side="right"))


def cliffs_delta(baseline: Sequence[float] | Floats, contender: Sequence[float] | Floats) -> float:
    """Share of (baseline, contender) couples where the contender is larger, less those where it is smaller.

    Between -1 and 1; for readers, no test comes from it (Cliff 1993; statistics §2.9).
    """
    a, b = np.asarray(baseline), np.asarray(contender)
    return float(np.sign(b[:, None] - a[None, :]).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of endpoints that all decide, so that one false claim in the family stays at 5 % (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Turn p-values of exploratory endpoints into q-values (Benjamini & Hochberg 1995)."""
    count = len(p_values)
    adjusted = [0.0] * count
    running = 1.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__, reverse=True)):
        running = min(running, p_values[index] * count / (count - rank))
        adjusted[index] = running
    return adjusted


def equivalent(t: PairedT, margin: float, alpha: float = 0.05) -> bool:
    """Say whether both one-sided limits (95 % unless told) lie within the margin: TOST (Schuirmann 1987)."""
    limits = t.interval(1 - 2 * alpha)
    return -margin < limits.low and limits.high < margin


def no_worse(t: PairedT, margin: float, alpha: float = 0.05) -> bool:
    """Say whether the upper one-sided limit (95 % unless told) lies below the margin; larger is worse."""
    return t.mean + t.margin_of_error(1 - alpha) < margin


def order_effect(differences: Sequence[float] | Floats, baseline_first: Sequence[bool]) -> float:
    """Test whether pairs with the baseline first differ from the others: carry-over or drift (statistics §1.4 step 6).

    Two-sample t with a pooled variance; NaN when one of the orders has no pair or three pairs are not there.
    """
    d, first = np.asarray(differences, dtype=np.float64), np.asarray(baseline_first, dtype=np.bool_)
    a, b = d[first], d[~first]
    degrees = a.size + b.size - 2
    if min(a.size, b.size) == 0 or degrees < 1:
        return math.nan
    squares = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    error = math.sqrt(squares / degrees * (1 / a.size + 1 / b.size))
    return _two_sided(float(a.mean() - b.mean()), error, degrees)


def same_mix(baseline: Sequence[int], contender: Sequence[int]) -> float:
    """Test whether two arms received the same mix of operations: chi-square of homogeneity (Pearson 1900)."""
    table = np.array([baseline, contender], dtype=np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(special.chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))


def trend(times: Floats, values: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the change of `values` from the first to the last of `times`, which ascend: Theil-Sen (Sen 1968)."""
    rows, columns = np.triu_indices(times.size, k=1)
    apart = times[columns] > times[rows]
    slopes = np.sort((values[columns] - values[rows])[apart] / (times[columns] - times[rows])[apart])
    variance = times.size * (times.size - 1) * (2 * times.size + 5) / 18
    spread = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    low = max(0, math.floor((slopes.size - spread) / 2))
    high = min(slopes.size - 1, math.ceil((slopes.size + spread) / 2))
    length = float(times[-1] - times[0])
    return float(slopes[low]) * length, float(slopes[high]) * length


def carried_quantile(count: int) -> float:
    """Give the highest of p50, p90, p95 and p99 that a sample of this size carries, by the 10/(1-p) rule."""
    return next((q for q in (0.99, 0.95, 0.90) if count * (1 - q) >= BEYOND - 1e-9), 0.50)
