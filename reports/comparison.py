"""Two finished runs of one experiment held against each other, to see whether the effect has changed.

Runs lie apart in time, so the level of a run says as much about its hour as about its server: no test of it is worth
anything (statistics §1.2). The ratio of two arms that were measured in turns is another matter: what the hour does to
both cancels. So effects are compared, and levels only shown.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from octoload import files
from octoload.errors import UsageError
from reports import looks, statistics
from reports import plan as plans
from reports.effects import Effect, Role
from reports.looks import ALPHA
from reports.plan import Plan
from reports.run import Document, of_arms, optional
from reports.statistics import Floats, Interval

#: Facts of a machine that must agree.
MACHINE = ("system", "processor", "cores", "memory_bytes")


class Shift(msgspec.Struct, frozen=True):
    """How one endpoint's effect differs between two runs."""

    operation: str
    metric: str
    role: Role
    #: Ratio contender / baseline in the first and in the second run.
    first: float
    second: float
    #: Second ratio over the first, with its 95 % interval (Welch).
    change: Interval
    p: float
    #: The same after Holm, among the primary endpoints; None for others.
    p_adjusted: float | None
    #: Baseline of the second run over that of the first: level of the hour, not tested.
    level: float

    @property
    def shown(self) -> bool:
        """Whether a change of a primary endpoint's effect is shown."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA


class Finished(msgspec.Struct, frozen=True):
    """A finished run as its folder holds it, reduced to what a comparison needs."""

    #: Name of its folder.
    name: str
    #: Unix seconds at which its first trial began.
    at: float
    #: What a run that is compared with it must share: name -> value.
    facts: Document
    #: What the arms are, and versions: shown when they differ.
    notes: Document
    effects: list[Effect]


def read(folder: Path) -> Finished:
    """Read a finished run.

    Raises:
        UsageError: it is no run, is not finished, was INVALID, or a file in it is damaged.
    """
    plan = plans.parse(files.read_json(folder / "plan.json", "plan", 1), str(folder / "plan.json"))
    path = folder / "results.json"
    if not path.exists():
        raise UsageError(f"{folder} has no results.json", f"Make it: octoload report {folder}")
    document = files.read_json(path, "results", 1)
    try:
        trials, found = document["trials"], msgspec.convert(document["effects"], list[Effect])
        began = min(float(trial["started"]) for trial in trials)
        valid = bool(document["valid"])
        mechanisms = sorted({name for one in document.get("surroundings", []) for name in one["mechanisms"]})
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}", f"Make it again: octoload report {folder}") from exc
    if not valid:
        raise UsageError(f"{folder} is INVALID: {document.get('sentence', '')}", "Compare runs that are valid.")
    if len(trials) < len(plan.trials) and not any(look.stopped for look in looks.read(folder)):
        raise UsageError(f"{folder} has run {len(trials)} of {len(plan.trials)} trials", "Finish it first.")
    facts = {**_facts(folder, plan), "mechanism of hosts": ", ".join(mechanisms) or None}
    return Finished(folder.name, began, facts, _notes(folder, plan), found)


def _facts(folder: Path, plan: Plan) -> Document:
    machine = optional(folder, "provenance").get("machine", {})
    return {
        "experiment": plan.name,
        "baseline": plan.baseline,
        "contender": plan.contender,
        "dataset fingerprint": optional(folder, "manifest").get("fingerprint"),
        **{f"dataset fingerprint of {arm}": one.get("fingerprint") for arm, one in of_arms(folder, "manifest").items()},
        **{f"workload {key}": value for key, value in msgspec.to_builtins(plan.workload).items()},
        "seconds of a trial": plan.design.seconds,
        "warm-up": plan.design.warm_up,
        "server": plan.server.kind,
        "time scale": plan.server.time_scale,
        **{f"machine {name}": machine.get(name) for name in MACHINE},
    }


def _notes(folder: Path, plan: Plan) -> Document:
    provenance = optional(folder, "provenance")
    versions = {f"version of {name}": value for name, value in provenance.get("versions", {}).items()}
    return {f"arm {name}": text for name, text in plan.arms.items()} | versions


def differences(first: Finished, second: Finished) -> list[str]:
    """List what makes two runs incomparable: data, workload, design or rig; empty when nothing does."""
    return _unlike(first.facts, second.facts)


def notes(first: Finished, second: Finished) -> list[str]:
    """List what differs and may differ: what the arms are, and versions."""
    return _unlike(first.notes, second.notes)


def _unlike(one: Document, other: Document) -> list[str]:
    names = dict.fromkeys([*one, *other])
    return [f"{name}: {one.get(name)} / {other.get(name)}" for name in names if one.get(name) != other.get(name)]


def compare(first: Finished, second: Finished) -> list[Shift]:
    """Compare the effects of two runs; primary endpoints first.

    Raises:
        UsageError: the runs differ in what they must share, or have no endpoint in common.
    """
    unlike = differences(first, second)
    if unlike:
        listed = "\n  ".join(unlike)
        raise UsageError(f"{first.name} and {second.name} must not be compared, they differ in\n  {listed}")
    sides = [{(effect.operation, effect.metric): effect for effect in run.effects} for run in (first, second)]
    shared = [endpoint for endpoint in sides[0] if endpoint in sides[1]]
    shifts = [_shift(sides[0][endpoint], sides[1][endpoint]) for endpoint in shared]
    primary = [shift for shift in shifts if shift.role == "primary"]
    if not primary:
        raise UsageError("the runs have no primary endpoint in common", "See what made trials invalid.")
    adjusted = statistics.holm([shift.p for shift in primary])
    corrected = [msgspec.structs.replace(one, p_adjusted=p) for one, p in zip(primary, adjusted, strict=True)]
    return [*corrected, *(shift for shift in shifts if shift.role != "primary")]


def _shift(first: Effect, second: Effect) -> Shift:
    change, p = welch(np.array(first.log_ratios), np.array(second.log_ratios))
    return Shift(
        operation=first.operation,
        metric=first.metric,
        role=first.role,
        first=first.ratio,
        second=second.ratio,
        change=Interval(*(math.exp(value) for value in (change.estimate, change.low, change.high))),
        p=p,
        p_adjusted=None,
        level=second.baseline / first.baseline,
    )


def welch(first: Floats, second: Floats, confidence: float = 0.95) -> tuple[Interval, float]:
    """Give mean(second) - mean(first) with its interval and two-sided p, variances unlike (Welch 1947)."""
    errors = [side.var(ddof=1) / side.size for side in (first, second)]
    gap, error = float(second.mean() - first.mean()), math.sqrt(float(sum(errors)))
    if error == 0:
        return Interval(gap, gap, gap), 1.0 if gap == 0 else 0.0
    degrees = float(sum(errors)) ** 2 / sum(
        float(one) ** 2 / (side.size - 1) for one, side in zip(errors, (first, second), strict=True)
    )
    half = statistics.t_quantile((1 + confidence) / 2, degrees) * error
    return Interval(gap, gap - half, gap + half), statistics.t_tail(gap / error, degrees)


def comparable(runs: Sequence[Finished]) -> tuple[list[Finished], list[tuple[Finished, list[str]]]]:
    """Keep the runs that may stand beside the last one, and say of the others why they may not."""
    unlike = [(run, differences(run, runs[-1])) for run in runs]
    return [run for run, why in unlike if not why], [(run, why) for run, why in unlike if why]
