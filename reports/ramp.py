"""API capacity by ramp, trials and a logit fit: the highest rate at which 95 % of answers come in time.

Pure: `next_rate` decides the next trial from those that were run, `capacity` says what they show (statistics §4.3).
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy import special

from reports.statistics import Floats, Untold

#: Share of requests that may take longer than the objective.
OVER = 0.05
#: The ramp begins at this share of a guess and rises by this factor.
BEGIN, STEP = 0.45, 1.15
#: A trial has failed when more requests than this fail, or less than this share of what was offered is served.
ERRORS, SERVED = 0.01, 0.97
#: Trials of the ramp at most: two decades.
LONGEST_RAMP = 34
#: Trials that a search usually takes, when the guess is right.
USUAL_STEPS = 15
#: The last three trials lie at the fitted rate and this far to either side.
AROUND = 0.04
#: Variance of a trial's logit that is not sampling: the machine's own (statistics §4.3).
BETWEEN = 0.5
#: A log-odds slope below this is no saturation (statistics §4.3).
FLATTEST = 3.0
#: Passes of the reweighted fit.
_PASSES = 25


class RampTrial(msgspec.Struct, frozen=True):
    """One trial at a constant rate."""

    #: Requests a second that were offered.
    rate: float
    requests: int
    #: Requests that took longer than the objective, or failed.
    over: int
    #: Share of requests that failed.
    errors: float
    #: Served as a share of what was offered.
    served: float
    #: Latency quantiles in seconds; None where too few requests carry them, or of a run that did not keep them.
    p50: float | None = None
    p95: float | None = None

    @property
    def failed(self) -> bool:
        """Whether the server could not keep the objective at this rate."""
        return self.over > OVER * self.requests or self.errors > ERRORS or self.served < SERVED


class ApiCapacity(msgspec.Struct, frozen=True):
    """What the trials show."""

    #: Requests a second at which 5 % of requests take longer than the objective.
    per_second: float
    #: Slope of the log-odds of being late in the logarithm of the rate.
    slope: float
    trials: int


def next_rate(trials: Sequence[RampTrial], guess: float) -> float | Untold | None:
    """Give the rate of the next trial; None when the search is finished, Untold when it cannot be.

    The ramp rises by 15 % from 0.45 of the guess until a rate fails twice; with that repetition three trials lie at the
    ends and the middle of its last step, and three more around the rate that is fitted to those.
    """
    ramp, later = trials[: _ramp(trials)], trials[_ramp(trials) :]
    if not ramp:
        return BEGIN * guess
    if not ramp[-1].failed:
        above = Untold("the server kept the objective at every rate; begin at a higher guess")
        return above if len(ramp) >= LONGEST_RAMP else ramp[-1].rate * STEP
    if len(ramp) == 1 and later:
        return Untold("the server failed at the first rate; begin at a lower guess")
    high = ramp[-1].rate
    low = ramp[-2].rate if len(ramp) > 1 else high / STEP
    return _around(later, low, high) if len(later) < 6 else None


def _around(later: Sequence[RampTrial], low: float, high: float) -> float | Untold:
    """Give the rate of the next of the six trials that follow the ramp, whose last step is `low` to `high`."""
    if len(later) < 3:
        return (high, low, math.sqrt(low * high))[len(later)]
    found = fit(later[:3])
    if isinstance(found, Untold):
        return found
    # Three trials may point far away; the ramp has seen that the rate lies no more than a step outside its last one.
    return min(max(found.per_second, low / STEP), high * STEP) * (1 + AROUND * (len(later) - 4))


def _ramp(trials: Sequence[RampTrial]) -> int:
    """How many trials the ramp has: up to the first that failed and, if it was repeated at once, failed again."""
    for number, trial in enumerate(trials, start=1):
        if trial.failed and (number == len(trials) or trials[number].failed):
            return number
    return len(trials)


def capacity(trials: Sequence[RampTrial]) -> ApiCapacity | Untold:
    """Say what a finished search shows; the ramp only found the place, for far below it the curve is not straight."""
    return fit(trials[_ramp(trials) :])


def fit(trials: Sequence[RampTrial]) -> ApiCapacity | Untold:
    """Fit logit(share late) = a + b ln(rate) and give the rate at 5 %.

    The logit of a trial is that of (k + 0.5) / (n + 1); its weight is 1 / (1 / (n p q) + 0.5) with p from the fit.
    """
    used = [trial for trial in trials if trial.requests > 0 and trial.rate > 0]
    if len({trial.rate for trial in used}) < 3:
        return Untold(f"a capacity needs trials with requests at three rates, and there are {len(used)} in all")
    rate = np.log([trial.rate for trial in used])
    count = np.array([trial.requests for trial in used], dtype=np.float64)
    late = np.array([min(trial.over, trial.requests) for trial in used], dtype=np.float64)
    seen = special.logit((late + 0.5) / (count + 1))
    shares, a, b = special.expit(seen), 0.0, FLATTEST
    for _ in range(_PASSES):
        weights = 1 / (1 / np.maximum(count * shares * (1 - shares), 1e-9) + BETWEEN)
        a, b = _line(rate, seen, weights)
        shares = special.expit(a + b * rate)
    return ApiCapacity(math.exp((special.logit(OVER) - a) / b), b, len(used))


def _line(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted least squares of a line that rises at least as steeply as saturation does."""
    x_mean, y_mean = np.average(x, weights=weights), np.average(y, weights=weights)
    slope = float((weights * (x - x_mean) * (y - y_mean)).sum() / (weights * (x - x_mean) ** 2).sum())
    slope = max(slope, FLATTEST)
    return float(y_mean - slope * x_mean), slope
