"""How far a run is, as the files in its folder tell it: its question and the trials of its plan."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from octoload import files

State = Literal["to come", "running", "done", "invalid"]


class Planned(msgspec.Struct, frozen=True):
    """One trial of the plan, and what has come of it."""

    index: int
    pair: int
    arm: str
    state: State
    #: Seconds from its start to its end; None before that.
    lasted: float | None = None
    #: Messages of the checks that were not content.
    doubts: list[str] = []


class Course(msgspec.Struct, frozen=True):
    """A run's plan, and how far it is."""

    name: str
    question: str
    trials: list[Planned]

    @property
    def left(self) -> float | None:
        """Seconds that the trials still take, by the mean of those that have ended; None before the first has."""
        lasted = [trial.lasted for trial in self.trials if trial.lasted is not None]
        return sum(lasted) / len(lasted) * (len(self.trials) - len(lasted)) if lasted else None


class Follower:
    """Reads a run's folder again and again, each finished trial once."""

    def __init__(self, folder: Path) -> None:
        """`folder` is that of the run."""
        self._folder = folder
        self._ended: dict[tuple[Path, int], Planned] = {}

    def look(self, running: str = "") -> Course:
        """Return how far the run is; `running` is the folder below `trials/` of the trial that is under way.

        Raises:
            UsageError: the plan is not there, or cannot be read.
        """
        plan = files.read_json(self._folder / "plan.json", "plan", 1)
        trials = [self._trial(trial, running) for trial in plan["trials"]]
        return Course(str(plan["name"]), str(plan["question"]), trials)

    def _trial(self, trial: dict[str, Any], running: str) -> Planned:
        index, pair, arm = int(trial["index"]), int(trial["pair"]), str(trial["arm"])
        name = f"{index:02d}-{arm}"
        file = self._folder / "trials" / name / "trial.json"
        try:
            key = (file, file.stat().st_mtime_ns)
        except OSError:
            return Planned(index, pair, arm, "running" if name == running else "to come")
        if key not in self._ended:
            self._ended[key] = _ended(files.read_json(file, "trial", 1), index, pair, arm)
        return self._ended[key]


def _ended(content: dict[str, Any], index: int, pair: int, arm: str) -> Planned:
    lasted = float(content["ended"]) - float(content["started"])
    doubts = [str(check["message"]) for check in content["checks"] if check["state"] != "ok"]
    return Planned(index, pair, arm, "done" if content["valid"] else "invalid", lasted, doubts)
