"""Records as the documents that the Octopus API takes (octopus-api §A); pure."""

from typing import Any, Literal

from seeders import scripts
from seeders.stream import (
    Deployment,
    Environment,
    Lifecycle,
    Machine,
    Project,
    ProjectGroup,
    Release,
    Resource,
    Space,
    Step,
    Tenant,
    Variable,
)
from seeders.survey import Ids

Document = dict[str, Any]
Syntax = Literal["Bash", "PowerShell"]


class Documents:
    """Turns records into documents; `ids` must have what a record refers to."""

    def __init__(self, ids: Ids, syntax: Syntax, *, tenanted: bool, work: int = 0) -> None:
        """`syntax` is what the server runs scripts in; `tenanted`, whether projects are for tenants as well.

        `work` is what a step's script hashes, in MiB.
        """
        self._work = work
        self._ids = ids
        self._syntax = syntax
        self._mode = "TenantedOrUntenanted" if tenanted else "Untenanted"

    def of(self, record: Resource) -> Document:
        """Return the document that creates what a record describes."""
        match record:
            case Environment():
                return {"Name": record.name, "SortOrder": record.sort_order}
            case ProjectGroup():
                return {"Name": record.name}
            case Lifecycle():
                return self._lifecycle(record)
            case Machine():
                return self._machine(record)
            case Project():
                return self._project(record)
            case Tenant():
                return self._tenant(record)
        raise TypeError(f"{type(record).__name__} is not created by a document of its own")

    def space(self, record: Space, manager: str) -> Document:
        """Return a new space with one manager; without any, Octopus refuses it."""
        return {
            "Name": record.name,
            "Description": record.description,
            "SpaceManagersTeams": [],
            "SpaceManagersTeamMembers": [manager],
        }

    def step(self, step: Step) -> Document:
        """Return a script step that runs on the server itself, or on a worker of its default pool."""
        return {
            "Name": step.name,
            "Condition": "Success",
            "StartTrigger": "StartAfterPrevious",
            "PackageRequirement": "LetOctopusDecide",
            "Properties": {},
            "Actions": [
                {
                    "Name": step.name,
                    "ActionType": "Octopus.Script",
                    "Properties": {
                        "Octopus.Action.RunOnServer": "true",
                        "Octopus.Action.Script.ScriptSource": "Inline",
                        "Octopus.Action.Script.Syntax": self._syntax,
                        "Octopus.Action.Script.ScriptBody": scripts.script(self._syntax, self._work),
                    },
                }
            ],
        }

    def variable(self, variable: Variable, space: str) -> Document:
        """Return a text variable with its scope."""
        where = self._all("environment", space, variable.environments)
        scope = {"Environment": where} if where else {}
        return {"Name": variable.name, "Value": variable.value, "Type": "String", "Scope": scope}

    def release(self, record: Release) -> Document:
        """Return a release; its date will be today's (octopus-facts §3.5)."""
        return {"ProjectId": self._one("project", record.space, record.project), "Version": record.version}

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
        return {"Name": record.name, "ProjectEnvironments": takes}

    def _one(self, kind: str, space: str, key: str) -> str:
        return self._ids[kind][f"{space}/{key}"]

    def _all(self, kind: str, space: str, keys: list[str]) -> list[str]:
        return [self._one(kind, space, key) for key in keys]


def _retention(keep: int) -> Document:
    """Return a retention period (octopus-api §A.4); 0 keeps for ever."""
    strategy = "Count" if keep else "Forever"
    return {"Strategy": strategy, "QuantityToKeep": keep, "Unit": "Items", "ShouldKeepForever": not keep}
