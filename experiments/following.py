"""The tasks that a trial's load has queued, followed to their end after it."""

import time
from pathlib import Path
from typing import Any

from experiments import tasks
from octoload.api import Octopus, Progress

#: Seconds between two looks at the queue.
LOOK = 0.5


def follow(
    octopus: Octopus, space: str, since: float, within: float, file: Path, *, progress: Progress
) -> dict[str, Any]:
    """Wait until no task of a space is under way, at most `within` seconds; write all that were queued `since` a time.

    Those that wait for a later time, such as scheduled deployments, are waited for as well. Return `tasks` of
    `trial.json`: how many were queued, and how many of them came to their end.

    Raises:
        ServerError: the server fails.
        UsageError: the disk is full.
    """
    deadline = time.monotonic() + within
    while (left := tasks.left(octopus, space)) and time.monotonic() < deadline:
        progress(0, left, "tasks still to end")
        time.sleep(LOOK)
    found = tasks.during(octopus, since, space)
    tasks.write(file, found, tasks.count_starts(octopus, space, since))
    return {"queued": len(found), "ended": sum(bool(task["IsCompleted"]) for task in found)}
