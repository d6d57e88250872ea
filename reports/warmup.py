"""Where a warm-up ends: MSER-5 on the average over all trials of an arm (statistics §1.4 step 5).

One trial alone is too noisy to show its own warm-up, so the trials are averaged slice by slice first (Welch 1983) and
the cut is looked for in the average (MSER-5: White, Cobb & Spratt 2000; Hoad, Robinson & Davies 2010).
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics import Floats

#: Slices that are averaged into one batch.
BATCH = 5
#: Seconds of a slice, at most; shorter trials get shorter slices, down to a hundredth of their length.
SLICE = 5.0
#: Fewer batches than this say nothing about where steadiness begins.
FEWEST_BATCHES = 6


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Where the steady part of a trial begins."""

    #: Seconds from the begin of load to steadiness; what the rule found, steady or not.
    seconds: float
    #: Whether the cut lies before half of the trial; at the half, the rule has found no steady part.
    steady: bool
    #: Trials in the average.
    trials: int


def slices(times: Floats, latencies: Floats, length: float) -> Floats:
    """Reduce a trial to the logarithm of its median latency in each slice; NaN where nothing was asked.

    Args:
        times: seconds since the load began, of each request.
        latencies: in seconds, of the same requests.
        length: seconds of load, warm-up included; trials of one experiment share it.
    """
    count = slice_count(length)
    edges = np.linspace(0, length, count + 1)[1:-1]
    order = np.argsort(times, kind="stable")
    parts = np.split(latencies[order], np.searchsorted(times[order], edges))
    return np.array([math.log(max(float(np.median(part)), 1e-6)) if part.size else math.nan for part in parts])


def slice_count(length: float) -> int:
    """How many slices a trial of this length has: 100, or more when they would be longer than five seconds."""
    return max(100, math.ceil(length / SLICE))


def of_arm(trials: Sequence[Floats], length: float) -> WarmUp | None:
    """Find where the trials of one arm become steady; None when they hold too little to tell.

    Args:
        trials: the slices of each trial.
        length: seconds of load of a trial, warm-up included.
    """
    if not trials:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # slices in which no trial asked anything
        average = np.nanmean(np.array(trials), axis=0)
    known = np.flatnonzero(np.isfinite(average))
    if known.size < FEWEST_BATCHES * BATCH:
        return None
    cut, limit = mser(batches(average[known]))
    return WarmUp(float(known[cut * BATCH]) * length / average.size, cut < limit, len(trials))


def batches(values: Floats) -> Floats:
    """Average five values at a time; a rest is left out."""
    whole = values.size // BATCH * BATCH
    return np.asarray(values[:whole].reshape(-1, BATCH).mean(axis=1))


def mser(values: Floats) -> tuple[int, int]:
    """Give the cut that leaves the smallest standard error of the rest, and the largest cut that was allowed.

    k* = argmin over k <= K/2 of sum over i >= k of (z_i - mean_k)^2 / (K - k)^2 (White 1997).
    """
    limit = values.size // 2
    tails = values[::-1]
    count = np.arange(1, values.size + 1)
    squares = np.cumsum(tails**2) - np.cumsum(tails) ** 2 / count
    criterion = (squares / count**2)[::-1]
    return int(np.argmin(criterion[: limit + 1])), limit
