"""The task queue as a model: M/G/c by replay of measured run times, with the textbook formula beside it.

c slots are the sum of the nodes' task caps; tasks start in the order in which they were queued (statistics §5.2).
"""

import heapq
import math
from collections.abc import Sequence

import msgspec
import numpy as np

from reports.statistics import Floats, Untold

#: Tasks of a replay, and the share at its begin that is left out because the queue is still empty.
TASKS, FILLING = 120_000, 0.1
#: Tasks and relative width of the bracket of each pass: a rough one first.
_PASSES = ((TASKS // 10, 1.02), (TASKS, 1.002))
#: Share of tasks that may wait longer than the objective.
OVER = 0.05
#: A capacity is looked for between these utilisations.
_IDLE, _FULL = 0.02, 0.999
_SEED = 52


class Line(msgspec.Struct, frozen=True):
    """What the textbook expects of a queue; a plausibility line, never a result (statistics §5.2)."""

    #: Share of the slots' time that is used; at 1 and above the queue grows for ever.
    utilisation: float
    #: Chance that a task finds no free slot (Erlang C).
    waiting: float
    #: Mean wait in seconds (Allen-Cunneen).
    mean: float
    #: Wait in seconds that 95 % of tasks stay below.
    p95: float


def waits(arrivals: Floats, services: Floats, slots: int) -> Floats:
    """Replay a queue: seconds that each task waits for one of `slots`, first come, first served.

    Args:
        arrivals: times in seconds at which tasks are queued, ascending.
        services: seconds that each runs.
        slots: how many run at once.
    """
    free = [-math.inf] * slots
    waited = []
    for arrival, service in zip(arrivals.tolist(), services.tolist(), strict=True):
        start = max(arrival, free[0])
        heapq.heapreplace(free, start + service)
        waited.append(start - arrival)
    return np.array(waited)


def highest_rate(services: Sequence[float] | Floats, slots: int, objective: float, seed: int = _SEED) -> float | Untold:
    """Highest Poisson rate (tasks a second) at which at most 5 % of tasks wait longer than the objective.

    Replays the measured run times, drawn anew with replacement; the same draws serve every rate, so that the share
    over the objective rises with the rate, and halving finds where it passes 5 % (statistics §4.3 step 3).

    Args:
        services: measured run times in seconds.
        slots: how many run at once.
        objective: seconds that 95 % of tasks must wait less than.
        seed: of arrivals and draws.
    """
    measured = np.asarray(services, dtype=np.float64)
    if fault := _fault(measured, slots, objective):
        return Untold(fault)
    gaps, drawn = _draws(measured, seed)
    full = slots / float(drawn.mean())
    low, high, found = _IDLE * full, _FULL * full, 0.0
    for tasks, width in _PASSES:
        arrivals, services = np.cumsum(gaps[:tasks]), drawn[:tasks]
        while _late(arrivals / low, services, slots, objective) > OVER:
            low /= 1.3
            if low < _IDLE * full:
                return Untold(f"even with {_IDLE:.0%} of the slots' time in use more than 5 % wait too long")
        while high / low > width:
            middle = math.sqrt(low * high)
            over = _late(arrivals / middle, services, slots, objective) > OVER
            low, high = (low, middle) if over else (middle, high)
        found = low
        low, high = low / 1.1, min(high * 1.1, _FULL * full)
    return found


def late_share(
    services: Sequence[float] | Floats, slots: int, rate: float, objective: float, seed: int = _SEED
) -> float | Untold:
    """Share of tasks that wait longer than the objective when `rate` of them arrive a second; 1 beyond the slots."""
    measured = np.asarray(services, dtype=np.float64)
    if fault := _fault(measured, slots, objective):
        return Untold(fault)
    if not rate > 0:
        return Untold("a rate above 0 is needed")
    gaps, drawn = _draws(measured, seed)
    return _late(np.cumsum(gaps) / rate, drawn, slots, objective) if rate * drawn.mean() < slots else 1.0


def _fault(measured: Floats, slots: int, objective: float) -> str:
    if measured.size < 2 or not (np.isfinite(measured).all() and (measured > 0).all()):
        return "there are no two run times above 0 to replay"
    return "" if slots >= 1 and objective > 0 else "a queue needs a slot and an objective above 0 s"


def _draws(measured: Floats, seed: int) -> tuple[Floats, Floats]:
    """Draw gaps at a rate of 1 and run times."""
    generator = np.random.default_rng(seed)
    return generator.exponential(1.0, TASKS), generator.choice(measured, TASKS)


def _late(arrivals: Floats, services: Floats, slots: int, objective: float) -> float:
    """Share of tasks that wait longer than the objective, once the queue has filled."""
    waited = waits(arrivals, services, slots)
    return float((waited[round(waited.size * FILLING) :] > objective).mean())


def erlang_c(load: float, slots: int) -> float:
    """Chance that a task must wait when arrivals are Poisson and run times exponential (Erlang 1917).

    `load` is the rate times the mean run time; at or above `slots` everyone waits.
    """
    if load >= slots:
        return 1.0
    blocked = 1.0
    for slot in range(1, slots + 1):
        blocked = load * blocked / (slot + load * blocked)
    utilisation = load / slots
    return blocked / (1 - utilisation + utilisation * blocked)


def allen_cunneen(rate: float, services: Sequence[float] | Floats, slots: int, arrival_cv: float = 1.0) -> Line:
    """Expect waits by the formula Wq = C E[S] / (c (1 - rho)) (ca^2 + cs^2) / 2 (Allen 1990, §5.4.2).

    Within -11 and +14 % of the truth for run times with a CV up to 1; up to 51 % too high at a CV of 2 (statistics
    §5.2). `rate` is in tasks a second.
    """
    s = np.asarray(services, dtype=np.float64)
    mean, cv = float(s.mean()), float(s.std() / s.mean())
    utilisation = rate * mean / slots
    waiting = erlang_c(rate * mean, slots)
    if utilisation >= 1:
        return Line(utilisation, 1.0, math.inf, math.inf)
    wait = waiting * mean / (slots * (1 - utilisation)) * (arrival_cv**2 + cv**2) / 2
    tail = max(0.0, wait / waiting * math.log(waiting / 0.05)) if waiting > 0 else 0.0
    return Line(utilisation, waiting, wait, tail)


def dispatch_doubt(measured_p95: float, replayed_p95: float) -> str:
    """Say when tasks do not wait as they would for c slots in order; empty when they do (statistics §5.2).

    A ratio outside 0.5 to 2 speaks against first come, first served with c slots.
    """
    if not (measured_p95 > 0 and replayed_p95 > 0):
        return ""
    ratio = measured_p95 / replayed_p95
    if 0.5 <= ratio <= 2:
        return ""
    return (
        f"Tasks wait {ratio:.1f} times as long as a queue of this many slots would make them (p95): look for "
        "unbalanced task caps, tasks that block each other (one per project and environment), slow picking, or an "
        "offline node."
    )


def mean_number(starts: Floats, ends: Floats, begin: float, end: float) -> float:
    """Mean number of intervals under way between two times: the integral of Little's law (statistics §5.3)."""
    inside = np.minimum(ends, end) - np.maximum(starts, begin)
    return float(np.maximum(inside, 0).sum() / (end - begin))


def most_at_once(starts: Floats, ends: Floats) -> int:
    """Most intervals under way at one instant; one that ends as another begins is not counted with it."""
    times = np.concatenate([starts, ends])
    steps = np.concatenate([np.ones(starts.size, dtype=np.int64), -np.ones(ends.size, dtype=np.int64)])
    order = np.lexsort((steps, times))
    return int(np.cumsum(steps[order]).max(initial=0))
