"""Task capacity by drain, replay and confirmation: minutes where a search takes hours (statistics §4.3).

N tasks are queued at once and their starts and ends recorded. How fast they drain is the throughput of the slots; a
replay of their run times says how many tasks an hour may arrive while 95 % still start in time; two trials with open
arrivals, one just below that rate and one just above, must confirm it.
"""

import functools
import math

import msgspec
import numpy as np

from reports import queueing
from reports.queueing import OVER
from reports.statistics import Floats, Untold
from reports.words import duration, share

#: Tasks of a drain for each slot; fewer leave more of the time to the tail in which slots idle.
TASKS_PER_SLOT = 40
#: Share of the slots' time that must be in use while the queue is full.
BUSY = 0.90
#: A confirmation below the rate must hold and one above must fail, at these multiples of it.
BELOW, ABOVE = 0.90, 1.15
SIDES = {"below": BELOW, "above": ABOVE}
#: A confirming trial is at least this long: seconds, and mean run times.
CONFIRM_SECONDS, CONFIRM_SERVICES = 1800.0, 180.0


class Drain(msgspec.Struct, frozen=True):
    """One queue of tasks run empty."""

    tasks: int
    slots: int
    #: Tasks a minute while all slots were busy.
    per_minute: float
    #: Mean run time in seconds, and its coefficient of variation.
    service: float
    service_cv: float
    #: What a reader must know; empty when there is nothing.
    doubt: str = ""


class Capacity(msgspec.Struct, frozen=True):
    """How many tasks may arrive."""

    #: Tasks an hour at which 95 % wait less than the objective.
    per_hour: float
    #: The objective: seconds of queue wait.
    objective: float
    #: Share of the slots' time that is used at that rate.
    utilisation: float


def measure(starts: Floats, ends: Floats, slots: int) -> Drain | Untold:
    """Reduce a drain to its rate: 60 (N - c) / (time of the (N - c)-th end - first start).

    The last c ends are left out, in which slots idle: the rate of the whole drain is 1 to 24 % too low (statistics
    §4.3 step 2).

    Args:
        starts: Unix seconds at which each task started.
        ends: at which it was completed, in the same order.
        slots: sum of the nodes' task caps.
    """
    services = ends - starts
    if starts.size != ends.size or not (np.isfinite(services).all() and (services >= 0).all()):
        return Untold("a task has no start or end, or ended before it began")
    if slots < 1 or starts.size <= 2 * slots:
        return Untold(f"{starts.size} tasks do not keep {slots} slots busy; queue {TASKS_PER_SLOT * max(slots, 1)}")
    counted = starts.size - slots
    length = float(np.sort(ends)[counted - 1] - starts.min())
    if length <= 0:
        return Untold("the tasks took no time")
    mean, most = float(services.mean()), queueing.most_at_once(starts, ends)
    doubts = []
    if starts.size < TASKS_PER_SLOT * slots:
        doubts.append(f"{starts.size} tasks are few for {slots} slots ({TASKS_PER_SLOT * slots} are wanted)")
    if most > slots:
        doubts.append(f"{most} tasks ran at once with {slots} slots: clocks or task caps are not what they seem")
    return Drain(
        tasks=int(starts.size),
        slots=slots,
        per_minute=60 * counted / length,
        service=mean,
        service_cv=float(services.std(ddof=1)) / mean if mean else 0.0,
        doubt="; ".join(doubts),
    )


def capacity_of(drain: Drain, services: Floats, objective: float) -> Capacity | Untold:
    """Find the capacity that a drain shows; Untold when its slots idled while tasks waited, for a replay has none idle.

    The same run times are replayed once, however often they are asked for.
    """
    used = drain.per_minute / 60 * drain.service / drain.slots
    if used < BUSY:
        return Untold(f"the slots were {used:.0%} busy while tasks waited ({BUSY:.0%} is the least for a replay)")
    return _capacity(tuple(services.tolist()), drain.slots, objective)


@functools.lru_cache(maxsize=256)
def _capacity(services: tuple[float, ...], slots: int, objective: float) -> Capacity | Untold:
    return capacity(np.array(services), slots, objective)


def capacity(services: Floats, slots: int, objective: float) -> Capacity | Untold:
    """Find by replay how many tasks an hour may arrive (statistics §4.3 step 3)."""
    rate = queueing.highest_rate(services, slots, objective)
    if isinstance(rate, Untold):
        return rate
    return Capacity(3600 * rate, objective, rate * float(np.mean(services)) / slots)


def confirming_seconds(services: Floats) -> float:
    """How long a confirming trial lasts: 30 minutes, or 180 mean run times when that is more."""
    return max(CONFIRM_SECONDS, CONFIRM_SERVICES * float(np.mean(services)))


def refuted(found: Capacity, waits_below: Floats, waits_above: Floats) -> str:
    """Hold a capacity against its two open trials; say what speaks against it, or nothing (statistics §4.3 step 4).

    Args:
        found: the capacity by replay.
        waits_below: queue waits in seconds of a trial at 0.90 of it.
        waits_above: the same at 1.15 of it.
    """
    if min(waits_below.size, waits_above.size) == 0:
        return "Not confirmed: a confirming trial has no tasks."
    below, above = (float((waited > found.objective).mean()) for waited in (waits_below, waits_above))
    faults = []
    if below > OVER:
        faults.append(f"at {BELOW:g} of it {share(below)} wait too long")
    if above <= OVER:
        faults.append(f"at {ABOVE:g} of it only {share(above)} do")
    if not faults:
        return ""
    return f"Replay refuted: {' and '.join(faults)}. Run times depend on the load: search with open trials instead."


def sentence(found: Capacity | Untold) -> str:
    """Say a task capacity in words."""
    if isinstance(found, Untold):
        return f"The task capacity cannot be said: {found.reason}."
    return (
        f"{math.floor(found.per_hour):,} tasks an hour may arrive while 95 % start within {duration(found.objective)} "
        f"({found.utilisation:.0%} of the slots' time)."
    )
