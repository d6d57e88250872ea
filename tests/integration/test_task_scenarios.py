"""Scenarios that queue tasks, driven by the engine against a cluster of the stand-in."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.integration.locust_engine import engine, samples, trial
from tests.integration.standin_cluster import Cluster, cluster
from tests.integration.test_standin_processes import KEY
from tests.octopus_server import ENDED, Octopus, step, until

pytestmark = pytest.mark.integration

PROJECTS, CAP = 6, 5
MIX = {
    "deployment-stream": 8,
    "scheduled-deployment": 2,
    "runbook-run": 2,
    "health-check": 2,
    "retention-run": 2,
    "portal-session": 2,
    "dashboard": 6,
}

#: Operations that each queue a task.
QUEUED = ("queue-deployment", "schedule-deployment", "run-runbook", "queue-health-check", "queue-retention")


def fill(home: Octopus) -> None:
    """Make projects with a release each, environments in one phase, and a published runbook."""
    lifecycle = home.get("/lifecycles/all")[0]
    period = {"Strategy": "Count", "QuantityToKeep": 1, "Unit": "Items", "ShouldKeepForever": False}
    home.put(f"/lifecycles/{lifecycle['Id']}", {**lifecycle, "ReleaseRetentionPolicy": period})
    projects = [home.project(f"P{number}", lifecycle["Id"], "echo done") for number in range(PROJECTS)]
    for name in ("Test", "Live"):
        home.environment(name)
    for project in projects:
        for version in ("1.0.0", "1.0.1"):
            home.release(project, version)
    project = projects[0]
    runbook = home.post(f"/projects/{project['Id']}/runbooks", {"Name": "Clean up"})
    process = home.get(f"/runbookProcesses/{runbook['RunbookProcessId']}")
    home.put(f"/runbookProcesses/{process['Id']}", {**process, "Steps": [step("Clean", "echo clean")]})
    snapshot = {"Name": "One", "RunbookId": runbook["Id"], "ProjectId": project["Id"]}
    home.http.post(f"/api{home.home}/runbookSnapshots", params={"publish": "true"}, json=snapshot).raise_for_status()


def tasks_of(home: Octopus) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.get("/tasks", take=1000)["Items"]
    return found


def ended(home: Octopus, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """Wait until all tasks of some kinds that are due have ended; return all tasks as they were then."""

    def none_left(tasks: list[dict[str, Any]]) -> bool:
        open_ones = [task for task in tasks if task["Name"] in kinds and task["State"] not in ENDED]
        return all(datetime.fromisoformat(task["QueueTime"]) > datetime.now(UTC) for task in open_ones)

    return until(lambda: tasks_of(home), none_left, within=60)


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with cluster(tmp_path / "data", 2, 400) as nodes:
        fill(nodes.home())
        yield nodes


def test_each_scenario_queues_its_tasks_and_all_of_them_end(two: Cluster, tmp_path: Path) -> None:
    """Deployments over more pairs than the cap, runbooks, health checks and retention beside portal users.

    No request fails, no task is lost or waits for ever, there are as many of each kind as were asked for, the engine
    says which they are, and those for later are for a whole quarter of a minute.
    """
    home, urls = two.home(), [str(node.http.base_url) for node in two.nodes.values()]
    home.deploy(home.get("/releases", take=1)["Items"][0], home.get("/environments/all")[0]["Id"])  # something to see
    before = Counter(task["Name"] for task in tasks_of(home))
    with engine(tmp_path, STANDIN_KEY=KEY) as running:
        order = trial(
            tmp_path, urls[0], urls=urls, key_variable="STANDIN_KEY", space="Spaces-1", mix=MIX, warm_up=0, seconds=4.0
        )
        facts = running.run(**order)
    assert facts["failures"] == 0, facts["log"]
    rows = samples(tmp_path)
    sent = Counter(rows["operation"])
    tasks = ended(home, ("Deploy", "RunbookRun", "Health", "Retention"))
    assert set(facts["queued"]) <= {task["Id"] for task in tasks}
    assert len(set(facts["queued"])) == sum(sent[name] for name in QUEUED)
    made = Counter(task["Name"] for task in tasks) - before
    deployments = sent["queue-deployment"] + sent["schedule-deployment"]
    asked = {"Deploy": deployments, "RunbookRun": sent["run-runbook"]}
    asked |= {"Health": sent["queue-health-check"], "Retention": sent["queue-retention"]}
    assert {name: made[name] for name in asked} == asked
    assert min(asked.values()) > 0
    of_kind = [task for task in tasks if task["Name"] in asked]
    assert {task["State"] for task in of_kind if task["StartTime"]} == {"Success"}
    assert_pairs(of_kind)
    queued = [datetime.fromisoformat(task["QueueTime"]) for task in of_kind if task["Name"] == "Deploy"]
    assert sum((when.second % 15, when.microsecond) == (0, 0) for when in queued) == sent["schedule-deployment"] > 0


def assert_pairs(tasks: list[dict[str, Any]]) -> None:
    """The stream spreads over more pairs of project and environment than a node's cap; no pair runs twice at once."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for task in tasks:
        if task["Name"] == "Deploy" and task["StartTime"]:
            pairs.setdefault(task["Description"], []).append((task["StartTime"], task["CompletedTime"]))
    assert len(pairs) >= 2 * CAP
    for spans in pairs.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))
