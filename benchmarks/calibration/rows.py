"""One figure of a simulation: what it is, its Monte-Carlo error, and what it is held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    #: What was simulated, such as "typical, p95".
    case: str
    #: What is measured, such as "false alarms".
    what: str
    #: Share or relative error as a number, not in percent; or a value in `unit`.
    value: float
    #: Monte-Carlo standard error of `value`.
    error: float
    #: Simulated experiments.
    runs: int
    #: What the specification says, in words.
    specified: str
    #: Whether it holds; None where nothing is demanded.
    holds: bool | None = None
    #: `%` for shares and relative errors, else the unit of `value`.
    unit: str = "%"


def rate(case: str, what: str, hits: Sequence[bool], specified: str, nominal: float | None = None) -> Row:
    """Reduce hits to a share; with a nominal one it must lie within two standard errors of it."""
    share, error = _share(hits, nominal)
    holds = None if nominal is None else abs(share - nominal) <= 2 * error
    return Row(case, what, share, error, len(hits), specified, holds)


def at_most(case: str, what: str, hits: Sequence[bool], specified: str, limit: float) -> Row:
    """Reduce hits to a share that may pass its limit by two standard errors at most."""
    share, error = _share(hits, limit)
    return Row(case, what, share, error, len(hits), specified, share <= limit + 2 * error)


def at_least(case: str, what: str, hits: Sequence[bool], specified: str, limit: float) -> Row:
    """Reduce hits to a share that may miss its limit by two standard errors at most."""
    share, error = _share(hits, limit)
    return Row(case, what, share, error, len(hits), specified, share >= limit - 2 * error)


def _share(hits: Sequence[bool], nominal: float | None) -> tuple[float, float]:
    share = float(np.mean(hits))
    spread = nominal if nominal is not None else share
    return share, math.sqrt(max(spread * (1 - spread), 1 / (4 * len(hits))) / len(hits))


def mean(case: str, what: str, values: Sequence[float], specified: str, unit: str = "%") -> Row:
    """Reduce values to their mean."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Row(case, what, float(np.mean(values)), error, len(values), specified, unit=unit)


def median(case: str, what: str, values: Sequence[float], specified: str) -> Row:
    """Reduce values to their median; its error is 1.25 times that of a mean, as for normal values."""
    finite = [value for value in values if math.isfinite(value)]
    error = 1.2533 * float(np.std(finite, ddof=1)) / math.sqrt(len(finite)) if len(finite) > 1 else math.nan
    return Row(case, what, float(np.median(values)), error, len(values), specified)


def spread(case: str, what: str, values: Sequence[float], specified: str) -> Row:
    """Reduce values to their standard deviation."""
    deviation = float(np.std(values, ddof=1))
    return Row(case, what, deviation, deviation / math.sqrt(2 * (len(values) - 1)), len(values), specified)
