"""The contract of the stand-in for what most resources have alike: made, listed, found, put back, changed, deleted."""

from typing import Any

import pytest

from tests.contract import proves_crud
from tests.octopus_server import Document, Octopus

pytestmark = pytest.mark.integration

POLICY = {
    "MachineHealthCheckPolicy": {"HealthCheckType": "RunScript", "HealthCheckInterval": "01:00:00"},
    "MachineConnectivityPolicy": {"MachineConnectivityBehavior": "ExpectedToBeOnline"},
    "MachineCleanupPolicy": {"DeleteMachinesBehavior": "DoNotDelete"},
    "MachineUpdatePolicy": {"CalamariUpdateBehavior": "UpdateOnDeployment"},
}
CLOUD = {"CommunicationStyle": "None"}
SECRET = {"HasValue": True, "NewValue": "hunter2hunter2"}


@pytest.mark.parametrize(
    ("path", "members", "change"),
    [
        pytest.param("environments", {}, {"UseGuidedFailure": True}, marks=proves_crud("environments")),
        pytest.param("lifecycles", {}, {"Description": "x"}, marks=proves_crud("lifecycles")),
        pytest.param("projectgroups", {}, {"Description": "x"}, marks=proves_crud("projectgroups")),
        pytest.param("projects", {}, {"IsDisabled": True}, marks=proves_crud("projects")),
        pytest.param("channels", {}, {"Description": "x"}, marks=proves_crud("channels")),
        pytest.param(
            "machines", {"Roles": ["web"], "Endpoint": CLOUD}, {"Roles": ["web", "db"]}, marks=proves_crud("machines")
        ),
        pytest.param("machinepolicies", POLICY, {"Description": "x"}, marks=proves_crud("machinepolicies")),
        pytest.param("workerpools", {}, {"SortOrder": 7}, marks=proves_crud("workerpools")),
        pytest.param("workers", {"Endpoint": CLOUD}, {"IsDisabled": True}, marks=proves_crud("workers")),
        pytest.param("tenants", {}, {"IsDisabled": True}, marks=proves_crud("tenants")),
        pytest.param("tagsets", {"Tags": [{"Name": "a"}]}, {"Description": "x"}, marks=proves_crud("tagsets")),
        pytest.param("libraryvariablesets", {}, {"Description": "x"}, marks=proves_crud("libraryvariablesets")),
        pytest.param(
            "accounts",
            {"AccountType": "Token", "Token": SECRET},
            {"Description": "x"},
            marks=pytest.mark.proves("GET accounts"),
        ),
        pytest.param(
            "certificates", {"CertificateData": SECRET}, {"Notes": "x"}, marks=pytest.mark.proves("GET certificates")
        ),
        pytest.param(
            "proxies", {"Host": "proxy", "Password": SECRET}, {"Port": 8080}, marks=pytest.mark.proves("GET proxies")
        ),
        pytest.param("subscriptions", {}, {"IsDisabled": True}, marks=pytest.mark.proves("GET subscriptions")),
        pytest.param("projecttriggers", {}, {"IsDisabled": True}, marks=pytest.mark.proves("GET projecttriggers")),
        pytest.param(
            "actiontemplates",
            {"ActionType": "Octopus.Script"},
            {"Description": "x"},
            marks=pytest.mark.proves("GET actiontemplates"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.proves("B.3 each change leaves an event with its related documents")
def test_a_resource_lives_as_the_contract_says(
    space: Octopus, path: str, members: dict[str, Any], change: dict[str, Any]
) -> None:
    """Ids and slugs come from the server, unknown members are ignored, and each step leaves its event."""
    refers = owners(space, path)
    before = len(space.get(f"/{path}/all"))
    sent = {"Name": "First One", **members, **refers, "id": "Mine-1", "Unknown": {"a": [1]}}
    made = space.post(f"/{path}", sent)
    assert made["Id"].split("-")[0].lower() == path.lower()
    assert (made["Name"], made["Slug"], made["SpaceId"]) == ("First One", "first-one", space.home[1:])
    assert "Unknown" not in made
    assert space.http.get(made["Links"]["Self"]).json()["Id"] == made["Id"]
    for name in (made["Id"], made["Id"].lower(), "first-one", "FIRST ONE"):
        assert space.get(f"/{path}/{name}") == made
    assert len(space.get(f"/{path}/all")) == before + 1
    for query in ({"ids": made["Id"]}, {"partialName": "RST O"}, {"partialname": "rst o", "ids": ["x", made["Id"]]}):
        page = space.get(f"/{path}", **query)
        assert ([one["Id"] for one in page["Items"]], page["TotalResults"]) == ([made["Id"]], 1)
    assert space.get(f"/{path}", take=0)["TotalResults"] == before + 1
    taken = space.post(f"/{path}", {**sent, "name": "first one"}, status=400)
    assert taken["Errors"] == ["'first one' is already in use. Please choose a different name."]
    put = space.put(f"/{path}/{made['Id']}", {**made, **change, "Name": "Second"})
    assert {name: put[name] for name in change} == change
    changed = {name for name in put if put[name] != made.get(name)}
    assert changed - {"Version", "Tags"} == {*change, "Name", "LastModifiedOn", "LastModifiedBy"}
    assert space.get(f"/{path}/{made['Id']}") == put
    assert put["LastModifiedBy"] == "admin"
    assert space.delete(f"/{path}/{made['Id']}")["Id"] == made["Id"]
    space.get(f"/{path}/{made['Id']}", status=404)
    assert len(space.get(f"/{path}/all")) == before
    told = space.get("/events", regarding=made["Id"])["Items"]
    assert [one["Category"] for one in told] == ["Deleted", "Modified", "Created"]
    assert {one["RelatedDocumentIds"][0] for one in told} == {made["Id"]}
    assert [one["SpaceId"] for one in told] == [space.home[1:]] * 3
    assert "First One" in told[2]["Message"]
    everything = space.http.get(f"/api{space.home}/events", params={"take": 1000}).text + str(made) + str(put)
    assert SECRET["NewValue"] not in everything


def owners(space: Octopus, path: str) -> Document:
    """Return the members of a new resource that refer to others."""
    lifecycle, group = (space.get(f"/{one}/all")[0]["Id"] for one in ("lifecycles", "projectgroups"))
    if path == "projects":
        return {"LifecycleId": lifecycle, "ProjectGroupId": group}
    if path in {"channels", "projecttriggers"}:
        return {"ProjectId": space.project("Owner", lifecycle)["Id"]}
    if path == "machines":
        return {"EnvironmentIds": [space.environment("Dev")]}
    if path == "workers":
        return {"WorkerPoolIds": [space.get("/workerpools/all")[0]["Id"]]}
    return {}
