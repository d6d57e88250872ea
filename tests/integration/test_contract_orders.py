"""The contract of the stand-in for deployments: how they are ordered, listed, retried, deleted (octopus-api §A.16)."""

from pathlib import Path
from typing import Any

import pytest

from tests.octopus_server import Document, Octopus, Shop, step

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(space: Octopus) -> Shop:
    """A project that may be deployed to two environments in any order."""
    environments = [space.environment(name) for name in ("Dev", "Live")]
    return space, space.project("Shop", space.get("/lifecycles/all")[0]["Id"], 'echo "to #{Who}"'), environments


@pytest.mark.proves("GET deployments", "GET deployments/{id}", "POST deployments", "POST deployments/v1")
def test_a_deployment_is_ordered_and_found(shop: Shop) -> None:
    """Its fields tell what, where and by whom; lists show the newest first, under each filter."""
    space, project, (dev, live) = shop
    release = space.release(project, "1.0")
    body = {"ReleaseId": release["Id"], "EnvironmentId": dev, "Comments": "please"}
    first = space.post("/deployments", body)
    assert (first["ProjectId"], first["ChannelId"], first["Name"], first["DeployedBy"], first["Comments"]) == (
        *(project["Id"], release["ChannelId"], "Deploy to Dev", "admin", "please"),
    )
    assert first["DeploymentProcessId"] == release["ProjectDeploymentProcessSnapshotId"]
    assert first["Links"]["Task"].endswith(first["TaskId"])
    task = space.wait(first["TaskId"])
    assert task["Description"] == "Deploy Shop release 1.0 to Dev"
    assert task["Arguments"] == {"DeploymentId": first["Id"]}
    assert space.get(f"/deployments/{first['Id']}") == first
    second = space.post("/deployments/v1", {**body, "EnvironmentId": live})["Deployment"]
    space.wait(second["TaskId"])

    def found(**query: Any) -> list[str]:
        return [one["Id"] for one in space.get("/deployments", **query)["Items"]]

    newest = [second["Id"], first["Id"]]
    assert found() == found(projects=project["Id"]) == found(taskState="Success") == newest
    assert found(environments=live) == found(partialName="LIVE") == found(take=1) == newest[:1]
    assert found(ids=first["Id"]) == newest[1:]
    assert found(channels=release["ChannelId"], taskState="Failed") == found(tenants="Tenants-999999") == []
    space.post("/deployments", {**body, "ReleaseId": "Releases-999999"}, status=404)
    for wrong in (
        {"EnvironmentId": "Environments-999999"},
        {"TenantId": "Tenants-999999"},
        {"SpecificMachineIds": ["Machines-999999"]},
        {"ReleaseId": None},
    ):
        space.post("/deployments", {**body, **wrong}, status=400)


@pytest.mark.proves("POST deployments/create/untenanted/v1")
def test_a_deployment_is_ordered_by_names(shop: Shop) -> None:
    """One task for each environment; values are filled in, steps left out, targets chosen, and failures guided."""
    space, project, (dev, live) = shop
    variables = f"/projects/{project['Id']}/variables"
    asked = {"Name": "Who", "Value": "nobody", "Prompt": {"Label": "Who?", "Required": True}}
    only_live = {"Name": "Live only", "Value": "", "Prompt": {"Required": True}, "Scope": {"Environment": [live]}}
    space.put(variables, {**space.get(variables), "Variables": [asked, only_live]})
    release = space.release(project, "1.0")
    order = {
        "projectName": project["Slug"],
        "releaseVersion": "1.0",
        "environmentNames": ["dev", "LIVE"],
        "spaceId": space.home[1:],
        "spaceIdOrName": "any",
        "variables": {"who": "everybody", "live only": "yes"},
    }
    path = "/deployments/create/untenanted/v1"

    def placed(**more: Any) -> list[Document]:
        return list(space.post(path, {**order, **more}, status=200)["DeploymentServerTasks"])

    def log(task: str) -> str:
        assert space.wait(task)["State"] == "Success"
        return str(space.http.get(f"/api/tasks/{task}/raw").text)

    queued = placed()
    made = [space.get(f"/deployments/{one['DeploymentId']}") for one in queued]
    assert [(one["ReleaseId"], one["EnvironmentId"]) for one in made] == [(release["Id"], dev), (release["Id"], live)]
    assert all("to everybody" in log(one["ServerTaskId"]) for one in queued)
    assert placed(environmentNames=[]) == []
    for wrong in (
        {"environmentNames": ["Nowhere"]},
        {"projectName": "Nothing"},
        {"skipStepNames": ["Nothing"]},
        {"specificMachineNames": ["Nobody"]},
        {"runAt": "2099-01-02", "noRunAfter": "2099-01-01"},
    ):
        space.post(path, {**order, **wrong}, status=400)
    space.post(path, {**order, "releaseVersion": "9.9"}, status=404)
    (empty,) = placed(environmentNames=["Live"], variables={})
    assert space.wait(empty["ServerTaskId"])["State"] == "Failed"
    assert "Live only must be given a value" in space.get(f"/tasks/{empty['ServerTaskId']}")["ErrorMessage"]
    (skipped,) = placed(environmentNames=["Dev"], skipStepNames=["say HELLO"], variables={})
    assert "to everybody" not in log(skipped["ServerTaskId"])
    space.put(f"/environments/{dev}", {**space.get(f"/environments/{dev}"), "UseGuidedFailure": True})
    for more, guided in (({}, True), ({"useGuidedFailure": False}, False)):
        (one,) = placed(environmentNames=["Dev"], **more)
        assert space.get(f"/deployments/{one['DeploymentId']}")["UseGuidedFailure"] is guided
        log(one["ServerTaskId"])
    space.put(variables, {**space.get(variables), "Variables": [{**asked, "Value": "new", "Prompt": None}]})
    (fresh,) = placed(environmentNames=["Dev"], updateVariableSnapshot=True)
    assert "to new" in log(fresh["ServerTaskId"])


@pytest.mark.proves("POST deployments/create/tenanted/v1")
def test_a_deployment_for_tenants_is_one_task_each(shop: Shop) -> None:
    """By name, by tag or all that are connected; neither for others nor for none, as project and tenant say."""
    space, project, (dev, _) = shop
    space.post("/tagsets", {"Name": "Ring", "Tags": [{"Name": "One", "Color": "#333333"}]})
    anna, bert, carl = (
        space.post("/tenants", {"Name": name, "ProjectEnvironments": {project["Id"]: places}, "TenantTags": tags})["Id"]
        for name, places, tags in (("Anna", [dev], ["Ring/One"]), ("Bert", [dev], []), ("Carl", [], []))
    )
    release = space.release(project, "1.0")
    order = {"ProjectName": project["Id"], "ReleaseVersion": "1.0", "EnvironmentName": "Dev", "Tenants": ["*"]}
    path = "/deployments/create/tenanted/v1"
    space.post(path, order, status=400)
    whole = space.get(f"/projects/{project['Id']}")
    space.put(f"/projects/{project['Id']}", {**whole, "TenantedDeploymentMode": "Tenanted"})

    def tenants(**more: Any) -> set[str]:
        queued = space.post(path, {**order, **more}, status=200)["DeploymentServerTasks"]
        assert {space.wait(one["ServerTaskId"])["State"] for one in queued} == {"Success"}
        return {space.get(f"/deployments/{one['DeploymentId']}")["TenantId"] for one in queued}

    assert tenants() == {anna, bert}
    assert tenants(Tenants=["anna"]) == tenants(Tenants=[], TenantTags=["Ring/One"]) == {anna}
    space.post(path, {**order, "Tenants": ["Carl"]}, status=400)
    body = {"ReleaseId": release["Id"], "EnvironmentId": dev}
    space.post("/deployments", body, status=400)
    space.post("/deployments", {**body, "TenantId": carl}, status=400)
    classic = space.post("/deployments", {**body, "TenantId": bert})
    assert space.wait(classic["TaskId"])["Description"] == "Deploy Shop release 1.0 to Dev for Bert"
    (event, *_) = space.get("/events", regarding=classic["Id"])["Items"]
    assert bert in event["RelatedDocumentIds"]


def test_a_deployment_can_be_scheduled(shop: Shop) -> None:
    """It waits for its time; when nobody could start it in time it times out, and its event says so."""
    space, project, (dev, live) = shop
    release = space.release(project, "1.0")
    body = {"ReleaseId": release["Id"], "EnvironmentId": dev}
    later = space.post("/deployments", {**body, "QueueTime": "2099-01-01T00:00:00.000+00:00"})
    task = space.get(f"/tasks/{later['TaskId']}")
    assert (task["State"], task["QueueTime"]) == ("Queued", "2099-01-01T00:00:00.000+00:00")
    assert task["QueueTimeExpiry"] > task["QueueTime"]
    missed = {"QueueTime": "2001-01-01T00:00:00Z", "QueueTimeExpiry": "2001-01-01T00:30:00Z"}
    late = space.post("/deployments", {**body, "EnvironmentId": live, **missed})
    assert space.wait(late["TaskId"])["State"] == "TimedOut"
    assert space.get("/events", regarding=late["Id"])["Items"][0]["Category"] == "DeploymentCanceled"
    space.post("/deployments", {**body, "QueueTime": "2099-01-02", "QueueTimeExpiry": "2099-01-01"}, status=400)
    assert space.call("POST", f"/tasks/{later['TaskId']}/cancel")["State"] == "Canceled"


@pytest.mark.proves("POST projects/{id}/deployments/{deploymentId}/retry/v1")
def test_a_deployment_that_failed_is_retried_or_deleted(space: Octopus, tmp_path: Path) -> None:
    """A retry is a deployment of its own with the same options; a deleted one leaves its events behind."""
    (tmp_path / "fragile").mkdir()
    script = f"rmdir {tmp_path}/fragile && exit 3; echo mended"
    project = space.project("Shop", space.get("/lifecycles/all")[0]["Id"], script)
    body = {"ReleaseId": space.release(project, "1.0")["Id"], "EnvironmentId": space.environment("Dev")}
    first = space.post("/deployments", {**body, "Comments": "try"})
    assert space.wait(first["TaskId"])["State"] == "Failed"
    assert space.get(f"/deployments/{first['Id']}")["FailureEncountered"] is True
    path = f"/projects/{project['Id']}/deployments"
    again = space.post(f"{path}/{first['Id']}/retry/v1", None)
    second = space.get(f"/deployments/{again['DeploymentId']}")
    assert (second["TaskId"], second["Comments"]) == (again["ServerTaskId"], "try")
    assert space.wait(again["ServerTaskId"])["State"] == "Success"
    space.post(f"{path}/Deployments-999999/retry/v1", None, status=404)
    waiting = space.post("/deployments", {**body, "QueueTime": "2099-01-01T00:00:00Z"})
    space.post(f"{path}/{waiting['Id']}/retry/v1", None, status=400)
    space.delete(f"/deployments/{waiting['Id']}", status=400)
    space.call("POST", f"/tasks/{waiting['TaskId']}/cancel")
    space.delete(f"/deployments/{first['Id']}")
    for gone in (f"/deployments/{first['Id']}", f"/tasks/{first['TaskId']}"):
        space.get(gone, status=404)
    events = [one["Category"] for one in space.get("/events", regarding=first["Id"])["Items"]]
    assert events == ["Deleted", "DeploymentFailed", "DeploymentStarted", "DeploymentQueued"]


def test_steps_run_side_by_side_and_window_by_window(space: Octopus, tmp_path: Path) -> None:
    """Steps that start with the previous one wait for each other; a rolling step takes its targets one at a time."""
    dev = space.environment("Dev")
    for number in range(3):
        target = {"Name": f"web-{number}", "EnvironmentIds": [dev], "Roles": ["web"]}
        space.post("/machines", {**target, "Endpoint": {"CommunicationStyle": "None"}})
    meet = f"touch {tmp_path}/MINE; for n in $(seq 300); do [ -e {tmp_path}/OTHER ] && exit 0; sleep 0.1; done; exit 1"
    left = step("Left", meet.replace("MINE", "left").replace("OTHER", "right"))
    right = step("Right", meet.replace("MINE", "right").replace("OTHER", "left"))
    alone = f"mkdir {tmp_path}/lock || exit 1; echo in; rmdir {tmp_path}/lock"
    window = {"Octopus.Action.TargetRoles": "web", "Octopus.Action.MaxParallelism": "1"}
    steps = [left, {**right, "StartTrigger": "StartWithPrevious"}, {**step("Rolling", alone), "Properties": window}]
    project = space.project("Many", space.get("/lifecycles/all")[0]["Id"])
    space.rewrite(project, *steps)
    deployment = space.deploy(space.release(project, "1.0"), dev)
    tree = space.get(f"/tasks/{deployment['TaskId']}/details")["ActivityLogs"][0]["Children"]
    assert [(one["Status"], len(one["Children"])) for one in tree] == [("Success", 1), ("Success", 1), ("Success", 3)]
    assert len(space.get(f"/deployments/{deployment['Id']}")["DeployedToMachineIds"]) == 3
