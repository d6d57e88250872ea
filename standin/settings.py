"""The settings of a loaded history: spaces, environments, projects and so on, as documents of a live server."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from standin import kinds, newspace, runbooks, spaces, stream
from standin.documents import Document, DocumentType
from standin.history import snapshot_document, snapshot_suffix
from standin.slugs import numbered
from standin.slugs import slug as slug_of

_Key = tuple[str, str]


class Create(Protocol):
    """Keeps a document, with the event of its creation when it has a label."""

    def __call__(self, kind: DocumentType, document: Document, label: str = "") -> None:
        """Keep a document."""
        ...


class Settings:
    """Documents by their keys in the stream; `next_id` gives ids, `create` keeps documents."""

    def __init__(self, next_id: Callable[[DocumentType], str], create: Create, beginning: datetime) -> None:
        """`beginning` is when the history begins."""
        self._next = next_id
        self._create = create
        self._beginning = beginning
        self._spaces: dict[str, str] = {}
        self._lifecycles: dict[_Key, Document] = {}
        self._groups: dict[_Key, Document] = {}
        #: space and key → environment, project, tenant
        self.environments: dict[_Key, Document] = {}
        self.projects: dict[_Key, Document] = {}
        self.tenants: dict[_Key, Document] = {}
        #: project id → id of its channel, its process, its variables
        self.channels: dict[str, str] = {}
        self.processes: dict[str, Document] = {}
        self.variables: dict[str, Document] = {}
        #: environment id → role → ids of the machines
        self.roles: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._slugs: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def add(self, record: stream.Space | stream.Setting) -> None:
        """Add one setting.

        Raises:
            KeyError: it refers to something that has not come before it.
        """
        match record:
            case stream.Space():
                self._space(record)
            case stream.Environment():
                document = self._named(kinds.ENVIRONMENT, record, Description="", SortOrder=record.sort_order)
                self.environments[record.space, record.key] = document
                self._create(kinds.ENVIRONMENT, document, f"Environment {record.name}")
            case stream.Lifecycle():
                self._lifecycle(record)
            case stream.ProjectGroup():
                document = self._named(kinds.PROJECT_GROUP, record, Description="", EnvironmentIds=[])
                self._groups[record.space, record.key] = document
                self._create(kinds.PROJECT_GROUP, document, f"Project group {record.name}")
            case stream.Machine():
                self._machine(record)
            case stream.Project():
                self._project(record)
            case stream.Process():
                project = self.projects[record.space, record.project]["Id"]
                self.processes[project].update(Version=1, Steps=[_step(step) for step in record.steps])
            case stream.Variables():
                self._variables(record)
            case stream.Tenant():
                self._tenant(record)

    def finish(self) -> None:
        """Keep the processes and variable sets, which are whole only now."""
        for process in self.processes.values():
            self._create(kinds.PROCESS, process)
        for variables in self.variables.values():
            self._create(kinds.VARIABLE_SET, variables)

    def _space(self, record: stream.Space) -> None:
        members = {"Name": record.name, "Description": record.description}
        space = newspace.space_document(self._next(kinds.SPACE), members)
        self._spaces[record.key] = space["Id"]
        self._create(kinds.SPACE, space, f"Space {record.name}")
        for kind, make in newspace.SPACE_PARTS:
            self._create(kind, make(self._next(kind), space["Id"]))
        self._create(kinds.FEED, newspace.builtin_feed(space["Id"]))
        for kind, document in newspace.managers_of(space):
            self._create(kind, document)

    def _lifecycle(self, record: stream.Lifecycle) -> None:
        policy = {
            "Strategy": "Count" if record.keep else "Forever",
            "QuantityToKeep": record.keep,
            "Unit": "Items",
            "ShouldKeepForever": not record.keep,
        }
        phases = [
            {
                "Id": str(uuid4()),
                "Name": phase.name,
                "AutomaticDeploymentTargets": [],
                "OptionalDeploymentTargets": self._environments(record.space, phase.environments),
                "MinimumEnvironmentsBeforePromotion": 0,
                "IsOptionalPhase": False,
                "IsPriorityPhase": False,
                "ReleaseRetentionPolicy": None,
                "TentacleRetentionPolicy": None,
            }
            for phase in record.phases
        ]
        document = self._named(
            kinds.LIFECYCLE,
            record,
            Description="",
            Phases=phases,
            ReleaseRetentionPolicy=policy,
            TentacleRetentionPolicy=newspace.KEEP_FOR_EVER,
        )
        self._lifecycles[record.space, record.key] = document
        self._create(kinds.LIFECYCLE, document, f"Lifecycle {record.name}")

    def _machine(self, record: stream.Machine) -> None:
        document = self._named(
            kinds.MACHINE,
            record,
            EnvironmentIds=self._environments(record.space, record.environments),
            Roles=record.roles,
            Endpoint={"CommunicationStyle": "None"},
            HealthStatus="Healthy",
        )
        for environment in document["EnvironmentIds"]:
            for role in record.roles:
                self.roles[environment][role].append(document["Id"])
        self._create(kinds.MACHINE, document, f"Deployment target {record.name}")

    def _project(self, record: stream.Project) -> None:
        members = {
            "SpaceId": self._spaces[record.space],
            "Name": record.name,
            "Slug": self._slug(kinds.PROJECT, record),
            "Description": record.description,
            "ProjectGroupId": self._groups[record.space, record.group]["Id"],
            "LifecycleId": self._lifecycles[record.space, record.lifecycle]["Id"],
            # A history may hold tenants, who come after their projects.
            "TenantedDeploymentMode": "TenantedOrUntenanted",
            "CancelQueuedTasks": False,
            "CancelRunningTasks": False,
        }
        project = spaces.project_document(self._next(kinds.PROJECT), members)
        channel = spaces.default_channel(self._next(kinds.CHANNEL), project)
        self.projects[record.space, record.key] = project
        self.channels[project["Id"]] = channel["Id"]
        self.processes[project["Id"]] = spaces.process_document(project)
        self.variables[project["Id"]] = spaces.variables_document(project)
        self._create(kinds.PROJECT, project, f"Project {record.name}")
        self._create(kinds.CHANNEL, channel)

    def _variables(self, record: stream.Variables) -> None:
        project = self.projects[record.space, record.project]["Id"]
        variables = [self._variable(variable, record.space) for variable in record.variables]
        self.variables[project].update(Version=1, Variables=variables)

    def _variable(self, variable: stream.Variable, space: str) -> dict[str, Any]:
        where = self._environments(space, variable.environments)
        return {
            "Id": str(uuid4()),
            "Name": variable.name,
            "Value": variable.value,
            "Description": "",
            "Type": "String",
            "Scope": {"Environment": where} if where else {},
            "IsEditable": True,
            "IsSensitive": False,
            "Prompt": None,
        }

    def publish(self, record: stream.Runbook) -> None:
        """Add a runbook with its process, and the snapshot of it that is run.

        Raises:
            KeyError: its project has not come before it.
        """
        project = self.projects[record.space, record.project]
        published = self._next(kinds.RUNBOOK_SNAPSHOT)
        runbook = self._named(
            kinds.RUNBOOK,
            record,
            ProjectId=project["Id"],
            Description="",
            PublishedRunbookSnapshotId=published,
            MultiTenancyMode="Untenanted",
            EnvironmentScope="All",
            Environments=[],
        )
        process = runbooks.process_document(runbook, [_step(step) for step in record.steps])
        frozen = runbooks.Frozen(
            self.freeze(kinds.RUNBOOK_PROCESS, process),
            self.freeze(kinds.VARIABLE_SET, self.variables[project["Id"]]),
            self._beginning,
        )
        snapshot = runbooks.frozen_document(published, runbook, frozen, {"Name": "Snapshot 1"})
        self._create(kinds.RUNBOOK, runbook, f"Runbook {record.name}")
        self._create(kinds.RUNBOOK_PROCESS, process)
        self._create(kinds.RUNBOOK_SNAPSHOT, snapshot, f"Snapshot {snapshot['Name']} of the runbook {record.name}")

    def freeze(self, kind: DocumentType, document: Document) -> str:
        """Return the snapshot of a process or of variables, made when it is first wanted: loaded ones never change."""
        if not document["LastSnapshotId"]:
            document["LastSnapshotId"] = f"{document['Id']}-s-{document['Version']}-{snapshot_suffix()}"
            self._create(kind, snapshot_document(document, document["LastSnapshotId"]))
        return str(document["LastSnapshotId"])

    def _tenant(self, record: stream.Tenant) -> None:
        takes = {
            self.projects[record.space, project]["Id"]: self._environments(record.space, environments)
            for project, environments in record.projects.items()
        }
        document = self._named(kinds.TENANT, record, Description="", ProjectEnvironments=takes, TenantTags=[])
        self.tenants[record.space, record.key] = document
        self._create(kinds.TENANT, document, f"Tenant {record.name}")

    def _named(self, kind: DocumentType, record: Any, **members: Any) -> Document:
        """Return a document with the members that all settings of a space have."""
        space, slug = self._spaces[record.space], self._slug(kind, record)
        return {"Id": self._next(kind), "SpaceId": space, "Name": record.name, "Slug": slug, **members}

    def _slug(self, kind: DocumentType, record: Any) -> str:
        """Return a slug that no other document of its kind in its space has."""
        taken = self._slugs[kind.table, record.space]
        taken.add(found := numbered(slug_of(record.name), taken))
        return found

    def _environments(self, space: str, keys: list[str] | tuple[str, ...]) -> list[str]:
        return [self.environments[space, key]["Id"] for key in keys]


def _step(step: stream.Step) -> dict[str, Any]:
    """Return a script step that runs on the server or on targets."""
    on_targets = {"Octopus.Action.TargetRoles": step.role, "Octopus.Action.MaxParallelism": str(step.window)}
    action = {
        "Id": str(uuid4()),
        "Name": step.name,
        "Slug": slug_of(step.name),
        "ActionType": "Octopus.Script",
        "IsDisabled": False,
        "IsRequired": False,
        "Properties": {
            "Octopus.Action.RunOnServer": "false" if step.role else "true",
            "Octopus.Action.Script.ScriptSource": "Inline",
            "Octopus.Action.Script.Syntax": step.syntax,
            "Octopus.Action.Script.ScriptBody": step.script,
        },
    }
    return {
        "Id": str(uuid4()),
        "Name": step.name,
        "Slug": slug_of(step.name),
        "PackageRequirement": "LetOctopusDecide",
        "Properties": on_targets if step.role else {},
        "Condition": "Success",
        "StartTrigger": "StartWithPrevious" if step.parallel else "StartAfterPrevious",
        "Actions": [action],
    }
