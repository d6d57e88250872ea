"""Runs an experiment: servers up, trials in their order, each written as it ends, the result last."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from experiments import hooks, plan, tasks, trialfile
from experiments import workload as workloads
from experiments.aside import LOOK, Aside, Beginning, Rest
from experiments.cluster import Cluster, Setting, restore
from experiments.display import Display, Report
from experiments.drain import Drain
from experiments.engine import Engine, command
from experiments.experiment import Experiment, switched
from experiments.following import follow
from experiments.hooks import Hooks
from experiments.journal import Journal
from experiments.meter import Meter
from experiments.plan import Generator, Trial
from experiments.rig import OctopusRig, Rig, StandinRig, choose_history, on_standins
from experiments.search import Search
from experiments.strike import Course
from octoload import files
from octoload.api import Octopus
from octoload.errors import InvalidRunError, ServerError
from reports import checks, looks, ramp, results
from reports.searches import check_search
from reports.taskchecks import check_drain, check_followed, check_overlap

#: Seconds by which a server's clock may lag ours and its tasks of a trial are still found.
CLOCKS = 5.0
#: Seconds to wait for the server's queue to empty before a trial begins.
QUIET_WITHIN = 30.0


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
        self._engine = Engine(folder / "logs" / "locust.log", self._rig.keys, generator)
        self._generator = generator
        self._hooks = Hooks(self._journal, folder / "logs")

    def __call__(self) -> None:
        """Prepare the servers and run all trials that are not there yet.

        Raises:
            OctoloadError: why it cannot go on; finished trials are kept.
        """
        try:
            self.open()
            self.measure()
        finally:
            self.close()

    def open(self) -> None:
        """Write the plan; undo what an earlier attempt left; start Locust and the servers."""
        hooks.check(self._experiment)
        self._write_plan()
        for done in self._hooks.restore():
            self._display.say(f"Undone: {done}")
        if workloads.loaded(self._experiment.workload):
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
            self._engine.gather(lambda event: report(event["connected"], wanted, _refusals(event)))

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
            with self._octopus(arm) as octopus:
                for node in restore(octopus, self._journal):
                    self._display.say(f"Put back: {node}")

    def measure(self) -> None:
        """Run the trials that are not there yet."""
        left = self.left()
        design = self._experiment.design
        seconds, drain = len(left) * (design.warm_up + design.seconds), self._experiment.workload.drain
        size = f"of {design.seconds:g} s, about {seconds / 60:.0f} minutes" if not drain else f"of {drain.tasks} tasks"
        if search := self._experiment.workload.search:
            minutes = len(left) * ramp.USUAL_STEPS * (search.warm_up + search.seconds) / 60
            size = f"that search, about {ramp.USUAL_STEPS} steps of {search.seconds:g} s each, {minutes:.0f} minutes"
        self._display.say(f"{len(left)} trials {size}")
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

    def clear(self) -> None:
        """Delete the stand-in's databases of a finished run."""
        if isinstance(self._rig, StandinRig):
            self._rig.clear()

    def _repeat(self, trial: Trial, of: int) -> None:
        """Run a trial until it is valid, at most as often as the design says; every attempt is kept."""
        tried = len(list(self._place(trial).parent.glob(f"{trial.folder}.attempt-*")))
        for attempt in range(tried + 1, max(self._experiment.design.attempts, tried + 1) + 1):
            faults = self._run(trial, attempt, of)
            if not faults:
                return
            self._display.say(f"  trial {trial.index} is invalid: {faults[0]}", style="yellow")
            if attempt < self._experiment.design.attempts:
                shutil.move(self._place(trial), self._place(trial).with_name(f"{trial.folder}.attempt-{attempt}"))

    def _run(self, trial: Trial, attempt: int, of: int) -> list[str]:
        """Run a trial once, its arm's commands around it; return what makes it invalid."""
        folder = self._place(trial)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._wait_until_quiet()
        with self._hooks.around(trial.arm, self._experiment.arms[trial.arm]):
            return self._load(trial, attempt, of)

    def _load(self, trial: Trial, attempt: int, of: int) -> list[str]:
        """Put the arm in force and drive its load; return what makes the trial invalid."""
        folder, started = self._place(trial), time.time()
        content: dict[str, Any] = {"index": trial.index, "pair": trial.pair, "arm": trial.arm, "attempt": attempt}
        self._rig.enter(trial.arm)
        meter = self._meter()
        try:
            if self._experiment.workload.drain:
                return self._drain(trial, content, of)
            self._switch(trial)
            with self._display.step(f"Trial {trial.index} of {of}, {trial.arm}") as report:
                if self._experiment.workload.search:
                    return self._search(trial, content, report)
                facts = self._drive(trial, report, meter)
        except InvalidRunError as exc:
            self._rig.check()
            return trialfile.spoil(folder, content, started, exc.message)
        self._rig.check()
        facts = {**facts, "hosts": meter.used}
        facts.pop("event", None)
        facts = content | facts
        found = checks.check_trial(facts, folder / "requests.parquet", self._plan)
        if "tasks" in facts:
            found += check_followed(facts, folder / "tasks.parquet", self._plan)
        else:
            facts["log"] = [*facts["log"], *self._tell_tasks(trial, facts["started"] - CLOCKS)]
        return trialfile.judge(folder, facts, found)

    def _drive(self, trial: Trial, report: Report, meter: Meter) -> dict[str, Any]:
        """Drive a trial's load with the outage of its arm, and follow its tasks; return the trial's facts."""
        outage, within = self._experiment.arms[trial.arm].outage, self._experiment.workload.follow
        if outage:
            node = outage.node or self._rig.last_node
            course = Course(outage, trial.arm, node, self._hooks, tell=self._rig.tell)
            beginning = Beginning(self._experiment.design.warm_up)
            with course.beside(beginning) as aside:
                facts = self._engine.run(self._command(trial), self._progress(report, meter, beginning))
                beginning.hear(self._experiment.design.warm_up)  # of a load too short to tell of itself
                facts["outage"] = aside.result()
        else:
            facts = self._engine.run(self._command(trial), self._progress(report, meter))
        if within:
            with self._octopus(trial.arm) as octopus:
                file, space = self._place(trial) / "tasks.parquet", self._rig.targets[trial.arm].space
                facts["tasks"] = follow(octopus, space, facts["measured_from"], within, file, progress=report)
        return facts

    def _tell_tasks(self, trial: Trial, since: float) -> list[str]:
        """Write down the server's tasks since a Unix time, for what they do to pages; return what hindered it."""
        try:
            with self._octopus(trial.arm) as octopus:
                tasks.write(self._place(trial) / "tasks.parquet", tasks.during(octopus, since))
        except ServerError as exc:
            return [f"The server's tasks could not be read: {exc.message}"]
        return []

    def _search(self, trial: Trial, content: dict[str, Any], report: Report) -> list[str]:
        """Search an arm's capacity once; return what makes it invalid."""
        wanted = self._experiment.workload.search
        assert wanted is not None

        def begin(number: int, rate: float) -> None:
            report(number, max(number, ramp.USUAL_STEPS), f"step {number}, {rate:.3g} sessions a second")

        command = {key: value for key, value in self._command(trial).items() if key != "search"}
        search = Search(lambda order: self._engine.run(order, lambda _: self._rig.check()), command, wanted)
        facts = search.run(self._place(trial), begin)
        return trialfile.judge(self._place(trial), content | facts, check_search(facts))

    def _drain(self, trial: Trial, content: dict[str, Any], of: int) -> list[str]:
        """Run a drain once, beside the load if there is one; return what makes it invalid."""
        folder = self._place(trial)
        with self._display.step(f"Trial {trial.index} of {of}, {trial.arm}") as report:
            if workloads.loaded(self._experiment.workload):
                return self._drain_under_load(trial, content, report)
            facts = self._work_off(trial, report)
        self._rig.check()
        return trialfile.judge(folder, content | facts, check_drain(facts, folder / "tasks.parquet", self._objective))

    def _work_off(
        self, trial: Trial, report: Report, rest: Rest = time.sleep, await_start: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """Queue tasks and have them worked off; return the facts of the drain."""
        wanted, space = self._experiment.workload.drain, self._rig.targets[trial.arm].space
        assert wanted is not None
        with self._octopus(trial.arm) as octopus:
            drain = Drain(octopus, space, Cluster(octopus, self._journal), wanted, rest)
            file = self._place(trial) / "tasks.parquet"
            return drain.run(self._setting(trial), file, report, self._rig.hosts, await_start)

    def _drain_under_load(self, trial: Trial, content: dict[str, Any], report: Report) -> list[str]:
        """Queue tasks, drive the load, and let nodes take the tasks when its measured phase begins."""
        folder, queued, beginning = self._place(trial), threading.Event(), Beginning(self._experiment.design.warm_up)

        def work(rest: Rest) -> dict[str, Any]:
            def await_start() -> None:
                queued.set()
                beginning.wait(rest)

            return self._work_off(trial, lambda *_: None, rest, await_start)

        with Aside(work) as aside:
            while not queued.wait(LOOK):
                aside.check()
                self._rig.check()
            load = self._engine.run(self._command(trial), self._progress(report, beginning=beginning))
            beginning.hear(self._experiment.design.warm_up)  # of a load too short to tell of itself
            drained = aside.result()
        self._rig.check()
        load.pop("event", None)
        facts = {**content, **load, "slots": drained["slots"], "hosts": drained["hosts"]}
        facts["tasks"] = {"queued": drained["sent"]["drain"]}
        found = checks.check_trial(facts, folder / "requests.parquet", self._plan)
        found += [check_overlap(drained, load)]
        found += [
            check
            for check in check_drain(drained, folder / "tasks.parquet", self._objective)
            if check.name != "steal"  # the load's own check has told it
        ]
        return trialfile.judge(folder, facts, found)

    @property
    def _objective(self) -> float | None:
        """Seconds of queue wait for which a primary endpoint tells the capacity."""
        drain, primary = self._experiment.workload.drain, self._experiment.objectives.primary
        return drain.objective if drain and "drain capacity" in primary else None

    def _switch(self, trial: Trial) -> None:
        """Let the nodes of an arm take part, where arms are settings of nodes."""
        if switched(self._experiment):
            with self._octopus(trial.arm) as octopus:
                Cluster(octopus, self._journal).release(self._setting(trial))

    def _setting(self, trial: Trial) -> Setting:
        arm = self._experiment.arms[trial.arm]
        return Setting(arm.nodes, arm.task_cap)

    def _octopus(self, arm: str) -> Octopus:
        target = self._rig.targets[arm]
        return Octopus(target.urls[0], self._rig.keys[target.key_variable])

    def _command(self, trial: Trial) -> dict[str, Any]:
        design, target = self._experiment.design, self._rig.targets[trial.arm]
        return {
            **command(self._experiment.workload, design.warm_up, design.seconds),
            "folder": str(self._place(trial).resolve()),
            "urls": target.urls,
            "key_variable": target.key_variable,
            "space": target.space,
            "seed": plan.seed_of(design, trial),
            "trace": str(self._trace.resolve()) if self._experiment.workload.trace else "",
        }

    def _meter(self) -> Meter:
        design = self._experiment.design
        return Meter(self._rig.hosts, design.warm_up, design.warm_up + design.seconds)

    def _progress(
        self, report: Report, meter: Meter | None = None, beginning: Beginning | None = None
    ) -> Callable[[dict[str, Any]], None]:
        design = self._experiment.design
        whole = round(design.warm_up + design.seconds)

        def show(event: dict[str, Any]) -> None:
            self._rig.check()
            if event["event"] == "waiting":
                report(event["connected"], event["wanted"], f"workers are connected {_refusals(event)}")
                return
            if meter:
                meter.look(event["elapsed"])
            if beginning:
                beginning.hear(event["elapsed"])
            p95 = event.get("p95")
            latency = f", p95 {p95 * 1000:.0f} ms" if p95 else ""
            failures = f", {event['failures']} failed" if event["failures"] else ""
            report(min(whole, round(event["elapsed"])), whole, f"{event['sent']} requests{latency}{failures}")

        return show

    def _wait_until_quiet(self) -> None:
        """Wait for the tasks of the trials before, on every arm, so that they do not run into this one."""
        deadline = time.monotonic() + QUIET_WITHIN
        for name in self._rig.targets:
            with self._octopus(name) as octopus:
                while self._busy(octopus):
                    if time.monotonic() > deadline:
                        self._display.say(f"  {name} still runs tasks after {QUIET_WITHIN:.0f} s", style="yellow")
                        break
                    time.sleep(0.2)

    def _busy(self, octopus: Octopus) -> bool:
        self._rig.check()
        return bool(octopus.get("/api/tasks", active="true", take=1)["TotalResults"])

    def _place(self, trial: Trial) -> Path:
        return self.folder / "trials" / trial.folder


def _refusals(event: dict[str, Any]) -> str:
    """Say which workers may not take part, and why."""
    return f"({'; '.join(event['refused'])})" if event["refused"] else ""


def trials_left(folder: Path) -> int:
    """Return how many trials of a run are still to run."""
    return len(_left(folder, files.read_json(folder / "plan.json", "plan", 1)["trials"]))


def _left(folder: Path, planned: list[dict[str, Any]]) -> list[Trial]:
    """Return the trials that are not there yet; none when a planned look has ended the run."""
    if any(look.stopped for look in looks.read(folder)):
        return []
    trials = [msgspec.convert(trial, Trial) for trial in planned]
    return [trial for trial in trials if not (folder / "trials" / trial.folder / "trial.json").exists()]


def _rig(experiment: Experiment, source: Path, folder: Path, display: Display) -> Rig:
    if on_standins(experiment):
        return StandinRig(experiment, source, folder, display)
    return OctopusRig(experiment, folder)
