"""SQL is a text like any other in each member of each creation, and a name that is taken is refused."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from standin.web.routes import ROUTES
from standin.web.routing import Route, Scope
from tests.octopus_server import Document, Octopus, step

pytestmark = pytest.mark.integration

SQL = "x'); DROP TABLE Release; --\" OR 1=1 $1 %s {0}"
#: what the server makes of the name and of the path, and what it says itself of machines and of new runbooks
_DECIDED = {"Slug", "SpaceId", "StatusSummary", "HealthStatus", "PublishedRunbookSnapshotId"}
_numbers = itertools.count(1)


def creations() -> list[Route]:
    """Return the routes that make a document of what they are sent."""
    return [one for one in ROUTES if one.method == "POST" and one.status == 201 and one.body is not None]


def refusal(answer: Any) -> bool:
    """Say whether an answer says no as the contract does; any other no is a failure."""
    if answer.status_code < 300:
        return False
    assert 400 <= answer.status_code < 500, f"{answer.request.url}: {answer.status_code} {answer.text}"
    assert set(answer.json()) == {"ErrorMessage", "Errors"}, answer.text
    return True


def texts(schemas: Document, route: Route) -> Iterator[str]:
    """Yield the members of a route's body that are texts of the client's own."""
    for name, schema in schemas[route.body.__name__]["properties"].items():
        options = schema.get("anyOf", [schema])
        if any(one.get("type") == "string" and "enum" not in one for one in options):
            yield name


def address(space: Octopus, route: Route, known: Document) -> str:
    """Return where a route is in a space, with an id that exists."""
    home = "/api" if route.scope is Scope.SYSTEM else f"/api{space.home}"
    return f"{home}/{route.path.replace('{id}', known.get(route.path.partition('/')[0], ''))}"


@pytest.fixture
def known(space: Octopus, server: Octopus) -> Document:
    """An id of each kind that a creation needs; the name of a collection → the id."""
    lifecycle, group = space.get("/lifecycles/all")[0]["Id"], space.get("/projectgroups/all")[0]["Id"]
    environment, project = space.environment("Street"), space.project("Web Shop", lifecycle)
    release = space.release(project, "0.0.1")
    runbook = space.post("/runbooks", {"Name": "Sweep", "ProjectId": project["Id"]})
    process = space.get(f"/runbookProcesses/{runbook['RunbookProcessId']}")
    space.put(f"/runbookProcesses/{process['Id']}", {**process, "Steps": [step("Sweep", "echo swept")]})
    snapshot = {"Name": "one", "ProjectId": project["Id"], "RunbookId": runbook["Id"], "Publish": "yes"}
    return {
        "environments": environment,
        "projects": project["Id"],
        "lifecycles": lifecycle,
        "projectgroups": group,
        "releases": release["Id"],
        "runbooks": runbook["Id"],
        "users": "Users-1",
        "spaces": space.home[1:],
        "runbookSnapshots": space.post("/runbookSnapshots", snapshot)["Id"],
        "teams": space.post("/teams", {"Name": f"Texts {next(_numbers)}"})["Id"],
        "userroles": server.get("/userroles/all")[0]["Id"],
        "workerpools": space.get("/workerpools/all")[0]["Id"],
        "policy": space.get("/machinepolicies/template"),
    }


def sample(path: str, known: Document) -> Document:
    """Return what a creation takes; every name in it is free."""
    named = {"Name": f"Text {next(_numbers)}"}
    owned = {**named, "ProjectId": known["projects"]}
    endpoint = {"Endpoint": {"CommunicationStyle": "None"}}
    snapshot = {**owned, "RunbookId": known["runbooks"]}
    deployment = {"ReleaseId": known["releases"], "EnvironmentId": known["environments"]}
    optional = [known["environments"]]
    samples: dict[str, Document] = {
        "artifacts": {"Filename": "x"},
        "users": {"Username": named["Name"], "DisplayName": named["Name"], "IsService": True},
        "users/{id}/apikeys": {"Purpose": "x"},
        "userroles": {**named, "GrantedSpacePermissions": ["ProjectView"]},
        "scopeduserroles": {"TeamId": known["teams"], "UserRoleId": known["userroles"], "SpaceId": known["spaces"]},
        "spaces": {**named, "SpaceManagersTeamMembers": ["Users-1"]},
        "spaces/v1": {**named, "SpaceManagersTeamMembers": ["Users-1"]},
        "lifecycles": {**named, "Phases": [{"Name": "first", "OptionalDeploymentTargets": optional}]},
        "machines": {**named, **endpoint, "EnvironmentIds": optional, "Roles": ["till"]},
        "machinepolicies": {**known["policy"], **named},
        "workers": {**named, **endpoint, "WorkerPoolIds": [known["workerpools"]]},
        "tagsets": {**named, "Tags": [{"Name": "first", "Description": "", "Color": "#333333"}]},
        "projects": {**named, "ProjectGroupId": known["projectgroups"], "LifecycleId": known["lifecycles"]},
        "projects/{id}/channels": owned,
        "channels": owned,
        "accounts": {**named, "AccountType": "UsernamePassword"},
        "proxies": {**named, "Host": "proxy.example"},
        "actiontemplates": {**named, "ActionType": "Octopus.Script"},
        "projecttriggers": owned,
        "releases": {"ProjectId": known["projects"], "Version": f"1.0.{next(_numbers)}"},
        "releases/create/v1": {"ProjectName": known["projects"], "ReleaseVersion": f"1.0.{next(_numbers)}"},
        "deployments": deployment,
        "deployments/v1": deployment,
        "runbooks": owned,
        "runbooks/{id}/run": {"EnvironmentId": known["environments"]},
        "projects/{id}/runbooks": owned,
        "runbookSnapshots": snapshot,
        "projects/{id}/runbookSnapshots": snapshot,
        "runbookRuns": {**snapshot, **deployment, "RunbookSnapshotId": known["runbookSnapshots"]},
        "tasks": {"Name": "Health"},
    }
    return samples.get(path, named)


@pytest.mark.proves("B.4 bad input is refused with the envelope, and the server goes on")
def test_sql_in_any_text_is_kept_or_refused(space: Octopus, server: Octopus, known: Document) -> None:
    """Each text of each creation, one at a time: it comes back letter by letter, or a refusal does."""
    schemas, kept, other = server.get("/swagger.json")["components"]["schemas"], 0, []
    before = server.get("/serverstatus/counts")
    for route in creations():
        for member in texts(schemas, route):
            answer = server.http.post(address(space, route, known), json={**sample(route.path, known), member: SQL})
            if not refusal(answer) and member in (made := answer.json()) and member not in _DECIDED:
                kept += made[member] == SQL
                # By now there are documents of this name, which is taken in place of their id.
                if made[member] != SQL and not (
                    member.endswith("Id") and re.fullmatch(r"[A-Za-z]+-\d+", made[member] or "")
                ):
                    other.append((route.path, member, made[member]))
    assert other == []
    assert kept > 80
    after = server.get("/serverstatus/counts")
    assert all(after[part][kind] >= count for part, kinds in before.items() for kind, count in kinds.items())


def test_a_name_that_is_taken_is_refused(space: Octopus, server: Octopus, known: Document) -> None:
    """The same document twice, its name in capitals: 400 for each kind that has names of its own."""
    tried = []
    for route in creations():
        body = sample(route.path, known)
        name = next((one for one in ("Name", "Username", "Version", "ReleaseVersion") if one in body), None)
        if name is None or route.path in {"tasks", "runbookRuns"}:
            continue
        where = address(space, route, known)
        first, again = (server.http.post(where, json={**body, name: text}) for text in (body[name], body[name].upper()))
        assert first.status_code == 201, f"{route.path}: {first.text}"
        assert refusal(again), f"{route.path}: {again.text}"
        tried.append(route.path)
    assert len(tried) > 25


def test_what_is_sent_to_all_creations_is_a_sample_of_them(space: Octopus, server: Octopus, known: Document) -> None:
    """Each sample is accepted as it is: what the tests above see refused is refused for the text in it."""
    refused = []
    for route in creations():
        answer = server.http.post(address(space, route, known), json=sample(route.path, known))
        if answer.status_code not in {200, 201}:
            refused.append((route.path, answer.status_code, answer.json()))
    assert refused == []
