"""An experiment as its YAML file says it: arms, history, workload, design and objectives."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from experiments import depths
from experiments import hosts as host_rules
from experiments import outage as outages
from experiments import purge as purge_rules
from experiments import workload as workloads
from experiments.hosts import Hosts, Place
from experiments.outage import Outage
from experiments.purge import Purge
from experiments.workload import Fault, Workload
from octoload import yamlfile
from octoload.edge.arrivals import Phases
from octoload.errors import UsageError
from octoload.yamlfile import nearest
from reports.summaries import METRICS
from seeders.history import History


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release retention policy, as a lifecycle carries it (octopus-api §A.4)."""

    #: How much each phase keeps, besides what its dashboards show.
    keep: int
    #: `Items` counts releases, `Days` their age.
    unit: Literal["Items", "Days"] = "Items"


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the states of the world that are compared."""

    #: What this arm is, as a verdict says it: "keeping 3 releases".
    subject: str = ""
    #: Stand-in only: this policy is set on the arm's clone and the Retention task run to its end.
    retention: Retention | None = None
    #: Stand-in only: how many times as deep as `history` the arm's own database is seeded; 1 when left out.
    depth: float | None = None
    #: Nodes that take part, the others being drained; all when left out.
    nodes: int | None = None
    #: Tasks that each of them may run at once; as the server has it when left out.
    task_cap: int | None = None
    #: Stand-in with hosts only: where the database lies, and the round trip to its own host, such as `2ms`.
    sql: Place | None = None
    sql_latency: str | None = None
    #: Commands, as lists of arguments without a shell, that run before and after each trial of this arm.
    before: list[str] = []
    after: list[str] = []
    #: Seconds that each of them may take.
    within: float = 120.0
    #: A node is struck in the middle of each trial and mended after a while.
    outage: Outage | None = None
    #: Stand-in only: in the middle of each trial, which begins with the whole history, retention cuts it.
    purge: Purge | None = None
    #: What this arm is meant to change besides what decides, and must: `errors`, when requests are expected to fail in
    #: it; `rows`, when its database holds other data.
    changes: list[Literal["errors", "rows"]] = []
    #: Real Octopus: the instance of this arm.
    url: str | None = None
    #: Real Octopus: the environment variable that holds its API key.
    key_variable: str = "OCTOPUS_API_KEY"
    #: Real Octopus: the space to load, by id or name; the default space when left out.
    space: str | None = None


class Standin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The simulated server that an experiment starts for itself."""

    #: Node processes for each arm.
    nodes: int = 1
    #: How many times faster than real Octopus' timers run (20 s queue look, 60 s heartbeat).
    time_scale: float = 1.0
    #: Hosts of a fixed capacity; without them all processes share this machine.
    hosts: Hosts | None = None


class Design(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is measured, and in which order; the defaults are those of statistics §0 and §1.4."""

    #: Pairs of trials, each in random order, half of them baseline first.
    pairs: int = 8
    #: Measured seconds of a trial.
    seconds: float = 120.0
    #: Seconds of the same load before them, which are recorded and not used.
    warm_up: float = 15.0
    #: The order of trials and the arrivals follow from it.
    seed: int = 1
    #: How often a trial is run at most when it turns out invalid.
    attempts: int = 3
    #: A small design for showing how the tool works; every report says so.
    demonstration: bool = False
    #: Numbers of pairs at which the run may end early, the last one being `pairs`: [8, 16]. Empty: it never does.
    looks: list[int] = []

    def phases(self, workload: Workload) -> Phases:
        """Return the phases of a trial."""
        return Phases(self.warm_up, self.seconds, workload.stages)


_RETENTION_ON_A_REAL_SERVER = (
    "octoload applies retention to a stand-in's clone only: restore one backup twice, "
    "apply the policy to the second yourself, and leave `retention` out."
)

_CLOSED_DECIDES_NOTHING = (
    "A closed loop waits for a slow server and leaves out what would have waited with it: "
    "decide by an operation of the mix (statistics §3)."
)

_PURGE_ON_A_REAL_SERVER = (
    "It deletes for good, and only a stand-in's database can be made anew for each trial: restore one backup twice, "
    "purge the second as you mean to, and compare both by their urls."
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")

#: Two attempts at a trial at most, so that a busy host costs a newcomer pairs rather than minutes.
DEMONSTRATION = Design(pairs=6, seconds=10.0, warm_up=3.0, attempts=2, demonstration=True)


class Compare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which arm is held against which."""

    baseline: str
    contender: str
    #: Further arms, each held against the baseline as well; then every round visits all arms.
    also: list[str] = []

    @property
    def contenders(self) -> list[str]:
        """All arms that are held against the baseline."""
        return [self.contender, *self.also]


class Objectives(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decides, and from which size on a change matters."""

    #: `operation metric` pairs that decide the verdict, five at most.
    primary: list[str]
    #: Operations that the change must leave as they are.
    control: list[str] = []
    #: Changes smaller than this share do not matter in practice.
    margin: float = 0.10
    #: Turn the verdict into the exit code.
    gate: bool = False


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, and all that is needed to answer it."""

    name: str
    question: str
    compare: Compare
    arms: dict[str, Arm]
    workload: Workload
    objectives: Objectives
    design: Design = Design()
    #: The stand-in to start; leave it out when the arms have URLs.
    standin: Standin | None = None
    #: Stand-in only: a named history, a file beside the experiment, or the settings themselves.
    history: str | History | None = None


def on_one_server(experiment: Experiment) -> bool:
    """Whether the arms need no data of their own: settings of one server, or what happens to it in a trial."""
    return switched(experiment) or any(arm.outage or arm.purge for arm in experiment.arms.values())


def renewed(experiment: Experiment) -> bool:
    """Whether each trial begins with the history as it was seeded, because trials cut it."""
    return any(arm.purge for arm in experiment.arms.values())


def switched(experiment: Experiment) -> bool:
    """Whether the arms are settings of one server, switched from trial to trial."""
    settings = [(arm.nodes, arm.task_cap, arm.sql, arm.sql_latency) for arm in experiment.arms.values()]
    return any(setting is not None for arm in settings for setting in arm)


def demonstration(experiment: Experiment) -> Experiment:
    """Return the experiment with the small design; its stages keep their shape in less time.

    Raises:
        UsageError: what happens in the course of its trials does not fit into so short ones.
    """
    shrunk = workloads.shrunk(experiment.workload, DEMONSTRATION.seconds / experiment.design.seconds)
    return check(msgspec.structs.replace(experiment, design=DEMONSTRATION, workload=shrunk), "--demo")


def load(path: Path) -> Experiment:
    """Read and check an experiment.

    Raises:
        UsageError: the file is missing, is no YAML, has unknown keys or wrong values, or does not hold together.
    """
    experiment = yamlfile.load(path, Experiment)
    workload = workloads.beside(experiment.workload, path.parent)
    return check(msgspec.structs.replace(experiment, workload=workload), str(path))


def with_pairs(experiment: Experiment, pairs: int) -> Experiment:
    """Return the experiment with another number of pairs, and with one look at its end.

    Raises:
        UsageError: they are too few.
    """
    design = msgspec.structs.replace(experiment.design, pairs=pairs, looks=[])
    return check(msgspec.structs.replace(experiment, design=design), "--pairs")


def check(experiment: Experiment, where: str) -> Experiment:
    """Return the experiment when it holds together.

    Raises:
        UsageError: it does not; the message begins with `where`.
    """
    for fault, cure in _faults(experiment):
        raise UsageError(f"{where}: {fault}", cure)
    return experiment


def _faults(experiment: Experiment) -> Iterator[Fault]:
    """Yield all that a type cannot say, as (what is wrong, what to do); what comes later builds on what came before."""
    yield from _arm_faults(experiment)
    yield from _design_faults(experiment.design)
    yield from workloads.faults(experiment.workload, experiment.design.seconds)
    yield from _objective_faults(experiment)


def _arm_faults(experiment: Experiment) -> list[Fault]:
    arms, compare = experiment.arms, experiment.compare
    faults = [
        (f"{name!r} cannot name a folder", "Use letters, digits, dots, dashes and underscores, 50 at most.")
        for name in (experiment.name, *arms)
        if not _NAME.fullmatch(name)
    ]
    faults.extend(
        (f"compare.{role} names arm {name!r}, which is not there", nearest(name, arms))
        for role, name in (
            ("baseline", compare.baseline),
            ("contender", compare.contender),
            *(("also", name) for name in compare.also),
        )
        if name not in arms
    )
    named = [compare.baseline, *compare.contenders]
    if len(set(named)) < len(named):
        faults.append(("compare names the same arm twice", "Give the second one a name and an entry of its own."))
    return [
        *faults,
        *_server_faults(experiment),
        *_switch_faults(experiment),
        *(fault for name, arm in arms.items() for fault in _faults_of(name, arm)),
        *_course_faults(experiment),
        *depths.faults(arms, compare.baseline, shared=on_one_server(experiment)),
    ]


def _switch_faults(experiment: Experiment) -> list[Fault]:
    """Return what arms of one server cannot be switched between."""
    faults = []
    capped = {(arm.url, arm.task_cap is not None) for arm in experiment.arms.values()}
    if len(capped) > len({url for url, _ in capped}):
        cure = "Give every arm of a server a `task_cap` (Octopus' own is 5), or none."
        faults.append(("some arms set a task cap, and the others would run with that of the trial before", cure))
    if any(arm.retention for arm in experiment.arms.values()) and on_one_server(experiment):
        cure = "Retention deletes for good, what is done to nodes comes and goes: make two experiments of them."
        faults.append(("some arms cut history, and all of them share one server", cure))
    return faults


def _server_faults(experiment: Experiment) -> list[Fault]:
    standin = experiment.standin
    real = [name for name, arm in experiment.arms.items() if arm.url]
    faults = []
    if standin and not (1 <= standin.nodes <= 16 and 0.01 <= standin.time_scale <= 10_000):
        faults.append(("standin.nodes is 1 to 16, standin.time_scale 0.01 to 10,000", "Leave them out for 1 and 1."))
    if real and len(real) < len(experiment.arms):
        faults.append(("some arms have a url and some have none", "Give every arm a url, or none."))
    if real and (standin or experiment.history is not None):
        faults.append(("arms with a url need no stand-in and no history", "Leave `standin` and `history` out."))
    if any(arm.sql or arm.sql_latency for arm in experiment.arms.values()) and not (standin and standin.hosts):
        faults.append(("an arm moves the database, and there are no hosts", "Add `hosts: {cpus: 0.3}` to `standin`."))
    elif standin and standin.hosts:
        faults += host_rules.faults(standin.hosts)
        for name, arm in experiment.arms.items():
            faults += host_rules.distance_faults(name, arm.sql_latency or "0", arm.sql or standin.hosts.sql)
    if not real and standin and any((arm.nodes or 1) > standin.nodes for arm in experiment.arms.values()):
        faults.append((f"an arm has more nodes than the stand-in's {standin.nodes}", "Raise standin.nodes."))
    if not real and experiment.history is None:
        faults.append(("there is no history to fill the stand-in with", "Add `history: demo`."))
    return faults


def _faults_of(name: str, arm: Arm) -> list[Fault]:
    faults = []
    if arm.url and "@" in urlsplit(arm.url).netloc:
        faults.append((f"the url of arm {name!r} holds a user name", "Keys belong into `key_variable`."))
    if arm.url and arm.retention:
        faults.append((f"arm {name!r} asks for a retention policy on {arm.url}", _RETENTION_ON_A_REAL_SERVER))
    if arm.url and arm.purge:
        faults.append((f"arm {name!r} purges {arm.url} in each trial", _PURGE_ON_A_REAL_SERVER))
    if arm.retention and arm.retention.keep < 1:
        faults.append((f"arm {name!r} keeps {arm.retention.keep}", "`keep` is 1 or more."))
    if arm.nodes is not None and arm.nodes < 1:
        faults.append((f"arm {name!r} has {arm.nodes} nodes", "One node at least must take part."))
    if arm.task_cap is not None and not 1 <= arm.task_cap <= 10_000:
        faults.append((f"arm {name!r} has a task cap of {arm.task_cap}", "A task cap is 1 to 10,000."))
    if not 0 < arm.within <= 86_400:
        faults.append(
            (f"arm {name!r} gives its commands {arm.within:g} s", "`within` is above 0; leave it out for 120.")
        )
    return faults


def _course_faults(experiment: Experiment) -> Iterator[Fault]:
    """Yield what is wrong with what happens in the course of trials."""
    nodes, seconds = experiment.standin.nodes if experiment.standin else 0, experiment.design.seconds
    for name, arm in experiment.arms.items():
        if arm.outage and arm.purge:
            yield f"arm {name!r} has an outage and a purge", "One of them at a time: make two arms of it."
        if arm.outage:
            yield from outages.faults(name, arm.outage, arm.url, nodes, seconds)
        if (arm.outage or arm.purge) and (experiment.workload.drain or experiment.workload.search):
            what = "an outage" if arm.outage else "a purge"
            yield f"arm {name!r} has {what}, and the workload no arrivals that go on", "Give it a mix instead."
    purges = {name: arm.purge for name, arm in experiment.arms.items() if arm.purge}
    yield from purge_rules.faults(purges, seconds)


def _objective_faults(experiment: Experiment) -> list[Fault]:
    faults = []
    workload, objectives = experiment.workload, experiment.objectives
    if not 1 <= len(objectives.primary) <= 5:
        faults.append(("objectives.primary names 1 to 5 endpoints", "More of them cost power (statistics §2.7)."))
    faults.extend(
        (f"objectives.primary has {text!r}", 'Write an operation and a metric: "dashboard p50".')
        for text in objectives.primary
        if len(text.split()) != 2 or text.split()[1] not in METRICS
    )
    asked, closed = workloads.asked(workload, experiment.design.phases(workload)), workloads.closed(workload)
    served = {f"{name} throughput" for name in workloads.nonstop(workload)}
    deciding = [text.split()[0] for text in objectives.primary if text.split() and text not in served]
    for name in [*deciding, *objectives.control]:
        if name in closed:
            faults.append((f"objectives name {name!r}, which only pollers ask for", _CLOSED_DECIDES_NOTHING))
        elif name not in asked:
            faults.append((f"objectives name {name!r}, which nothing in the workload asks for", nearest(name, asked)))
    if not 0 < objectives.margin < 1:
        faults.append((f"objectives.margin is {objectives.margin}", "It is a share, such as 0.10."))
    return faults


def _design_faults(design: Design) -> list[Fault]:
    faults = []
    if design.pairs < 2:
        faults.append((f"design.pairs is {design.pairs}", "An interval needs 2 pairs; 6 is the least to rely on."))
    if not 0 < design.seconds <= 86_400 or not 0 <= design.warm_up <= 86_400 or not 1 <= design.attempts <= 10:
        faults.append(("design.seconds is above 0, warm_up not negative, attempts 1 to 10", "Leave them out."))
    looks = design.looks
    if looks and not (looks == sorted(set(looks)) and looks[0] >= 4 and looks[-1] == design.pairs and len(looks) <= 5):
        cure = "Looks ascend, begin at 4 pairs or more and end with the last pair, such as [8, 16]."
        faults.append((f"design.looks is {looks} with {design.pairs} pairs", cure))
    return faults
