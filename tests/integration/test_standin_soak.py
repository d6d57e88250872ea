"""A soak of the cluster: deployments over four nodes that are killed, frozen, drained and given other caps meanwhile.

Small here; `make calibrate` runs it 20 times with 1,000 deployments each.
"""

import logging
import os
import random
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.integration.standin_cluster import Cluster, cluster
from tests.octopus_server import ENDED, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="a node can be frozen on Linux only"),
]

_log = logging.getLogger(__name__)

ROUNDS = int(os.environ.get("OCTOLOAD_SOAK_ROUNDS", "2"))
TASKS = int(os.environ.get("OCTOLOAD_SOAK_TASKS", "100"))
PROJECTS, ENVIRONMENTS = 8, 5
#: Troubles that there must be, however fast the tasks end.
LEAST = 3
NODES = [f"node-{number}" for number in range(1, 5)]
#: Categories of a deployment's events, in order → the states that its task may end in.
COURSES = {
    ("DeploymentQueued", "DeploymentStarted", "DeploymentSucceeded"): {"Success"},
    ("DeploymentQueued", "DeploymentStarted", "DeploymentFailed"): {"Failed"},
    ("DeploymentQueued", "DeploymentStarted", "DeploymentCanceled"): {"Canceled"},
    ("DeploymentQueued", "DeploymentCanceled"): {"Canceled"},
}


class Trouble:
    """Does things to nodes, one after the other, and knows how to undo what it has done."""

    def __init__(self, four: Cluster, chance: random.Random) -> None:
        self._four = four
        self._chance = chance
        self._undo: dict[str, list[tuple[str, ...]]] = {name: [] for name in NODES}
        #: how often each kind of trouble came
        self.made: Counter[str] = Counter()

    def make(self) -> None:
        """Trouble a node that is well, or mend one that is not; one node is always left in peace."""
        name = self._chance.choice(NODES)
        if self._undo[name]:
            self.mend(name)
        elif sum(not undo for undo in self._undo.values()) > 1:
            kind = self._chance.choice(["kill", "kill", "stop", "freeze", "drain", "cap"])
            words = (kind, name, str(self._chance.randrange(3))) if kind == "cap" else (kind, name)
            self._four.tell(*words)
            self.made[kind] += 1
            opposites = {"kill": "start", "stop": "start", "freeze": "thaw", "drain": "undrain"}
            self._undo[name] = [("cap", name, "5") if kind == "cap" else (opposites[kind], name)]

    def mend(self, name: str) -> None:
        for words in self._undo[name]:
            self._four.tell(*words)
        self._undo[name] = []

    def cancel(self, tasks: list[str]) -> None:
        """Cancel one of the tasks, whatever it is doing."""
        alive = next(name for name in NODES if not self._undo[name])
        self._four.nodes[alive].post(f"/tasks/{self._chance.choice(tasks)}/cancel", {}, status=200)
        self.made["cancel"] += 1


def queue_deployments(four: Cluster, folder: Path, chance: random.Random) -> list[str]:
    """Queue deployments over all pairs of project and environment; return their tasks."""
    home = four.home()
    lifecycle = home.get("/lifecycles/all")[0]["Id"]
    script = (
        f'echo "begun $OCTOPUS_TASK_ID" >> {folder}/runs; sleep 0.1; echo "ended $OCTOPUS_TASK_ID" >> {folder}/runs'
    )
    releases = [home.release(home.project(f"P{number}", lifecycle, script), "1.0.0") for number in range(PROJECTS)]
    environments = [home.environment(f"E{number}") for number in range(ENVIRONMENTS)]
    pairs = [(release["Id"], environment) for release in releases for environment in environments]
    chosen = [chance.choice(pairs) for _ in range(TASKS)]
    return [home.post("/deployments", {"ReleaseId": r, "EnvironmentId": e})["TaskId"] for r, e in chosen]


def all_tasks(four: Cluster, name: str) -> dict[str, dict[str, Any]]:
    found = four.home(name).get("/tasks", name="Deploy", take=2 * TASKS)["Items"]
    return {task["Id"]: task for task in found}


def all_events(four: Cluster) -> list[dict[str, Any]]:
    """Return the audit trail of all deployments, oldest first."""
    home, found = four.home(), list[dict[str, Any]]()
    categories = "DeploymentQueued,DeploymentStarted,DeploymentSucceeded,DeploymentFailed,DeploymentCanceled"
    while True:
        page = home.get("/events", eventCategories=categories, skip=len(found), take=1000)
        found += page["Items"]
        if len(found) >= page["TotalResults"]:
            return found[::-1]


def drive(four: Cluster, tasks: list[str], chance: random.Random) -> Counter[str]:
    """Make trouble until three quarters of the tasks have ended, and some; then mend all and wait for the rest."""
    trouble = Trouble(four, chance)

    def left() -> int:
        steady = next(name for name in NODES if not trouble._undo[name])
        seen = all_tasks(four, steady)
        assert set(seen) == set(tasks)
        return sum(task["State"] not in ENDED for task in seen.values())

    deadline = time.monotonic() + 60 + TASKS
    while (unfinished := left()) > TASKS / 4 or trouble.made.total() < LEAST:
        assert time.monotonic() < deadline, f"{unfinished} tasks have not ended"
        trouble.make()
        if chance.random() < 0.2:
            trouble.cancel(tasks)
    for name in NODES:
        trouble.mend(name)
    until(lambda: {"left": left()}, lambda seen: seen["left"] == 0, within=60 + TASKS)
    return trouble.made


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_no_task_is_run_twice_or_lost_whatever_happens_to_the_nodes(tmp_path: Path, seed: int) -> None:
    """Each task ends once, in a state that its events tell in a legal order; its script has begun once at most."""
    chance = random.Random(seed)
    with cluster(tmp_path / "data", len(NODES), 400) as four:
        for name in NODES:
            four.tell("cap", name, "0")
        tasks = queue_deployments(four, tmp_path, chance)
        for name in NODES:
            four.tell("cap", name, "5")
        made = drive(four, tasks, chance)
        ended = all_tasks(four, "node-1")
        courses: dict[str, list[str]] = {one: [] for one in tasks}
        for event in all_events(four):
            task = next(one for one in event["RelatedDocumentIds"] if one.startswith("ServerTasks-"))
            courses[task].append(event["Category"])
    lines = (tmp_path / "runs").read_text().splitlines()
    begun, finished = (
        Counter(line.split()[1] for line in lines if line.startswith(word)) for word in ("begun", "ended")
    )
    _log.info("trouble: %s; states: %s", dict(made), dict(Counter(task["State"] for task in ended.values())))
    assert begun.most_common(1)[0][1] == 1, "a task was run twice"
    for one, task in ended.items():
        assert task["State"] in COURSES.get(tuple(courses[one]), ()), (task["State"], courses[one])
        if task["State"] == "Success":
            assert (begun[one], finished[one]) == (1, 1)
    assert_one_at_a_time(ended)


def assert_one_at_a_time(tasks: dict[str, dict[str, Any]]) -> None:
    """No two deployments of a project to one environment overlap."""
    by_pair: dict[str, list[tuple[str, str]]] = {}
    for task in tasks.values():
        if task["StartTime"]:
            by_pair.setdefault(task["Description"], []).append((task["StartTime"], task["CompletedTime"]))
    for spans in by_pair.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
