"""What an experiment drives at every arm alike: arrivals on schedule, and pollers beside them."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from octoload.edge import trace
from octoload.edge.arrivals import Arrivals, Phases, Stage, planned, stage_faults
from octoload.yamlfile import nearest
from reports import searches, tasks

#: What each scenario asks: the operations that its samples carry, the one that arrives on schedule first.
OPERATIONS = {
    "dashboard": ("dashboard",),
    "project-page": ("project", "progression", "releases"),
    "task-list": ("tasks",),
    "audit-search": ("audit",),
    "release-and-deploy": ("create-release", "deploy", "task"),
    "portal-session": ("session-dashboard", "session-progression", "session-releases", "session-task"),
    "deployment-stream": ("queue-deployment",),
    "scheduled-deployment": ("schedule-deployment",),
    "runbook-run": ("run-runbook",),
    "health-check": ("queue-health-check",),
    "retention-run": ("queue-retention",),
}
#: Scenarios that queue tasks.
QUEUING = frozenset(
    {"release-and-deploy", "deployment-stream", "scheduled-deployment", "runbook-run", "health-check", "retention-run"}
)
#: What each poller asks; its operations are its own, so that open and closed latencies never mix.
CLOSED = {
    "nonstop-reader": ("pages",),
    "portal-dashboard": ("dashboard-refresh",),
    "portal-dashboard-hidden": ("hidden-dashboard-refresh",),
    "portal-task": ("task-refresh",),
    "portal-task-hidden": ("hidden-task-refresh",),
    "waiting-agent": ("agent-poll",),
    "waiting-client": ("client-poll",),
}

#: Pollers without a pause: together they are served what the server can, so that their throughput may decide.
NONSTOP = ("nonstop-reader",)

#: What a trace may name.
KNOWN = trace.Known({name: operations[0] for name, operations in OPERATIONS.items()}, frozenset(CLOSED))

#: What is wrong, and what to do.
Fault = tuple[str, str]


class Drain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deployments that are queued at once and then worked off (statistics §4.3)."""

    #: How many; 40 a slot are wanted.
    tasks: int = 200
    #: Seconds that all of them may take.
    within: float = 3600.0
    #: Seconds of queue wait that 95 % of tasks must stay below: what the capacity is told for.
    objective: float = 60.0
    #: Seconds of each of two open trials that confirm an arm's capacity when all drains are done; none when left out.
    confirm: float | None = None


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A search for the highest rate of the mix that keeps an objective (statistics §4.3)."""

    #: Seconds that 95 % of requests must stay below.
    objective: float
    #: The rate that is expected, as a multiple of the mix; the ramp begins at 0.45 of it.
    guess: float = 1.0
    #: Measured seconds of each step.
    seconds: float = 30.0
    #: Seconds of load before them.
    warm_up: float = 3.0


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is driven at every arm alike."""

    #: Sessions a second that arrive, by scenario.
    mix: dict[str, float] = {}
    #: Instead of arrivals: a queue that is worked off.
    drain: Drain | None = None
    #: Instead of one rate: a search for the highest that keeps an objective.
    search: Search | None = None
    #: `poisson` or `constant` gaps between them.
    arrivals: Arrivals = "poisson"
    #: Stretches of the measured phase with rates of their own, such as `{seconds: 60, factor: 0.5}`; the warm-up has
    #: the rates of the first.
    stages: list[Stage] = []
    #: Instead of a mix: a file of recorded arrivals (docs/formats.md, "A trace"), found from the experiment's file.
    trace: str = ""
    #: Seconds that the tasks which the load has queued may take to end after it; they are then read, and decide too.
    follow: float | None = None
    #: Closed loops by kind: how many, over all Locust processes.
    pollers: dict[str, int] = {}
    #: Sessions that may be under way at once, over all Locust processes.
    slots: int = 64
    #: Seconds after which an answer counts as a time-out.
    timeout: float = 60.0
    #: Whether answers may come compressed: browsers and most clients ask for it, and the server pays for it in CPU.
    compression: bool = False


def beside(workload: Workload, folder: Path) -> Workload:
    """Return it with the trace's file as it is found from a folder."""
    return msgspec.structs.replace(workload, trace=str(folder / workload.trace)) if workload.trace else workload


def sessions(workload: Workload, phases: Phases) -> dict[str, int]:
    """Return how often each scenario arrives in the measured phase.

    Raises:
        UsageError: the trace's file is missing, or what is wrong in it.
    """
    if workload.trace:
        return trace.planned(trace.read(Path(workload.trace), KNOWN, phases), phases.warm_up)
    return planned(workload.mix, phases)


def asked(workload: Workload, phases: Phases) -> list[str]:
    """Return the operations that a verdict may be about: what arrivals ask for, or what is told of a drain's tasks.

    Raises:
        UsageError: the trace's file is missing, or what is wrong in it.
    """
    if workload.search:
        return [searches.API]
    told = tasks.OPERATIONS if workload.drain else (tasks.WAIT, tasks.RUN) if workload.follow else ()
    return [*told, *(one for name, count in sessions(workload, phases).items() if count for one in OPERATIONS[name])]


def write_up(workload: Workload, phases: Phases) -> dict[str, Any]:
    """Return it as `plan.json` holds it: of a trace the file's name, its fingerprint and the mean rates.

    Raises:
        UsageError: the trace's file is missing, or what is wrong in it.
    """
    content: dict[str, Any] = msgspec.to_builtins(workload)
    if not workload.trace:
        return content
    assert phases.seconds
    file, counts = Path(workload.trace), sessions(workload, phases)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    rates = {name: count / phases.seconds for name, count in counts.items()}
    return {**content, "mix": rates, "trace": file.name, "fingerprint": f"sha256:{digest}"}


def loaded(workload: Workload) -> bool:
    """Whether requests are sent, be it beside a drain."""
    return not workload.drain or bool(workload.mix or workload.pollers)


def closed(workload: Workload) -> list[str]:
    """Return the operations of its pollers."""
    return [operation for name in workload.pollers for operation in CLOSED.get(name, ())]


def nonstop(workload: Workload) -> list[str]:
    """Return the operations of its pollers that never pause."""
    return [operation for name in workload.pollers if name in NONSTOP for operation in CLOSED[name]]


def faults(workload: Workload, seconds: float) -> Iterator[Fault]:
    """Yield all that a type cannot say; `seconds` is the length of the measured phase."""
    if workload.drain:
        yield from _drain_faults(workload, workload.drain)
    yield from _mix_faults(workload)
    if workload.follow is not None and not 0 < workload.follow <= 86_400:
        yield f"workload.follow is {workload.follow:g}", "It is in seconds, above 0."
    if workload.search:
        yield from _search_faults(workload, workload.search)
    for name, count in workload.pollers.items():
        if name not in CLOSED:
            yield f"workload.pollers has no kind {name!r}", nearest(name, list(CLOSED))
        if not 1 <= count <= 10_000:
            yield f"workload.pollers.{name} is {count}", "Give 1 to 10,000, or leave it out."
    for fault, cure in stage_faults(workload.stages, seconds):
        yield f"workload.stages: {fault}", cure
    if not 1 <= workload.slots <= 10_000 or not 0 < workload.timeout <= 3600:
        yield "workload.slots is 1 to 10,000, workload.timeout above 0 s", "Leave them out for 64 and 60 s."


def _drain_faults(workload: Workload, drain: Drain) -> Iterator[Fault]:
    if not 2 <= drain.tasks <= 10_000 or not 0 < drain.within <= 86_400:
        yield "workload.drain.tasks is 2 to 10,000, within above 0 s", "Leave them out for 200 and an hour."
    if not 0 < drain.objective <= 86_400:
        yield f"workload.drain.objective is {drain.objective:g}", "It is in seconds, above 0; leave it out for 60."
    if drain.confirm is not None and not 0 < drain.confirm <= 86_400:
        yield (
            f"workload.drain.confirm is {drain.confirm:g}",
            "It is in seconds, above 0; 1800 are wanted at least.",
        )
    if workload.trace or workload.stages or workload.search or workload.follow:
        yield (
            "workload has a drain and more than a mix and pollers beside it",
            "Leave the rest out.",
        )
    for name in sorted(QUEUING & workload.mix.keys()):
        yield f"workload has a drain, and {name!r} queues tasks beside it", "Drains are worked off alone: leave it out."


def _search_faults(workload: Workload, search: Search) -> Iterator[Fault]:
    if not all(0 < value <= 86_400 for value in (search.objective, search.guess, search.seconds)) or search.warm_up < 0:
        yield "workload.search: objective, guess and seconds are above 0, warm_up not negative", "See docs/formats.md."
    if workload.drain or workload.trace or workload.stages:
        yield "workload has a search and a drain, a trace or stages", "A search sets the rates itself: leave them out."


def _mix_faults(workload: Workload) -> Iterator[Fault]:
    for name, rate in workload.mix.items():
        if name in CLOSED:
            yield f"workload.mix names the poller {name!r}", "Pollers are counted, under `pollers`."
        elif name not in OPERATIONS:
            yield f"workload.mix has no scenario {name!r}", nearest(name, list(OPERATIONS))
        if not (rate > 0 and math.isfinite(rate)):
            yield f"workload.mix.{name} is {rate} sessions a second", "Rates are above 0."
    if not workload.mix and not workload.trace and not workload.drain and not nonstop(workload):
        yield "workload.mix is empty", f"Scenarios are: {', '.join(OPERATIONS)}."
    if workload.trace and (workload.mix or workload.stages or workload.arrivals != "poisson"):
        yield "workload has a trace, which says itself what arrives when", "Leave out mix, stages and arrivals, or it."


def shrunk(workload: Workload, scale: float) -> Workload:
    """Return it with its stages that many times as long."""
    stages = [Stage(stage.seconds * scale, stage.factor) for stage in workload.stages]
    return msgspec.structs.replace(workload, stages=stages)
