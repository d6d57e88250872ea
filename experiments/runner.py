"""Runs an experiment: servers up, trials in their order, each written as it ends, the result last."""

import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from experiments import confirming, hooks, plan, trialfile
from experiments import workload as workloads
from experiments.attempt import Attempt, refusals
from experiments.cluster import restore
from experiments.display import Display
from experiments.engine import Engine
from experiments.experiment import Experiment, switched
from experiments.hooks import Hooks
from experiments.instances import OctopusRig
from experiments.journal import Journal
from experiments.plan import Generator, Trial
from experiments.rig import Rig, StandinRig, choose_history, connect, on_standins
from octoload import files
from reports import looks, planning, results, words
from reports import plan as plans


class Run:
    """One run of an experiment, in a folder of its own."""

    def __init__(
        self, experiment: Experiment, source: Path, folder: Path, display: Display, generator: Generator
    ) -> None:
        """`source` is the experiment's file (histories are found beside it), `folder` that of the run."""
        self.folder = folder
        self._experiment = experiment
        self._display = display
        self._plan = plan.write_up(experiment, choose_history(experiment, source), generator)
        self._rig = _rig(experiment, source, folder, display)
        self._journal = Journal(folder / "journal.jsonl")
        self._engine = Engine(folder, self._rig.keys, generator)
        self._generator = generator
        self._hooks = Hooks(self._journal, folder / "logs")

    def __call__(self) -> None:
        """Prepare the servers, run all trials that are not there yet, and confirm what is to be confirmed.

        Raises:
            OctoloadError: why it cannot go on; finished trials are kept.
        """
        try:
            self.open()
            self.measure()
            for one in self.unconfirmed():
                confirming.confirm(self._attempt, one)
        finally:
            self.close()

    def open(self) -> None:
        """Write the plan; undo what an earlier attempt left; start Locust and the servers."""
        hooks.check(self._experiment)
        self._write_plan()
        for done in self._hooks.restore():
            self._display.say(f"Undone: {done}")
        if workloads.loaded(self._experiment.workload) or self._generator.web:
            self._engine.start()  # it takes seconds to start; the servers are filled meanwhile
            if self._generator.workers:
                self._gather()
        self._rig.start()

    def _write_plan(self) -> None:
        """Write the plan, and beside it the trace as it is played."""
        files.write_json(self.folder / "plan.json", "plan", 1, self._plan)
        if self._experiment.workload.trace and not self._trace.exists():
            files.write_bytes(self._trace, Path(self._experiment.workload.trace).read_bytes())

    @property
    def _trace(self) -> Path:
        """Where the run keeps the trace that it plays, if it plays one."""
        return self.folder / f"trace{Path(self._experiment.workload.trace).suffix}"

    def _gather(self) -> None:
        """Wait for the workers before anything else takes its time."""
        wanted = self._generator.workers
        with self._display.step(f"Waiting for {wanted} workers on {self._generator.bind}") as report:
            self._engine.gather(lambda event: report(event["connected"], wanted, refusals(event)))

    def borrow(self, other: "Run") -> None:
        """Write the plan; use the servers and the Locust of another run that is open."""
        self._write_plan()
        self._rig, self._engine = other._rig, other._engine  # noqa: SLF001  the same class

    def close(self) -> None:
        """Put back what was switched, end Locust and the servers."""
        try:
            self._put_back()
        finally:
            self._engine.stop()
            self._rig.stop()

    def _put_back(self) -> None:
        """Set the nodes of servers that are not ours to end as they were."""
        if not (switched(self._experiment) or self._experiment.workload.drain) or isinstance(self._rig, StandinRig):
            return
        for arm in {target.urls[0]: arm for arm, target in self._rig.targets.items()}.values():
            with connect(self._rig, arm) as octopus:
                for node in restore(octopus, self._journal):
                    self._display.say(f"Put back: {node}")

    def measure(self) -> None:
        """Run the trials that are not there yet."""
        left = self.left()
        if not left:
            return
        decided = plans.parse(self._plan)
        kind = f"{len(left)} {decided.size}" if decided.workload.search else f"{len(left)} trials of {decided.size}"
        total = planning.seconds(decided, len(left))
        self._display.say(kind if total is None else f"{kind}, about {words.span(total)}")
        with self._display.whole("Trials", len(left)) as advance:
            for trial in left:
                self._repeat(trial, len(self._plan["trials"]))
                advance()
                if self._settled(trial):
                    return

    def _looks_after(self) -> list[int]:
        """Return the trials after which a look is planned."""
        arms = 1 + len(self._experiment.compare.contenders)
        return [arms * pairs for pairs in self._experiment.design.looks[:-1]]

    def _settled(self, trial: Trial) -> bool:
        """Take the look that the plan asks for after this trial, if any; return whether it ended the run."""
        if trial.index not in self._looks_after():
            return False
        look = results.look(self.folder, time.time())
        said = "the primary endpoints are settled" if look.stopped else "not settled, going on"
        self._display.say(f"A planned look at {look.pairs} pairs: {said}")
        return look.stopped

    def left(self) -> list[Trial]:
        """Return the trials that are still to run."""
        return _left(self.folder, self._plan["trials"])

    def unconfirmed(self) -> list[confirming.Open]:
        """Return the open trials that are still to confirm capacities; none before the drains are done."""
        drain = self._experiment.workload.drain
        return confirming.left(self.folder) if drain and drain.confirm and not self.left() else []

    def clear(self) -> None:
        """Delete the stand-in's databases of a finished run."""
        if isinstance(self._rig, StandinRig):
            self._rig.clear()

    @property
    def _attempt(self) -> Attempt:
        trace = self._trace if self._experiment.workload.trace else None
        return Attempt(
            self.folder,
            self._experiment,
            self._plan,
            self._rig,
            self._engine,
            self._display,
            self._journal,
            self._hooks,
            trace,
        )

    def _repeat(self, trial: Trial, of: int) -> None:
        """Run a trial until it is valid, at most as often as the design says; every attempt is kept."""
        tried = len(list(trial.place(self.folder).parent.glob(f"{trial.folder}.attempt-*")))
        for attempt in range(tried + 1, max(self._experiment.design.attempts, tried + 1) + 1):
            faults = self._attempt(trial, attempt, of)
            if not faults:
                for name, message in trialfile.warnings(trial.place(self.folder)):
                    self._display.warn(name, f"trial {trial.index}, {trial.arm}: {message}")
                return
            self._display.say(f"  trial {trial.index} is invalid: {faults[0]}", style="yellow")
            if attempt < self._experiment.design.attempts:
                shutil.move(
                    trial.place(self.folder), trial.place(self.folder).with_name(f"{trial.folder}.attempt-{attempt}")
                )


def trials_left(folder: Path) -> int:
    """Return how many trials of a run are still to run."""
    return len(_left(folder, files.read_json(folder / "plan.json", "plan", 1)["trials"]))


def _left(folder: Path, planned: list[dict[str, Any]]) -> list[Trial]:
    """Return the trials that are not there yet; none when a planned look has ended the run."""
    if any(look.stopped for look in looks.read(folder)):
        return []
    trials = [msgspec.convert(trial, Trial) for trial in planned]
    return [trial for trial in trials if not (trial.place(folder) / "trial.json").exists()]


def _rig(experiment: Experiment, source: Path, folder: Path, display: Display) -> Rig:
    if on_standins(experiment):
        return StandinRig(experiment, source, folder, display)
    return OctopusRig(experiment, folder)
