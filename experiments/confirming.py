"""The confirmation of task capacities: after the drains two open trials an arm, one below its capacity and one above.

A replay takes run times as they were in a drain; where they depend on the load its capacity is refuted by these trials
(statistics §4.3 step 4).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from experiments.attempt import Attempt
from experiments.following import follow
from experiments.plan import Trial
from experiments.rig import connect
from octoload import files
from reports import checks, confirmations, drains
from reports import run as runs
from reports.taskchecks import check_followed

#: The scenario whose deployments wait for nothing but a slot.
STREAM = "deployment-stream"


@dataclass(frozen=True, slots=True)
class Open:
    """One open trial of deployments on an arm."""

    arm: str
    #: `below` or `above`.
    side: str
    #: Tasks an hour that the arm can take by replay, and those that arrive.
    capacity: float
    arriving: float

    def place(self, run: Path) -> Path:
        """Return where a run in that folder keeps it."""
        return run / "confirmations" / f"{self.arm}-{self.side}"


def left(run: Path) -> list[Open]:
    """Return the open trials that are still to run, of a run whose drains are done."""
    return [one for one in _wanted(run) if not (one.place(run) / "confirmation.json").exists()]


def _wanted(run: Path) -> Iterator[Open]:
    for arm, capacity in confirmations.capacities(runs.read(run)).items():
        for side, multiple in drains.SIDES.items():
            yield Open(arm, side, capacity, multiple * capacity)


def confirm(attempt: Attempt, one: Open) -> None:
    """Run an open trial, follow its tasks to their end and write `confirmation.json` (docs/formats.md).

    Raises:
        OctoloadError: server or generator failed; what was confirmed before is kept.
    """
    drain, place = attempt.experiment.workload.drain, one.place(attempt.folder)
    assert drain is not None
    assert drain.confirm is not None
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    trial, rate = Trial(0, 0, one.arm), one.arriving / 3600
    said = f"Confirming {one.arm}: {one.arriving:,.0f} tasks an hour, {one.side} its capacity"
    with (
        attempt.display.step(said, timed=True) as report,
        attempt.hooks.around(one.arm, attempt.experiment.arms[one.arm]),
    ):
        attempt.ready(trial)
        order = attempt.command(trial) | {"folder": str(place.resolve()), "warm_up": 0.0, "seconds": drain.confirm}
        order["mix"] = {**attempt.experiment.workload.mix, STREAM: rate}
        with attempt.queued_on(trial) as look:
            facts = attempt.run_load(order, report, look)
        with connect(attempt.rig, one.arm) as octopus:
            space, file = attempt.rig.targets[one.arm].space, place / "tasks.parquet"
            counted = follow(octopus, space, facts, drain.within, file, progress=report)
    facts |= {"arm": one.arm, "tasks": counted}
    found = checks.check_trial(facts, place / "requests.parquet", attempt.decided)
    found += check_followed(facts, file, attempt.decided)
    for check in found:
        if check.state == "invalid":
            attempt.display.warn(check.name, f"open trial of {one.arm}, {one.side}, is invalid: {check.message}")
    content = {"arm": one.arm, "side": one.side, "capacity": one.capacity, "arriving": one.arriving}
    content |= {"objective": drain.objective, "seconds": drain.confirm, **counted}
    content["checks"] = msgspec.to_builtins(found)
    files.write_json(place / "confirmation.json", "confirmation", 1, content)
