"""The audit trail of the stand-in: each operation that changes something leaves its event (octopus-api §A.20, §B.3)."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from standin.web.routing import Scope
from tests import contract
from tests.octopus_server import Document, Octopus, step, until

pytestmark = pytest.mark.integration

#: what a method does, as the audit trail calls it
USUAL = {"POST": "Created", "PUT": "Modified", "DELETE": "Deleted"}
CLOUD = {"CommunicationStyle": "None"}
POLICIES = ("MachineHealthCheckPolicy", "MachineConnectivityPolicy", "MachineCleanupPolicy", "MachineUpdatePolicy")
PNG = b"\x89PNG\r\n\x1a\n"
#: what is told of is what was made, not what the path names
MADE = "made"
_numbers = itertools.count(1)


class Audit:
    """A client that looks, after each change, for the event that tells of it: each has a User-Agent of its own."""

    def __init__(self, space: Octopus) -> None:
        self.space = space
        self.problems: list[str] = []

    def __call__(
        self,
        operation: str,
        *ids: str,
        body: Any = None,
        about: str = "",
        category: str = "",
        query: dict[str, str] | None = None,
        file: str = "",
    ) -> Document:
        """Do something, `ids` being what varies in the path; note when no event of its category is about it.

        Without a body, PUT puts back what GET says, with another description. `about` is an id; without one, the event
        is about what is made, or else about what the path names last.
        """
        method, agent = operation.split(" ", 1)[0], f"audit/{next(_numbers)}"
        path = self.path(operation, ids)
        if method == "PUT" and body is None and not file:
            body = {**self.space.http.get(path).raise_for_status().json(), "Description": "changed"}
        sent: dict[str, Any] = {"files": {"file": (file, PNG)}} if file else {"json": body}
        answer = self.space.http.request(method, path, params=query, headers={"User-Agent": agent}, **sent)
        assert answer.is_success, f"{operation}: {answer.status_code} {answer.text[:500]}"
        made: Document = answer.json() if answer.content else {}
        subject = (made["Id"] if about == MADE else about) or (ids[-1] if ids else made.get("Id", ""))
        self.look(operation, agent, subject, category or USUAL[method])
        return made

    def path(self, operation: str, ids: tuple[str, ...]) -> str:
        """Return the path of an operation, from the root."""
        method, path = operation.split(" ", 1)
        system = contract.routes()[contract.key(method, path)].scope is Scope.SYSTEM
        left = iter(ids)
        filled = re.sub(r"{[^}]*}", lambda _: next(left), path)
        return f"/api{'' if system else self.space.home}/{filled}"

    def look(self, operation: str, agent: str, subject: str, category: str) -> None:
        """Note a change that nothing tells of, or not as it should."""
        query: dict[str, Any] = {"eventAgents": agent, "includeSystem": True, "includeInternalEvents": True}
        found = self.space.http.get("/api/events", params=query).json()["Items"]
        told = [(one["Category"], one["RelatedDocumentIds"]) for one in found]
        if not any(kind == category and (not subject or subject in related) for kind, related in told):
            self.problems.append(f"{operation}: no {category} about {subject or 'it'}, only {told}")


@pytest.fixture
def audit(space: Octopus) -> Iterator[Audit]:
    """The audit trail of a fresh space, in which nothing runs any longer at the end."""
    yield Audit(space)
    until(lambda: space.get("/tasks", active=True, take=0), lambda page: page["TotalResults"] == 0)


def people(audit: Audit) -> None:
    """Users, teams and roles."""
    user = audit("POST users", body={"Username": "auditor", "DisplayName": "Auditor", "Password": "a long one 1"})["Id"]
    audit("PUT users/{id}", user)
    login = {"Username": "auditor", "Password": "a long one 1"}
    audit("POST users/login", body=login, about=user, category="LoginSucceeded")
    audit.space.http.cookies.clear()
    key = audit("POST users/{id}/apikeys", user, body={"Purpose": "audit"}, about=user)["Id"]
    audit("DELETE users/{id}/apikeys/{keyId}", user, key)
    team = audit("POST teams", body={"Name": "Auditors", "MemberUserIds": [user]})["Id"]
    audit("PUT teams/{id}", team)
    role = audit("POST userroles", body={"Name": "Auditor", "GrantedSpacePermissions": ["EventView"]})["Id"]
    audit("PUT userroles/{id}", role)
    grant = audit("POST scopeduserroles", body={"TeamId": team, "UserRoleId": role, "SpaceId": audit.space.home[1:]})
    audit("PUT scopeduserroles/{id}", grant["Id"])
    audit("DELETE scopeduserroles/{id}", grant["Id"])
    audit("DELETE userroles/{id}", role)
    audit("DELETE teams/{id}", team)
    audit("DELETE users/{id}", user)


def spaces(audit: Audit) -> None:
    """Spaces and their logos."""
    managed = {"SpaceManagersTeamMembers": ["Users-1"], "SpaceManagersTeams": []}
    first = audit("POST spaces", body={"Name": "Audit one", **managed})["Id"]
    name = {"Name": "Audit two", **managed}
    second = audit("POST spaces/v1", body=name)["Space"]["Id"]
    audit("PUT spaces/{id}/logo", first, file="logo.png")
    for one in (first, second):
        audit(
            "PUT spaces/{id}", one, body={**audit.space.http.get(f"/api/spaces/{one}").json(), "TaskQueueStopped": True}
        )
        audit("DELETE spaces/{id}", one)


def settings(audit: Audit) -> None:
    """Settings of the server, put back as they are."""
    for operation in (
        "PUT featuresconfiguration",
        "PUT smtpconfiguration",
        "PUT letsencryptconfiguration",
        "PUT upgradeconfiguration",
        "PUT serverconfiguration",
        "PUT configuration/retention-default",
        "PUT maintenanceconfiguration",
        "PUT performanceconfiguration",
        "PUT licenses/licenses-current",
    ):
        audit(operation)
    audit("PUT configuration/{id}/values", "eventretention")
    audit("PUT ratelimitingpolicies/{id}", "RateLimitingPolicies-1")
    node = "OctopusServerNodes-node-1"
    audit("PUT octopusservernodes/{id}", node)
    policy = audit.space.get("/retentionpolicies", retentionType="LifecycleRelease")
    audit("PUT retentionpolicies/{id}", policy["Id"], body=policy)
    audit("PUT dashboardconfiguration")
    library = "CommunityActionTemplates-1"
    audit("POST communityactiontemplates/{id}/installation/{spaceId}", library, audit.space.home[1:], about=MADE)
    made = audit("POST communityactiontemplates/{id}/installation", library, about=MADE)
    audit.space.http.delete(f"/api/actiontemplates/{made['Id']}").raise_for_status()


def environments(audit: Audit) -> None:
    """Environments, targets, workers, lifecycles and tenants."""
    dev = audit("POST environments", body={"Name": "Dev"})["Id"]
    audit("PUT environments/{id}", dev)
    audit("PUT environments/sortorder", body=[dev], about=dev)
    machine = audit("POST machines", body={"Name": "m", "EnvironmentIds": [dev], "Roles": ["r"], "Endpoint": CLOUD})
    audit("PUT machines/{id}", machine["Id"])
    audit("DELETE machines/{id}", machine["Id"])
    policy = audit("POST machinepolicies", body={"Name": "Policy", **{one: {} for one in POLICIES}})["Id"]
    audit("PUT machinepolicies/{id}", policy)
    audit("DELETE machinepolicies/{id}", policy)
    pool = audit("POST workerpools", body={"Name": "Pool"})["Id"]
    audit("PUT workerpools/{id}", pool)
    audit("PUT workerpools/sortorder", body=[pool], about=pool)
    worker = audit("POST workers", body={"Name": "Worker", "WorkerPoolIds": [pool], "Endpoint": CLOUD})["Id"]
    audit("PUT workers/{id}", worker)
    audit("DELETE workers/{id}", worker)
    audit("DELETE workerpools/{id}", pool)
    lifecycle = audit("POST lifecycles", body={"Name": "Way"})["Id"]
    audit("PUT lifecycles/{id}", lifecycle)
    audit("DELETE lifecycles/{id}", lifecycle)
    audit("DELETE environments/{id}", dev)


def tenants(audit: Audit) -> None:
    """Tenants, their variables, and tag sets."""
    tenant = audit("POST tenants", body={"Name": "Anna"})["Id"]
    audit("PUT tenants/{id}", tenant)
    values = audit("PUT tenants/{id}/variables", tenant)
    audit("POST tenants/{id}/variables", tenant, body=values, category="Modified")
    audit("PUT tenants/{id}/logo", tenant, file="logo.png")
    audit("DELETE tenants/{id}", tenant)
    tags = audit("POST tagsets", body={"Name": "Ring", "Tags": [{"Name": "One", "Color": "#333333"}]})["Id"]
    audit("PUT tagsets/{id}", tags)
    audit("PUT tagsets/sortorder", body=[tags], about=tags)
    audit("DELETE tagsets/{id}", tags)


def library(audit: Audit) -> None:
    """Feeds, packages, build information, library variable sets."""
    feed = audit("POST feeds", body={"Name": "Feed", "FeedType": "NuGet", "FeedUri": "https://feed.test/"})["Id"]
    audit("PUT feeds/{id}", feed)
    audit("DELETE feeds/{id}", feed)
    for number in (1, 2):
        audit("POST packages/raw", file=f"App.{number}.0.0.zip")
    audit("DELETE packages/{id}", "packages-App.1.0.0")
    audit("DELETE packages/bulk", query={"ids": "packages-App.2.0.0"}, about="packages-App.2.0.0")
    build = {"PackageId": "App", "OctopusBuildInformation": {"BuildNumber": "7"}}
    first, second = (audit("POST build-information", body={**build, "Version": one})["Id"] for one in ("1.0", "2.0"))
    audit("DELETE build-information/{id}", first)
    audit("DELETE build-information/bulk", query={"ids": second}, about=second)
    variables = audit("POST libraryvariablesets", body={"Name": "Shared"})["Id"]
    audit("PUT libraryvariablesets/{id}", variables)
    audit("DELETE libraryvariablesets/{id}", variables)


def projects(audit: Audit) -> None:
    """Project groups, projects, channels, processes and variables."""
    group = audit("POST projectgroups", body={"Name": "Group"})["Id"]
    audit("PUT projectgroups/{id}", group)
    lifecycle = audit.space.get("/lifecycles/all")[0]["Id"]
    project = audit("POST projects", body={"Name": "Web", "ProjectGroupId": group, "LifecycleId": lifecycle})
    identifier = project["Id"]
    audit("PUT projects/{id}", identifier)
    audit("PUT projects/{id}/logo", identifier, file="logo.png")
    audit("PUT projects/{id}/deploymentsettings", identifier)
    path = f"/deploymentprocesses/{project['DeploymentProcessId']}"
    for operation, one in (
        ("PUT deploymentprocesses/{id}", project["DeploymentProcessId"]),
        ("PUT projects/{id}/deploymentprocesses", identifier),
    ):
        audit(operation, one, body={**audit.space.get(path), "Steps": [step("Say", "echo")]})
    audit("PUT variables/{id}", project["VariableSetId"])
    audit("PUT projects/{id}/variables", identifier)
    channel = audit("POST projects/{id}/channels", identifier, body={"Name": "Beta"})["Id"]
    audit("DELETE channels/{id}", channel)
    channel = audit("POST channels", body={"Name": "Gamma", "ProjectId": identifier})["Id"]
    audit("PUT channels/{id}", channel)
    audit("DELETE projects/{id}", identifier)
    audit("DELETE projectgroups/{id}", group)


def releases(audit: Audit) -> None:
    """Releases, defects and deployments."""
    space = audit.space
    dev, project = space.environment("Dev"), space.project("Web", space.get("/lifecycles/all")[0]["Id"])
    release = audit("POST releases", body={"ProjectId": project["Id"], "Version": "1.0"})
    audit("PUT releases/{id}", release["Id"])
    audit("POST releases/{id}/snapshot-variables", release["Id"], category="Modified")
    audit("POST releases/{id}/defects", release["Id"], body={"Description": "It leaks"}, category="Created")
    audit("POST releases/{id}/defects/resolve", release["Id"], category="Modified")
    named = {"ProjectName": "Web", "SpaceIdOrName": space.home[1:]}
    second = audit("POST releases/create/v1", body={**named, "ReleaseVersion": "2.0"}, about=project["Id"])
    audit("DELETE releases/{id}", second["ReleaseId"])
    body, queued = {"ReleaseId": release["Id"], "EnvironmentId": dev}, "DeploymentQueued"
    first = audit("POST deployments", body=body, category=queued)
    audit("POST deployments/v1", body=body, about=release["Id"], category=queued)
    space.wait(first["TaskId"])
    where = (project["Id"], first["Id"])
    audit("POST projects/{id}/deployments/{deploymentId}/retry/v1", *where, about=release["Id"], category=queued)
    order = {**named, "ReleaseVersion": "1.0"}
    one = {**order, "EnvironmentNames": ["Dev"]}
    audit("POST deployments/create/untenanted/v1", body=one, about=release["Id"], category=queued)
    space.put(f"/projects/{project['Id']}", {**space.get("/projects/Web"), "TenantedDeploymentMode": "Tenanted"})
    tenant = space.post("/tenants", {"Name": "Anna", "ProjectEnvironments": {project["Id"]: [dev]}})["Id"]
    many = {**order, "EnvironmentName": "Dev", "Tenants": ["*"]}
    audit("POST deployments/create/tenanted/v1", body=many, about=tenant, category=queued)
    audit("DELETE deployments/{id}", first["Id"])


def tasks(audit: Audit) -> None:
    """Server tasks, and questions to people."""
    health = {"Name": "Health", "Description": "Look"}
    task = audit("POST tasks", body=health)["Id"]
    audit.space.wait(task)
    again = audit("POST tasks/rerun/{id}", task, about=MADE)
    audit.space.wait(again["Id"])
    audit("POST tasks/{id}/state", task, body={"State": "Failed", "Reason": "No"}, category="Modified")
    later = audit("POST tasks", body={**health, "QueueTime": "2099-01-01T00:00:00Z"})["Id"]
    audit("POST tasks/{id}/prioritize", later, category="Modified")
    audit("POST tasks/{id}/cancel", later, category="Modified")


def questions(audit: Audit) -> None:
    """Questions that a deployment asks people."""
    space = audit.space
    project = space.project("Web", space.get("/lifecycles/all")[0]["Id"])
    asks = {"Name": "Ask", "Actions": [{"Name": "Ask", "ActionType": "Octopus.Manual", "Properties": {}}]}
    space.rewrite(project, asks)
    body = {"ReleaseId": space.release(project, "1.0")["Id"], "EnvironmentId": space.environment("Dev")}
    task = space.post("/deployments", body)["TaskId"]
    found = until(lambda: space.get("/interruptions", regarding=task), lambda page: bool(page["Items"]))["Items"][0]
    audit("PUT interruptions/{id}/responsible", found["Id"], body={})
    category = "ManualInterventionInterruptionSubmitted"
    audit("POST interruptions/{id}/submit", found["Id"], body={"Result": "Proceed"}, category=category)
    space.wait(task)


def runbooks(audit: Audit) -> None:
    """Runbooks, their snapshots and runs."""
    space = audit.space
    dev, project = space.environment("Dev"), space.project("Web", space.get("/lifecycles/all")[0]["Id"])["Id"]
    runbook = audit("POST runbooks", body={"Name": "Clean", "ProjectId": project})
    other = audit("POST projects/{id}/runbooks", project, body={"Name": "Other"})["Id"]
    audit("DELETE runbooks/{id}", other)
    process = runbook["RunbookProcessId"]
    path = f"/runbookProcesses/{process}"
    audit("PUT runbookProcesses/{id}", process, body={**space.get(path), "Steps": [step("Say", "echo")]})
    audit("PUT projects/{id}/runbookProcesses/{processId}", project, process, body=space.get(path))
    frozen = {"Name": "1", "RunbookId": runbook["Id"], "ProjectId": project, "Publish": "yes"}
    snapshot = audit("POST runbookSnapshots", body=frozen)["Id"]
    audit("POST projects/{id}/runbookSnapshots", project, body={**frozen, "Name": "2"}, about=runbook["Id"])
    audit("PUT runbooks/{id}", runbook["Id"])
    queued = "RunbookRunQueued"
    run = {"RunbookId": runbook["Id"], "RunbookSnapshotId": snapshot, "EnvironmentId": dev}
    audit("POST runbookRuns", body=run, category=queued)
    many = {"EnvironmentIds": [dev]}
    audit("POST runbooks/{id}/run", runbook["Id"], body=many, category=queued)
    named = {"ProjectName": "Web", "RunbookName": "Clean", "EnvironmentNames": ["Dev"]}
    audit("POST runbook-runs/create/v1", body=named, about=runbook["Id"], category=queued)


@pytest.mark.parametrize(
    "change",
    [people, spaces, settings, environments, tenants, library, projects, releases, tasks, questions, runbooks],
    ids=lambda change: change.__name__,
)
@pytest.mark.proves("B.3 each change leaves an event with its related documents")
def test_each_change_is_told_of(audit: Audit, change: Callable[[Audit], None]) -> None:
    """An event of the right category, about the document that was changed, by who changed it."""
    change(audit)
    assert audit.problems == []
