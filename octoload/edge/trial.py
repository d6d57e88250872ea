"""What the engine is asked for, and what it finishes with."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from octoload.edge.arrivals import Arrivals, Phases, Stage, stage_faults
from octoload.edge.samples import percentile
from octoload.errors import UsageError

#: Seconds that an arrival may wait for a slot before it is spoken of.
LONG_WAIT: Final = 0.5
#: Share of a core from which a generator counts as saturated (statistics §6).
BUSY: Final = 0.8


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One trial, as docs/formats.md ("The engine") writes it."""

    #: Base URLs of the nodes; sessions go to them in turn.
    urls: list[str]
    #: Sessions a second by scenario.
    mix: dict[str, float]
    #: Where `requests.parquet` is written; none is written when it is empty.
    folder: str = ""
    #: Name of the environment variable that holds the API key, or several separated by commas: sessions take turns.
    key_variable: str = "OCTOPUS_API_KEY"
    #: Id or name of the space; when empty, the first that octoload made, else the default space.
    space: str | None = None
    #: The schedule follows from it.
    seed: int = 1
    #: How sessions arrive.
    arrivals: Arrivals = "poisson"
    #: Stretches of the measured phase with rates of their own; without any the rates of the mix stay.
    stages: list[Stage] = []
    #: Sessions that may be under way at once, over all processes.
    slots: int = 64
    #: Seconds of load before measuring.
    warm_up: float = 0.0
    #: Measured seconds; None runs until it is stopped.
    seconds: float | None = None
    #: Seconds after which an answer is given up.
    timeout: float = 60.0

    @property
    def phases(self) -> Phases:
        """How long it is, as its schedule wants to know."""
        return Phases(self.warm_up, self.seconds, self.stages)


def check(trial: Trial, known: Iterable[str]) -> None:
    """Refuse what no engine can run.

    Raises:
        UsageError: what is wrong with the trial; `known` are the names of the scenarios.
    """
    names = sorted(known)
    for name, rate in trial.mix.items():
        if name not in names:
            raise UsageError(f"there is no scenario {name!r}", f"Choose from {', '.join(names)}.")
        if not 0 < rate < 1e6:
            raise UsageError(f"scenario {name!r} has a rate of {rate} sessions a second", "Give a positive number.")
    if not trial.mix or not trial.urls:
        raise UsageError("a trial needs a mix and at least one URL", "Name a scenario and a server.")
    for fault, cure in stage_faults(trial.stages, trial.seconds):
        raise UsageError(fault, cure)
    if trial.slots < 1 or trial.timeout <= 0 or trial.warm_up < 0 or not (trial.seconds is None or trial.seconds > 0):
        raise UsageError("a trial needs slots, a timeout and a length above zero", "Give larger numbers.")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one process has to say at the end of its part of a trial."""

    #: The process' number.
    worker: int
    #: Batches and rows that it has handed over.
    batches: int
    rows: int
    #: Requests by operation that were intended in the measured phase and sent.
    sent: dict[str, int]
    #: Share of one core that the process used in the measured phase.
    cpu: float
    #: Share of all cores that the hypervisor took away in it; None where the system does not say.
    steal: float | None
    #: Longest pause of the garbage collector, in seconds.
    gc_pause: float
    #: `timerfd` or `timer`.
    schedule: str
    #: Niceness of the process; None where the system has none.
    priority: int | None
    #: Longest time that an arrival waited for a slot, in seconds.
    longest_wait: float
    #: Longest wait that a server asked for with `Retry-After`, in seconds.
    retry_after: float = 0.0
    #: What went wrong inside a scenario, if anything.
    fault: str = ""
    #: Lines of warning.
    log: list[str] = []


def add(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Add counts by name."""
    total: dict[str, int] = {}
    for part in counts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total


def judge_waits(parts: list[Part], slots: int) -> list[str]:
    """Say whose fault it was that arrivals waited for a slot, if they did for long."""
    wait, cpu = max(part.longest_wait for part in parts), max(part.cpu for part in parts)
    if wait < LONG_WAIT:
        return []
    if cpu > BUSY:
        cause = f"the generator is saturated ({cpu:.0%} of a core): use more processes"
    else:
        cause = f"the server is saturated, not the generator ({cpu:.0%} of a core), or the {slots} slots are too few"
    return [f"arrivals waited up to {wait:.1f} s for a slot: {cause}"]


def generator(parts: list[Part], lags: Any, read_delays: Any) -> dict[str, Any]:
    """Return the facts about the generator itself: the busiest process, the worst steal, all lags together.

    `lags` and `read_delays` are in seconds; the latter are empty where the kernel stamps nothing.
    """
    steals = [part.steal for part in parts if part.steal is not None]
    return {
        "processes": len(parts),
        "cpu": max(part.cpu for part in parts),
        "lag_p50": percentile(lags, 0.50) or 0.0,
        "lag_p99": percentile(lags, 0.99) or 0.0,
        "read_delay_p50": percentile(read_delays, 0.50),
        "read_delay_p99": percentile(read_delays, 0.99),
        "read_delays": len(read_delays),
        "steal": max(steals, default=0.0),
        "gc_pause": max(part.gc_pause for part in parts),
        "schedule": "timer" if any(part.schedule == "timer" for part in parts) else "timerfd",
        "priority": max((part.priority for part in parts if part.priority is not None), default=None),
        "longest_wait": max(part.longest_wait for part in parts),
    }
