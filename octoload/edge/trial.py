"""What the engine is asked for, and what it finishes with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from octoload import backlog
from octoload.edge import arrivals, trace
from octoload.edge.arrivals import Arrivals, Phases, Schedule, Stage, stage_faults
from octoload.edge.clocks import Bound, Bounds, Offset
from octoload.edge.samples import percentile
from octoload.edge.trace import Known, Trace
from octoload.errors import UsageError

#: Pollers of one kind that there may be: each has a greenlet and connections of its own.
MAX_POLLERS: Final = 10_000


class Gather(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="gather"):
    """The wish to have all workers there, as docs/formats.md ("The engine") writes it."""

    #: Names of the environment variables in which each must have an API key.
    key_variables: list[str] = []


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="watch"):
    """What Locust's web page is to show from now on."""

    #: The server whose queue is looked at.
    url: str
    #: Name of the environment variable that holds its API key.
    key_variable: str
    #: The trial under way: its folder below `trials/`.
    trial: str


class Trial(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="trial"):
    """One trial, as docs/formats.md ("The engine") writes it."""

    #: Base URLs of the nodes; sessions go to them in turn.
    urls: list[str]
    #: Sessions a second by scenario.
    mix: dict[str, float] = {}
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
    #: File of a recorded trace that is played instead of a mix.
    trace: str = ""
    #: What was read from it: it goes to every process with the trial.
    recorded: Trace | None = None
    #: Closed loops by kind: how many there are, over all processes.
    pollers: dict[str, int] = {}
    #: Sessions that may be under way at once, over all processes.
    slots: int = 64
    #: Seconds of load before measuring.
    warm_up: float = 0.0
    #: Measured seconds; None runs until it is stopped.
    seconds: float | None = None
    #: Seconds after which an answer is given up.
    timeout: float = 60.0
    #: Whether answers may come compressed (gzip).
    compression: bool = False

    @property
    def phases(self) -> Phases:
        """How long it is, as its schedule wants to know."""
        return Phases(self.warm_up, self.seconds, self.stages)

    @property
    def scenarios(self) -> list[str]:
        """Names of what arrives, sorted: the schedule has their indexes."""
        return self.recorded.names if self.recorded else sorted(self.mix)

    def schedule(self) -> Iterator[Schedule]:
        """Yield the arrivals for all processes, block by block."""
        if self.recorded:
            return trace.replay(self.recorded, self.seed)
        return arrivals.plan(self.mix, self.arrivals, self.seed, self.phases)

    def planned(self) -> dict[str, int]:
        """Return how often each scenario arrives in the measured phase; nothing is said of one without an end."""
        if self.seconds is None:
            return {}
        if self.recorded:
            return trace.planned(self.recorded, self.warm_up)
        return arrivals.planned(self.mix, self.phases)


def prepare(trial: Trial, known: Known) -> Trial:
    """Refuse what no engine can run; return the trial with its trace, if it is to play one.

    Raises:
        UsageError: what is wrong with the trial or with the file of its trace.
    """
    faults = (
        *_unknown("scenario", trial.mix, sorted(known.firsts)),
        *_unknown("poller", trial.pollers, sorted(known.pollers)),
        *_out_of_bounds(trial),
        *stage_faults(trial.stages, trial.seconds),
    )
    for fault, cure in faults:
        raise UsageError(fault, cure)
    if not trial.trace:
        return trial
    return msgspec.structs.replace(trial, recorded=trace.read(Path(trial.trace), known, trial.phases))


def _unknown(kind: str, asked: Iterable[str], known: list[str]) -> Iterator[tuple[str, str]]:
    return ((f"there is no {kind} {name!r}", f"Choose from {', '.join(known)}.") for name in asked if name not in known)


def _out_of_bounds(trial: Trial) -> Iterator[tuple[str, str]]:
    for name, rate in trial.mix.items():
        if not 0 < rate < 1e6:
            yield f"scenario {name!r} has a rate of {rate} sessions a second", "Give a positive number."
    for name, count in trial.pollers.items():
        if not 0 < count <= MAX_POLLERS:
            yield f"there are to be {count} pollers {name!r}", f"Give 1 to {MAX_POLLERS:,}."
    if trial.trace and (trial.mix or trial.stages):
        yield "a trace says itself what arrives when", "Leave out the mix and the stages, or the trace."
    if not (trial.mix or trial.trace or trial.pollers) or not trial.urls:
        yield "a trial needs a mix, a trace or pollers, and at least one URL", "Name a scenario and a server."
    if trial.slots < 1 or trial.timeout <= 0 or trial.warm_up < 0 or not (trial.seconds is None or trial.seconds > 0):
        yield "a trial needs slots, a timeout and a length above zero", "Give larger numbers."


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
    #: Clocks of the servers' nodes against the conductor's, by what they stamped.
    clocks: dict[str, Bound] = {}
    #: Ids of the tasks that it has queued in the measured phase.
    queued: list[str] = []
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
    reasons = {
        "generator": f"the generator is saturated ({cpu:.0%} of a core): use more processes",
        "server": f"the server is saturated, not the generator ({cpu:.0%} of a core), or the {slots} slots are too few",
    }
    cause = backlog.cause(wait, cpu)
    return [] if cause == "none" else [f"arrivals waited up to {wait:.1f} s for a slot: {reasons[cause]}"]


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


def worker(part: Part, name: str, before: Offset, after: Offset | None) -> dict[str, Any]:
    """Return the facts about one process; its clock was measured `before` the trial, and `after` it if it answered."""
    return {
        "name": name,
        "cpu": part.cpu,
        "steal": part.steal,
        "gc_pause": part.gc_pause,
        "clock": {
            "offset": before.value,
            "uncertainty": max(before.uncertainty, after.uncertainty if after else 0.0),
            "moved": after.value - before.value if after else None,
        },
    }


def server_clocks(parts: Iterable[Part], workers: list[dict[str, Any]], dates: Bounds) -> dict[str, Any]:
    """Return between which seconds each node's clock minus ours lies, and what says so.

    Calls that create something bound it to milliseconds, the Date header to a second or two.
    """
    stamped = Bounds()
    for part, worker in zip(parts, workers, strict=True):
        clock = worker["clock"]
        for node, known in part.clocks.items():
            stamped.add(node, known.shift(0.0, clock["uncertainty"] + abs(clock["moved"] or 0.0)))
    sources = [("Date header", dates), ("creating calls", stamped)]
    return {
        node: {**msgspec.to_builtins(known), "by": by} for by, told in sources for node, known in told.nodes.items()
    }
