"""The contract of the stand-in for environments, lifecycles, targets, workers and tenants: what each has of its own."""

from typing import Any

import pytest

from tests.octopus_server import Document, Octopus, StandIn

pytestmark = pytest.mark.integration

#: the smallest picture that there is
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6260000000000500010d0a2db40000000049454e44ae426082"
)


def target(space: Octopus, name: str, environment: str, **more: Any) -> Document:
    """Create a deployment target."""
    body = {"Name": name, "EnvironmentIds": [environment], "Roles": ["web"], "Endpoint": {"CommunicationStyle": "None"}}
    made: Document = space.post("/machines", {**body, **more})
    return made


def default_lifecycle(space: Octopus) -> str:
    """Return the id of the lifecycle that the space was born with."""
    return str(space.get("/lifecycles/all")[0]["Id"])


@pytest.mark.proves(
    "GET environments/all/v1", "GET environments/v2", "GET environments/{id}/machines", "PUT environments/sortorder"
)
def test_environments_keep_their_order_in_every_list(space: Octopus) -> None:
    """The order of creation, until the ids are sent in another one; each list in its own envelope (§A.3)."""
    ids = [space.environment(name) for name in ("Zeta", "Alpha", "Mid")]
    assert [one["SortOrder"] for one in space.get("/environments/all")] == [0, 1, 2]
    assert [one["Id"] for one in space.get("/environments/all/v1")["Environments"]] == ids
    newer = space.get("/environments/v2", ids=ids[0], skip=0, take=1)
    assert [(one["Id"], one["Type"], one["ParentEnvironmentId"]) for one in newer["Items"]] == [
        (ids[0], "Static", None)
    ]
    assert newer["ItemType"] == "Environment"
    ordered = space.put("/environments/sortorder", [ids[2], ids[0], ids[1]])
    assert [one["Name"] for one in ordered] == ["Mid", "Zeta", "Alpha"]
    assert [one["Name"] for one in space.get("/environments")["Items"]] == ["Mid", "Zeta", "Alpha"]
    space.put("/environments/sortorder", [ids[0], "Environments-999999"], status=400)
    machine = target(space, "web-1", ids[1])
    page = space.get(f"/environments/{ids[1]}/machines")
    assert ([one["Id"] for one in page["Items"]], page["ItemType"]) == ([machine["Id"]], "Machine")


@pytest.mark.proves("GET environments/summary")
def test_the_summary_counts_targets_by_environment_and_health(space: Octopus) -> None:
    """Disabled ones apart; empty environments are left out when a client says so (§A.3)."""
    dev, test = space.environment("Dev"), space.environment("Test")
    target(space, "web-1", dev)
    target(space, "web-2", dev, IsDisabled=True)
    target(space, "far", dev, Endpoint={"CommunicationStyle": "TentacleActive", "Uri": "poll://x/", "Thumbprint": "AB"})
    whole = space.get("/environments/summary")
    assert (whole["TotalMachines"], whole["TotalDisabledMachines"]) == (3, 1)
    assert {name: n for name, n in whole["MachineHealthStatusSummaries"].items() if n} == {"Healthy": 1, "Unknown": 1}
    assert whole["MachineEndpointSummaries"] == {"None": 2, "TentacleActive": 1}
    assert [one["TotalMachines"] for one in whole["EnvironmentSummaries"]] == [3, 0]
    some = space.get("/environments/summary", hideEmptyEnvironments="true", isDisabled="true")
    assert [(one["Environment"]["Id"], one["TotalMachines"]) for one in some["EnvironmentSummaries"]] == [(dev, 1)]
    assert space.get("/environments/summary", ids=test)["EnvironmentSummaries"][0]["Environment"]["Name"] == "Test"


@pytest.mark.proves("GET lifecycles/{id}/projects", "GET lifecycles/{id}/preview")
def test_a_lifecycle_knows_its_projects_and_its_default_phase(space: Octopus) -> None:
    """Without phases it shows one of all environments; with them its own, ids filled in (§A.4)."""
    dev = space.environment("Dev")
    bare = default_lifecycle(space)
    project = space.project("User", bare)
    assert [one["Id"] for one in space.get(f"/lifecycles/{bare}/projects")] == [project["Id"]]
    assert space.get(f"/lifecycles/{bare}")["Phases"] == []
    assert [one["OptionalDeploymentTargets"] for one in space.get(f"/lifecycles/{bare}/preview")["Phases"]] == [[dev]]
    phase = {
        "Name": "Dev",
        "AutomaticDeploymentTargets": [dev],
        "IsPriorityPhase": True,
        "ReleaseRetentionPolicy": None,
    }
    made = space.post("/lifecycles", {"Name": "Phased", "Phases": [phase]})
    shown = space.get(f"/lifecycles/{made['Id']}/preview")["Phases"]
    assert [(one["Name"], one["IsPriorityPhase"], one["ReleaseRetentionPolicy"]) for one in shown] == [
        ("Dev", True, None)
    ]
    assert shown[0]["Id"]
    assert space.put(f"/lifecycles/{made['Id']}", made)["Phases"] == made["Phases"]


@pytest.mark.proves(
    "GET machines/{id}/connection",
    "GET machines/{id}/tasks",
    "GET machines/discover",
    "GET machines/operatingsystem/names/all",
    "GET machines/operatingsystem/shells/all",
    "GET machineroles/all",
    "GET workers/{id}/connection",
    "GET workers/discover",
)
def test_targets_are_reached_and_found_by_what_they_are(space: Octopus, standin: StandIn) -> None:
    """A host is discovered where something listens; tasks are those that ran on a target; filters find it (§A.11)."""
    dev = space.environment("Dev")
    system = {"OperatingSystem": "Ubuntu 24.04", "ShellName": "Bash", "Roles": ["web", "DB"]}
    machine = target(space, "web-1", dev, **system)
    other = target(space, "win-1", dev, OperatingSystem="Windows", Thumbprint="ABCD")
    assert space.get("/machineroles/all") == ["DB", "web"]
    assert space.get("/machines/operatingsystem/names/all") == ["Ubuntu 24.04", "Windows"]
    assert space.get("/machines/operatingsystem/shells/all") == ["Bash"]
    found = {"roles": "db", "shellNames": "Bash", "operatingSystemNames": "Ubuntu 24.04", "environmentIds": dev}
    for name, value in found.items():
        assert machine["Id"] in [one["Id"] for one in space.get("/machines", **{name: value})["Items"]]
    assert [one["Id"] for one in space.get("/machines", thumbprint="ABCD")["Items"]] == [other["Id"]]
    assert space.get("/machines", healthStatuses="Unhealthy")["TotalResults"] == 0
    assert space.get("/machines", isDisabled="true", commStyles="None")["TotalResults"] == 0
    state = space.get(f"/machines/{machine['Id']}/connection")
    assert (state["MachineId"], state["Logs"]) == (machine["Id"], [])
    project = space.project("Shop", default_lifecycle(space))
    process = space.get(f"/deploymentprocesses/{project['DeploymentProcessId']}")
    process["Steps"][0]["Properties"]["Octopus.Action.TargetRoles"] = "web"
    space.put(f"/deploymentprocesses/{process['Id']}", process)
    deployment = space.deploy(space.release(project, "1.0.0"), dev)
    assert [one["Id"] for one in space.get(f"/machines/{machine['Id']}/tasks")["Items"]] == [deployment["TaskId"]]
    assert space.get(f"/machines/{machine['Id']}/tasks", type="Health")["TotalResults"] == 0
    assert space.get("/machines", deploymentId=deployment["Id"])["TotalResults"] == 2
    port = int(standin.url.rpartition(":")[2])
    draft = space.get("/machines/discover", host="127.0.0.1", port=port, type="TentaclePassive")
    assert draft["Endpoint"]["Uri"] == f"https://127.0.0.1:{port}/"
    assert space.get("/workers/discover", host="127.0.0.1", port=port, type="Ssh")["Endpoint"]["Port"] == port
    space.get("/machines/discover", host="127.0.0.1", port=1, status=400)
    space.get("/machines/discover", type="Ssh", status=400)
    worker = {"Name": "w", "WorkerPoolIds": [space.get("/workerpools/all")[0]["Id"]], "Endpoint": {}}
    made = space.post("/workers", worker)
    assert space.get(f"/workers/{made['Id']}/connection")["MachineId"] == made["Id"]


@pytest.mark.proves("GET machinepolicies/template", "GET machinepolicies/{id}/machines")
def test_a_target_is_under_a_policy(space: Octopus) -> None:
    """The default one, when it names none; a policy in use stays, and there is always one default (§A.11)."""
    default = space.get("/machinepolicies/all")[0]
    assert default["IsDefault"] is True
    machine = target(space, "web-1", space.environment("Dev"))
    assert machine["MachinePolicyId"] == default["Id"]
    draft = space.get("/machinepolicies/template")
    assert (draft["Id"], draft["MachineHealthCheckPolicy"]["HealthCheckInterval"]) == (None, "01:00:00")
    made = space.post("/machinepolicies", {**draft, "Name": "Strict", "IsDefault": True})
    assert space.get(f"/machinepolicies/{default['Id']}")["IsDefault"] is False
    space.put(f"/machinepolicies/{made['Id']}", {**made, "IsDefault": False}, status=400)
    space.put(f"/machines/{machine['Id']}", {**machine, "MachinePolicyId": made["Id"]})
    assert [one["Id"] for one in space.get(f"/machinepolicies/{made['Id']}/machines")["Items"]] == [machine["Id"]]
    space.put(f"/machinepolicies/{default['Id']}", {**default, "IsDefault": True})
    assert space.delete(f"/machinepolicies/{made['Id']}", status=400)["Errors"] == [
        "The deployment target web-1 is under this policy."
    ]
    space.post("/machinepolicies", {"Name": "Half"}, status=400)


@pytest.mark.proves("PUT workerpools/sortorder", "GET workerpools/summary", "GET workerpools/{id}/workers")
def test_workers_stand_in_pools(space: Octopus) -> None:
    """Pools in their order, with how many workers each has; the default one and one in use stay (§A.11)."""
    default = space.get("/workerpools/all")[0]
    pool = space.post("/workerpools", {"Name": "Linux"})
    worker = space.post(
        "/workers", {"Name": "w", "WorkerPoolIds": [pool["Id"]], "Endpoint": {"CommunicationStyle": "None"}}
    )
    assert [one["Id"] for one in space.get(f"/workerpools/{pool['Id']}/workers")["Items"]] == [worker["Id"]]
    assert space.get(f"/workerpools/{default['Id']}/workers")["TotalResults"] == 0
    summary = space.get("/workerpools/summary")
    counted = [(one["WorkerPool"]["Name"], one["TotalMachines"]) for one in summary["WorkerPoolSummaries"]]
    assert counted == [("Default Worker Pool", 0), ("Linux", 1)]
    assert [one["Id"] for one in space.put("/workerpools/sortorder", [pool["Id"], default["Id"]])] == [
        pool["Id"],
        default["Id"],
    ]
    assert space.delete(f"/workerpools/{pool['Id']}", status=400)["Errors"] == ["The worker w is in this pool."]
    space.delete(f"/workerpools/{default['Id']}", status=400)
    space.post("/workers", {"Name": "x", "WorkerPoolIds": ["WorkerPools-999999"], "Endpoint": {}}, status=400)


@pytest.mark.proves("GET tenants/status", "GET tenants/tag-test", "PUT tagsets/sortorder")
def test_tenants_have_tags_of_sets_that_exist(space: Octopus) -> None:
    """A tenant matches when it has one tag of each set asked for; a tag in use stays in its set (§A.12)."""
    assert space.get("/tenants/status")["Enabled"] is False
    tags = [{"Name": "Gold", "Color": "#FFD700"}, {"Name": "Silver"}]
    tiers = space.post("/tagsets", {"Name": "Tier", "Tags": tags})
    assert [one["CanonicalTagName"] for one in tiers["Tags"]] == ["Tier/Gold", "Tier/Silver"]
    regions = space.post("/tagsets", {"Name": "Region", "Tags": [{"Name": "EU"}]})
    acme = space.post("/tenants", {"Name": "Acme", "TenantTags": ["Tier/Gold"]})
    space.post("/tenants", {"Name": "Ghost", "TenantTags": ["Tier/Bronze"]}, status=400)
    space.post("/tenants", {"Name": "Ghost", "ProjectEnvironments": {"Projects-999999": []}}, status=400)
    assert space.get("/tenants/status")["Enabled"] is True
    assert space.get("/tenants", tags="Tier/Gold")["TotalResults"] == 1
    wanted = {"tenantIds": acme["Id"], "tags": "Tier/Gold,Tier/Silver"}
    assert space.get("/tenants/tag-test", **wanted)[acme["Id"]]["IsMatched"] is True
    missed = space.get("/tenants/tag-test", tenantIds=acme["Id"], tags="Tier/Gold,Region/EU")[acme["Id"]]
    assert (missed["IsMatched"], missed["MissingTags"]) == (False, ["Region"])
    space.put(f"/tagsets/{tiers['Id']}", {**tiers, "Tags": tags[1:]}, status=400)
    assert space.delete(f"/tagsets/{tiers['Id']}", status=400)["Errors"] == ["The tenant Acme has the tag Tier/Gold."]
    ordered = space.put("/tagsets/sortorder", [regions["Id"], tiers["Id"]])
    assert [one["Name"] for one in ordered] == ["Region", "Tier"]
    space.post("/tagsets", {"Name": "Bad", "Tags": [{"Name": "x", "Color": "red"}]}, status=400)


@pytest.mark.proves(
    "GET tenants/{id}/variables",
    "PUT tenants/{id}/variables",
    "POST tenants/{id}/variables",
    "GET tenantvariables/all",
    "GET tenants/variables-missing",
)
def test_tenants_give_values_to_the_templates_of_their_projects(space: Octopus) -> None:
    """By project and environment, and by library set; a secret is kept and not shown; what is missing is named."""
    dev = space.environment("Dev")
    secret = {"Octopus.ControlType": "Sensitive"}
    library = space.post("/libraryvariablesets", {"Name": "Shared", "Templates": [{"Name": "Contact"}]})
    project = space.project("Shop", default_lifecycle(space))
    templates = [{"Name": "Url"}, {"Name": "Password", "DisplaySettings": secret}]
    included = {"Templates": templates, "IncludedLibraryVariableSetIds": [library["Id"]]}
    project = space.put(f"/projects/{project['Id']}", {**project, **included})
    url, password = (one["Id"] for one in project["Templates"])
    contact = library["Templates"][0]["Id"]
    tenant = space.post("/tenants", {"Name": "Acme", "ProjectEnvironments": {project["Id"]: [dev]}})
    path = f"/tenants/{tenant['Id']}/variables"
    empty = space.get(path)
    assert (empty["TenantName"], empty["ProjectVariables"][project["Id"]]["Variables"]) == ("Acme", {dev: {}})
    lacking = space.get("/tenants/variables-missing", tenantId=tenant["Id"], includeDetails="true")[0][
        "MissingVariables"
    ]
    assert [one["VariableTemplateName"] for one in lacking] == ["Url", "Password", "Contact"]
    empty["ProjectVariables"][project["Id"]]["Variables"][dev] = {
        url: "https://acme",
        password: {"HasValue": True, "NewValue": "hunter2hunter2"},
    }
    empty["LibraryVariables"][library["Id"]]["Variables"] = {contact: "ops@acme"}
    kept = space.put(path, empty)
    values = kept["ProjectVariables"][project["Id"]]["Variables"][dev]
    assert values == {url: "https://acme", password: {"HasValue": True, "NewValue": None, "Hint": None}}
    assert "hunter2" not in space.http.get(f"/api{space.home}{path}").text
    assert "changed by somebody else" in space.put(path, empty, status=400)["ErrorMessage"]
    again = space.post(path, space.get(path), status=200)
    assert again["ProjectVariables"] == kept["ProjectVariables"]
    assert again["LibraryVariables"][library["Id"]]["Variables"] == {contact: "ops@acme"}
    assert space.get("/tenants/variables-missing") == []
    assert [one["TenantId"] for one in space.get("/tenantvariables/all", projectId=project["Id"])] == [tenant["Id"]]
    assert "Values" not in space.get(f"/tenants/{tenant['Id']}")
    again["ProjectVariables"][project["Id"]]["Variables"] = {dev: {"no-such-template": "x"}}
    space.put(path, again, status=400)
    clone = space.call("POST", "/tenants?clone=" + tenant["Id"], {"Name": "Acme Two"}, 201)
    assert (clone["ClonedFromTenantId"], clone["ProjectEnvironments"]) == (tenant["Id"], {project["Id"]: [dev]})
    assert space.get("/tenants", clonedFromTenantId=tenant["Id"])["TotalResults"] == 1


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param("tenants", marks=pytest.mark.proves("GET tenants/{id}/logo", "PUT tenants/{id}/logo")),
        pytest.param("projects", marks=pytest.mark.proves("GET projects/{id}/logo", "PUT projects/{id}/logo")),
        pytest.param("spaces", marks=pytest.mark.proves("GET spaces/{id}/logo", "PUT spaces/{id}/logo")),
    ],
)
def test_a_logo_is_drawn_until_one_is_uploaded(space: Octopus, server: Octopus, owner: str) -> None:
    """A client that has it already is told so (304); what is no picture is refused."""
    path = f"/api/spaces{space.home}/logo"
    if owner == "tenants":
        path = f"/api{space.home}/tenants/{space.post('/tenants', {'Name': '<Acme>'})['Id']}/logo"
    elif owner == "projects":
        path = f"/api{space.home}/projects/{space.project('Shop', default_lifecycle(space))['Id']}/logo"
    drawn = space.http.get(path)
    assert (drawn.status_code, drawn.headers["Content-Type"]) == (200, "image/svg+xml")
    assert space.http.get(path, headers={"If-None-Match": drawn.headers["ETag"]}).status_code == 304
    assert space.http.put(path, files={"file": ("x.png", b"no picture")}).status_code == 400
    assert space.http.put(path, files={"fileToUpload": ("logo.png", PNG)}).status_code == 200
    kept = space.http.get(path)
    assert (kept.content, kept.headers["Content-Type"]) == (PNG, "image/png")
    assert kept.headers["ETag"] != drawn.headers["ETag"]
