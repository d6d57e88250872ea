"""Records as the documents that the Octopus API takes (octopus-api §A); pure."""

from collections.abc import Callable
from typing import Any, Literal

from seeders import scripts
from seeders.plan import PACKAGED
from seeders.scripts import IDLE, Labour
from seeders.stream import (
    Channel,
    Deployment,
    Environment,
    Lifecycle,
    Machine,
    Project,
    ProjectGroup,
    Release,
    Resource,
    Runbook,
    RunbookRun,
    Space,
    Step,
    TagSet,
    Team,
    Tenant,
    User,
    Variable,
)
from seeders.survey import Ids

Document = dict[str, Any]
Maker = Callable[[Any], Document]
Syntax = Literal["Bash", "PowerShell"]

#: How a step calls the package that it refers to.
_REFERENCE = "app"


class Documents:
    """Turns records into documents; `ids` must have what a record refers to."""

    def __init__(self, ids: Ids, syntax: Syntax, *, tenanted: bool, labour: Labour = IDLE) -> None:
        """`syntax` is what the server runs scripts in; `tenanted`, whether projects are for tenants as well.

        `labour` is what a step's script does.
        """
        self._labour = labour
        self._ids = ids
        self._syntax = syntax
        self._mode = "TenantedOrUntenanted" if tenanted else "Untenanted"
        #: Space's key → the id of its built-in feed.
        self.feeds: dict[str, str] = {}
        self._makers: dict[type[Resource], Maker] = {
            Channel: self._channel,
            Environment: lambda record: {"Name": record.name, "SortOrder": record.sort_order},
            Lifecycle: self._lifecycle,
            Machine: self._machine,
            Project: self._project,
            ProjectGroup: lambda record: {"Name": record.name},
            Runbook: self._runbook,
            TagSet: self._tag_set,
            Team: self._team,
            Tenant: self._tenant,
            User: self._user,
        }

    def of(self, record: Resource) -> Document:
        """Return the document that creates what a record describes."""
        return self._makers[type(record)](record)

    def space(self, record: Space, manager: str) -> Document:
        """Return a new space with one manager; without any, Octopus refuses it."""
        return {
            "Name": record.name,
            "Description": record.description,
            "SpaceManagersTeams": [],
            "SpaceManagersTeamMembers": [manager],
        }

    def step(self, step: Step, space: str) -> Document:
        """Return a script step: on the server or a worker of its default pool, or on targets of a role."""
        on_targets = {"Octopus.Action.TargetRoles": step.role, "Octopus.Action.MaxParallelism": str(step.window)}
        return {
            "Name": step.name,
            "Condition": "Success",
            "StartTrigger": "StartWithPrevious" if step.parallel else "StartAfterPrevious",
            "PackageRequirement": "LetOctopusDecide",
            "Properties": on_targets if step.role else {},
            "Actions": [
                {
                    "Name": step.name,
                    "ActionType": "Octopus.Script",
                    "Packages": [self._reference(step, space)] if step.package else [],
                    "Properties": {
                        "Octopus.Action.RunOnServer": "false" if step.role else "true",
                        "Octopus.Action.Script.ScriptSource": "Inline",
                        "Octopus.Action.Script.Syntax": self._syntax,
                        "Octopus.Action.Script.ScriptBody": scripts.script(self._syntax, self._labour),
                    },
                }
            ],
        }

    def snapshot(self, record: Runbook) -> Document:
        """Return a snapshot of a runbook as it is, published."""
        return {
            "Name": "Published",
            "ProjectId": self._one("project", record.space, record.project),
            "RunbookId": self._one("runbook", record.space, record.key),
            "Publish": "true",
        }

    def run(self, record: RunbookRun, snapshot: str) -> Document:
        """Return a run of a runbook's snapshot, which the server then runs."""
        return {
            "RunbookId": self._one("runbook", record.space, record.runbook),
            "RunbookSnapshotId": snapshot,
            "EnvironmentId": self._one("environment", record.space, record.environment),
        }

    def variable(self, variable: Variable, space: str) -> Document:
        """Return a text variable with its scope."""
        where = self._all("environment", space, variable.environments)
        scope = {"Environment": where} if where else {}
        return {"Name": variable.name, "Value": variable.value, "Type": "String", "Scope": scope}

    def release(self, record: Release) -> Document:
        """Return a release; its date will be today's (octopus-facts §3.5).

        Where its process refers to a package, it says which version of it (octopus-api §A.15).
        """
        document: Document = {
            "ProjectId": self._one("project", record.space, record.project),
            "Version": record.version,
        }
        if record.channel:
            document["ChannelId"] = self._one("channel", record.space, record.channel)
        if not record.package:
            return document
        chosen = {"ActionName": PACKAGED, "StepName": PACKAGED, "PackageReferenceName": _REFERENCE}
        return {**document, "SelectedPackages": [{**chosen, "Version": record.package}]}

    def deployment(self, record: Deployment, release_id: str) -> Document:
        """Return a deployment, which the server then runs."""
        tenant = self._one("tenant", record.space, record.tenant) if record.tenant else None
        return {
            "ReleaseId": release_id,
            "EnvironmentId": self._one("environment", record.space, record.environment),
            "TenantId": tenant,
            "Comments": record.comments,
        }

    def _lifecycle(self, record: Lifecycle) -> Document:
        return {
            "Name": record.name,
            "ReleaseRetentionPolicy": _retention(record.keep),
            "TentacleRetentionPolicy": _retention(0),
            "Phases": [
                {
                    "Name": phase.name,
                    "OptionalDeploymentTargets": self._all("environment", record.space, phase.environments),
                    "AutomaticDeploymentTargets": [],
                    "MinimumEnvironmentsBeforePromotion": 0,
                    "IsOptionalPhase": False,
                }
                for phase in record.phases
            ],
        }

    def _machine(self, record: Machine) -> Document:
        """Return a cloud region: always healthy, and no hardware behind it (octopus-api §A.11)."""
        return {
            "Name": record.name,
            "EnvironmentIds": self._all("environment", record.space, record.environments),
            "Roles": record.roles,
            "Endpoint": {"CommunicationStyle": "None"},
            "TenantedDeploymentParticipation": self._mode,
        }

    def _project(self, record: Project) -> Document:
        return {
            "Name": record.name,
            "Description": record.description,
            "ProjectGroupId": self._one("project_group", record.space, record.group),
            "LifecycleId": self._one("lifecycle", record.space, record.lifecycle),
            "TenantedDeploymentMode": self._mode,
            "ProjectConnectivityPolicy": {"AllowDeploymentsToNoTargets": True, "SkipMachineBehavior": "None"},
        }

    def _tenant(self, record: Tenant) -> Document:
        takes = {
            self._one("project", record.space, project): self._all("environment", record.space, environments)
            for project, environments in record.projects.items()
        }
        return {"Name": record.name, "ProjectEnvironments": takes, "TenantTags": record.tags}

    def _channel(self, record: Channel) -> Document:
        return {"Name": record.name, "ProjectId": self._one("project", record.space, record.project)}

    def _tag_set(self, record: TagSet) -> Document:
        tags = [{"Name": tag, "Color": "#0D80D8", "SortOrder": order} for order, tag in enumerate(record.tags)]
        return {"Name": record.name, "Tags": tags}

    def _team(self, record: Team) -> Document:
        members = [self._ids["user"][key] for key in record.users]
        return {"Name": record.name, "Description": record.description, "MemberUserIds": members}

    def _runbook(self, record: Runbook) -> Document:
        return {
            "Name": record.name,
            "ProjectId": self._one("project", record.space, record.project),
            "EnvironmentScope": "All",
            "MultiTenancyMode": self._mode,
            "ConnectivityPolicy": {"AllowDeploymentsToNoTargets": True, "SkipMachineBehavior": "None"},
            "CancelQueuedTasks": False,
            "CancelRunningTasks": False,
        }

    def _user(self, record: User) -> Document:
        """Return a service account: it needs no password, and nobody can log in with it."""
        address = f"{record.username}@example.invalid"
        return {
            "Username": record.username,
            "DisplayName": record.name,
            "EmailAddress": address,
            "IsService": True,
            "IsActive": True,
        }

    def _reference(self, step: Step, space: str) -> Document:
        return {
            "Name": _REFERENCE,
            "PackageId": step.package,
            "FeedId": self.feeds[space],
            "AcquisitionLocation": "Server",
            "Properties": {"Extract": "False"},
        }

    def _one(self, kind: str, space: str, key: str) -> str:
        return self._ids[kind][f"{space}/{key}"]

    def _all(self, kind: str, space: str, keys: list[str]) -> list[str]:
        return [self._one(kind, space, key) for key in keys]


def _retention(keep: int) -> Document:
    """Return a retention period (octopus-api §A.4); 0 keeps for ever."""
    strategy = "Count" if keep else "Forever"
    return {"Strategy": strategy, "QuantityToKeep": keep, "Unit": "Items", "ShouldKeepForever": not keep}
