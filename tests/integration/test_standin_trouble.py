"""Trouble that deployments make for a cluster: targets that never answer, scripts that write without end."""

import shlex
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import octoload.api
from experiments import cluster as nodes
from experiments.journal import Journal
from octoload.errors import RejectedError
from tests.integration.standin_cluster import Cluster, cluster
from tests.integration.test_standin_processes import KEY
from tests.octopus_server import ENDED, Octopus, step, until

pytestmark = pytest.mark.integration

MEGABYTES = 100


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("data"), 2, 400) as two:
        yield two


@pytest.fixture(autouse=True)
def as_it_was(pair: Cluster) -> Iterator[None]:
    """Both nodes take five tasks each, whatever a test has done to them."""
    yield
    for name in pair.nodes:
        pair.tell("undrain", name)
        pair.tell("cap", name, "5")


def release(home: Octopus, name: str, script: str, role: str = "") -> dict[str, Any]:
    """Make a project with one script step, on the targets of a role or on the server; return a release of it."""
    project = home.project(name, home.get("/lifecycles/all")[0]["Id"])
    one = step("Run", script)
    if role:
        one["Properties"] = {"Octopus.Action.TargetRoles": role}
        one["Actions"][0]["Properties"] |= {"Octopus.Action.RunOnServer": "false"}
    home.rewrite(project, one)
    return home.release(project, "1.0.0")


def start(home: Octopus, made: dict[str, Any], environment: str) -> str:
    return str(home.post("/deployments", {"ReleaseId": made["Id"], "EnvironmentId": environment})["TaskId"])


def is_running(home: Octopus, task: str) -> dict[str, Any]:
    return until(lambda: home.get(f"/tasks/{task}"), lambda one: one["State"] == "Executing")


def test_a_target_that_never_answers_holds_up_nobody_else(pair: Cluster, tmp_path: Path) -> None:
    """Its deployment runs until it is cancelled; one to another target ends meanwhile, one to its own pair after it."""
    home = pair.home()
    environment = home.environment("Silent")
    for name in ("silent", "answering"):
        endpoint = {"CommunicationStyle": "None"}
        home.post("/machines", {"Name": name, "EnvironmentIds": [environment], "Roles": [name], "Endpoint": endpoint})
    made = release(home, "Silent", f"[ -e {tmp_path}/answers ] || sleep 3600", "silent")
    other = release(home, "Answering", "echo here", "answering")
    silent = start(home, made, environment)
    is_running(home, silent)
    again = start(home, made, environment)
    assert home.wait(start(home, other, environment))["State"] == "Success"
    assert [home.get(f"/tasks/{task}")["State"] for task in (silent, again)] == ["Executing", "Queued"]
    (tmp_path / "answers").touch()
    home.post(f"/tasks/{silent}/cancel", {}, status=200)
    assert [home.wait(task)["State"] for task in (silent, again)] == ["Canceled", "Success"]


def test_a_hundred_megabytes_of_output_are_kept_and_the_node_goes_on(pair: Cluster) -> None:
    """All lines are in the log, a line without end is told as left out, and other tasks end meanwhile on that node."""
    home = pair.home()
    environment = home.environment("Loud")
    write = f"for _ in range({MEGABYTES}): print('\\n'.join('x' * 9999 for _ in range(100)))"
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(write + chr(10) + 'print(chr(121) * 3_000_000)')}"
    pair.tell("drain", "node-2")
    loud = start(home, release(home, "Loud", script), environment)
    is_running(home, loud)
    quiet = start(home, release(home, "Quiet", "echo quiet"), environment)
    assert home.wait(quiet)["State"] == "Success"
    ended = until(lambda: home.get(f"/tasks/{loud}"), lambda one: one["State"] in ENDED, within=120)
    assert ended["State"] == "Success", ended["ErrorMessage"]
    lines, size, told = 0, 0, 0
    with home.http.stream("GET", f"/api{home.home}/tasks/{loud}/raw") as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            lines += line.rstrip().endswith("x" * 9999)
            size += len(line)
            told += "a line of more than 1048576 bytes was left out" in line
    assert told >= 1
    assert lines == MEGABYTES * 100
    assert size > MEGABYTES * 999_900


@pytest.mark.parametrize("cap", [-1, 10_000])
def test_a_cap_that_the_server_refuses_ends_in_its_words(pair: Cluster, tmp_path: Path, cap: int) -> None:
    """What was set before it is put back."""
    journal = Journal(tmp_path / "journal.jsonl")
    with octoload.api.Octopus(str(pair.home().http.base_url), KEY) as octopus:
        with pytest.raises(RejectedError, match="MaxConcurrentTasks"):
            nodes.Cluster(octopus, journal).release(nodes.Setting(task_cap=cap))
        assert nodes.restore(octopus, journal) == []
    found = pair.home().http.get("/api/octopusservernodes/summary").json()["Nodes"]
    assert {node["MaxConcurrentTasks"] for node in found} == {5}


def test_tasks_wait_while_all_nodes_drain_and_run_when_one_no_longer_does(pair: Cluster) -> None:
    """Nothing is lost or taken; what was asked for meanwhile runs in the order in which it came."""
    home = pair.home()
    for name in pair.nodes:
        pair.tell("drain", name)
    environment = home.environment("Drained")
    made = [release(home, f"Drained {number}", "echo on") for number in range(3)]
    tasks = [start(home, one, environment) for one in made]
    seen = [home.get(f"/tasks/{task}") for task in tasks]
    assert {(task["State"], task["ServerNode"]) for task in seen} == {("Queued", None)}
    pair.tell("cap", "node-2", "1")
    pair.tell("undrain", "node-2")
    ended = [home.wait(task) for task in tasks]
    assert [task["State"] for task in ended] == ["Success"] * 3
    assert all(before["CompletedTime"] <= after["StartTime"] for before, after in pairwise(ended))


def test_retention_beside_deployments_never_deadlocks(pair: Cluster) -> None:
    """Retention tasks in a row, on both nodes, while releases are made and deployed: each of them succeeds."""
    home = pair.home()
    lifecycle = home.get("/lifecycles/all")[0]
    period = {"Strategy": "Count", "QuantityToKeep": 1, "Unit": "Items", "ShouldKeepForever": False}
    home.put(f"/lifecycles/{lifecycle['Id']}", {**lifecycle, "ReleaseRetentionPolicy": period})
    environment = home.environment("Kept")
    projects = [home.project(f"Kept {number}", lifecycle["Id"], "echo kept") for number in range(4)]
    ended: list[dict[str, Any]] = []
    stop = threading.Event()

    def retain() -> None:
        while not stop.is_set():
            queued = home.post("/tasks", {"Name": "Retention", "Description": "Again", "SpaceId": "Spaces-1"})
            ended.append(home.wait(queued["Id"]))

    beside = threading.Thread(target=retain)
    beside.start()
    try:
        for number in range(10):
            made = [home.release(project, f"2.0.{number}") for project in projects]
            ended += [home.wait(task) for task in [start(home, one, environment) for one in made]]
    finally:
        stop.set()
        beside.join()
    assert {task["State"] for task in ended} == {"Success"}
    assert sum(task["Name"] == "Retention" for task in ended) >= 3
    kept = [len(home.get(f"/projects/{project['Id']}/releases")["Items"]) for project in projects]
    assert max(kept) < 10, "retention has deleted nothing"
