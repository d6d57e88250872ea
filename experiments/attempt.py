"""One attempt at a trial: the arm put in force, its load driven or its queue worked off, and the result judged."""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import plan, queued, tasks, trialfile
from experiments import workload as workloads
from experiments.aside import LOOK, Aside, Beginning, Rest
from experiments.cluster import Cluster, Setting
from experiments.computing import Watch
from experiments.display import Display, Report
from experiments.drain import Drain
from experiments.engine import Engine, command
from experiments.experiment import Experiment, switched
from experiments.following import follow
from experiments.hooks import Hooks
from experiments.journal import Journal
from experiments.meter import Meter
from experiments.plan import Trial
from experiments.purging import Purging
from experiments.rig import Rig, connect
from experiments.search import Search
from experiments.strike import Course
from octoload.api import Octopus
from octoload.errors import InvalidRunError, ServerError
from reports import checks, ramp
from reports.purgechecks import check_purge
from reports.searches import check_search
from reports.taskchecks import check_drain, check_followed, check_overlap, check_worked_off

#: Seconds by which a server's clock may lag ours and its tasks of a trial are still found.
CLOCKS = 5.0
#: Seconds to wait for the server's queue to empty before a trial begins.
QUIET_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Makes one attempt at a trial, with what the run has: servers, Locust, journal; called, it returns the faults."""

    #: The run's folder.
    folder: Path
    experiment: Experiment
    #: What `plan.json` holds.
    decided: dict[str, Any]
    rig: Rig
    engine: Engine
    display: Display
    journal: Journal
    hooks: Hooks
    #: The recorded arrivals that the run keeps, if it plays any.
    trace: Path | None

    def __call__(self, trial: Trial, attempt: int, of: int) -> list[str]:
        """Run a trial once, its arm's commands around it; return what makes it invalid."""
        folder = trial.place(self.folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._wait_until_quiet()
        meter = self._meter()
        with self.hooks.around(trial.arm, self.experiment.arms[trial.arm]):
            try:
                return self._load(trial, attempt, of, meter)
            finally:
                meter.write(folder / "telemetry.parquet")

    def _load(self, trial: Trial, attempt: int, of: int, meter: Meter) -> list[str]:
        """Put the arm in force and drive its load; return what makes the trial invalid."""
        folder, started = trial.place(self.folder), time.time()
        content: dict[str, Any] = {"index": trial.index, "pair": trial.pair, "arm": trial.arm, "attempt": attempt}
        self._enter(trial)
        try:
            if self.experiment.workload.drain:
                return self._drain(trial, content, of, meter)
            self._switch(trial)
            with self.display.step(f"Trial {trial.index} of {of}, {trial.arm}", timed=True) as report:
                if self.experiment.workload.search:
                    return self._search(trial, content, report, meter)
                facts = self._drive(trial, report, meter)
        except InvalidRunError as exc:
            self.rig.check()
            return trialfile.spoil(folder, content, started, exc.message)
        self.rig.check()
        facts = {**content, **facts, "hosts": meter.used}
        found = checks.check_trial(facts, folder / "requests.parquet", self.decided)
        if "purge" in facts:
            found += check_purge(facts)
        if "tasks" in facts:
            found += check_followed(facts, folder / "tasks.parquet", self.decided)
        else:
            facts["log"] = [*facts["log"], *self._tell_tasks(trial, facts["started"] - CLOCKS)]
        return trialfile.judge(folder, facts, found)

    def _drive(self, trial: Trial, report: Report, meter: Meter) -> dict[str, Any]:
        """Drive a trial's load beside what its arm does, and follow its tasks; return the trial's facts."""
        within, design = self.experiment.workload.follow, self.experiment.design
        watch = Watch(self.rig.computed, design.warm_up, design.warm_up + design.seconds)
        facts = {**self._load_beside(trial, report, meter, watch), "server": watch.used}
        if within:
            with connect(self.rig, trial.arm) as octopus:
                file, space = trial.place(self.folder) / "tasks.parquet", self.rig.targets[trial.arm].space
                facts["tasks"] = follow(octopus, space, facts, within, file, progress=report)
        if "purge" in facts:
            facts["purge"]["rows"] = self.rig.fewer(trial.arm)
        del facts["queued"]
        return facts

    def _load_beside(self, trial: Trial, report: Report, meter: Meter, watch: Watch) -> dict[str, Any]:
        """Drive a trial's load with the outage or the purge of its arm in its course; return the facts of both."""
        course, beginning = self._course(trial), Beginning(self.experiment.design.warm_up)
        if course is None:
            with self.queued_on(trial) as look:
                return self.run_load(self.command(trial), report, look, meter.look, watch.look)
        with course.beside(beginning) as aside, self.queued_on(trial) as look:
            facts = self.run_load(self.command(trial), report, look, meter.look, watch.look, beginning.hear)
            beginning.hear(self.experiment.design.warm_up)  # of a load too short to tell of itself
            return {**facts, course.name: aside.result()}

    def _course(self, trial: Trial) -> Course | Purging | None:
        """Return what happens in the course of each trial of an arm, if anything does."""
        arm = self.experiment.arms[trial.arm]
        if arm.outage:
            node = arm.outage.node or self.rig.last_node
            return Course(arm.outage, trial.arm, node, self.hooks, tell=self.rig.tell)
        if arm.purge:
            space = self.rig.targets[trial.arm].space
            return Purging(arm.purge, space, self.journal, ask=lambda: connect(self.rig, trial.arm))
        return None

    def _tell_tasks(self, trial: Trial, since: float) -> list[str]:
        """Write down the server's tasks since a Unix time, for what they do to pages; return what hindered it."""
        try:
            with connect(self.rig, trial.arm) as octopus:
                tasks.write(trial.place(self.folder) / "tasks.parquet", tasks.during(octopus, since))
        except ServerError as exc:
            return [f"The server's tasks could not be read: {exc.message}"]
        return []

    def _search(self, trial: Trial, content: dict[str, Any], report: Report, meter: Meter) -> list[str]:
        """Search an arm's capacity once; return what makes it invalid."""
        wanted = self.experiment.workload.search
        assert wanted is not None

        step = (1, "")

        def tell(how: str = "") -> None:
            number, which = step
            report(number - 1, max(number, ramp.USUAL_STEPS), which + how)

        def begin(number: int, rate: float) -> None:
            nonlocal step
            step = number, f"step {number}, {rate:.3g} sessions a second"
            tell()

        def show(event: dict[str, Any]) -> None:
            self.rig.check()
            meter.read()
            if event["event"] == "progress":
                tell(f": {queued.describe(event, wanted.warm_up, None)}")

        command = {key: value for key, value in self.command(trial).items() if key != "search"}
        search = Search(lambda order: self.engine.run(order, show), command, wanted)
        facts = search.run(trial.place(self.folder), begin)
        return trialfile.judge(trial.place(self.folder), content | facts, check_search(facts))

    def _drain(self, trial: Trial, content: dict[str, Any], of: int, meter: Meter) -> list[str]:
        """Run a drain once, beside the load if there is one; return what makes it invalid."""
        folder = trial.place(self.folder)
        beside = workloads.loaded(self.experiment.workload)
        with self.display.step(f"Trial {trial.index} of {of}, {trial.arm}", timed=beside) as report:
            if beside:
                return self._drain_under_load(trial, content, report, meter)
            facts = self._work_off(trial, report, meter)
        self.rig.check()
        return trialfile.judge(folder, content | facts, check_drain(facts, folder / "tasks.parquet", self._objective))

    def _work_off(
        self,
        trial: Trial,
        report: Report,
        meter: Meter,
        rest: Rest = time.sleep,
        await_start: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Queue tasks and have them worked off; return the facts of the drain."""
        wanted, space = self.experiment.workload.drain, self.rig.targets[trial.arm].space
        assert wanted is not None
        with connect(self.rig, trial.arm) as octopus:
            drain = Drain(octopus, space, Cluster(octopus, self.journal), wanted, rest)
            file = trial.place(self.folder) / "tasks.parquet"
            return drain.run(self._setting(trial), file, report, meter, await_start)

    def _drain_under_load(self, trial: Trial, content: dict[str, Any], report: Report, meter: Meter) -> list[str]:
        """Queue tasks, drive the load, and let nodes take the tasks when its measured phase begins."""
        folder, filled = trial.place(self.folder), threading.Event()
        beginning = Beginning(self.experiment.design.warm_up)

        def work(rest: Rest) -> dict[str, Any]:
            def await_start() -> None:
                filled.set()
                beginning.wait(rest)

            return self._work_off(trial, lambda *_: None, meter, rest, await_start)

        with Aside(work) as aside, self.queued_on(trial) as look:
            while not filled.wait(LOOK):
                aside.check()
                self.rig.check()
            load = self.run_load(self.command(trial), report, look, beginning.hear)
            beginning.hear(self.experiment.design.warm_up)  # of a load too short to tell of itself
            drained = aside.result()
        self.rig.check()
        facts = {**content, **load, "slots": drained["slots"], "hosts": drained["hosts"]}
        facts["tasks"] = {"queued": drained["sent"]["drain"]}
        del facts["queued"]
        found = checks.check_trial(facts, folder / "requests.parquet", self.decided)
        found.append(check_overlap(drained, load))
        found += check_worked_off(drained, folder / "tasks.parquet", self._objective)
        return trialfile.judge(folder, facts, found)

    @property
    def _objective(self) -> float | None:
        """Seconds of queue wait for which a primary endpoint tells the capacity."""
        drain, primary = self.experiment.workload.drain, self.experiment.objectives.primary
        return drain.objective if drain and "drain capacity" in primary else None

    def ready(self, trial: Trial) -> None:
        """Wait for the tasks of before, and put a trial's arm in force."""
        self._wait_until_quiet()
        self._enter(trial)
        self._switch(trial)

    def _enter(self, trial: Trial) -> None:
        """Put in force what the servers need for a trial, and have the web page show the one that they then have."""
        self.rig.enter(trial.arm)
        target = self.rig.targets[trial.arm]
        self.engine.watch(trial.folder, target.urls[0], target.key_variable)

    def _switch(self, trial: Trial) -> None:
        """Let the nodes of an arm take part, where arms are settings of nodes."""
        if switched(self.experiment):
            with connect(self.rig, trial.arm) as octopus:
                Cluster(octopus, self.journal).release(self._setting(trial))

    def _setting(self, trial: Trial) -> Setting:
        arm = self.experiment.arms[trial.arm]
        return Setting(arm.nodes, arm.task_cap)

    def command(self, trial: Trial) -> dict[str, Any]:
        """Return what the engine is told of a trial."""
        design, target = self.experiment.design, self.rig.targets[trial.arm]
        return {
            **command(self.experiment.workload, design.warm_up, design.seconds),
            "folder": str(trial.place(self.folder).resolve()),
            "urls": target.urls,
            "key_variable": target.key_variable,
            "space": target.space,
            "seed": plan.seed_of(design, trial),
            "trace": str(self.trace.resolve()) if self.trace else "",
        }

    def _meter(self) -> Meter:
        design = self.experiment.design
        return Meter(self.rig.hosts, design.warm_up, design.warm_up + design.seconds)

    def run_load(
        self, order: dict[str, Any], report: Report, look: Callable[[], int | None], *hear: Callable[[float], object]
    ) -> dict[str, Any]:
        """Have the engine drive a load, show how it goes on and tell its seconds to all that `hear`; return its facts.

        `order` is what the engine is told; `look` says how many tasks wait on the server.
        """
        whole = round(order["warm_up"] + order["seconds"])

        def show(event: dict[str, Any]) -> None:
            self.rig.check()
            if event["event"] == "waiting":
                report(event["connected"], event["wanted"], f"workers are connected {refusals(event)}")
                return
            for listener in hear:
                listener(event["elapsed"])
            said = queued.describe(event, order["warm_up"], look())
            report(min(whole, round(event["elapsed"])), whole, said)

        return self.engine.run(order, show)

    def queued_on(self, trial: Trial) -> AbstractContextManager[Callable[[], int | None]]:
        """Return what tells how many tasks wait on the arm's server; it is asked where the workload queues any."""
        target, workload = self.rig.targets[trial.arm], self.decided["workload"]
        if not (workload["drain"] or workloads.QUEUING & workload["mix"].keys()):
            return nullcontext(lambda: None)
        return queued.watched(target.urls[0], self.rig.keys[target.key_variable])

    def _wait_until_quiet(self) -> None:
        """Wait for the tasks of the trials before, on every arm, so that they do not run into this one."""
        deadline = time.monotonic() + QUIET_WITHIN
        for name in self.rig.targets:
            with connect(self.rig, name) as octopus:
                while self._busy(octopus):
                    if time.monotonic() > deadline:
                        self.display.say(f"  {name} still runs tasks after {QUIET_WITHIN:.0f} s", style="yellow")
                        break
                    time.sleep(0.2)

    def _busy(self, octopus: Octopus) -> bool:
        self.rig.check()
        return bool(octopus.get("/api/tasks", active="true", take=1)["TotalResults"])


def refusals(event: dict[str, Any]) -> str:
    """Say which workers may not take part, and why."""
    return f"({'; '.join(event['refused'])})" if event["refused"] else ""
