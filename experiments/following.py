"""The tasks that a trial's load has queued, followed to their end after it."""

import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from experiments import tasks
from octoload.api import Octopus, Progress

#: Seconds between two looks at the queue.
LOOK = 0.5


def follow(
    octopus: Octopus, space: str, facts: Mapping[str, Any], within: float, file: Path, *, progress: Progress
) -> dict[str, int]:
    """Wait until no task of a space is under way, at most `within` seconds; write down those of a trial.

    These are all that its load was answered with, and what else was queued since its measured phase began: by a server
    of its own accord, or by a request whose answer was lost. Those that wait for a later time, such as scheduled
    deployments, are waited for as well. Return `tasks` of `trial.json`: how many were queued, the vanished among them,
    and how many came to their end.

    Raises:
        ServerError: the server fails.
        UsageError: the disk is full.
    """
    deadline = time.monotonic() + within
    while (left := tasks.left(octopus, space)) and time.monotonic() < deadline:
        progress(0, left, "tasks still to end")
        time.sleep(LOOK)
    begin, asked = beginning(facts), list(facts["queued"])
    found = _found(octopus, space, begin, asked)
    tasks.write(file, found, tasks.count_starts(octopus, space, begin))
    queued = {*asked, *(task["Id"] for task in found)}
    return {"queued": len(queued), "ended": sum(bool(task["IsCompleted"]) for task in found)}


def beginning(facts: Mapping[str, Any]) -> float:
    """Return when the measured phase began, in Unix seconds by the slowest clock of the server's nodes."""
    return float(facts["measured_from"]) + min((float(clock["low"]) for clock in facts["clocks"].values()), default=0.0)


def _found(octopus: Octopus, space: str, begin: float, asked: Collection[str]) -> list[dict[str, Any]]:
    """Return the tasks since a time and those that were asked for, oldest first; vanished ones are missing."""
    found = tasks.during(octopus, begin, space)
    known = {task["Id"] for task in found}
    return tasks.in_order([*found, *tasks.read(octopus, space, [one for one in asked if one not in known])])
