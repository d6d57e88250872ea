"""The plan of a run: which trial runs when, and all that was decided before the first."""

import random
from pathlib import Path
from typing import Any

import msgspec

import octoload
from experiments import workload as workloads
from experiments.address import Address
from experiments.experiment import Arm, Compare, Design, Experiment, Retention
from experiments.outage import Outage
from experiments.purge import Purge
from seeders.history import History


class Generator(msgspec.Struct, frozen=True):
    """What drives the load: processes of our own, or workers that connect."""

    #: Locust processes on this machine.
    processes: int = 1
    #: Workers that take part (`octoload worker`); 0 for none, the processes then do the work.
    workers: int = 0
    #: Where workers find this run.
    bind: Address = Address()
    #: Seconds that missing workers are waited for.
    patience: float = 120.0
    #: Where Locust's web page is served; None for nowhere.
    web: Address | None = None


class Trial(msgspec.Struct, frozen=True):
    """One block of measurement on one arm."""

    #: Position in the run, from 1.
    index: int
    #: Which pair it belongs to, from 1.
    pair: int
    #: Name of the arm.
    arm: str

    @property
    def folder(self) -> str:
        """Its folder below `trials/`."""
        return f"{self.index:02d}-{self.arm}"

    def place(self, run: Path) -> Path:
        """Return where a run in that folder keeps it."""
        return run / "trials" / self.folder


def order(design: Design, compare: Compare) -> list[Trial]:
    """Put pairs in random order, exactly half of them (or one more) with the baseline first.

    Balanced randomised pairs are the design with nominal error rates (statistics §0.2, §1.4 step 3). With more than two
    arms each round visits all of them in random order (§5.1), and is the pair of each contender with the baseline.
    """
    generator = random.Random(design.seed)
    baseline, contender = compare.baseline, compare.contender
    if compare.also:
        names = [baseline, *compare.contenders]
        visits = [(turn, name) for turn in range(1, design.pairs + 1) for name in generator.sample(names, len(names))]
        return [Trial(index, turn, name) for index, (turn, name) in enumerate(visits, start=1)]
    baseline_first = [number % 2 == 0 for number in range(design.pairs)]
    generator.shuffle(baseline_first)
    arms = [arm for first in baseline_first for arm in ((baseline, contender) if first else (contender, baseline))]
    return [Trial(index, (index + 1) // 2, arm) for index, arm in enumerate(arms, start=1)]


def seed_of(design: Design, trial: Trial) -> int:
    """Give both trials of a pair the same arrivals: common random numbers (statistics §1.4 step 3)."""
    return design.seed * 1000 + trial.pair


def describe(arm: Arm) -> str:
    """Say in words what an arm is."""
    switched = [
        *([_retention(arm.retention)] if arm.retention else []),
        *([f"{arm.depth:g} x the history, in a database of its own"] if arm.depth is not None else []),
        *(["one node takes part" if arm.nodes == 1 else f"{arm.nodes} nodes take part"] if arm.nodes else []),
        *([f"each node runs up to {arm.task_cap} tasks"] if arm.task_cap is not None else []),
        *([f"the database on the {arm.sql.replace('-', ' ')}"] if arm.sql else []),
        *([f"{arm.sql_latency} to the database and back"] if arm.sql_latency else []),
        *([_outage(arm.outage)] if arm.outage else []),
        *([_purge(arm.purge)] if arm.purge else []),
        *([f"after `{' '.join(arm.before)}`"] if arm.before else []),
        *([f"the instance at {arm.url}"] if arm.url else []),
    ]
    return ", ".join(switched) or "as seeded; releases are kept for ever"


def _retention(retention: Retention) -> str:
    return f"each lifecycle phase keeps {retention.keep} {retention.unit.lower()}; Retention task run"


def _outage(outage: Outage) -> str:
    deed = {"kill": "a node is killed", "freeze": "a node stands still", None: "a node is struck"}[outage.does]
    return f"{deed} {outage.after:g} s into each trial and mended {outage.lasts:g} s later"


def _course(arm: Arm) -> str:
    return "outage" if arm.outage else "purge" if arm.purge else ""


def _purge(purge: Purge) -> str:
    *before, last = [f"{keep}" for keep in purge.keep]
    way = f"{', '.join(before)} and then {last}" if before else f"{last} at once"
    times = f"{purge.after:g} s into each trial" + (f", {purge.every:g} s from step to step" if before else "")
    return f"retention cut to {way} ({purge.unit.lower()}), {times}"


def write_up(experiment: Experiment, history: History | None, generator: Generator) -> dict[str, Any]:
    """Write down the plan as `plan.json` holds it (docs/formats.md)."""
    baseline, contender = experiment.compare.baseline, experiment.compare.contender
    design, arms = experiment.design, experiment.arms
    return {
        "name": experiment.name,
        "question": experiment.question,
        "subject": arms[contender].subject or contender,
        "baseline": baseline,
        "contender": contender,
        "also": {name: arms[name].subject or name for name in experiment.compare.also},
        "nodes": {
            name: arm.nodes for name, arm in arms.items() if arm.nodes and arm.task_cap == arms[baseline].task_cap
        },
        "caps": {name: arm.task_cap for name, arm in arms.items() if arm.task_cap and not arm.nodes},
        "meant": {name: arm.changes for name, arm in arms.items() if arm.changes},
        "courses": {name: course for name, arm in arms.items() if (course := _course(arm))},
        "arms": {name: describe(arm) for name, arm in arms.items()},
        "design": msgspec.to_builtins(design),
        "workload": workloads.write_up(experiment.workload, design.phases(experiment.workload)),
        "primary": [_endpoint(text) for text in experiment.objectives.primary],
        "control": experiment.objectives.control,
        "closed": workloads.closed(experiment.workload),
        "changes": ["rows"] if arms[baseline].retention != arms[contender].retention else [],
        "cuts": [name for name in experiment.compare.also if arms[baseline].retention != arms[name].retention],
        "margin": experiment.objectives.margin,
        "gate": experiment.objectives.gate,
        "server": _server(experiment),
        "history": msgspec.to_builtins(history),
        "generator": {"processes": generator.processes, "workers": generator.workers},
        "octoload": octoload.__version__,
        "trials": [msgspec.to_builtins(trial) for trial in order(design, experiment.compare)],
    }


def _endpoint(text: str) -> dict[str, str]:
    operation, metric = text.split()
    return {"operation": operation, "metric": metric}


def _server(experiment: Experiment) -> dict[str, Any]:
    if any(arm.url for arm in experiment.arms.values()):
        return {"kind": "octopus", "time_scale": 1.0}
    scale = experiment.standin.time_scale if experiment.standin else 1.0
    return {"kind": "standin", "time_scale": scale}
