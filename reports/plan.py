"""`plan.json` as reports read it: all that was decided before the first trial."""

from typing import Any, Literal

import msgspec

from octoload.errors import UsageError

#: Valid pairs below which a run is INVALID, and those below which it is a caution (statistics §0.2).
LEAST_PAIRS, WANTED_PAIRS = 4, 6


class Endpoint(msgspec.Struct, frozen=True):
    """One metric of one operation."""

    operation: str
    #: `p50`, `p95`, `p99` or `throughput`.
    metric: str


class Design(msgspec.Struct, frozen=True):
    """How much was to be measured, and in which order."""

    pairs: int
    #: Measured seconds of a trial.
    seconds: float
    #: Seconds of load before them.
    warm_up: float
    #: The order of trials and all arrivals follow from it.
    seed: int
    #: Whether it only shows how the tool works.
    demonstration: bool = False
    #: Numbers of pairs at which the run may be looked at and ended; empty: at its end only.
    looks: list[int] = []


class Stage(msgspec.Struct, frozen=True):
    """A stretch of the measured phase."""

    seconds: float
    #: What the rates of the mix are multiplied by in it.
    factor: float


class Drain(msgspec.Struct, frozen=True):
    """Deployments that are queued at once and then worked off."""

    tasks: int
    #: Seconds of queue wait that 95 % of tasks must stay below.
    objective: float = 60.0
    #: Seconds of each of two open trials that confirm an arm's capacity; none when None.
    confirm: float | None = None


class Search(msgspec.Struct, frozen=True):
    """A search for the highest rate that keeps an objective."""

    #: Seconds that 95 % of requests must stay below.
    objective: float
    #: Measured seconds of each step, and those of load before them.
    seconds: float
    warm_up: float


class Workload(msgspec.Struct, frozen=True):
    """What was driven at every arm alike."""

    arrivals: str
    #: Sessions under way at once, at most.
    slots: int
    #: Sessions a second by scenario.
    mix: dict[str, float]
    #: Stretches of the measured phase with rates of their own; empty: one rate throughout.
    stages: list[Stage] = []
    #: Name of the file of recorded arrivals; `mix` then holds their mean rates.
    trace: str = ""
    #: Closed loops by kind.
    pollers: dict[str, int] = {}
    #: Instead of arrivals: a queue that is worked off.
    drain: Drain | None = None
    #: Instead of one rate: a search for the highest that keeps an objective.
    search: Search | None = None

    @property
    def steady(self) -> bool:
        """Whether its rates are meant to stay as they are."""
        return not self.stages and not self.trace


class Server(msgspec.Struct, frozen=True):
    """What was measured."""

    kind: Literal["standin", "octopus"]
    #: How many times faster than Octopus' timers the stand-in's run.
    time_scale: float = 1.0

    @property
    def simulated(self) -> bool:
        """Whether it only stands in for Octopus."""
        return self.kind == "standin"


class PlannedTrial(msgspec.Struct, frozen=True):
    """One trial in the order to run."""

    #: Position, from 1.
    index: int
    #: Pair, from 1.
    pair: int
    arm: str


class Plan(msgspec.Struct, frozen=True):
    """The decisions of a run."""

    name: str
    question: str
    #: What the contender is, as a verdict says it: "keeping 3 releases".
    subject: str
    #: Names of the arms that are compared.
    baseline: str
    contender: str
    #: Arm -> description in words.
    arms: dict[str, str]
    design: Design
    workload: Workload
    #: Endpoints that decide the verdict.
    primary: list[Endpoint]
    #: Operations that the change must leave as they are.
    control: list[str]
    #: What retention is meant to change in the contender: `rows`.
    changes: list[str]
    #: Changes smaller than this share do not matter in practice.
    margin: float
    #: Whether the verdict decides the exit code.
    gate: bool
    server: Server
    trials: list[PlannedTrial]
    #: Further arms that are held against the baseline -> what they are, as a verdict says it.
    also: dict[str, str] = {}
    #: Arm -> nodes that take part in it, where that is what it sets.
    nodes: dict[str, int] = {}
    #: Arm -> tasks that each of its nodes may run at once, where that is what arms differ in.
    caps: dict[str, int] = {}
    #: Arm -> what it is meant to change besides what decides, and must: `errors`, `rows`.
    meant: dict[str, list[str]] = {}
    #: Arm -> what happens in the course of each of its trials: `outage` or `purge`; latency is not meant to be steady.
    courses: dict[str, str] = {}
    #: Further arms in which retention is meant to change rows.
    cuts: list[str] = []
    #: Operations that only closed loops ask for.
    closed: list[str] = []

    @property
    def contenders(self) -> list[str]:
        """All arms that are held against the baseline."""
        return [self.contender, *self.also]

    @property
    def ordered(self) -> list[str]:
        """All arms in the order in which reports show them."""
        return [self.baseline, *self.contenders]

    def cut(self, arm: str) -> bool:
        """Whether retention is meant to change an arm's rows: it holds its baseline's history, and less of it."""
        return arm in self.cuts or (arm == self.contender and "rows" in self.changes)

    def meant_in(self, arm: str) -> list[str]:
        """All that an arm is meant to change besides what decides, each once."""
        return list(dict.fromkeys([*(["rows"] if self.cut(arm) else []), *self.meant.get(arm, [])]))

    @property
    def arrives(self) -> bool:
        """Whether requests arrive on a schedule; if not, closed loops or a queue are all that there is."""
        return bool(self.workload.mix)

    @property
    def paced(self) -> list[str]:
        """Operations whose pauses end on coarse timers: without a schedule, loops without a pause show the lag."""
        return self.closed if self.arrives else []

    @property
    def size(self) -> str:
        """How much a trial is, in words."""
        drain, search = self.workload.drain, self.workload.search
        if search:
            return f"searches of {search.seconds:g} s a step"
        return f"{drain.tasks} tasks" if drain else f"{self.design.seconds:g} s"

    @property
    def deciding(self) -> list[str]:
        """Operations of the primary endpoints, each once."""
        return list(dict.fromkeys(endpoint.operation for endpoint in self.primary))


def parse(document: dict[str, Any], where: str = "plan.json") -> Plan:
    """Type a decoded `plan.json`.

    Raises:
        UsageError: a member is missing or of the wrong type.
    """
    try:
        return msgspec.convert(document, Plan)
    except msgspec.ValidationError as exc:
        raise UsageError(f"{where}: {exc}", "Run the experiment again with this octoload.") from exc
