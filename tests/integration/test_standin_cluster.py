"""Life and death of nodes: what a cluster shows and does when nodes drain, die, freeze and come back."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from reports import queueing
from standin.errors import UsageError
from tests.integration.standin_cluster import Cluster, cluster
from tests.integration.test_standin_processes import alive, wait_for
from tests.integration.test_standin_tasks import is_gone, start_long_deployment
from tests.octopus_server import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes whose clock runs 400 times faster: orphans are cancelled after 10 s, the least."""
    with cluster(tmp_path_factory.mktemp("pair"), 2, 400) as two:
        yield two


def number_of_runs(folder: Path) -> int:
    return len((folder / "begun").read_text().splitlines())


def events(two: Cluster, task: dict[str, Any]) -> list[str]:
    told = two.home().get("/events", regarding=task["Id"])["Items"]
    return [event["Category"] for event in reversed(told)]


def offline(two: Cluster) -> dict[str, bool]:
    return {node["Name"]: node["IsOffline"] for node in two.nodes["node-1"].get("/octopusservernodes/summary")["Nodes"]}


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_killed_nodes_task_looks_running_until_the_node_is_back(pair: Cluster, tmp_path: Path) -> None:
    """Its script dies with it; the task stays Executing until the node starts again, and is not run again."""
    pair.tell("drain", "node-1")
    task = start_long_deployment(pair.nodes["node-1"], tmp_path)
    assert pair.tell("undrain", "node-1") == {"name": "node-1", "cap": 5, "draining": False}
    assert task["ServerNode"] == "OctopusServerNodes-node-2"
    assert pair.tell("kill", "node-2")["state"] == "killed"
    until(lambda: {"gone": is_gone(tmp_path)}, lambda seen: seen["gone"], within=2.0)
    assert pair.home().get(f"/tasks/{task['Id']}")["State"] == "Executing"
    url = pair.tell("start", "node-2")["url"]
    assert url.rpartition(":")[2] == str(pair.nodes["node-2"].http.base_url.port)
    after = pair.home("node-2").wait(task["Id"])
    assert after["State"] == "Canceled"
    assert "terminated unexpectedly" in after["ErrorMessage"]
    assert events(pair, task) == ["DeploymentQueued", "DeploymentStarted", "DeploymentCanceled"]
    assert number_of_runs(tmp_path) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="a node can be frozen on Linux only")
def test_a_frozen_node_goes_offline_and_another_cancels_its_tasks(pair: Cluster, tmp_path: Path) -> None:
    """Nobody touches its task before the limit; then the other node does, and the woken node stops the script."""
    pair.tell("drain", "node-1")
    task = start_long_deployment(pair.nodes["node-1"], tmp_path)
    pair.tell("undrain", "node-1")
    assert pair.tell("freeze", "node-2")["state"] == "frozen"
    until(lambda: offline(pair), lambda seen: seen["node-2"])
    assert not offline(pair)["node-1"]
    assert pair.home().get(f"/tasks/{task['Id']}")["State"] == "Executing"
    after = pair.home().wait(task["Id"])
    assert (after["State"], after["ServerNode"]) == ("Canceled", "OctopusServerNodes-node-2")
    assert not is_gone(tmp_path)
    pair.tell("thaw", "node-2")
    until(lambda: {"gone": is_gone(tmp_path)}, lambda seen: seen["gone"])
    until(lambda: offline(pair), lambda seen: not seen["node-2"])
    assert pair.home().get(f"/tasks/{task['Id']}")["CompletedTime"] == after["CompletedTime"]
    assert events(pair, task) == ["DeploymentQueued", "DeploymentStarted", "DeploymentCanceled"]
    assert number_of_runs(tmp_path) == 1


def test_draining_is_told_to_load_balancers_and_stops_the_queue(pair: Cluster) -> None:
    """A node that drains answers pings with 418, the health check does when all drain; tasks then wait."""
    pings = [node.http.get("/api/octopusservernodes/ping") for node in pair.nodes.values()]
    assert [(one.status_code, one.headers["Octopus-Node"]) for one in pings] == [(200, "node-1"), (200, "node-2")]
    health = "/api/serverstatus/health"
    pair.tell("drain", "node-1")
    pings = [node.http.get("/api/octopusservernodes/ping").status_code for node in pair.nodes.values()]
    assert (pings, pair.nodes["node-1"].http.get(health).status_code) == ([418, 200], 200)
    pair.tell("drain", "node-2")
    assert pair.nodes["node-1"].http.get(health).status_code == 418
    task = pair.nodes["node-1"].post("/tasks", {"Name": "Health", "Description": "Waits"})
    pair.tell("cap", "node-2", "0")
    pair.tell("undrain", "node-2")
    assert pair.nodes["node-1"].http.get(health).status_code == 200
    pair.tell("undrain", "node-1")
    ended = pair.nodes["node-1"].wait(task["Id"])
    pair.tell("cap", "node-2", "5")
    assert (ended["State"], ended["ServerNode"]) == ("Success", "OctopusServerNodes-node-1")


def test_a_node_that_was_deleted_alive_comes_back(pair: Cluster) -> None:
    """Its next heartbeat registers it again (octopus-facts §1.3); one that answers may not be deleted otherwise."""
    server = pair.nodes["node-1"]
    refused = server.delete("/octopusservernodes/OctopusServerNodes-node-2", status=400)
    assert "online" in refused["ErrorMessage"]
    pair.tell("kill", "node-2")
    until(lambda: offline(pair), lambda seen: seen["node-2"])
    server.delete("/octopusservernodes/OctopusServerNodes-node-2")
    assert set(offline(pair)) == {"node-1"}
    pair.tell("start", "node-2")
    assert offline(pair) == {"node-1": False, "node-2": False}


def test_a_node_can_be_added_and_takes_its_share(pair: Cluster) -> None:
    """A new node has a name and an address of its own, and counts at once."""
    added = pair.tell("add")
    assert (added["name"], added["state"]) == ("node-3", "running")
    assert set(offline(pair)) == {"node-1", "node-2", "node-3"}
    assert pair.tell("stop", "node-3")["state"] == "stopped"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kill", "node-9"), "there is no node node-9"),
        (("thaw", "node-1"), "is running"),
        (("start", "node-1"), "is running"),
        (("add", "node-1"), "already"),
        (("cap", "node-1", "-1"), "the server refuses"),
        (("cap", "node-1", "10000"), "the server refuses"),
        (("cap", "node-1", "many"), "no command"),
        (("dance",), "no command"),
    ],
)
def test_a_wrong_command_is_refused(pair: Cluster, words: tuple[str, ...], said: str) -> None:
    """It says what is wrong, and the cluster goes on."""
    with pytest.raises(UsageError, match=said):
        pair.tell(*words)


def test_the_command_line_speaks_to_the_server_of_a_folder(pair: Cluster, tmp_path: Path) -> None:
    """`node list` says one line of JSON; a folder that nobody serves, exit code 2 in two lines."""
    command = [sys.executable, "-m", "standin", "node", "list", "--data"]
    done = subprocess.run([*command, str(pair.data)], capture_output=True, text=True, check=True)
    assert [node["state"] for node in json.loads(done.stdout)["nodes"]][:2] == ["running", "running"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)


def queue_scripts(three: Cluster, number: int, script: str) -> list[str]:
    """Queue scripts of the console, which share no tag, in the default space; return their tasks."""
    arguments = {"ScriptBody": script, "Syntax": "Bash", "TargetType": "OctopusServer"}
    sent = {"Name": "AdHocScript", "Description": "Load", "Arguments": arguments}
    return [three.home().post("/tasks", sent)["Id"] for _ in range(number)]


def stop_queue(three: Cluster, *, stopped: bool) -> None:
    """Let no task of the default space start, or all."""
    server = three.nodes["node-1"]
    server.put("/spaces/Spaces-1", {**server.get("/spaces/Spaces-1"), "TaskQueueStopped": stopped})


def running_tasks(three: Cluster) -> dict[str, int]:
    found = three.nodes["node-1"].get("/octopusservernodes/summary")["Nodes"]
    return {node["Name"]: node["RunningTaskCount"] for node in found}


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_what_a_script_leaves_behind_is_gone(pair: Cluster, tmp_path: Path) -> None:
    """A process that a script has left in the background is killed with it, and not even its entry remains."""
    (task,) = queue_scripts(pair, 1, f"sleep 300 > /dev/null 2>&1 & echo $! > {tmp_path}/pid")
    assert pair.home().wait(task)["State"] == "Success"
    pid = (tmp_path / "pid").read_text().strip()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), f"process {pid} is still there")


def test_the_published_clusters_busy_node_takes_nothing(tmp_path: Path) -> None:
    """3 nodes of 10, 10 active, 12 pending (octopus-facts §2.2): who has 8 takes none, no other more than up to 8."""
    with cluster(tmp_path, 3, 400) as three:
        for name, cap in (("node-1", "8"), ("node-2", "2"), ("node-3", "0")):
            three.tell("cap", name, cap)
        tasks = queue_scripts(three, 10, "sleep 300")
        until(lambda: running_tasks(three), lambda seen: seen == {"node-1": 8, "node-2": 2, "node-3": 0})
        stop_queue(three, stopped=True)
        for name in three.nodes:
            three.tell("cap", name, "10")
        tasks += queue_scripts(three, 12, "sleep 300")
        assert sum(running_tasks(three).values()) == 10
        stop_queue(three, stopped=False)
        loads = until(lambda: running_tasks(three), lambda seen: sum(seen.values()) == 22)
        # Each goes on until its ratio exceeds 22/30; which of the others comes first is chance.
        assert (loads["node-1"], max(loads.values())) == (8, 8)
        for task in tasks:
            three.nodes["node-2"].post(f"/tasks/{task}/cancel", {}, status=200)
        assert {three.nodes["node-1"].wait(task)["State"] for task in tasks} == {"Canceled"}


def replayed(durations: np.ndarray, slots: int) -> float:
    """Return how long so many slots take for a full queue."""
    return float((queueing.waits(np.zeros(durations.size), durations, slots) + durations).max())


def test_a_cluster_works_off_cap_times_window_by_duration(tmp_path: Path) -> None:
    """So much the published table gives as the most (octopus-facts §1.4); a full queue comes as near as its replay."""
    cap = 3
    with cluster(tmp_path, 2, 400) as two:
        for name in two.nodes:
            two.tell("cap", name, str(cap))
            two.tell("drain", name)
        tasks = queue_scripts(two, 36, "sleep 1")
        for name in two.nodes:
            two.tell("undrain", name)
        ended = [two.nodes["node-1"].wait(task) for task in tasks]
    assert {task["State"] for task in ended} == {"Success"}
    began, end = ([datetime.fromisoformat(task[name]) for task in ended] for name in ("StartTime", "CompletedTime"))
    window = (max(end) - min(began)).total_seconds()
    durations = np.array([(late - early).total_seconds() for early, late in zip(began, end, strict=True)])
    slots = cap * len(two.nodes)
    assert len(ended) <= slots * window / durations.mean()
    # Between two tasks a slot waits for its node's next look.
    assert replayed(durations, slots) > 0.75 * window
    shares = Counter(task["ServerNode"] for task in ended)
    assert min(shares.values()) >= 12, "one node has done nearly all"


@pytest.mark.skipif(sys.platform != "linux", reason="a node can be frozen on Linux only")
def test_a_frozen_node_does_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    """The kernel wakes it when its parent dies, and awake it ends, with its scripts."""
    with cluster(tmp_path / "data", 1, 100) as one:
        start_long_deployment(one.nodes["node-1"], tmp_path)
        children = psutil.Process(one.pid).children(recursive=True)
        one.tell("freeze", "node-1")
        os.kill(one.pid, signal.SIGKILL)
        wait_for(lambda: not alive(children), f"still alive: {alive(children)}")
