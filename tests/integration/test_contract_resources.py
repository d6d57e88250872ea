"""The contract of the stand-in for what people configure: forms of routes, keys, errors, pages, rules, events."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.octopus_server import Octopus, StandIn

pytestmark = pytest.mark.integration


@pytest.mark.proves("B.3 three forms of each route, in any case")
def test_all_forms_of_a_route_lead_to_the_same_page(server: Octopus) -> None:
    """By id, by slug, by the bare id and by nothing at all, in any case: the default space's environments."""
    server.environment("Forms")
    forms = ["/spaces/Spaces-1", "/spaces/default", "/Spaces-1", "", "/SPACES/SPACES-1", "/spaces-1"]
    pages = [server.get(f"{form}/Environments", partialname="forms") for form in forms]
    assert [[item["Name"] for item in page["Items"]] for page in pages] == [["Forms"]] * len(forms)


def test_a_request_needs_a_key(standin: StandIn) -> None:
    """The key may come in the header, the query or as bearer; without a known one the answer is 401 and an envelope."""
    key, url = standin.api_key, f"{standin.url}/api/users/me"
    accepted = [{"headers": {"x-octopus-apikey": key}}, {"params": {"apikey": key}}]
    accepted.append({"headers": {"Authorization": f"Bearer {key}"}})
    assert [httpx.get(url, **way).status_code for way in accepted] == [200, 200, 200]  # type: ignore[arg-type]
    for refused in ({}, {"X-Octopus-ApiKey": "API-WRONG"}, {"Authorization": "Bearer x"}):
        answer = httpx.get(url, headers=refused)
        assert answer.status_code == 401
        assert set(answer.json()) == {"ErrorMessage", "Errors"}


def test_clients_and_load_balancers_look_before_they_sign_in(standin: StandIn) -> None:
    """The root, the ping and the health need no key; the root says what clients check first."""
    root = httpx.get(f"{standin.url}/api").json()
    assert root["Application"] == "Octopus Deploy"
    assert root["ApiVersion"].startswith("3.0.")
    assert root["Links"]["Projects"].startswith("/api/Spaces-1/projects{/id}")
    for path in ("octopusservernodes/ping", "serverstatus/health"):
        assert httpx.get(f"{standin.url}/api/{path}").status_code == 200


def test_each_answer_names_its_node(standin: StandIn) -> None:
    """Refusals too carry the header by which load tests see nodes."""
    for path in ("api", "api/users/me", "api/nothing", "elsewhere"):
        assert httpx.get(f"{standin.url}/{path}").headers["Octopus-Node"] == "node-1"


def test_the_net_client_finds_its_way_home(server: Octopus) -> None:
    """From the user over his spaces to the space's home, which has no version, unlike the root."""
    me = server.get("/users/me")
    spaces = server.http.get(me["Links"]["Spaces"]).json()
    default = next(space for space in spaces if space["IsDefault"])
    home = server.http.get(default["Links"]["SpaceHome"]).json()
    assert "Version" not in home
    assert home["Links"]["Tenants"].startswith("/api/Spaces-1/tenants")


BAD = [
    ("POST", "/api/environments", b'{"Name": "cut', 400),
    ("POST", "/api/environments", b"", 400),
    ("POST", "/api/environments", b"[1, 2]", 400),
    ("POST", "/api/environments", b'{"Name": 5}', 400),
    ("POST", "/api/environments", b'{"Name": "a\\u0000b"}', 400),
    ("POST", "/api/environments", b"[" * 900 + b'"\\u0000"' + b"]" * 900, 400),
    ("POST", "/api/environments", b'{"Name": "' + b"x" * 60 + b'"}', 400),
    ("POST", "/api/projects", b'{"Name": "P", "ProjectGroupId": "ProjectGroups-999", "LifecycleId": "x"}', 400),
    ("POST", "/api/releases", b'{"ProjectId": "Projects-999", "Version": "1.0"}', 400),
    ("POST", "/api/tasks", b'{"Name": "Dance"}', 400),
    ("POST", "/api/spaces", b'{"Name": "Nobody manages me"}', 400),
    ("PUT", "/api/environments/sortorder", b'{"a": 1}', 400),
    ("PUT", "/api/octopusservernodes/OctopusServerNodes-node-1", b'{"MaxConcurrentTasks": -1}', 400),
    ("GET", "/api/projects?take=-1", b"", 400),
    ("GET", "/api/projects?skip=99999999999999999999", b"", 400),
    ("GET", "/api/events?from=yesterday", b"", 400),
    ("GET", "/api/events?fromAutoId=99999999999999999999", b"", 400),
    ("GET", "/api/tasks?active=perhaps", b"", 400),
    ("GET", "/api/projects?partialName=%00", b"", 400),
    ("GET", "/api/projects/Projects-999", b"", 404),
    ("GET", "/api/tasks/ServerTasks-999999/details", b"", 404),
    ("GET", "/api/tasks/..%2F..%2Fetc/raw", b"", 404),
    ("GET", "/api/Spaces-999/projects", b"", 404),
    ("GET", "/api/nothing", b"", 404),
    ("DELETE", "/api/projects", b"", 405),
]


@pytest.mark.proves("B.4 bad input is refused with the envelope, and the server goes on")
@pytest.mark.parametrize(("method", "path", "body", "status"), BAD, ids=lambda one: str(one)[:60])
def test_bad_input_is_refused_and_the_server_goes_on(
    server: Octopus, method: str, path: str, body: bytes, status: int
) -> None:
    """Whatever a client sends, it gets an envelope with a reason, and the next request is served."""
    answer = server.http.request(method, path, content=body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"ErrorMessage", "Errors"}
    assert answer.json()["ErrorMessage"]
    assert server.get("/users/me")["Username"] == "admin"


@pytest.mark.proves(
    "B.3 PUT and DELETE may come as POST",
    "B.3 a whole resource may be put back with its links",
    "PUT environments/{id}",
    "DELETE environments/{id}",
)
def test_put_and_delete_may_come_as_post(space: Octopus) -> None:
    """The .NET client overrides the method in a header, and puts back the whole resource with its links."""
    created = space.post("/environments", {"name": "Before", "unknown": [1]})
    override = {"X-HTTP-Method-Override": "PUT"}
    changed = space.call("POST", f"/environments/{created['Id']}", {**created, "Name": "After"}, headers=override)
    assert (changed["Id"], changed["Name"], changed["LastModifiedBy"]) == (created["Id"], "After", "admin")
    space.call("POST", f"/environments/{created['Id']}", headers={"X-HTTP-Method-Override": "DELETE"})
    space.get(f"/environments/{created['Id']}", status=404)


@pytest.mark.proves(
    "B.2 following Page.Next sees each item once",
    "B.2 lists are repeated or joined with commas",
    "POST environments",
    "GET environments",
    "GET environments/all",
    "PUT environments/sortorder",
)
def test_pages_ids_and_names_find_the_same_documents(space: Octopus) -> None:
    """Following `Page.Next` gives what `/all` gives, in the environments' own order, ten a page unless asked."""
    ids = [space.environment(f"Environment {number}") for number in range(12)]
    page = space.get("/environments")
    found = [item["Id"] for item in page["Items"]]
    assert (page["ItemsPerPage"], page["NumberOfPages"], page["LastPageNumber"]) == (10, 2, 1)
    page = space.http.get(page["Links"]["Page.Next"]).json()
    found += [item["Id"] for item in page["Items"]]
    assert found == [item["Id"] for item in space.get("/environments/all")] == ids
    assert "Page.Next" not in page["Links"]
    joined, repeated = {"ids": f"{ids[0]},{ids[5]}"}, {"ids": [ids[0], ids[5]]}
    assert (
        space.get("/environments", **joined)["TotalResults"] == space.get("/environments", **repeated)["TotalResults"]
    )
    assert space.get("/environments", partialName="MENT 1")["TotalResults"] == 3
    assert space.get("/environments", take=2147483647)["NumberOfPages"] == 1
    space.put("/environments/sortorder", ids[::-1])
    assert [item["Id"] for item in space.get("/environments/all")] == ids[::-1]


def test_a_document_is_found_by_id_slug_and_name_in_its_own_space(space: Octopus, server: Octopus) -> None:
    """Clients look projects up by whatever they have; another space does not see them."""
    lifecycle = space.get("/lifecycles/all")[0]["Id"]
    project = space.project("My Web Shop", lifecycle)
    names = [project["Id"], "my-web-shop", "My Web Shop", project["Id"].lower()]
    assert [space.get(f"/projects/{name}")["Id"] for name in names] == [project["Id"]] * 4
    server.get(f"/Spaces-1/projects/{project['Id']}", status=404)


def test_two_documents_of_one_name_are_refused(space: Octopus) -> None:
    """Names are unique in a space, whatever their case; the next space may have the same."""
    space.environment("Dev")
    answer = space.post("/environments", {"Name": "DEV"}, status=400)
    assert "DEV" in answer["ErrorMessage"]


@pytest.mark.parametrize("path", ["environments", "projects", "lifecycles", "tenants", "channels", "runbooks"])
def test_names_that_look_alike_have_slugs_of_their_own(space: Octopus, path: str) -> None:
    """A number tells them apart; a slug that a client asks for must be free, and stays when the name changes."""
    owner = space.project("Owner", space.get("/lifecycles/all")[0]["Id"])
    members = {name: owner[name] for name in ("ProjectGroupId", "LifecycleId")} | {"ProjectId": owner["Id"]}
    made = [space.post(f"/{path}", {**members, "Name": name}) for name in ("Web", "web!", "Wéb", "W b", "WEB?")]
    assert [one["Slug"] for one in made] == ["web", "web-1", "w-b", "w-b-1", "web-2"]
    assert space.get(f"/{path}/web-2")["Name"] == "WEB?"
    taken = space.post(f"/{path}", {**members, "Name": "Other", "Slug": "web-1"}, status=400)
    assert taken["Errors"] == ["The slug 'web-1' is already in use. Please choose a different one."]
    last = space.put(f"/{path}/{made[-1]['Id']}", {**made[-1], "Name": "Last"})
    assert last["Slug"] == "web-2"
    space.put(f"/{path}/{last['Id']}", {**last, "Slug": "Web"}, status=400)
    assert space.put(f"/{path}/{last['Id']}", {**last, "Slug": "The Last"})["Slug"] == "the-last"


def test_lifecycles_hold_their_rules(space: Octopus) -> None:
    """An environment in one phase only, one phase at most without any, not all phases optional (§A.4)."""
    one = space.environment("One")
    broken: list[list[dict[str, Any]]] = [
        [{"Name": "A", "OptionalDeploymentTargets": [one]}, {"Name": "B", "AutomaticDeploymentTargets": [one]}],
        [{"Name": "A"}, {"Name": "B"}],
        [{"Name": "A", "IsOptionalPhase": True, "OptionalDeploymentTargets": [one]}],
        [{"Name": "A", "OptionalDeploymentTargets": ["Environments-999999"]}],
    ]
    for phases in broken:
        assert space.post("/lifecycles", {"Name": "Broken", "Phases": phases}, status=400)["Errors"]
    policy = {"QuantityToKeep": 3, "Unit": "Items"}
    kept = space.post("/lifecycles", {"Name": "Kept", "Phases": [], "ReleaseRetentionPolicy": policy})
    assert kept["ReleaseRetentionPolicy"] == {**policy, "Strategy": "Count", "ShouldKeepForever": False}
    assert space.get(f"/lifecycles/{kept['Id']}")["TentacleRetentionPolicy"]["ShouldKeepForever"] is True


@pytest.mark.proves("B.4 what is in use cannot be deleted", "DELETE projects/{id}", "DELETE lifecycles/{id}")
def test_what_is_in_use_cannot_be_deleted(space: Octopus) -> None:
    """The answer says by what: a lifecycle by a project, an environment by a lifecycle, a group by a project."""
    dev = space.environment("Dev")
    phases = [{"Name": "Dev", "OptionalDeploymentTargets": [dev]}]
    lifecycle = space.post("/lifecycles", {"Name": "Mine", "Phases": phases})
    project = space.project("User", lifecycle["Id"])
    for path in (
        f"/environments/{dev}",
        f"/lifecycles/{lifecycle['Id']}",
        f"/projectgroups/{project['ProjectGroupId']}",
    ):
        assert len(space.delete(path, status=400)["Errors"]) == 1
    space.delete(f"/projects/{project['Id']}")
    space.delete(f"/lifecycles/{lifecycle['Id']}")
    space.delete(f"/environments/{dev}")


def test_a_stale_version_of_a_process_is_refused(space: Octopus) -> None:
    """Two people who loaded the same version cannot both save it; the first one wins (§A.9)."""
    project = space.project("Shared", space.get("/lifecycles/all")[0]["Id"])
    process = space.get(f"/projects/{project['Id']}/deploymentprocesses")
    saved = space.put(f"/deploymentprocesses/{process['Id']}", process)
    assert saved["Version"] == process["Version"] + 1
    assert [step["Id"] for step in saved["Steps"]] == [step["Id"] for step in process["Steps"]]
    space.put(f"/deploymentprocesses/{process['Id']}", process, status=400)


def test_of_many_who_save_at_once_one_wins(space: Octopus, standin: StandIn) -> None:
    """Eight people save the same version at the same moment: one is told yes, seven are told no, nothing is lost."""
    project = space.project("Contested", space.get("/lifecycles/all")[0]["Id"])
    process = space.get(f"/projects/{project['Id']}/deploymentprocesses")

    def save(_: int) -> int:
        url = f"{standin.url}/api{space.home}/deploymentprocesses/{process['Id']}"
        return httpx.put(url, json=process, headers=standin.headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as people:
        assert sorted(people.map(save, range(8))) == [200] + [400] * 7
    saved = space.get(f"/deploymentprocesses/{process['Id']}")
    assert saved["Version"] == process["Version"] + 1


def test_variables_keep_their_ids_and_their_secrets(space: Octopus) -> None:
    """The server gives ids and keeps them; a secret is never returned, and not lost when it is put back (§A.10)."""
    project = space.project("Secretive", space.get("/lifecycles/all")[0]["Id"])
    path = f"/variables/{project['VariableSetId']}"
    variables = [{"Name": "Plain", "Value": "1"}, {"Name": "Secret", "Value": "s3cret", "IsSensitive": True}]
    saved = space.put(path, {**space.get(path), "Variables": variables})
    assert [one["Value"] for one in saved["Variables"]] == ["1", None]
    again = space.put(path, saved)
    assert [one["Id"] for one in again["Variables"]] == [one["Id"] for one in saved["Variables"]]
    assert "s3cret" not in space.http.get(f"/api{space.home}{path}").text
    space.put(path, saved, status=400)
    twice = {**again, "Variables": [again["Variables"][0]] * 2}
    assert "unique" in space.put(path, twice, status=400)["ErrorMessage"]


def test_machines_and_tenants_are_kept_with_their_references(space: Octopus) -> None:
    """A cloud region is healthy by nature; filters find targets by role and environment, tenants by project."""
    dev, test = space.environment("Dev"), space.environment("Test")
    target = {"Name": "web-1", "EnvironmentIds": [dev], "Roles": ["web"], "Endpoint": {"CommunicationStyle": "None"}}
    machine = space.post("/machines", target)
    assert machine["HealthStatus"] == "Healthy"
    space.post("/machines", {**target, "Name": "web-2", "EnvironmentIds": ["Environments-999999"]}, status=400)
    assert space.get("/machines", roles="WEB,db", environmentIds=dev)["TotalResults"] == 1
    assert space.get(f"/environments/{test}/machines")["TotalResults"] == 0
    assert space.get("/machineroles/all") == ["web"]
    assert space.put(f"/machines/{machine['Id']}", {**machine, "IsDisabled": True})["IsDisabled"] is True
    assert space.get("/events", eventCategories="MachineDisabled", regarding=machine["Id"])["TotalResults"] == 1
    project = space.project("Tenanted", space.get("/lifecycles/all")[0]["Id"])
    tenant = space.post("/tenants", {"Name": "Acme", "ProjectEnvironments": {project["Id"]: [dev]}})
    assert space.get(f"/tenants/{tenant['Id']}")["ProjectEnvironments"] == {project["Id"]: [dev]}
    assert space.get("/tenants", projectId=project["Id"])["TotalResults"] == 1
    assert space.get("/tenants", projectId="Projects-999999")["TotalResults"] == 0


def test_each_change_leaves_an_event(space: Octopus, server: Octopus) -> None:
    """Creation, modification and deletion of a document are found by its id, newest first, with who did it."""
    created = space.post("/environments", {"Name": "Watched"})
    space.put(f"/environments/{created['Id']}", created)
    space.delete(f"/environments/{created['Id']}")
    page = space.get("/events", regarding=created["Id"])
    assert [item["Category"] for item in page["Items"]] == ["Deleted", "Modified", "Created"]
    assert page["TotalResults"] == 3
    newest = page["Items"][0]
    assert (newest["Username"], newest["IdentityEstablishedWith"]) == ("admin", "API key")
    assert newest["MessageHtml"].count("<a ") == 1
    assert space.get("/events", regarding=created["Id"], eventCategories="Created,Deleted")["TotalResults"] == 2
    assert space.get("/events", regarding=[created["Id"], "Projects-999999"])["TotalResults"] == 0
    assert space.get("/events", regardingAny=[created["Id"], "Projects-999999"])["TotalResults"] == 3
    assert space.get("/events", documentTypes="Tenants")["TotalResults"] == 0
    assert server.get(f"/events/{newest['Id']}")["Message"] == newest["Message"]
    since = {"regarding": created["Id"], "from": page["Items"][2]["Occurred"].replace("T", " "), "users": "Users-1"}
    assert server.get("/events", **since)["TotalResults"] == 3
    assert server.get("/events", **{**since, "users": "users-system"})["TotalResults"] == 0
    assert server.get("/events", **since, to="2024-09-23T15:09:56.364+00:00")["TotalResults"] == 0


def test_a_space_goes_only_when_its_queue_has_stopped(space: Octopus, server: Octopus) -> None:
    """A space is deleted with all it holds, but not before its task queue is stopped (§A.2)."""
    dev = space.environment("Dev")
    path = f"/spaces{space.home}"
    resource = server.get(path)
    server.delete(path, status=400)
    server.put(path, {**resource, "TaskQueueStopped": True})
    server.delete(path)
    server.get(path, status=404)
    space.get(f"/environments/{dev}", status=404)


@pytest.mark.proves(
    "PUT octopusservernodes/{id}",
    "GET octopusservernodes/ping",
    "GET octopusservernodes/summary",
)
def test_a_draining_node_says_so_to_its_load_balancer(server: Octopus) -> None:
    """Draining turns ping and, with all nodes draining, health to 418; the task cap is kept beside it (§A.21)."""
    path = "/octopusservernodes/OctopusServerNodes-node-1"
    try:
        changed = server.put(path, {"Id": "OctopusServerNodes-node-1", "IsInMaintenanceMode": True})
        assert changed["MaxConcurrentTasks"] == 5
        assert server.get("/octopusservernodes/ping", status=418)["IsInMaintenanceMode"] is True
        assert server.get("/serverstatus/health", status=418)["IsEntireClusterDrainingTasks"] is True
    finally:
        server.put(path, {"IsInMaintenanceMode": False, "MaxConcurrentTasks": 5})
    assert server.get("/octopusservernodes/ping")["IsOffline"] is False
    assert server.get("/octopusservernodes/summary")["Nodes"][0]["RunningTaskCount"] == 0


@pytest.mark.proves("GET retentionpolicies", "PUT retentionpolicies/{id}")
def test_settings_of_retention_are_read_and_written(space: Octopus, server: Octopus) -> None:
    """A space's policies by type, and the schedule of the instance (§A.5)."""
    policy = space.get("/retentionpolicies", RetentionType="LifecycleRelease")
    assert (policy["Strategy"], policy["SpaceId"]) == ("Forever", space.home[1:])
    changed = {**policy, "Strategy": "Count", "QuantityToKeep": 30, "Unit": "Days"}
    space.put(f"/retentionpolicies/{policy['Id']}", changed)
    assert space.get("/retentionpolicies", retentionType="lifecyclerelease")["QuantityToKeep"] == 30
    space.get("/retentionpolicies", retentionType="Cats", status=400)
    assert server.get("/configuration/retentionpolicies/values")["CronExpression"] == "0 */4 * * *"
    assert server.get("/configuration/eventretention/values")["EventRetentionDays"] == 90
