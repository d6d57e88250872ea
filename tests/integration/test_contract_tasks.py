"""The contract of the stand-in for server tasks: list, log, and what may be done to one (octopus-api §A.14)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import Calls, proving_client
from tests.integration.standin_cluster import cluster
from tests.integration.test_standin_processes import KEY
from tests.octopus_server import Document, Octopus, step, until

pytestmark = pytest.mark.integration

NODE = "/octopusservernodes/OctopusServerNodes-node-1"


@pytest.fixture
def halted(server: Octopus) -> Iterator[None]:
    """No task starts: the only node drains."""
    server.put(NODE, {"IsInMaintenanceMode": True})
    yield
    server.put(NODE, {"IsInMaintenanceMode": False})


def script(space: Octopus, body: str, **more: Any) -> Document:
    """Queue a script of the console."""
    arguments = {"ScriptBody": body, "Syntax": "Bash", **more.pop("Arguments", {})}
    task: Document = space.post("/tasks", {"Name": "AdHocScript", "Arguments": arguments, **more})
    return task


def events(space: Octopus, document: str) -> list[str]:
    """The categories of a document's events, oldest first."""
    return [event["Category"] for event in reversed(space.get("/events", regarding=document)["Items"])]


@pytest.mark.proves("POST tasks", "GET tasks/{id}", "GET tasks/tasktypes")
def test_a_task_is_queued_and_runs(space: Octopus, server: Octopus) -> None:
    """Its fields follow its life; what cannot be queued is refused; the whole server sees the tasks of all spaces."""
    task = script(space, "echo hello", Description="Say hello")
    assert (task["Name"], task["Description"], task["SpaceId"], task["State"]) == (
        *("AdHocScript", "Say hello"),
        space.home[1:],
        "Queued",
    )
    assert (task["StartTime"], task["ServerNode"], task["Completed"]) == (None, None, "Queued...")
    done = space.wait(task["Id"])
    assert (done["State"], done["IsCompleted"], done["FinishedSuccessfully"], done["CanRerun"]) == (
        *("Success", True, True, True),
    )
    assert done["ServerNode"] == "OctopusServerNodes-node-1"
    assert done["QueueTime"] <= done["StartTime"] <= done["CompletedTime"]
    assert done["Links"]["Self"] == f"/api/tasks/{task['Id']}"
    assert server.get(f"/tasks/{task['Id']}") == done
    assert events(space, task["Id"]) == ["Created"]
    for name in ("Deploy", "Delete", "Nothing"):
        space.post("/tasks", {"Name": name, "Description": "x"}, status=400)
    space.get("/tasks/ServerTasks-999999", status=404)
    types = {one["Id"]: one["Name"] for one in server.get("/tasks/taskTypes")}
    assert {"Deploy", "RunbookRun", "Health", "Retention", "AdHocScript"} <= set(types)


@pytest.mark.proves("GET tasks")
def test_tasks_are_filtered_and_counted(space: Octopus, server: Octopus) -> None:
    """Newest first; each filter finds what it says; the counts are of the space, whatever the filter."""
    good, bad = script(space, "true", Description="Good one"), script(space, "exit 2", Description="Bad one")
    health = space.post("/tasks", {"Name": "Health", "Description": "Manual health check"})
    done = [space.wait(one["Id"]) for one in (good, bad, health)]
    later = space.post("/tasks", {"Name": "Health", "QueueTime": "2099-01-01T00:00:00Z"})
    assert (later["State"], later["QueueTime"][:10], later["QueueTimeExpiry"][:10]) == (
        *("Queued", "2099-01-01", "2099-01-01"),
    )
    newest = [later["Id"], health["Id"], bad["Id"], good["Id"]]

    def found(**query: Any) -> list[str]:
        return [one["Id"] for one in space.get("/tasks", **query)["Items"]]

    page = space.get("/tasks")
    assert (page["ItemType"], page["TotalResults"], [one["Id"] for one in page["Items"]]) == ("Task", 4, newest)
    counts = {"Success": 2, "Failed": 1, "Queued": 1}
    assert {name: number for name, number in page["TotalCounts"].items() if number} == counts
    assert page["TotalCountsInOtherSpaces"]["Executing"] == 0
    assert space.get("/tasks", take=0, states="Failed")["TotalCounts"] == page["TotalCounts"]
    assert found(ids=f"{good['Id']},{bad['Id']}", skip=0, take=300) == [bad["Id"], good["Id"]]
    assert found(name=["AdHocScript", "Deploy"]) == [bad["Id"], good["Id"]]
    assert found(states="Success,Queued") == [later["Id"], health["Id"], good["Id"]]
    assert found(active=True) == [later["Id"]]
    assert found(running=True) == []
    assert found(hasWarningsOrErrors=True) == [bad["Id"]]
    assert found(hasPendingInterruptions=True) == found(hasPendingPreconditions=True) == []
    assert found(description="bad") == found(partialName="BAD ONE") == [bad["Id"]]
    assert found(node="OctopusServerNodes-node-1") == newest[1:]
    # Times are shown in whole milliseconds, cut off: a task ends at or after the time that it shows.
    assert bad["Id"] in found(fromCompletedDate=done[1]["CompletedTime"])
    assert bad["Id"] not in found(toCompletedDate=done[1]["StartTime"])
    assert found(fromQueueDate="2090-01-01 00:00:00+00:00") == [later["Id"]]
    assert found(toStartDate="2000-01-01") == []
    assert found(batch="Batches-1") == found(tenantTag="Ring/One") == found(tenant="Tenants-999999") == []
    everywhere = server.get("/tasks", spaces=space.home[1:], includeSystem=False)
    assert [one["Id"] for one in everywhere["Items"]] == newest
    assert space.call("POST", f"/tasks/{later['Id']}/cancel")["State"] == "Canceled"


@pytest.mark.proves("GET tasks/{id}/details", "GET tasks/{id}/raw")
def test_a_log_is_a_tree_and_a_text(space: Octopus) -> None:
    """Steps below the task, targets below the steps, numbered messages below these; `tail` leaves a gap."""
    project = space.project("Logs", space.get("/lifecycles/all")[0]["Id"])
    steps = [step("Count", "for n in 1 2 3 4 5; do echo line $n; done"), step("Fail", "echo oh >&2; exit 3")]
    space.rewrite(project, *steps)
    release = space.release(project, "1.0")
    deployment = space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": space.environment("Dev")})
    task = space.wait(deployment["TaskId"])
    details = space.get(f"/tasks/{task['Id']}/details")
    (root,) = details["ActivityLogs"]
    assert (details["Task"], details["Progress"]["ProgressPercentage"]) == (task, 100)
    assert (root["Id"], root["Name"], root["Status"]) == (task["Id"], task["Description"], "Failed")
    assert [(one["Name"], one["Status"]) for one in root["Children"]] == [
        ("Step 1: Count", "Success"),
        ("Step 2: Fail", "Failed"),
    ]
    (target,) = root["Children"][0]["Children"]
    assert target["Id"].startswith(f"{root['Children'][0]['Id']}/")
    assert [(one["Number"], one["MessageText"]) for one in target["LogElements"]] == [
        (number, f"line {number}") for number in range(1, 6)
    ]
    assert all(one["OccurredAt"] and one["Category"] == "Info" for one in target["LogElements"])
    failed = root["Children"][1]["Children"][0]["LogElements"]
    assert [one["Category"] for one in failed] == ["Error", "Fatal"]
    short = space.get(f"/tasks/{task['Id']}/details", tail=2, verbose=False)["ActivityLogs"][0]
    gap, *rest = short["Children"][0]["Children"][0]["LogElements"]
    assert (gap["Category"], gap["Number"], gap["GapLastNumber"]) == ("Gap", 1, 3)
    assert [one["MessageText"] for one in rest] == ["line 4", "line 5"]
    raw = space.http.get(f"/api/tasks/{task['Id']}/raw")
    assert raw.headers["content-type"].startswith("text/plain")
    assert task["Id"] in raw.text.splitlines()[0]
    assert raw.text.index("line 5") < raw.text.index("oh") < raw.text.index("exit code 3")


@pytest.mark.proves(
    "GET tasks/{id}/queued-behind",
    "GET tasks/{id}/blockedby",
    "GET tasks/{id}/status/messages",
    "POST tasks/{id}/prioritize",
    "POST tasks/{id}/cancel",
)
@pytest.mark.usefixtures("halted")
def test_a_queue_has_an_order(space: Octopus) -> None:
    """First in first out, unless one is moved to the head; what is ahead is told, and what blocks it."""
    project, dev = space.project("Queue", space.get("/lifecycles/all")[0]["Id"]), space.environment("Dev")
    release = space.release(project, "1.0")
    body = {"ReleaseId": release["Id"], "EnvironmentId": dev}
    first = script(space, "true")["Id"]
    second, third = (space.post("/deployments", body)["TaskId"] for _ in range(2))

    def ahead(task: str, what: str) -> list[str]:
        page = space.get(f"/tasks/{task}/{what}")
        ids = [one["Id"] for one in page["Items"]]
        assert page["TotalResults"] == len(ids)
        return [one for one in ids if one in {first, second, third}]

    assert ahead(third, "queued-behind") == [first, second]
    assert ahead(third, "blockedby") == [second]
    assert len(space.get(f"/tasks/{third}/queued-behind", take=1)["Items"]) == 1
    (message,) = space.get(f"/tasks/{third}/status/messages")
    assert "queued" in message["Message"]
    assert space.call("POST", f"/tasks/{third}/prioritize")["State"] == "Queued"
    assert ahead(third, "queued-behind") == []
    assert ahead(first, "queued-behind") == [third]
    assert events(space, third)[-1] == "Modified"
    for task in (first, second):
        assert space.call("POST", f"/tasks/{task}/cancel", {})["State"] == "Canceled"
    assert space.call("POST", f"/tasks/{third}/cancel")["State"] == "Canceled"
    space.call("POST", f"/tasks/{third}/prioritize", status=400)
    assert events(space, second)[-1] == "DeploymentCanceled"
    assert space.get(f"/tasks/{third}/status/messages") == []


def test_a_running_task_is_stopped(space: Octopus, tmp_path: Path) -> None:
    """It is Cancelling until its node has killed the script, then Canceled."""
    task = script(space, f"touch {tmp_path}/begun; sleep 60")
    until(lambda: {"begun": (tmp_path / "begun").exists()}, lambda seen: seen["begun"])
    assert space.call("POST", f"/tasks/{task['Id']}/cancel")["State"] == "Cancelling"
    assert space.wait(task["Id"])["State"] == "Canceled"


@pytest.mark.proves("POST tasks/{id}/state", "POST tasks/rerun/{id}")
def test_an_ended_task_is_set_to_another_state_or_run_again(space: Octopus) -> None:
    """With a reason; only out of and into states that have ended; deployments and running tasks are not run again."""
    task = space.wait(script(space, "exit 1", Description="Fragile")["Id"])
    path = f"/tasks/{task['Id']}/state"
    for body in (
        {"State": "Success"},
        {"Reason": "mended"},
        {"State": "Queued", "Reason": "mended"},
        {"State": "Failed", "Reason": "the same"},
    ):
        space.call("POST", path, body, status=400)
    changed = space.call("POST", path, {"Id": task["Id"], "State": "Success", "Reason": "mended"})
    assert (changed["State"], changed["FinishedSuccessfully"]) == ("Success", True)
    assert events(space, task["Id"]) == ["Created", "Modified"]
    again = space.call("POST", f"/tasks/rerun/{task['Id']}")
    assert again["Id"] != task["Id"]
    assert again["Description"] == "Fragile"
    assert space.wait(again["Id"])["State"] == "Failed"
    later = space.post("/tasks", {"Name": "Health", "QueueTime": "2099-01-01T00:00:00Z"})
    space.call("POST", f"/tasks/rerun/{later['Id']}", status=400)
    space.call("POST", f"/tasks/{later['Id']}/state", {"State": "Failed", "Reason": "x"}, status=400)
    space.call("POST", f"/tasks/{later['Id']}/abandon", status=400)
    space.call("POST", f"/tasks/{later['Id']}/cancel")


def test_tasks_about_machines_touch_those_they_name(space: Octopus) -> None:
    """A script runs once for each machine in an environment; a health check finds one healthy; integrity is whole."""
    dev, prod = space.environment("Dev"), space.environment("Prod")
    machines = [
        space.post(
            "/machines",
            {
                "Name": name,
                "EnvironmentIds": [environment],
                "Roles": ["web"],
                "Endpoint": {"CommunicationStyle": "TentacleActive", "Uri": f"poll://{name}/", "Thumbprint": "AB"},
            },
        )
        for name, environment in (("one", dev), ("two", dev), ("three", prod))
    ]
    arguments = {"TargetType": "Environments", "EnvironmentIds": [dev], "TargetRoles": ["web"]}
    task = script(space, "echo on $OCTOPUS_MACHINE_NAME", Arguments=arguments)
    assert space.wait(task["Id"])["State"] == "Success"
    tree = space.get(f"/tasks/{task['Id']}/details")["ActivityLogs"][0]["Children"]
    said = {one["Name"]: one["LogElements"][0]["MessageText"] for one in tree}
    assert said == {"one": "on one", "two": "on two"}
    nobody = script(space, "true", Arguments={"TargetType": "Machines", "MachineIds": ["Machines-999999"]})
    assert space.wait(nobody["Id"])["State"] == "Failed"
    check = space.post("/tasks", {"Name": "health", "Arguments": {"EnvironmentId": prod}})
    assert space.wait(check["Id"])["State"] == "Success"
    health = [space.get(f"/machines/{one['Id']}")["HealthStatus"] for one in machines]
    assert (health[0], health[2]) == (machines[0]["HealthStatus"], "Healthy")
    whole = space.wait(space.post("/tasks", {"Name": "SystemIntegrityCheck"})["Id"])
    assert whole["State"] == "Success", space.http.get(f"/api/tasks/{whole['Id']}/raw").text


@pytest.mark.proves("POST tasks/{id}/abandon")
def test_a_stuck_task_is_abandoned(tmp_path: Path, calls: Calls) -> None:
    """When the node that runs a task does not stop it, it can be given up after a while, and is never run again."""
    with cluster(tmp_path / "data", 2, 300) as server:
        home = server.home()
        project = home.project("Stuck", home.get("/lifecycles/all")[0]["Id"], f"touch {tmp_path}/begun; sleep 60")
        release = home.release(project, "1.0")
        deployment = home.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": home.environment("Dev")})
        until(lambda: {"begun": (tmp_path / "begun").exists()}, lambda seen: seen["begun"])
        runs = home.get(f"/tasks/{deployment['TaskId']}")["ServerNode"].removeprefix("OctopusServerNodes-")
        other = next(name for name in server.nodes if name != runs)
        server.tell("freeze", runs)
        url = str(server.nodes[other].http.base_url)
        with proving_client(url, {"X-Octopus-ApiKey": KEY}, calls) as http:
            space = Octopus(http, "/Spaces-1")
            path = f"/tasks/{deployment['TaskId']}"
            space.call("POST", f"{path}/abandon", status=400)
            assert space.call("POST", f"{path}/cancel")["State"] == "Cancelling"
            space.call("POST", f"{path}/abandon", status=400)
            answers = until(
                lambda: {"status": http.post(f"/api{path}/abandon").status_code}, lambda seen: seen["status"] == 200
            )
            assert answers["status"] == 200
            assert space.get(path)["State"] == "Canceled"
            assert "abandoned" in space.get(path)["ErrorMessage"]
            told = space.get("/events", regarding=deployment["TaskId"])["Items"]
            assert [(one["Category"], one["Username"]) for one in told[:2]] == [
                ("DeploymentCanceled", "admin"),
                ("Modified", "admin"),
            ]
        server.tell("thaw", runs)
