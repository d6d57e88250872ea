"""Tasks of the stand-in over the life of its processes: none is run twice, none is left running."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_standin_processes import running
from tests.octopus_server import Octopus, until

pytestmark = pytest.mark.integration

Document = dict[str, Any]


@contextlib.contextmanager
def client(line: str) -> Iterator[Octopus]:
    """A client of the server that has said it is ready."""
    url, key = line.split()[1::2]
    with httpx.Client(base_url=url, headers={"X-Octopus-ApiKey": key}, timeout=30) as http:
        yield Octopus(http)


def start_long_deployment(server: Octopus, folder: Path) -> Document:
    """Start a deployment that writes its beginnings to a file and then sleeps; return its task, executing."""
    home = Octopus(server.http, "/Spaces-1")
    script = f"echo begun >> {folder}/begun; sleep 300 & echo $! > {folder}/pid; wait"
    project = home.project(f"Long {folder.name}", home.get("/lifecycles/all")[0]["Id"], script)
    release = home.release(project, "1.0.0")
    deployment = home.post(
        "/deployments", {"ReleaseId": release["Id"], "EnvironmentId": home.environment(f"Dev {folder.name}")}
    )
    until(lambda: {"pid": (folder / "pid").exists()}, lambda seen: seen["pid"])
    task: Document = home.get(f"/tasks/{deployment['TaskId']}")
    assert task["State"] == "Executing"
    return task


def is_gone(folder: Path) -> bool:
    """Say whether the script's own child has ended."""
    status = Path(f"/proc/{(folder / 'pid').read_text().strip()}/stat")
    return not status.exists() or status.read_text().split()[2] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_task_that_was_running_is_canceled_and_never_run_again(tmp_path: Path, ending: signal.Signals) -> None:
    """When the stand-in ends, its scripts end; at its next start the task is canceled, with one event more."""
    data = ("--data", str(tmp_path / "data"), "--port", "0", "--time-scale", "200")
    with running(*data) as (process, lines), client(lines[-1]) as server:
        task = start_long_deployment(server, tmp_path)
        process.send_signal(ending)
        process.wait(60)
        until(lambda: {"gone": is_gone(tmp_path)}, lambda seen: seen["gone"])
    with running(*data) as (_, lines), client(lines[-1]) as server:
        after = server.wait(task["Id"])
        assert after["State"] == "Canceled"
        assert "shut down" in after["ErrorMessage"] or "terminated" in after["ErrorMessage"]
        told = server.get("/events", regarding=task["Id"])["Items"]
        assert [event["Category"] for event in told] == ["DeploymentCanceled", "DeploymentStarted", "DeploymentQueued"]
        other = Octopus(server.http, "/Spaces-1").get("/tasks", name="Deploy", states="Queued,Executing")
        assert other["TotalResults"] == 0
    assert (tmp_path / "begun").read_text() == "begun\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_running_task_can_be_canceled(standin: Any, server: Octopus, tmp_path: Path) -> None:
    """Cancel moves it through Cancelling to Canceled, kills its script and all that the script started."""
    task = start_long_deployment(server, tmp_path)
    assert server.post(f"/tasks/{task['Id']}/cancel", {}, status=200)["State"] in ("Cancelling", "Canceled")
    assert server.wait(task["Id"])["State"] == "Canceled"
    until(lambda: {"gone": is_gone(tmp_path)}, lambda seen: seen["gone"])
    details = server.get(f"/tasks/{task['Id']}/details")
    assert details["ActivityLogs"][0]["Status"] == "Canceled"


def test_a_console_script_fills_the_queue_without_a_project(server: Octopus) -> None:
    """A script of the console runs on the server; its exit code is the task's outcome, its output the task's log."""
    for code, state in ((0, "Success"), (3, "Failed")):
        arguments = {"ScriptBody": f"echo told; exit {code}", "Syntax": "Bash", "TargetType": "OctopusServer"}
        task = server.post("/tasks", {"Name": "AdHocScript", "Description": "Try", "Arguments": arguments})
        assert server.wait(task["Id"])["State"] == state
        assert "told" in server.http.get(f"/api/tasks/{task['Id']}/raw").text


def test_two_nodes_share_the_queue_and_run_nothing_twice(tmp_path: Path) -> None:
    """Twenty deployments to twenty environments on two nodes: each runs once, and both nodes have run some."""
    data = ("--data", str(tmp_path / "data"), "--port", "0", "--nodes", "2", "--time-scale", "100")
    with running(*data) as (_, lines), client(lines[-1]) as server:
        home = Octopus(server.http, "/Spaces-1")
        script = f'echo "$OCTOPUS_ENVIRONMENT_NAME" >> {tmp_path}/runs; sleep 0.2'
        project = home.project("Many", home.get("/lifecycles/all")[0]["Id"], script)
        release = home.release(project, "1.0.0")
        names = [f"Env {number}" for number in range(20)]
        tasks = [
            home.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": home.environment(name)})["TaskId"]
            for name in names
        ]
        ended = [home.wait(task) for task in tasks]
    assert {task["State"] for task in ended} == {"Success"}
    assert len({task["ServerNode"] for task in ended}) == 2
    assert sorted((tmp_path / "runs").read_text().splitlines()) == sorted(names)


@contextlib.contextmanager
def with_cap(server: Octopus, cap: int) -> Iterator[None]:
    """Give the only node a task cap for a while."""
    node = server.get("/octopusservernodes/all")[0]
    server.put(f"/octopusservernodes/{node['Id']}", {**node, "MaxConcurrentTasks": cap})
    try:
        yield
    finally:
        server.put(f"/octopusservernodes/{node['Id']}", {**node, "MaxConcurrentTasks": 5})


def deploy(home: Octopus, release: Document, environment: str, **options: Any) -> str:
    """Queue a deployment; return its task."""
    sent = {"ReleaseId": release["Id"], "EnvironmentId": environment, **options}
    return str(home.post("/deployments", sent)["TaskId"])


def test_the_head_of_the_queue_goes_before_priority_and_priority_before_the_rest(
    server: Octopus, space: Octopus
) -> None:
    """A node with cap 0 only serves; with cap 1 it runs what was moved to the top, then priority, then the rest."""
    dev, test, urgent = (space.environment(name) for name in ("Dev", "Test", "Urgent"))
    phases = [
        {"Name": "Usual", "OptionalDeploymentTargets": [dev, test], "IsOptionalPhase": True},
        {"Name": "Urgent", "OptionalDeploymentTargets": [urgent], "IsPriorityPhase": True},
    ]
    lifecycle = space.post("/lifecycles", {"Name": "Phases", "Phases": phases})
    projects = [space.project(name, lifecycle["Id"]) for name in ("A", "B", "C", "D")]
    releases = [space.release(project, "1.0.0") for project in projects]
    with with_cap(server, 0):
        regular = deploy(space, releases[0], dev)
        refused = deploy(space, releases[1], urgent, Priority="Off")
        phase = deploy(space, releases[2], urgent)
        wish = deploy(space, releases[3], dev, Priority="On")
        top = deploy(space, releases[0], test)
        server.post(f"/tasks/{top}/prioritize", None, status=200)
        assert [server.get(f"/tasks/{one}")["State"] for one in (top, regular)] == ["Queued", "Queued"]
        with with_cap(server, 1):
            ended = {one: server.wait(one) for one in (regular, refused, phase, wish, top)}
    assert sorted(ended, key=lambda one: str(ended[one]["StartTime"])) == [top, phase, wish, regular, refused]


def test_a_newer_deployment_takes_the_place_of_older_whole_ones_when_the_project_says_so(
    server: Octopus, space: Octopus
) -> None:
    """Off by default; switched on, queued ones of the same tag are canceled, unless they or it leave something out."""
    environment = space.environment("Dev")
    project = space.project("Web", space.get("/lifecycles/all")[0]["Id"])
    release = space.release(project, "1.0.0")
    with with_cap(server, 0):
        before = [deploy(space, release, environment) for _ in range(2)]
        project = space.get(f"/projects/{project['Id']}")
        space.put(f"/projects/{project['Id']}", {**project, "CancelQueuedTasks": True})
        partial = [deploy(space, release, environment, SkipActions=["some-step"]) for _ in range(2)]
        states = [space.get(f"/tasks/{one}")["State"] for one in (*before, *partial)]
        assert states == ["Queued"] * 4
        last = deploy(space, release, environment)
        states = [space.get(f"/tasks/{one}")["State"] for one in (*before, *partial, last)]
        assert states == ["Canceled", "Canceled", "Queued", "Queued", "Queued"]
        for one in (*partial, last):
            space.post(f"/tasks/{one}/cancel", {}, status=200)


def test_a_scheduled_deployment_that_could_not_start_in_time_times_out(server: Octopus, space: Octopus) -> None:
    """It gets a window of 30 minutes on the server's clock, which runs a hundred times faster here."""
    release = space.release(space.project("Web", space.get("/lifecycles/all")[0]["Id"]), "1.0.0")
    with with_cap(server, 0):
        begins = datetime.now(UTC) - timedelta(seconds=17)
        task = deploy(space, release, space.environment("Dev"), QueueTime=begins.isoformat())
        ended = server.wait(task)
    window = datetime.fromisoformat(ended["QueueTimeExpiry"]) - datetime.fromisoformat(ended["QueueTime"])
    assert (ended["State"], ended["StartTime"]) == ("TimedOut", None)
    assert window == timedelta(minutes=30) / 100
