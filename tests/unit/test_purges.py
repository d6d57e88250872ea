"""Purges: what an experiment may ask for, their course beside a load, their checks, and what they cost."""

from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pytest
from brought import changed
from rich.console import Console

from experiments import plan as plans
from experiments.aside import Beginning
from experiments.attempt import Attempt
from experiments.display import Display
from experiments.experiment import demonstration, load, on_one_server, renewed
from experiments.hooks import Hooks
from experiments.journal import Journal
from experiments.plan import Trial
from experiments.purge import Purge
from experiments.purging import Purging
from experiments.rig import Target
from octoload.errors import ServerError, UsageError
from reports import purges
from reports.outages import Spread
from reports.purgechecks import check_purge
from reports.run import PurgeStep

pytestmark = pytest.mark.unit

HOUSE = Path(__file__).parents[2]
PURGE = HOUSE / "experiments" / "purge.yaml"


class Server:
    """A server with a lifecycle and releases: its Retention task keeps of them what the policy says."""

    def __init__(self, releases: int) -> None:
        self.releases = releases
        self.kept: list[int] = []
        self._lifecycle: dict[str, Any] = {
            "Id": "Lifecycles-1", "Name": "Life", "ReleaseRetentionPolicy": {"QuantityToKeep": 0},
            "Phases": [{"Name": "Live", "ReleaseRetentionPolicy": {"QuantityToKeep": 900}}],
        }  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def counts(self) -> dict[str, int]:
        return {"release": self.releases}

    def get(self, _path: str) -> list[dict[str, Any]]:
        return [self._lifecycle]

    def put(self, _path: str, document: dict[str, Any]) -> None:
        self._lifecycle = document

    def run_task(self, *_: object) -> dict[str, Any]:
        keep = self._lifecycle["ReleaseRetentionPolicy"]["QuantityToKeep"]
        assert [phase["ReleaseRetentionPolicy"] for phase in self._lifecycle["Phases"]] == [None]
        self.kept.append(keep)
        self.releases = min(self.releases, keep)
        at = f"2026-11-22T12:00:{len(self.kept):02}+00:00"
        return {"Id": f"ServerTasks-{len(self.kept)}", "QueueTime": at, "StartTime": at, "CompletedTime": at}


def run(server: Server, purge: Purge, journal: Journal) -> dict[str, Any]:
    course = Purging(purge, "Spaces-1", journal, ask=lambda: cast("Any", server))
    beginning = Beginning(0.0)
    beginning.hear(0.0)
    with course.beside(beginning) as aside:
        return aside.result()


def test_a_purge_takes_its_steps_in_order(tmp_path: Path) -> None:
    """Each sets the policy of every phase, runs the Retention task, and says how many releases are gone."""
    server, journal = Server(100), Journal(tmp_path / "journal.jsonl")
    done = run(server, Purge([40, 10, 3], every=0.01), journal)
    assert server.kept == [40, 10, 3]
    assert [(step["keep"], step["releases"]) for step in done["steps"]] == [(40, 60), (10, 30), (3, 7)]
    put_back = [entry["put_back"] for entry in journal.entries() if entry["kind"] == "change"]
    assert put_back[0]["phases"] == {"Live": {"QuantityToKeep": 900}}
    assert run(Server(100), Purge([3]), journal)["steps"][0]["releases"] == 97


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[120, 50, 15, 3]", "[25, 80, 3]", "keeps less than the one before"),
        ("[120, 50, 15, 3]", "[]", "keeps less than the one before"),
        ("[120, 50, 15, 3]", "[200, 0]", "1 or more"),
        ("every: 8", "every: 20", "does not begin within a trial"),
        ("after: 8}", "after: -1}", "does not begin within a trial"),
        (", every: 8", "", "no time between them"),
        ("keep: [3], after", "keep: [5], after", "different policies"),
        ("every: 8", "every: 8, unit: Weeks", "Weeks"),
        ("  follow: 120", "  drain: {tasks: 9}\n  follow: 120", "no arrivals that go on"),
        (
            "keep: [3], after: 8}",
            "keep: [3], after: 8}\n    outage: {does: kill, after: 1, lasts: 2}",
            "an outage and a purge",
        ),
        ("{subject: leaving history as it is}", "{retention: {keep: 9}}", "share one server"),
    ],
)
def test_a_wrong_purge_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """What is wrong, in which arm, and what to do."""
    with pytest.raises(UsageError) as caught:
        load(changed("purge", tmp_path, old, new))
    assert said in f"{caught.value.message} {caught.value.cure}"


REAL = """
name: real
question: What does a purge cost at home?
compare: {baseline: today, contender: purged}
arms:
  today: {url: "http://127.0.0.1:1"}
  purged: {url: "http://127.0.0.1:2", purge: {keep: [3]}}
workload: {mix: {dashboard: 1}}
objectives: {primary: [dashboard p50]}
"""


def test_a_real_server_is_not_purged(tmp_path: Path) -> None:
    """What is deleted there stays deleted, so that the next trial would have nothing to purge."""
    file = tmp_path / "real.yaml"
    file.write_text(REAL, encoding="utf-8")
    with pytest.raises(UsageError, match="purges http") as caught:
        load(file)
    assert "restore one backup twice" in caught.value.cure


def test_the_plan_says_how_each_arm_comes_to_its_policy() -> None:
    """All arms begin each trial with the whole history, on one server; latency is not meant to be steady in two."""
    experiment = load(PURGE)
    assert (on_one_server(experiment), renewed(experiment)) == (True, True)
    decided = plans.write_up(experiment, None, plans.Generator())
    assert decided["courses"] == {"at-once": "purge", "in-steps": "purge"}
    assert "cut to 3 at once (items), 8 s into each trial" in decided["arms"]["at-once"]
    assert "120, 50, 15 and then 3 (items)" in decided["arms"]["in-steps"]
    assert not renewed(load(HOUSE / "experiments" / "retention.yaml"))


class Renewing:
    """Servers of which each trial has a new one, at another port."""

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}

    def enter(self, arm: str) -> None:
        self.targets[arm] = Target(["http://127.0.0.1:2"], "OCTOLOAD_KEY", "Spaces-1")

    def hosts(self) -> dict[str, Any]:
        return {}


class Page:
    """A web page that says what it is to show, and breaks the trial off."""

    def watch(self, trial: str, url: str, key_variable: str) -> None:
        raise ServerError(f"{trial} on {url} with {key_variable}")


def test_the_web_page_shows_the_server_that_a_trial_has_made(tmp_path: Path) -> None:
    """The one of the trial before has ended when the history is made anew."""
    experiment, journal = load(PURGE), Journal(tmp_path / "journal.jsonl")
    decided = plans.write_up(experiment, None, plans.Generator())
    rig, page, hooks = cast("Any", Renewing()), cast("Any", Page()), Hooks(journal, tmp_path)
    attempt = Attempt(tmp_path, experiment, decided, rig, page, Display(Console(quiet=True)), journal, hooks, None)
    with pytest.raises(ServerError, match=r"^01-at-once on http://127\.0\.0\.1:2 with OCTOLOAD_KEY$"):
        attempt(Trial(1, 1, "at-once"), 1, 12)


@pytest.mark.parametrize(
    ("releases", "completed", "states"),
    [(97, 39.0, {"ok"}), (0, 39.0, {"ok", "invalid"}), (97, 41.0, {"ok", "invalid"})],
)
def test_a_purge_deletes_and_ends_within_what_is_measured(releases: int, completed: float, states: set[str]) -> None:
    """Nothing deleted, or a Retention task that goes on after the load, says nothing about its cost."""
    steps = [{"releases": releases, "completed": completed}]
    assert {check.state for check in check_purge({"purge": {"steps": steps}, "measured_until": 40.0})} == states


def test_what_is_felt_is_told_from_before_and_while_a_task_ran() -> None:
    """Between two steps nothing runs, so what is asked then counts on neither side."""
    at = np.arange(0.0, 40.0, 0.1)
    during = ((at >= 12) & (at <= 16)) | ((at >= 24) & (at <= 28))
    took = np.where(during, 0.5, np.where(at < 11, 0.1, 9.0))
    steps = [PurgeStep(10, 11.0, 12.0, 16.0, 60), PurgeStep(3, 23.0, 24.0, 28.0, 30)]
    felt = purges._felt("dashboard", *purges._sides(purges._Events(at, took), steps))
    assert (felt.p50_before, felt.p50_during) == (0.1, 0.5)
    assert (felt.count_before, felt.count_during) == (110, 82)
    assert (felt.longest_during, felt.p95_during) == (0.5, None)


def test_the_cost_is_said_with_its_ranges() -> None:
    """Steps, releases, time of Retention, the longest step, and the highest quantile that both sides carry."""
    steps = [
        purges.StepCost(10, Spread(60, 60, 60), Spread(0.4, 0.3, 0.5), Spread(4, 3.5, 5)),
        purges.StepCost(3, Spread(30, 30, 30), Spread(0.4, 0.3, 0.5), Spread(2, 1.5, 3)),
    ]
    felt = purges.Felt("queue-wait", 90, 60, 0.4, 0.8, None, 3.1, 1.0, 4.0)
    cost = purges.PurgeCost("in-steps", 4, "Items", steps, Spread(6, 5, 8), Spread(90, 90, 90), {}, [felt])
    said = purges.sentence(cost)
    for words in ("3 items in 2 steps", "4 trials", "90 releases", "6 s (5 s to 8 s)", "4 s (3.5 s to 5 s)"):
        assert words in said
    assert "the queue wait had a p50 of 800 ms (400 ms before)" in said


def test_a_demonstration_is_too_short_for_a_purge() -> None:
    """Its trials would end before the steps: that is said at once, not after minutes of invalid trials."""
    with pytest.raises(UsageError, match="--demo: the purge of arm 'in-steps' does not begin within a trial"):
        demonstration(load(PURGE))
