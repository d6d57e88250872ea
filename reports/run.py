"""A run's folder as it is read: the plan, the trials that count, and what stands beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from octoload.errors import UsageError
from octoload.files import read_json
from reports import carried, course, searches, summaries, tasks, warmup
from reports import looks as look_log
from reports import plan as plans
from reports import rig as rigs
from reports.carried import Carried
from reports.checks import Check, backwards
from reports.course import Flow
from reports.effects import Block, Pair
from reports.looks import Look
from reports.plan import Plan
from reports.ramp import RampTrial
from reports.rig import Rig
from reports.statistics import Floats
from reports.summaries import Samples, Summary

#: A file of the run as decoded JSON.
Document = dict[str, Any]
#: Deciding operations at most whose latency over time is kept apart.
MOST_SHOWN = 3


class Clock(msgspec.Struct, frozen=True):
    """Between which seconds a node's clock minus ours lies."""

    low: float
    high: float


class Outage(msgspec.Struct, frozen=True):
    """What was done to a node in the course of a trial; times in Unix seconds."""

    #: Its name; empty where nobody said.
    node: str
    #: `kill`, `freeze` or `strike`.
    does: str
    struck: float
    mended: float


class PurgeStep(msgspec.Struct, frozen=True):
    """A step of a purge and the Retention task that applied it; times in Unix seconds by the server's clock."""

    #: What each phase keeps from then on.
    keep: int
    queued: float
    started: float
    completed: float
    #: How many releases there were fewer after it.
    releases: int

    @property
    def ran(self) -> float:
        """Seconds that its task ran."""
        return self.completed - self.started


class Purge(msgspec.Struct, frozen=True):
    """How retention was made tighter in the course of a trial."""

    #: `Items` or `Days`.
    unit: str
    steps: list[PurgeStep]
    #: Table -> rows that it had fewer after the trial than before, net of what the load added.
    rows: dict[str, int] = {}


class Facts(msgspec.Struct, frozen=True):
    """What reports need of `trial.json`; times in Unix seconds."""

    #: Position in the run, from 1.
    index: int
    #: Its pair, from 1.
    pair: int
    #: Name of its arm.
    arm: str
    started: float
    #: Bounds of the measured phase.
    measured_from: float
    measured_until: float
    #: Operation -> requests of the measured phase.
    sent: dict[str, int]
    checks: list[Check]
    #: Whether its checks let it count.
    valid: bool
    #: How often it was run, from 1.
    attempt: int = 1
    #: What the generator says of itself.
    generator: Document = {}
    #: Node -> its clock.
    clocks: dict[str, Clock] = {}
    #: Warnings of the generator.
    log: list[str] = []
    #: Tasks that the arm's nodes could run at once; None unless the trial was, or held, a drain.
    slots: int | None = None
    #: What simulated hosts used (docs/formats.md); empty where there are none.
    hosts: Document = {}
    #: What servers and database computed of this machine (docs/formats.md); empty where nobody read it.
    server: Document = {}
    #: Tasks that were `queued` by the load or beside it and `ended`; empty when nobody followed them.
    tasks: dict[str, int] = {}
    #: What was done to a node in its course; None when nothing was.
    outage: Outage | None = None
    #: How retention was made tighter in its course; None when it was not.
    purge: Purge | None = None
    #: Steps of a search; empty of any other trial.
    search: list[RampTrial] = []

    @property
    def seconds(self) -> float:
        """Length of the measured phase."""
        return self.measured_until - self.measured_from


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as its folder holds it."""

    #: Its folder.
    folder: Path
    facts: Facts
    #: Block values by operation; empty when the trial is not valid.
    operations: dict[str, Summary]
    #: Deciding operation -> logarithm of the median latency in each slice of the trial, warm-up included.
    slices: dict[str, Floats]
    #: Its requests over time; None where it has none, or they were not read.
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """One operation in all valid trials of an arm."""

    #: Latencies in seconds, ascending.
    latencies: Floats
    #: How many of these requests failed.
    failures: int


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that reports read; what an unfinished run has not got is empty."""

    #: The folder.
    folder: Path
    plan: Plan
    #: The latest attempt of every trial that was run, in order.
    trials: list[Trial]
    manifest: Document
    provenance: Document
    #: Arm -> `database.json`, where the arm has one.
    database: dict[str, Document]
    #: Arm -> its `manifest.json`, where arms were seeded with histories of their own.
    histories: dict[str, Document]
    #: Lines of `journal.jsonl`.
    journal: list[Document]
    #: Looks that were taken before the end, in their order.
    looks: list[Look]
    #: What the last A/A of the rig said before the run began; None when there was none.
    rig: Rig | None
    #: What the last search of the same kind on this rig has shown that arms can carry; None when there was none.
    carried: Carried | None

    @property
    def ended(self) -> bool:
        """Whether all planned trials were run, or a planned look ended the run."""
        return len(self.trials) >= len(self.plan.trials) or any(look.stopped for look in self.looks)

    @property
    def pairs(self) -> list[Pair]:
        """Pairs of which both trials are valid."""
        return self.pairs_with(self.plan.contender)

    def pairs_with(self, contender: str) -> list[Pair]:
        """Return the valid pairs of the baseline with any arm."""
        blocks: dict[int, dict[str, Block]] = {}
        for trial in self.trials:
            if trial.facts.valid:
                facts = trial.facts
                block = Block(facts.index, facts.pair, facts.arm, trial.operations, facts.seconds)
                blocks.setdefault(facts.pair, {})[facts.arm] = block
        baseline = self.plan.baseline
        whole = [pair for _, pair in sorted(blocks.items()) if {baseline, contender} <= set(pair)]
        return [Pair(pair[baseline], pair[contender]) for pair in whole]


def read(folder: Path) -> Run:
    """Read the folder of a run, finished or not.

    Raises:
        UsageError: it is no such folder, or a file in it is damaged.
    """
    path = folder / "plan.json"
    plan = plans.parse(read_json(path, "plan", 1), str(path))
    return Run(
        folder,
        plan,
        _trials(folder, plan),
        optional(folder, "manifest"),
        optional(folder, "provenance"),
        of_arms(folder, "database"),
        of_arms(folder, "manifest"),
        _journal(folder / "journal.jsonl"),
        look_log.read(folder),
        rigs.read(folder) if (folder / "rig.json").exists() else None,
        carried.read(folder),
    )


def pooled(trials: Sequence[Trial], arm: str, operations: Sequence[str]) -> dict[str, Pool]:
    """Read the latencies of operations in all valid trials of an arm; each file is read once."""
    latencies: dict[str, list[Floats]] = {name: [np.empty(0)] for name in operations}
    failures = dict.fromkeys(operations, 0)
    for trial in trials:
        if trial.facts.valid and trial.facts.arm == arm and not trial.operations.keys().isdisjoint(operations):
            samples = summaries.read(trial.folder / "requests.parquet")
            for name in operations:
                own = samples.of(name)
                latencies[name].append(own.latency)
                failures[name] += int(own.failed.sum())
    return {name: Pool(np.sort(np.concatenate(latencies[name])), failures[name]) for name in operations}


def optional(folder: Path, name: str) -> Document:
    """Read a document of a run; empty when it has none; `UsageError` when it is damaged."""
    path = folder / f"{name}.json"
    return read_json(path, name, 1) if path.exists() else {}


def of_arms(folder: Path, name: str) -> dict[str, Document]:
    """Read a document that arms may have: arm -> its own, of those that have one; `UsageError` as above."""
    return {path.parent.name: read_json(path, name, 1) for path in sorted(folder.glob(f"arms/*/{name}.json"))}


def _trials(folder: Path, plan: Plan) -> list[Trial]:
    latest: dict[int, tuple[Path, Facts]] = {}
    for path in sorted(folder.glob("trials/*/trial.json")):
        facts = _facts(path)
        if facts.index not in latest or facts.attempt >= latest[facts.index][1].attempt:
            latest[facts.index] = (path.parent, facts)
    return [_trial(*found, plan) for _, found in sorted(latest.items())]


def _facts(path: Path) -> Facts:
    try:
        return msgspec.convert(read_json(path, "trial", 1), Facts)
    except msgspec.ValidationError as exc:
        raise UsageError(f"{path}: {exc}", "Run the trial again: octoload run --resume.") from exc


def _trial(folder: Path, facts: Facts, plan: Plan) -> Trial:
    if not facts.valid:
        return Trial(folder, facts, {}, {})
    worked_off, until = _tasks(folder, facts, plan)
    if facts.slots is not None and not (folder / "requests.parquet").exists():
        return Trial(folder, facts, worked_off, {})
    if facts.search:
        steps = [
            part for file in sorted(folder.glob("steps/*/requests.parquet")) for part in summaries.read_phases(file)
        ]
        flow = _flow(steps, facts, plan, until) if steps else None
        return Trial(folder, facts, searches.summarise(facts.search), {}, flow)
    warm_up, measured = summaries.read_phases(folder / "requests.parquet")
    if found := backwards(facts.seconds, measured):
        return Trial(folder, msgspec.structs.replace(facts, valid=False, checks=[*facts.checks, *found]), {}, {})
    operations = summaries.summarise(measured, facts.seconds, facts.measured_until)
    slices = {
        name: _slices(warm_up.of(name), measured.of(name), facts, plan) for name in plan.deciding if name in operations
    }
    return Trial(folder, facts, worked_off | operations, slices, _flow([warm_up, measured], facts, plan, until))


def _tasks(folder: Path, facts: Facts, plan: Plan) -> tuple[dict[str, Summary], float]:
    """Reduce the tasks of a drain, or those that were followed; return the end of the load and of them all as well."""
    drain, end = plan.workload.drain, facts.measured_until
    if facts.slots is None and not facts.tasks:
        return {}, end
    found = tasks.read(folder / "tasks.parquet")
    last = float(np.max(found.completed, initial=end, where=np.isfinite(found.completed)))
    if drain and facts.slots is not None:
        return tasks.summarise(found, facts.slots, drain.objective), last
    return tasks.waits(found), last


def _flow(phases: Sequence[Samples], facts: Facts, plan: Plan, until: float) -> Flow:
    """Lay bins over a trial until its load and its tasks have ended; put its requests into them."""
    bins = course.grid(facts.measured_from - plan.design.warm_up, until, len(plan.trials))
    shown = [endpoint.operation for endpoint in tasks.requested(plan)]
    return course.flow(bins, phases, list(dict.fromkeys(shown))[:MOST_SHOWN], plan.closed)


def _slices(warm_up: Samples, measured: Samples, facts: Facts, plan: Plan) -> Floats:
    intended, latency = (
        np.concatenate(parts) for parts in ((warm_up.intended, measured.intended), (warm_up.latency, measured.latency))
    )
    begin, length = facts.measured_from - plan.design.warm_up, plan.design.warm_up + plan.design.seconds
    return warmup.slices(intended - begin, latency, length)


def _journal(path: Path) -> list[Document]:
    """Read the journal; lines that a crash cut short say so."""
    entries: list[Document] = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            entries.append(msgspec.json.decode(line, type=Document))
        except msgspec.DecodeError:
            entries.append({"kind": "unreadable", "line": line.decode(errors="replace")})
    return entries
