"""The course of a purge: in the middle of a trial the retention policy is made tighter and applied, step by step."""

import time
from collections.abc import Callable
from typing import Any

from experiments.arms import apply_retention
from experiments.aside import Aside, Beginning, Rest
from experiments.experiment import Retention
from experiments.journal import Journal
from experiments.purge import Purge
from experiments.tasks import seconds
from octoload.api import Octopus


class Purging:
    """One purge in the course of one trial."""

    #: Where `trial.json` has what came of it.
    name = "purge"

    def __init__(self, purge: Purge, space: str, journal: Journal, *, ask: Callable[[], Octopus]) -> None:
        """`ask` opens the API of the trial's server for the thread that purges."""
        self._purge = purge
        self._space = space
        self._journal = journal
        self._ask = ask

    def beside(self, beginning: Beginning) -> Aside[dict[str, Any]]:
        """Return what makes it happen beside the load, reckoned from the begin of its measured phase."""
        return Aside(lambda rest: self._run(beginning, rest))

    def _run(self, beginning: Beginning, rest: Rest) -> dict[str, Any]:
        """Take one step after the other; return `purge` of `trial.json`."""
        beginning.wait(rest)
        begun = time.monotonic()
        steps = []
        with self._ask() as octopus:
            left = octopus.counts()
            for keep, begin in zip(self._purge.keep, self._purge.begins, strict=True):
                rest(max(0.0, begun + begin - time.monotonic()))
                step = self._step(octopus, keep, rest)
                now = octopus.counts()
                steps.append({**step, "releases": left["release"] - now["release"]})
                left = now
        return {"unit": self._purge.unit, "steps": steps}

    def _step(self, octopus: Octopus, keep: int, rest: Rest) -> dict[str, Any]:
        """Set a policy and have it applied; the task is asked after until it ends or the trial breaks off."""
        policy = Retention(keep, self._purge.unit)
        task = apply_retention(octopus, self._space, policy, self._journal, lambda *_: rest(0.0))
        times = {name: seconds(task[key]) for name, key in _TIMES.items()}
        return {"keep": keep, "task": task["Id"], **times}


#: Times of a task by the names that `trial.json` has for them.
_TIMES = {"queued": "QueueTime", "started": "StartTime", "completed": "CompletedTime"}
