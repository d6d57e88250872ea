"""The contract of the stand-in for roles that hold for some projects, environments or tenants (octopus-api §A.1)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.test_contract_interruptions import manual, raised
from tests.octopus_server import Document, Octopus, key_of, user

pytestmark = pytest.mark.integration

Connect = Callable[..., Octopus]


@pytest.fixture
def member(server: Octopus, space: Octopus, connect: Connect) -> Callable[..., Octopus]:
    """Make a user who deploys projects in a space, where his grants say."""

    def make(name: str, *grants: dict[str, list[str]]) -> Octopus:
        owner = user(server, name)
        for number, restricted in enumerate(grants):
            team = server.post("/teams", {"Name": f"{name} {number}", "MemberUserIds": [owner["Id"]]})
            role = {"TeamId": team["Id"], "UserRoleId": "userroles-projectdeployer", "SpaceId": space.home[1:]}
            server.post("/scopeduserroles", {**role, **restricted})
        return Octopus(connect(X_Octopus_ApiKey=key_of(server, owner)).http, space.home)

    return make


def ids(page: Document) -> list[str]:
    """The ids on a page."""
    return [one["Id"] for one in page["Items"]]


def test_a_role_holds_where_it_is_given(server: Octopus, space: Octopus, member: Callable[..., Octopus]) -> None:
    """Lists show what it holds for, the rest is 403; it deploys those projects to those environments, and no others."""
    dev, live = space.environment("Dev"), space.environment("Live")
    lifecycle = space.get("/lifecycles/all")[0]["Id"]
    web, shop = (space.project(name, lifecycle) for name in ("Web", "Shop"))
    ours, theirs = (space.release(one, "1.0") for one in (web, shop))
    here, there, other = space.deploy(ours, dev), space.deploy(ours, live), space.deploy(theirs, dev)
    mine = member("restricted", {"ProjectIds": [web["Id"]], "EnvironmentIds": [dev]})
    whole = Octopus(mine.http)
    for listed, expected in (
        (mine.get("/projects"), [web["Id"]]),
        (mine.get("/environments"), [dev]),
        (mine.get("/releases"), [ours["Id"]]),
        (mine.get("/deployments"), [here["Id"]]),
        (mine.get("/tasks"), [here["TaskId"]]),
        (mine.get(f"/projects/{web['Id']}/channels"), [ours["ChannelId"]]),
    ):
        assert ids(listed) == expected
        assert listed["TotalResults"] == 1
    assert [one["Id"] for one in mine.get("/projects/all")] == [web["Id"]]
    told = mine.get("/events", take=1000)["Items"]
    assert {here["Id"]} < {one for event in told for one in event["RelatedDocumentIds"]}
    assert not {there["Id"], other["Id"], shop["Id"]} & {one for event in told for one in event["RelatedDocumentIds"]}
    for path in (
        *(f"/projects/{web['Id']}", f"/releases/{ours['Id']}", f"/deployments/{here['Id']}"),
        *(f"/environments/{dev}", f"/tasks/{here['TaskId']}", f"/deploymentprocesses/{web['DeploymentProcessId']}"),
    ):
        mine.get(path)
    for path in (
        *(f"/projects/{shop['Id']}", f"/projects/{shop['Id']}/releases", f"/releases/{theirs['Id']}"),
        *(f"/deployments/{other['Id']}", f"/deployments/{there['Id']}", f"/tasks/{other['TaskId']}"),
        *(f"/environments/{live}", f"/variables/{shop['VariableSetId']}", f"/progression/{shop['Id']}"),
        f"/deploymentprocesses/{shop['DeploymentProcessId']}",
    ):
        assert "permission" in mine.get(path, status=403)["ErrorMessage"].lower()
    assert ids(whole.get("/tasks")) == [here["TaskId"]]
    assert whole.get(f"/tasks/{here['TaskId']}")["Id"] == here["TaskId"]
    assert {one["SpaceId"] for one in whole.get("/events", take=1000)["Items"]} == {space.home[1:]}
    system = server.post("/tasks", {"Name": "SystemIntegrityCheck"})["Id"]
    for path in (f"/tasks/{system}", f"/tasks/{other['TaskId']}"):
        whole.get(path, status=403)
    whole.post("/tasks", {"Name": "Health", "SpaceId": "Spaces-1"}, status=403)
    board = mine.get("/dashboard")
    shown = [[one["Id"] for one in board[name]] for name in ("Projects", "Environments", "Items")]
    assert shown == [[web["Id"]], [dev], [here["Id"]]]
    mine.post("/deployments", {"ReleaseId": ours["Id"], "EnvironmentId": dev})
    for release, environment in ((ours, live), (theirs, dev)):
        body = {"ReleaseId": release["Id"], "EnvironmentId": environment}
        assert "DeploymentCreate" in mine.post("/deployments", body, status=403)["ErrorMessage"]
    order: dict[str, Any] = {"ProjectName": "Web", "ReleaseVersion": "1.0", "EnvironmentNames": ["Dev", "Live"]}
    before = space.get("/deployments", take=0)["TotalResults"]
    mine.post("/deployments/create/untenanted/v1", order, status=403)
    assert space.get("/deployments", take=0)["TotalResults"] == before
    held = whole.get(f"/users/{whole.get('/users/me')['Id']}/permissions")["SpacePermissions"]
    (only,) = held["DeploymentCreate"]
    assert (only["RestrictedToProjectIds"], only["RestrictedToEnvironmentIds"]) == ([web["Id"]], [dev])


def test_a_role_for_tenants_and_groups_adds_up(space: Octopus, member: Callable[..., Octopus]) -> None:
    """Two grants hold each for its own part: one for a tenant, one for the projects of a group without it."""
    dev, lifecycle = space.environment("Dev"), space.get("/lifecycles/all")[0]["Id"]
    web, shop = (space.project(name, lifecycle) for name in ("Web", "Shop"))
    group = space.post("/projectgroups", {"Name": "Apart"})["Id"]
    space.put(f"/projects/{shop['Id']}", {**shop, "ProjectGroupId": group})
    whole = space.get(f"/projects/{web['Id']}")
    space.put(f"/projects/{web['Id']}", {**whole, "TenantedDeploymentMode": "Tenanted"})
    anna, bert = (
        space.post("/tenants", {"Name": name, "ProjectEnvironments": {web["Id"]: [dev]}})["Id"]
        for name in ("Anna", "Bert")
    )
    ours, theirs = (space.release(one, "1.0") for one in (web, shop))
    mine = member("tenanted", {"ProjectIds": [web["Id"]], "TenantIds": [anna]}, {"ProjectGroupIds": [group]})
    assert ids(mine.get("/projects")) == [shop["Id"], web["Id"]]
    body = {"ReleaseId": ours["Id"], "EnvironmentId": dev}
    mine.post("/deployments", {**body, "TenantId": anna})
    mine.post("/deployments", {**body, "TenantId": bert}, status=403)
    mine.post("/deployments", {**body, "ReleaseId": theirs["Id"]})
    for_bert = space.post("/deployments", {**body, "TenantId": bert})
    assert for_bert["Id"] not in ids(mine.get("/deployments"))
    assert mine.get("/deployments")["TotalResults"] == 2
    space.put(f"/projects/{shop['Id']}", {**space.get("/projects/Shop"), "ProjectGroupId": web["ProjectGroupId"]})
    assert space.get("/deployments")["TotalResults"] == 3


def test_a_role_holds_for_runbooks_as_well(space: Octopus, member: Callable[..., Octopus]) -> None:
    """Those of other projects are neither shown nor run, and its own nowhere else; of runs it sees its own part."""
    dev, lifecycle = space.environment("Dev"), space.get("/lifecycles/all")[0]["Id"]
    space.environment("Live")
    made = []
    for name in ("Web", "Shop"):
        project = space.project(name, lifecycle)["Id"]
        runbook = space.post("/runbooks", {"Name": "Clean", "ProjectId": project})["Id"]
        space.post("/runbookSnapshots?publish=true", {"Name": "1", "RunbookId": runbook, "ProjectId": project})
        made.append((project, runbook))
    (web, ours), (_, theirs) = made
    mine = member("runner", {"ProjectIds": [web], "EnvironmentIds": [dev]})
    assert ids(mine.get("/runbooks")) == [ours]
    mine.get(f"/runbooks/{theirs}", status=403)
    order = {"RunbookName": "Clean", "ProjectName": "Web", "EnvironmentNames": ["Dev"]}
    path = "/runbook-runs/create/v1"
    (run,) = mine.post(path, order, status=200)["RunbookRunServerTasks"]
    for other in ({"EnvironmentNames": ["Live"]}, {"ProjectName": "Shop"}):
        assert "RunbookRunCreate" in mine.post(path, {**order, **other}, status=403)["ErrorMessage"]
    (elsewhere,) = space.post(path, {**order, "EnvironmentNames": ["Live"]}, status=200)["RunbookRunServerTasks"]
    assert ids(mine.get("/runbookRuns")) == [run["RunbookRunId"]]
    mine.get(f"/runbookRuns/{elsewhere['RunbookRunId']}", status=403)


def test_a_role_holds_for_what_belongs_to_projects(space: Octopus, member: Callable[..., Octopus]) -> None:
    """Processes, variables, interruptions and artifacts of others are neither listed nor shown; nor are events."""
    dev, live = space.environment("Dev"), space.environment("Live")
    lifecycle = space.get("/lifecycles/all")[0]["Id"]
    library = space.post("/libraryvariablesets", {"Name": "Shared"})["VariableSetId"]
    paths: list[list[str]] = []
    for name in ("Web", "Shop"):
        project = space.project(name, lifecycle)
        runbook = space.post("/runbooks", {"Name": "Clean", "ProjectId": project["Id"]})
        deployment = space.deploy(space.release(project, "1.0"), dev)
        artifact = space.post("/artifacts", {"Filename": "a.txt", "ServerTaskId": deployment["TaskId"]})["Id"]
        space.rewrite(project, manual("Ask"))
        asking = space.post("/deployments", {"ReleaseId": space.release(project, "2.0")["Id"], "EnvironmentId": dev})
        paths.append(
            [
                f"/deploymentprocesses/{project['DeploymentProcessId']}",
                f"/variables/{project['VariableSetId']}",
                f"/runbookProcesses/{runbook['RunbookProcessId']}",
                f"/artifacts/{artifact}",
                f"/interruptions/{raised(space, asking['TaskId'])['Id']}",
                f"/runbooks/{runbook['Id']}/runbookSnapshots",
                f"/runbooks/{runbook['Id']}/runbookRunTemplate",
            ]
        )
    mine = member("reader", {"ProjectIds": [space.get("/projects/Web")["Id"]], "EnvironmentIds": [dev]})
    ours, theirs = paths
    for path in ours:
        mine.get(path)
    for path in (*theirs, f"{theirs[3]}/content", f"{theirs[4]}/responsible"):
        assert "permission" in mine.get(path, status=403)["ErrorMessage"].lower()
    mine.get("/variables/names", status=403, project="Shop")
    for path in (one for one in ours if one.count("/") == 2):
        _, kind, identifier = path.split("/")
        expected = {identifier, library} if kind == "variables" else {identifier}
        page = mine.get("/variables/all" if kind == "variables" else f"/{kind}")
        items = page if isinstance(page, list) else page["Items"]
        assert {one["Id"] for one in items if "-s-" not in one["Id"]} == expected
    assert set(ids(mine.get("/variables"))) == {library, ours[1].rpartition("/")[2]}
    space.put(f"/environments/{live}", {**space.get(f"/environments/{live}"), "Name": "Alive"})
    told = {one for event in mine.get("/events", take=1000)["Items"] for one in event["RelatedDocumentIds"]}
    assert {one for one in told if one.startswith("Environments-")} == {dev}


def test_fresh_variables_are_for_who_may_edit_the_release(space: Octopus, member: Callable[..., Octopus]) -> None:
    """Who deploys only takes the release as it is; `UpdateVariableSnapshot` changes the release."""
    space.environment("Dev")
    project = space.project("Web", space.get("/lifecycles/all")[0]["Id"])
    release, mine = space.release(project, "1.0"), member("deployer", {"ProjectIds": [project["Id"]]})
    order = {"ProjectName": "Web", "ReleaseVersion": "1.0", "EnvironmentNames": ["Dev"], "UpdateVariableSnapshot": True}
    variables = space.get(f"/projects/{project['Id']}/variables")
    space.put(f"/projects/{project['Id']}/variables", {**variables, "Variables": [{"Name": "Who", "Value": "now"}]})
    path = "/deployments/create/untenanted/v1"
    assert "ReleaseEdit" in mine.post(path, order, status=403)["ErrorMessage"]
    before = space.get(f"/releases/{release['Id']}")["ProjectVariableSetSnapshotId"]
    assert before == release["ProjectVariableSetSnapshotId"]
    mine.post(path, {**order, "UpdateVariableSnapshot": False}, status=200)
    space.post(path, order, status=200)
    fresh = space.get(f"/releases/{release['Id']}")["ProjectVariableSetSnapshotId"]
    assert fresh != before
