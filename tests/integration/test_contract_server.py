"""The contract of the stand-in for the server itself: nodes, status, licence, modes, scheduler (§A.21, §A.22)."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract import Calls, proving_client
from tests.integration.standin_cluster import cluster
from tests.integration.test_standin_processes import KEY
from tests.octopus_server import Document, Octopus, StandIn, until

pytestmark = pytest.mark.integration

NODE = "OctopusServerNodes-node-1"


def fields(document: Document, *names: str) -> list[Any]:
    """The values of some members."""
    return [document[name] for name in names]


@pytest.mark.proves(
    "GET octopusservernodes",
    "GET octopusservernodes/all",
    "GET octopusservernodes/{id}",
    "PUT octopusservernodes/{id}",
    "GET octopusservernodes/{id}/details",
    "GET octopusservernodes/summary",
    "GET octopusservernodes/ping",
)
def test_a_node_has_a_cap_and_can_be_drained(server: Octopus) -> None:
    """What is put is kept and shown everywhere, with an event; a whole resource may be put back."""
    node = server.get(f"/octopusservernodes/{NODE}")
    assert fields(node, "Id", "Name", "MaxConcurrentTasks", "IsInMaintenanceMode") == [NODE, "node-1", 5, False]
    (listed,) = server.get("/octopusservernodes", partialName="NODE")["Items"]
    assert [listed] == server.get("/octopusservernodes/all") == [node]
    assert server.get("/octopusservernodes", ids="OctopusServerNodes-other")["TotalResults"] == 0
    assert server.get(f"/octopusservernodes/{NODE}/details")["RunningTasks"] == 0
    (summary,) = server.get("/octopusservernodes/summary")["Nodes"]
    assert fields(summary, "IsOffline", "RunningTaskCount", "MaxConcurrentTasks") == [False, 0, 5]
    assert fields(server.get("/octopusservernodes/ping"), "Id", "IsOffline", "Version") == [NODE, False, "2026.3.1"]
    before = server.get("/events", regarding=NODE)["TotalResults"]
    changed = server.put(f"/octopusservernodes/{NODE}", {**node, "MaxConcurrentTasks": 7})
    assert fields(changed, "MaxConcurrentTasks", "IsInMaintenanceMode") == [7, False]
    assert server.get(f"/octopusservernodes/{NODE}") == changed
    server.put(f"/octopusservernodes/{NODE}", node)
    assert server.get("/events", regarding=NODE)["TotalResults"] == before + 2
    server.put(f"/octopusservernodes/{NODE}", {"MaxConcurrentTasks": -1}, status=400)
    server.delete(f"/octopusservernodes/{NODE}", status=400)
    server.get("/octopusservernodes/OctopusServerNodes-nobody", status=404)


@pytest.mark.proves("DELETE octopusservernodes/{id}")
def test_a_node_that_is_gone_can_be_forgotten(tmp_path: Path, calls: Calls) -> None:
    """Only when it has been offline for a while."""
    with cluster(tmp_path / "data", 2, 300) as running:
        url, path = str(running.nodes["node-1"].http.base_url), "/octopusservernodes/OctopusServerNodes-node-2"
        with client(url, calls) as server:
            server.delete(path, status=400)
            running.tell("kill", "node-2")
            until(
                lambda: next(one for one in server.get("/octopusservernodes/summary")["Nodes"] if one["Id"] in path),
                lambda node: bool(node["IsOffline"]),
            )
            gone = server.delete(path)
            assert gone["Name"] == "node-2"
            assert server.get("/events", regarding=gone["Id"])["Items"][0]["Category"] == "Deleted"
            assert [one["Name"] for one in server.get("/octopusservernodes/all")] == ["node-1"]


@contextmanager
def client(url: str, calls: Calls, key: str = KEY) -> Iterator[Octopus]:
    """A client whose calls count as proofs."""
    with proving_client(url, {"X-Octopus-ApiKey": key}, calls) as http:
        yield Octopus(http)


@pytest.mark.proves(
    "GET serverstatus",
    "GET serverstatus/health",
    "GET serverstatus/system-info",
    "GET serverstatus/logs",
    "POST serverstatus/gc-collect",
    "GET serverstatus/system-report",
    "GET serverstatus/timezones",
    "GET serverstatus/extensions",
    "GET capabilities",
    "GET configuration/feature-toggles",
)
def test_the_server_says_how_it_is(server: Octopus) -> None:
    """Its links lead on, its report holds what its pages say, and toggles are known by the name asked for."""
    status = server.get("/serverstatus")
    assert fields(status, "IsInMaintenanceMode", "IsPotentialClone", "IsUpgradeAvailable") == [False] * 3
    for name in ("SystemInfo", "Health", "Timezones"):
        assert server.http.get(status["Links"][name]).status_code == 200
    assert server.get("/serverstatus/health")["IsOperatingNormally"] is True
    info = server.get("/serverstatus/system-info")
    assert info["Version"] == server.get("")["Version"]
    assert info["WorkingSetBytes"] > 1 << 20
    assert info["ThreadCount"] >= 1
    assert isinstance(server.get("/serverstatus/logs", take=5, includeDetail=True), list)
    assert server.post("/serverstatus/gc-collect", None, status=200)["Collected"] >= 0
    zones = server.get("/serverstatus/timezones")
    assert "UTC" in {zone["Id"] for zone in zones}
    assert server.get("/serverstatus/extensions") == []
    with zipfile.ZipFile(io.BytesIO(server.http.get("/api/serverstatus/system-report").content)) as report:
        assert json.loads(report.read("nodes.json"))["Nodes"][0]["Id"] == NODE
        assert json.loads(report.read("server-status.json")) == status
    assert isinstance(server.get("/capabilities")["Capabilities"], list)
    toggles = server.get("/configuration/feature-toggles", Name="some-toggle")["FeatureToggles"]
    assert toggles == [{"Name": "some-toggle", "IsEnabled": False}]


@pytest.mark.proves("GET serverstatus/counts")
def test_one_call_counts_what_there_is(space: Octopus, server: Octopus) -> None:
    """Each thing made is counted once, and counted off when it is deleted."""
    before = server.get("/serverstatus/counts")
    project = space.project("Counted", space.get("/lifecycles/all")[0]["Id"])
    environment = space.environment("Dev")
    space.deploy(space.release(project, "1.0"), environment)
    runbook = space.post(f"/projects/{project['Id']}/runbooks", {"Name": "Run"})
    grown = difference(before, server.get("/serverstatus/counts"))
    assert grown == {"Projects": 1, "Environments": 1, "Releases": 1, "Deployments": 1, "Runbooks": 1}
    space.delete(f"/runbooks/{runbook['Id']}")
    space.delete(f"/projects/{project['Id']}")
    space.delete(f"/environments/{environment}")
    assert difference(before, server.get("/serverstatus/counts")) == {}


def difference(before: Document, after: Document) -> dict[str, int]:
    """What counts have grown by."""
    return {
        name: number - before[part][name]
        for part, counts in after.items()
        for name, number in counts.items()
        if number != before[part][name]
    }


@pytest.mark.proves(
    "GET maintenanceconfiguration",
    "PUT maintenanceconfiguration",
    "GET performanceconfiguration",
    "PUT performanceconfiguration",
)
def test_in_maintenance_only_administrators_change_anything(
    space: Octopus, server: Octopus, standin: StandIn, calls: Calls
) -> None:
    """Others read on, and are told 503 when they write; status and health say so; afterwards all is as before."""

    def told() -> int:
        return int(server.get("/events", regarding="maintenance")["TotalResults"])

    before = told()
    assert server.get("/maintenanceconfiguration") == {
        "Id": "maintenance",
        "IsInMaintenanceMode": False,
        "Links": {"Self": "/api/maintenanceconfiguration"},
    }
    user = server.post("/users", {"Username": "m.worker", "DisplayName": "M", "Password": "Secret-123456"})
    team = {"Name": "Leads", "MemberUserIds": [user["Id"]], "SpaceId": space.home[1:]}
    team = server.post("/teams", team)
    role = {"UserRoleId": "userroles-spacemanager", "TeamId": team["Id"], "SpaceId": space.home[1:]}
    server.post("/scopeduserroles", role)
    key = server.call("POST", f"/users/{user['Id']}/apikeys", {"Purpose": "maintenance"}, status=201)["ApiKey"]
    with client(standin.url, calls, key) as http:
        worker = Octopus(http.http, space.home)
        worker.environment("Before")
        server.put("/maintenanceconfiguration", {"IsInMaintenanceMode": True})
        try:
            refused = until(
                lambda: {"status": http.http.post(f"/api{space.home}/environments", json={"Name": "During"})},
                lambda answer: answer["status"].status_code == 503,
            )["status"]
            assert set(refused.json()) == {"ErrorMessage", "Errors"}
            assert worker.get("/environments")["TotalResults"] >= 1
            assert server.get("/serverstatus")["IsInMaintenanceMode"] is True
            assert server.get("/serverstatus/health")["IsEntireClusterReadOnly"] is True
            space.environment("By the administrator")
        finally:
            server.put("/maintenanceconfiguration", {"Id": "maintenance", "IsInMaintenanceMode": False})
        worker.environment("After")
    assert told() == before + 2
    mode = {"DefaultDashboardRenderMode": "VirtualizeRowsAndColumns"}
    assert server.put("/performanceconfiguration", mode)["DefaultDashboardRenderMode"] == "VirtualizeRowsAndColumns"
    assert server.get("/performanceconfiguration")["Id"] == "performance"
    server.put("/performanceconfiguration", {"DefaultDashboardRenderMode": "Sideways"}, status=400)
    server.put("/performanceconfiguration", {"DefaultDashboardRenderMode": "VirtualizeColumns"})


LICENSE = """<License Signature="none">
  <LicensedTo>Tests</LicensedTo>
  <ValidTo>2999-12-31</ValidTo>
  <ProjectLimit>{projects}</ProjectLimit>
  <MachineLimit>Unlimited</MachineLimit>
  <NodeTaskCap>5</NodeTaskCap>
</License>"""


@pytest.mark.proves(
    "GET licenses/licenses-current", "PUT licenses/licenses-current", "GET licenses/licenses-current-status"
)
def test_a_license_limits_what_may_be_created(space: Octopus, server: Octopus) -> None:
    """Its limits and what is used of them are shown; one project too many is refused; without one all is unlimited."""
    path = "/licenses/licenses-current"
    assert fields(server.get(path), "LicenseText", "SerialNumber") == ["", None]
    status = server.get(f"{path}-status")
    assert fields(status, "IsCompliant", "EffectiveNodeTaskLimit", "IsNodeTaskLimitControlledByLicense") == [
        True,
        2**31 - 1,
        False,
    ]
    used = {one["Name"]: one["CurrentUsage"] for one in status["Limits"]}
    server.put(path, {"LicenseText": "nonsense"}, status=400)
    try:
        kept = server.put(path, {"LicenseText": LICENSE.format(projects=used["Projects"] + 1)})
        assert kept["SerialNumber"]
        project = space.project("Last", space.get("/lifecycles/all")[0]["Id"])
        body = {name: project[name] for name in ("ProjectGroupId", "LifecycleId")}
        refused = space.post("/projects", {"Name": "One too many", **body}, status=400)
        assert "license" in refused["ErrorMessage"]
        status = server.get(f"{path}-status")
        limit = next(one for one in status["Limits"] if one["Name"] == "Projects")
        assert limit["CurrentUsage"] == limit["EffectiveLimit"] == used["Projects"] + 1
        assert fields(status, "IsCompliant", "EffectiveNodeTaskLimit", "EffectiveExpiryDate") == [True, 5, "2999-12-31"]
        server.put(path, {"LicenseText": LICENSE.format(projects=0)})
        assert server.get(f"{path}-status")["IsCompliant"] is False
    finally:
        server.put(path, {"LicenseText": ""})
    space.post("/projects", {"Name": "Now it fits", **body})


@pytest.mark.proves(
    "GET scheduler",
    "GET scheduler/start",
    "GET scheduler/stop",
    "GET scheduler/trigger",
    "GET scheduler/{name}/logs",
    "GET scheduler/{name}/logs/raw",
)
def test_what_is_scheduled_is_switched_and_triggered(server: Octopus) -> None:
    """A trigger answers when what it has started has ended, and its log can be read then."""

    def enabled() -> dict[str, bool]:
        return {one["Name"]: one["IsEnabled"] for one in server.get("/scheduler")["TaskStatus"]}

    assert enabled() == {"EventRetention": False, "Retention": True}
    server.get("/scheduler/stop", task="retention")
    server.get("/scheduler/start", task="EventRetention")
    assert enabled() == {"EventRetention": True, "Retention": False}
    server.get("/scheduler/start", task="Retention")
    server.get("/scheduler/stop", task="EventRetention")
    before = server.get("/tasks", name="Retention")["TotalResults"]
    server.get("/scheduler/trigger", task="Retention")
    page = server.get("/tasks", name="Retention")
    assert page["TotalResults"] == before + 1
    assert page["Items"][0]["State"] == "Success"
    assert server.get("/scheduler/Retention/logs")["ActivityLog"]["Status"] == "Success"
    assert "releases were deleted" in server.http.get("/api/scheduler/Retention/logs/raw").text
    server.get("/scheduler/trigger", task="Nothing", status=400)
    server.get("/scheduler/Nothing/logs", status=404)


@pytest.mark.proves("GET artifacts", "GET useronboarding")
def test_artifacts_belong_to_a_task(space: Octopus) -> None:
    """They are found by the task and by what it was about; their content comes and goes as bytes."""
    project = space.project("Maker", space.get("/lifecycles/all")[0]["Id"])
    deployment = space.deploy(space.release(project, "1.0"), space.environment("Dev"))
    artifact = space.post("/artifacts", {"Filename": "report.txt", "ServerTaskId": deployment["TaskId"]})
    assert fields(artifact, "Filename", "ServerTaskId") == ["report.txt", deployment["TaskId"]]
    content = artifact["Links"]["Content"]
    assert space.http.get(content).status_code == 204
    assert space.http.put(content, content=b"\x00all well" * 1000).status_code == 200
    assert space.http.get(content).content == b"\x00all well" * 1000
    for regarding in (deployment["TaskId"], deployment["Id"], project["Id"]):
        assert [one["Id"] for one in space.get("/artifacts", regarding=regarding)["Items"]] == [artifact["Id"]]
    assert space.get("/artifacts", regarding="Deployments-999999")["TotalResults"] == 0
    assert space.put(f"/artifacts/{artifact['Id']}", {**artifact, "Filename": "new.txt"})["Filename"] == "new.txt"
    for wrong in ({"Filename": "../up.txt"}, {"Filename": ""}, {"Filename": "x", "ServerTaskId": "ServerTasks-999999"}):
        space.post("/artifacts", wrong, status=400)
    done = {one["Name"]: one["IsComplete"] for one in space.get("/useronboarding")["Tasks"]}
    assert (done["Deploy a release"], done["Push a package"]) == (True, False)
    space.delete(f"/artifacts/{artifact['Id']}")
    assert space.http.get(content).status_code == 404
    assert space.get("/artifacts")["TotalResults"] == 0
