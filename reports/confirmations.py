"""Task capacities by replay held against open trials: whether what was replayed is what happens (statistics §4.3)."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import msgspec
import numpy as np

from octoload import files
from octoload.errors import UsageError
from reports import drains, tasks
from reports.checks import Check, State
from reports.drains import Capacity
from reports.queueing import OVER
from reports.run import Run
from reports.words import share, span


class Confirmation(msgspec.Struct, frozen=True):
    """What two open trials say of one arm's capacity."""

    arm: str
    #: Tasks an hour at which 95 % start within `objective` seconds, by replay.
    capacity: float
    objective: float
    #: Share of tasks that waited longer, below that rate and above it.
    late_below: float
    late_above: float
    #: Tasks of both trials together, and seconds of each.
    tasks: int
    seconds: float
    #: Seconds that each should have lasted.
    wanted: float
    #: What speaks against the capacity; empty when nothing does.
    refuted: str


class _Open(msgspec.Struct, frozen=True):
    """`confirmation.json` (docs/formats.md)."""

    arm: str
    side: str
    capacity: float
    objective: float
    seconds: float
    checks: list[Check]


def capacities(run: Run) -> dict[str, float]:
    """Return arm -> tasks an hour that it can take: the geometric mean of its drains that tell."""
    found: dict[str, list[float]] = {}
    for trial in run.trials:
        summary = trial.operations.get(tasks.DRAIN)
        if summary and summary.capacity:
            found.setdefault(trial.facts.arm, []).append(math.log(summary.capacity))
    return {arm: math.exp(fmean(rates)) for arm, rates in sorted(found.items())}


def of_run(run: Run) -> list[Confirmation]:
    """Judge the capacities of which both open trials were run.

    Raises:
        UsageError: a file of theirs is damaged.
    """
    found: dict[str, dict[str, tuple[_Open, tasks.Tasks]]] = {}
    for path in sorted(run.folder.glob("confirmations/*/confirmation.json")):
        one = _read(path)
        found.setdefault(one.arm, {})[one.side] = one, tasks.read(path.with_name("tasks.parquet"))
    return [_judge(*sides["below"], *sides["above"]) for sides in found.values() if len(sides) == len(drains.SIDES)]


def _read(path: Path) -> _Open:
    try:
        return msgspec.convert(files.read_json(path, "confirmation", 1), _Open)
    except msgspec.ValidationError as exc:
        raise UsageError(f"{path}: {exc}", "Delete its folder and go on: octoload run --resume.") from exc


def _judge(low: _Open, below: tasks.Tasks, high: _Open, above: tasks.Tasks) -> Confirmation:
    # A task that never started waited longest of all.
    waits = [np.nan_to_num(one.started - one.queued, nan=np.inf) for one in (below, above)]
    late = [float((waited > low.objective).mean()) if waited.size else math.nan for waited in waits]
    return Confirmation(
        arm=low.arm,
        capacity=low.capacity,
        objective=low.objective,
        late_below=late[0],
        late_above=late[1],
        tasks=waits[0].size + waits[1].size,
        seconds=min(low.seconds, high.seconds),
        wanted=drains.confirming_seconds(below.run),
        refuted=_void(low) or _void(high) or drains.refuted(Capacity(low.capacity, low.objective, 1.0), *waits),
    )


def _void(one: _Open) -> str:
    """Say why an open trial tells nothing: a generator that lags lets fewer tasks arrive than it says."""
    faults = [check.message for check in one.checks if check.state == "invalid"]
    return f"Not confirmed: the trial {one.side} its capacity is invalid. {faults[0]}" if faults else ""


def sentence(one: Confirmation) -> str:
    """Say what the open trials made of a capacity."""
    if one.refuted:
        return f"{one.arm}: {one.refuted}"
    below, above = share(one.late_below), share(one.late_above)
    return (
        f"{one.arm}: {one.capacity:,.0f} tasks an hour are confirmed by open trials of {span(one.seconds)}: at "
        f"{drains.BELOW:g} of it {below} wait too long, at {drains.ABOVE:g} of it {above}."
    )


def check(found: Sequence[Confirmation]) -> list[Check]:
    """Doubt each capacity that is refuted, or confirmed by trials too short to tell."""
    checks = []
    for one in found:
        message, short = sentence(one), one.seconds < one.wanted
        if short:
            message += f" The trials were short: {span(one.wanted)} each are wanted: a queue takes time to build up."
        state: State = "warn" if short or one.refuted else "ok"
        checks.append(Check(f"replay: {one.arm}", one.late_below, OVER, state, message))
    return checks
