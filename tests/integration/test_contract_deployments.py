"""The contract of the stand-in for what has a history: releases, deployments, tasks, overviews, retention."""

import re

import pytest

from tests.octopus_server import Document, Octopus, Shop, step

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(space: Octopus) -> Shop:
    """A project that goes from Staging to Production."""
    environments = [space.environment(name) for name in ("Staging", "Production")]
    phases = [
        {"Name": name, "OptionalDeploymentTargets": [one]}
        for name, one in zip(("Staging", "Production"), environments, strict=True)
    ]
    policy = {"QuantityToKeep": 3, "Unit": "Items"}
    lifecycle = space.post("/lifecycles", {"Name": "Way", "Phases": phases, "ReleaseRetentionPolicy": policy})
    return space, space.project("Shop", lifecycle["Id"]), environments


def test_a_release_is_deployed_and_seen_everywhere(shop: Shop) -> None:
    """The task ends well, its log holds the script's words, and events, progression and dashboard show it."""
    space, project, (staging, production) = shop
    release = space.release(project, "1.0.0")
    space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": production}, status=400)
    deployment = space.deploy(release, staging)
    task = space.get(f"/tasks/{deployment['TaskId']}")
    assert (task["FinishedSuccessfully"], task["ServerNode"]) == (True, "OctopusServerNodes-node-1")
    assert task["QueueTime"] <= task["StartTime"] <= task["CompletedTime"]
    details = space.get(f"/tasks/{task['Id']}/details")
    (activity,) = details["ActivityLogs"][0]["Children"]
    assert (activity["Name"], activity["Status"]) == ("Step 1: Say hello", "Success")
    assert "hello" in space.http.get(f"/api/tasks/{task['Id']}/raw").text
    events = space.get("/events", regarding=deployment["Id"])["Items"]
    assert [event["Category"] for event in events] == ["DeploymentSucceeded", "DeploymentStarted", "DeploymentQueued"]
    related = {deployment["Id"], project["Id"], release["Id"], staging, task["Id"], release["ChannelId"]}
    assert all(set(event["RelatedDocumentIds"]) == related for event in events)
    progression = space.get(f"/progression/{project['Id']}")
    (shown,) = progression["Releases"]
    assert shown["Deployments"][staging][0]["TaskId"] == task["Id"]
    assert shown["NextDeployments"] == [production]
    (cell,) = space.get("/dashboard")["Items"]
    assert (cell["DeploymentId"], cell["IsCurrent"], cell["State"]) == (deployment["Id"], True, "Success")
    assert space.get("/dashboard/dynamic", projects="Projects-999999", environments=staging)["Items"] == []
    phases = space.get(f"/releases/{release['Id']}/progression")["Phases"]
    assert [phase["Progress"] for phase in phases] == ["Complete", "Current"]
    assert [one["Id"] for one in space.get(f"/releases/{release['Id']}/deployments")["Items"]] == [deployment["Id"]]


def test_what_was_made_is_shown_as_it_is_read(shop: Shop) -> None:
    """The answers of creations have their times in the form of all others, milliseconds and an offset."""
    space, project, (staging, _) = shop
    release = space.release(project, "1.0")
    assert release == space.get(f"/releases/{release['Id']}")
    later = {"QueueTime": "2099-01-01T00:00:00+10:00", "QueueTimeExpiry": "2099-01-02 00:00:00"}
    deployment = space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": staging, **later})
    assert deployment == space.get(f"/deployments/{deployment['Id']}")
    assert deployment["QueueTime"] == "2098-12-31T14:00:00.000+00:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", deployment["Created"])


def test_newer_clients_create_by_name(shop: Shop) -> None:
    """One call makes a release with the next version, one more deploys it; an empty list deploys nothing."""
    space, project, (staging, _) = shop
    home = {"spaceId": space.home[1:], "spaceIdOrName": "any", "projectName": project["Name"]}
    made = [space.post("/releases/create/v1", home)["ReleaseVersion"] for _ in range(2)]
    assert made == ["0.0.1", "0.0.2"]
    again = space.post("/releases/create/v1", {**home, "releaseVersion": "0.0.1", "ignoreIfAlreadyExists": True})
    assert again["ReleaseId"] == space.get(f"/projects/{project['Slug']}/releases/0.0.1")["Id"]
    path, deploy = (
        "/deployments/create/untenanted/v1",
        {**home, "ReleaseVersion": "0.0.2", "EnvironmentNames": ["staging"]},
    )
    (queued,) = space.post(path, deploy, status=200)["DeploymentServerTasks"]
    assert space.wait(queued["ServerTaskId"])["State"] == "Success"
    assert space.get("/deployments", take=1, ids=queued["DeploymentId"])["Items"][0]["EnvironmentId"] == staging
    assert space.post(path, {**deploy, "EnvironmentNames": []}, status=200) == {"DeploymentServerTasks": []}
    space.post(path, {**deploy, "EnvironmentNames": ["Nowhere"]}, status=400)


def test_a_task_waits_in_the_queue_and_can_be_canceled(shop: Shop, server: Octopus) -> None:
    """While the node drains nothing starts: tasks are counted as queued, one behind the other, and can be canceled."""
    space, project, (staging, _) = shop
    node = "/octopusservernodes/OctopusServerNodes-node-1"
    first, second = (space.release(project, version) for version in ("1.0", "1.1"))
    settings = f"/projects/{project['Id']}/deploymentsettings"
    # A new project cancels an older queued deployment when a newer one comes (octopus-facts §2.4).
    space.put(settings, {**space.get(settings), "CancelQueuedTasks": False})
    server.put(node, {"IsInMaintenanceMode": True})
    try:
        tasks = [
            space.post("/deployments", {"ReleaseId": one["Id"], "EnvironmentId": staging})["TaskId"]
            for one in (first, second)
        ]
        page = space.get("/tasks", states="Queued", take=0)
        assert (page["TotalResults"], page["TotalCounts"]["Queued"], page["Items"]) == (2, 2, [])
        assert space.get("/tasks", active=True, name="Deploy", project=project["Id"])["TotalResults"] == 2
        assert space.get("/tasks", active=False)["TotalResults"] == 0
        behind = space.get(f"/tasks/{tasks[1]}/queued-behind")
        assert [item["Id"] for item in behind["Items"]] == [tasks[0]]
        assert space.call("POST", f"/tasks/{tasks[0]}/cancel", {})["State"] == "Canceled"
        assert space.call("POST", f"/tasks/{tasks[1]}/prioritize")["State"] == "Queued"
    finally:
        server.put(node, {"IsInMaintenanceMode": False})
    assert space.wait(tasks[1])["State"] == "Success"
    assert space.get("/tasks")["TotalCounts"] == {
        **dict.fromkeys(("Cancelling", "Executing", "Failed", "Queued", "TimedOut", "Interrupted"), 0),
        "Canceled": 1,
        "Success": 1,
    }
    state = {"State": "Failed", "Reason": "as a test"}
    assert space.call("POST", f"/tasks/{tasks[1]}/state", state)["State"] == "Failed"
    space.call("POST", f"/tasks/{tasks[1]}/state", {"State": "Failed"}, status=400)
    space.call("POST", f"/tasks/rerun/{tasks[1]}", status=400)


def test_a_release_goes_with_its_deployments_and_its_project(shop: Shop) -> None:
    """Deleting a release takes its deployments and tasks, deleting the project the rest; events stay."""
    space, project, (staging, _) = shop
    first, second = (space.release(project, version) for version in ("1.0", "1.1"))
    deployment = space.deploy(first, staging)
    events = space.get("/events")["TotalResults"]
    space.delete(f"/releases/{first['Id']}")
    for path in (f"/releases/{first['Id']}", f"/deployments/{deployment['Id']}", f"/tasks/{deployment['TaskId']}"):
        space.get(path, status=404)
    assert [one["Id"] for one in space.get("/releases")["Items"]] == [second["Id"]]
    space.delete(f"/projects/{project['Id']}")
    assert (space.get("/releases")["TotalResults"], space.get("/channels")["TotalResults"]) == (0, 0)
    assert space.get("/events")["TotalResults"] == events + 3


def test_a_failing_script_fails_its_deployment(space: Octopus) -> None:
    """The task fails with Octopus' words, the event says so, and the next deployment can follow."""
    environment = space.environment("Dev")
    project = space.project("Fragile", space.get("/lifecycles/all")[0]["Id"], "echo broken; exit 3")
    release = space.release(project, "1.0")
    task = space.wait(space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": environment})["TaskId"])
    assert (task["State"], task["IsCompleted"], task["FinishedSuccessfully"]) == ("Failed", True, False)
    assert "step" in task["ErrorMessage"]
    assert space.get("/events", eventCategories="DeploymentFailed")["TotalResults"] == 1
    space.rewrite(project, step("Mended", "echo well"))
    space.deploy(space.release(project, "1.1"), environment)


def test_retention_keeps_what_the_published_example_keeps(shop: Shop) -> None:
    """Of 15 releases, keeping 3, exactly 0.0.12, 0.0.11, 0.0.10 and 0.0.1 go (octopus-facts §1b)."""
    space, project, (staging, production) = shop
    releases = [space.release(project, f"0.0.{number}") for number in range(1, 16)]
    for number, release in enumerate(releases, start=1):
        if number <= 9:
            space.deploy(release, staging)
        if number <= 6:
            space.deploy(release, production)
    before = space.get("/events")["TotalResults"]
    body = {"Name": "Retention", "Description": "Keep 3", "SpaceId": space.home[1:]}
    task = space.wait(space.post("/tasks", body)["Id"])
    assert task["State"] == "Success"
    left = {one["Version"] for one in space.get("/releases", take=100)["Items"]}
    gone = {release["Version"] for release in releases} - left
    assert gone == {"0.0.12", "0.0.11", "0.0.10", "0.0.1"}
    assert space.get("/deployments")["TotalResults"] == 13
    assert space.get("/events")["TotalResults"] >= before + 4


def test_a_phase_inherits_the_policy_of_an_earlier_one(space: Octopus) -> None:
    """A lifecycle that keeps 3 with a third phase that keeps 5 keeps 3, 3, 5 and 5 (octopus-facts §1b)."""
    names = ("Development", "Test", "Staging", "Production")
    environments = [space.environment(name) for name in names]
    phases: list[Document] = [
        {"Name": name, "OptionalDeploymentTargets": [one]} for name, one in zip(names, environments, strict=True)
    ]
    phases[2]["ReleaseRetentionPolicy"] = {"QuantityToKeep": 5, "Unit": "Items"}
    policy = {"QuantityToKeep": 3, "Unit": "Items"}
    lifecycle = space.post("/lifecycles", {"Name": "Way", "Phases": phases, "ReleaseRetentionPolicy": policy})
    project = space.project("Heir", lifecycle["Id"])
    release = space.release(project, "1.0")
    kept = []
    for environment in environments:
        space.deploy(release, environment)
        (shown,) = space.get(f"/projects/{project['Id']}/progression")["Releases"]
        kept.append(shown["ReleaseRetentionPeriod"]["QuantityToKeep"])
    assert kept == [3, 3, 5, 5]
