"""The servers of a run, filled and put in the state of their arms, ready to be measured."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from experiments import arms, depths, provenance
from experiments.display import Display
from experiments.experiment import Arm, Experiment, Retention, on_one_server, renewed
from experiments.hosts import Hosts, check_room, usable_cores
from experiments.journal import Journal
from experiments.standin import Laboratory
from octoload import files
from octoload.api import Octopus
from octoload.errors import ServerError
from seeders import bulk, history, manifest

#: Database that keeps the history as it was seeded, where trials cut it; no arm's name begins so.
_WHOLE = "_whole"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load of one arm goes."""

    #: One URL for each node; requests go to them in turn.
    urls: list[str]
    #: Environment variable with the API key.
    key_variable: str
    #: Id of the space that is driven.
    space: str


class Rig(Protocol):
    """Servers that are ready to be measured."""

    targets: dict[str, Target]
    keys: dict[str, str]

    def start(self) -> None:
        """Bring the servers into the state of their arms."""

    def enter(self, arm: str) -> None:
        """Put in force for the next trial what an arm says about hosts, on the history that it is to begin with."""

    def hosts(self) -> dict[str, Any]:
        """Return what each simulated host has used so far (docs/formats.md, Hosts); empty where there are none."""

    def fewer(self, arm: str) -> dict[str, int]:
        """Return how many rows of each table an arm's database has fewer than when it was seeded."""

    def computed(self) -> dict[str, Any]:
        """Return what servers without hosts have computed so far; empty where hosts tell it, or they are not ours."""

    @property
    def last_node(self) -> str:
        """Name of the node that an outage strikes unless it says otherwise; empty where only its commands know."""

    def tell(self, action: str, node: str) -> None:
        """Kill, start, freeze or thaw a node of a simulated server."""

    def check(self) -> None:
        """Raise ServerError when a server that we run has died."""

    def stop(self) -> None:
        """End what we run."""


def connect(rig: Rig, arm: str) -> Octopus:
    """Return the API of an arm's first node; the caller closes it."""
    target = rig.targets[arm]
    return Octopus(target.urls[0], rig.keys[target.key_variable])


class StandinRig:
    """A seeded database of the stand-in for each depth and its clones, a server on each; or one server for all arms."""

    def __init__(self, experiment: Experiment, source: Path, folder: Path, display: Display) -> None:
        """`source` is the experiment's file (histories are found beside it), `folder` that of the run."""
        self.targets: dict[str, Target] = {}
        self._experiment = experiment
        self._source = source
        self._folder = folder
        self._display = display
        self._journal = Journal(folder / "journal.jsonl")
        standin = experiment.standin
        if standin and standin.hosts:
            check_room(standin.hosts, standin.nodes, usable_cores())
        self._started = 0.0
        self._laboratory = Laboratory(
            folder / "standin",
            standin.time_scale if standin else 1.0,
            standin.nodes if standin else 1,
            _host_options(standin.hosts, list(experiment.arms.values())) if standin and standin.hosts else (),
        )
        self.keys = {"OCTOLOAD_KEY": self._laboratory.key}

    def start(self) -> None:
        """Fill what is not filled yet, and start a server for each arm.

        Raises:
            OctoloadError: something in the way, said plainly; the next start begins anew where this one broke off.
        """
        self._laboratory.wait_until_free()
        if self._journal.has("prepared") and self._laboratory.folder.exists():
            self._reopen()
        else:
            shutil.rmtree(self._laboratory.folder, ignore_errors=True)
            self._started = time.time()
            self._fill()
            self._apply()
            self._level()
            self._journal.note("prepared")

    def enter(self, arm: str) -> None:
        """Make the history anew where trials cut it, and move the database to where the arm wants it.

        Raises:
            ServerError: the stand-in does not come up on it.
        """
        if renewed(self._experiment):
            self._renew()
        standin, wanted = self._experiment.standin, self._experiment.arms[arm]
        if not standin or not standin.hosts:
            return
        self._laboratory.host(self._first, "sql", wanted.sql or standin.hosts.sql)
        if any(other.sql_latency for other in self._experiment.arms.values()):
            self._laboratory.host(self._first, "latency", wanted.sql_latency or "0ms")

    def hosts(self) -> dict[str, Any]:
        """Return what each simulated host has used so far."""
        standin = self._experiment.standin
        return self._laboratory.host(self._first, "list") if standin and standin.hosts else {}

    def fewer(self, arm: str) -> dict[str, int]:
        """Return how many rows of each table have gone since the database was seeded; tables that grew are left out."""
        seeded = files.read_json(self._folder / "arms" / arm / "database.json", "database", 1)["rows"]
        now = self._laboratory.inspect(self._first, self.targets[arm].space)["rows"]
        return {table: rows - now[table] for table, rows in seeded.items() if now[table] < rows}

    def computed(self) -> dict[str, Any]:
        """Return what servers without hosts have computed so far."""
        standin = self._experiment.standin
        return {} if standin and standin.hosts else self._laboratory.computed()

    @property
    def last_node(self) -> str:
        """Name of the node that was started last."""
        return f"node-{self._laboratory.nodes}"

    def tell(self, action: str, node: str) -> None:
        """Kill, start, freeze or thaw a node.

        Raises:
            ServerError: there is no such node, or it is not in the state for it.
        """
        self._laboratory.node(self._first, action, node)

    def check(self) -> None:
        """Raise ServerError when PostgreSQL or a server has died."""
        self._laboratory.check()

    def stop(self) -> None:
        """End servers and PostgreSQL."""
        self._laboratory.stop()

    def clear(self) -> None:
        """Delete the databases of a finished run."""
        shutil.rmtree(self._laboratory.folder, ignore_errors=True)

    @property
    def _served(self) -> list[str]:
        """The arms that have a database and a server of their own."""
        names = list(self._experiment.arms)
        return names[:1] if on_one_server(self._experiment) else names

    @property
    def _first(self) -> str:
        return self._served[0]

    def _fill(self) -> None:
        """Fill the databases of all arms, a history for each depth."""
        chosen = choose_history(self._experiment, self._source)
        assert chosen is not None  # an experiment on stand-ins has one
        with self._display.step("Starting PostgreSQL"):
            self._laboratory.start()
        served = depths.shared({name: self._experiment.arms[name].depth for name in self._served})
        for depth, names in served.items():
            written = self._load(chosen.at_depth(depth), names, f" for {', '.join(names)}" if len(served) > 1 else "")
            if names[0] == self._first:
                written.save(self._folder / "manifest.json")
            for name in names if len(served) > 1 else ():
                written.save(self._folder / "arms" / name / "manifest.json")

    def _load(self, wanted: history.History, names: list[str], whom: str) -> manifest.Manifest:
        """Write a history as a stream, load it into the first arm's database, clone it for the others; serve them.

        `whom` says in words for which arms, where that is not for all.
        """
        first, *others = names
        stream = self._laboratory.folder / "history.jsonl.gz"
        with self._display.step(f"Writing history {wanted.name!r}{whom}") as report:
            footer = bulk.write(wanted, stream, report)
        with self._display.step("Loading it into PostgreSQL"):
            loaded = self._laboratory.load(stream, first)
        stream.unlink()
        rows = sum(loaded["rows"].values())
        self._display.say(f"  {loaded['counts'].get('deployment', 0):,} deployments, {rows:,} rows in all tables")
        if others:
            with self._display.step("Cloning the database"):
                for name in others:
                    self._laboratory.clone(first, name)
        for name in names:
            self._serve(name)
        with self._octopus(first) as octopus:
            return manifest.complete(octopus, wanted, footer, started=self._started)

    def _apply(self) -> None:
        """Put every arm in force."""
        for name, arm in self._experiment.arms.items():
            if arm.retention:
                self._retain(name, arm.retention)

    def _retain(self, name: str, policy: Retention) -> None:
        target = self.targets[name]
        with (
            self._display.step(f"Retention on {name}: keep {policy.keep} {policy.unit.lower()}") as report,
            self._octopus(name) as octopus,
        ):
            arms.apply_retention(octopus, target.space, policy, self._journal, report)

    def _level(self) -> None:
        """Treat all databases alike, and write down what they hold."""
        for name in self._served:
            with self._display.step(f"Vacuuming, analysing and warming {name}"):
                self._laboratory.settle(name)
        for name in self._served:
            facts = self._laboratory.inspect(name, self.targets[name].space)
            for arm in self._sharing(name):
                files.write_json(self._folder / "arms" / arm / "database.json", "database", 1, facts)
        with self._octopus(self._first) as octopus:
            write_provenance(self._folder, octopus)
        if renewed(self._experiment):
            self._keep_whole()

    def _reopen(self) -> None:
        """Serve the databases of an interrupted run again."""
        with self._display.step("Starting the stand-in again"):
            self._laboratory.start()
            if renewed(self._experiment):  # a trial that broke off may have left half of it, or none
                self._laboratory.clone(_WHOLE, self._first)
            for name in self._served:
                self._serve(name)
                self._laboratory.settle(name)

    def _keep_whole(self) -> None:
        """Lay the history aside as it is now: settled, and read by nobody."""
        with self._display.step("Laying the history aside"):
            self._laboratory.end(self._first)
            self._laboratory.clone(self._first, _WHOLE)
            self._serve(self._first)

    def _renew(self) -> None:
        """Serve a fresh copy of the history as it was seeded, in the place of the one that a trial has cut."""
        with self._display.step("Making the history anew"):
            self._laboratory.end(self._first)
            self._laboratory.clone(_WHOLE, self._first)
            self._serve(self._first)

    def _serve(self, name: str) -> None:
        urls = self._laboratory.serve(name)
        space, arms = self._space(urls[0]), self._experiment.arms
        for arm in self._sharing(name):
            self.targets[arm] = Target(urls[: arms[arm].nodes], "OCTOLOAD_KEY", space)

    def _sharing(self, name: str) -> list[str]:
        """Return the arms that an arm's server serves."""
        return list(self._experiment.arms) if on_one_server(self._experiment) else [name]

    def _space(self, url: str) -> str:
        """Return the id of the first space that the history made."""
        with Octopus(url, self._laboratory.key) as octopus:
            made = [space for space in octopus.get("/api/spaces/all") if not space["IsDefault"]]
        if not made:
            raise ServerError("the database of the run is empty", "Start a new run; its databases are gone.")
        return str(made[0]["Id"])

    def _octopus(self, name: str) -> Octopus:
        return Octopus(self.targets[name].urls[0], self._laboratory.key)


def _host_options(hosts: Hosts, arms: list[Arm]) -> list[str]:
    """Return the options of `standin serve` for these hosts; a proxy stands between where any arm wants distance."""
    options = ["--host-cpus", f"{hosts.cpus:g}", "--sql", hosts.sql, "--host-mechanism", hosts.mechanism]
    options += ["--sql-cpus", f"{hosts.sql_cpus:g}"] if hosts.sql_cpus else []
    return [*options, "--sql-latency", "0ms"] if any(arm.sql_latency for arm in arms) else options


def on_standins(experiment: Experiment) -> bool:
    """Return whether a run starts the servers of its arms itself."""
    return not any(arm.url for arm in experiment.arms.values())


def write_provenance(folder: Path, octopus: Octopus) -> None:
    """Write down machine, versions and server."""
    content = {
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "server": provenance.server(octopus),
    }
    files.write_json(folder / "provenance.json", "provenance", 1, content)


def choose_history(experiment: Experiment, source: Path) -> history.History | None:
    """Return the history that an experiment names, quotes or holds; None when it has none.

    Raises:
        UsageError: there is no such file, it is wrong, or it cannot be had at the depths of the arms.
    """
    wanted = experiment.history
    chosen = history.load(history.find(wanted, beside=source.parent)) if isinstance(wanted, str) else wanted
    if chosen is not None:
        depths.check(chosen, list(depths.shared({name: arm.depth for name, arm in experiment.arms.items()})))
    return chosen
