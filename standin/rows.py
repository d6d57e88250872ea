"""Rows of a loaded history: each resource of the stream becomes what a live server would have left of it."""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standin import events, kinds, stream
from standin.deploy import FAILED
from standin.documents import Document, DocumentType, encode
from standin.history import (
    Promotion,
    deployment_document,
    deployment_task,
    release_document,
    snapshot_document,
    snapshot_suffix,
)
from standin.settings import Settings
from standin.work import SERVER, Actor

#: Who did all that a history tells of.
ADMIN = Actor("Users-1", "admin", "API key", "octoload")
#: Targets that a loaded deployment ran on, at most: those of its environment in one role.
MOST_TARGETS = 3

_OUTCOMES = {"Success": events.DEPLOYMENT_SUCCEEDED, "Failed": events.DEPLOYMENT_FAILED}
#: Places in the row of an event, after its running number.
_COLUMNS = ("AutoId", "Id", *kinds.EVENT.columns, "JSON")
_RELATED, _CATEGORY, _MESSAGE, _JSON = map(_COLUMNS.index, ("RelatedDocumentIds", "Category", "Message", "JSON"))
#: How the JSON of an event begins, by who has caused it.
_AS_ADMIN, _AS_SERVER = (encode(events.identity(actor))[:-1] for actor in (ADMIN, SERVER))

#: When an event is due, its number in line, its category, and the row of the event that the deployment was queued.
_Pending = tuple[float, int, str, tuple[Any, ...]]


class Rows:
    """Turns the resources of a stream into rows, in `tables`: table name → values in the order of its columns.

    Events come in the order of their times, whatever the order of the deployments that they tell about.
    """

    def __init__(self, header: stream.Header, allocated: Mapping[str, int], node: str) -> None:
        """`allocated` says how many ids of each collection are taken, `node` which node has run the deployments."""
        self.tables: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.allocated = defaultdict(int, allocated)
        self._until = header.until
        self._node = node
        self._beginning = self._time(-header.history.age_days * 86400.0)
        self._settings = Settings(self._next, self._create)
        self._releases: dict[tuple[str, str], tuple[Document, Document]] = {}
        self._snapshots: dict[str, tuple[str, str]] = {}
        self._targets: dict[tuple[str, str], list[str]] = {}
        self._pending: list[_Pending] = []
        self._sequence = 0
        self._auto_id = allocated.get("Events", 0)

    def add(self, resource: stream.Resource) -> None:
        """Add what a resource leaves behind.

        Raises:
            KeyError: it refers to something that has not come before it.
        """
        if isinstance(resource, stream.Deployment):
            self._deploy(resource)
        elif isinstance(resource, stream.Release):
            self._release(resource)
        else:
            self._settings.add(resource)

    def finish(self) -> None:
        """Add what is whole only at the end: processes, variables, and the events that are still to come."""
        self._settings.finish()
        self._tell_until(float("inf"))

    def _release(self, record: stream.Release) -> None:
        self._tell_until(record.assembled)
        project = self._settings.projects[record.space, record.project]
        channel = self._settings.channels[project["Id"]]
        assembled = self._time(record.assembled)
        release = release_document(
            self._next(kinds.RELEASE),
            project,
            channel,
            version=record.version,
            assembled=assembled,
            snapshots=self._freeze(project),
        )
        self._releases[record.space, record.key] = ({name: release[name] for name in _REMEMBERED}, project)
        self.tables["release"].append(kinds.RELEASE.row(release))
        self._event(
            events.CREATED,
            f"Release {record.version} of {project['Name']} was created",
            [release["Id"], project["Id"], channel],
            assembled,
            space=project["SpaceId"],
            project=project["Id"],
            references=[(release["Id"], record.version), (project["Id"], project["Name"])],
        )

    def _deploy(self, record: stream.Deployment) -> None:
        self._tell_until(record.queued)
        release, project = self._releases[record.space, record.release]
        environment = self._settings.environments[record.space, record.environment]
        tenant = self._settings.tenants[record.space, record.tenant] if record.tenant else None
        promotion = Promotion(release, project, environment, tenant)
        machines = self._machines(project, environment)
        deployment = deployment_document(
            self._next(kinds.DEPLOYMENT),
            self._next(kinds.TASK),
            promotion,
            self._time(record.queued),
            actor=ADMIN,
            Comments=record.comments or None,
            DeployedToMachineIds=machines,
        )
        self.tables["deployment"].append(kinds.DEPLOYMENT.row(deployment))
        self.tables["deploymentrelatedmachine"].extend((deployment["Id"], machine) for machine in machines)
        self._run(record, promotion, deployment)
        told = self._tell(promotion, deployment)
        for at, category in (record.started, events.DEPLOYMENT_STARTED), (record.completed, _OUTCOMES[record.outcome]):
            self._sequence += 1
            heapq.heappush(self._pending, (at, self._sequence, category, told))

    def _run(self, record: stream.Deployment, promotion: Promotion, deployment: Document) -> None:
        """Add the task of a deployment as it ended, and the row that the history of deployments keeps of it."""
        started, completed = self._time(record.started), self._time(record.completed)
        failed = record.outcome != "Success"
        seconds = record.completed - record.started
        task = {
            **deployment_task(deployment, promotion),
            "State": record.outcome,
            "StartTime": started,
            "CompletedTime": completed,
            "LastUpdatedTime": completed,
            "DurationSeconds": seconds,
            "ErrorMessage": FAILED if failed else "",
            "HasWarningsOrErrors": failed,
            "ServerNodeId": self._node,
        }
        self.tables["servertask"].append(kinds.TASK.row(task))
        self.tables["deploymenthistory"].append(
            (
                deployment["Id"],
                deployment["SpaceId"],
                deployment["Name"],
                promotion.project["Id"],
                promotion.project["Name"],
                promotion.environment["Id"],
                promotion.environment["Name"],
                promotion.release["Id"],
                promotion.release["Version"],
                deployment["TaskId"],
                record.outcome,
                deployment["ChannelId"],
                deployment["TenantId"],
                deployment["Created"],
                task["QueueTime"],
                started,
                completed,
                seconds,
                deployment["DeployedBy"],
            )
        )

    def _tell(self, promotion: Promotion, deployment: Document) -> tuple[Any, ...]:
        """Add the event of a queued deployment; return its row."""
        tenant = promotion.tenant
        message, words = events.deployment_message(
            events.DEPLOYMENT_QUEUED,
            promotion.project["Name"],
            promotion.release["Version"],
            promotion.environment["Name"],
            tenant["Name"] if tenant else None,
        )
        ids = [deployment[name] for name in ("Id", "ProjectId", "ReleaseId", "EnvironmentId", "TaskId", "ChannelId")]
        ids += [tenant["Id"]] if tenant else []
        named = [deployment[name] for name in ("ProjectId", "ReleaseId", "EnvironmentId", "TenantId")]
        return self._event(
            events.DEPLOYMENT_QUEUED,
            message,
            ids,
            deployment["Created"],
            space=deployment["SpaceId"],
            project=deployment["ProjectId"],
            environment=deployment["EnvironmentId"],
            tenant=deployment["TenantId"],
            references=[(one, word) for one, word in zip(named, words, strict=True) if one],
        )

    def _tell_until(self, when: float) -> None:
        """Add the events of running deployments up to a time: what was told when they were queued, but for the end."""
        while self._pending and self._pending[0][0] <= when:
            at, _, category, told = heapq.heappop(self._pending)
            message = told[_MESSAGE].removesuffix(events.ENDINGS[events.DEPLOYMENT_QUEUED]) + events.ENDINGS[category]
            json = _AS_SERVER + told[_JSON].removeprefix(_AS_ADMIN)
            who = (SERVER.user_id, SERVER.username)
            self._put_event(
                (self._next(kinds.EVENT), *told[2:_CATEGORY], category, *who, self._time(at), message, json),
                told[_RELATED][1:-1].split("|"),
            )

    def _create(self, kind: DocumentType, document: Document, label: str = "") -> None:
        """Add a document and, when it has a label, the event of its creation at the beginning of the history."""
        self.tables[kind.table.lower()].append(kind.row(document))
        if label:
            self._event(
                events.CREATED,
                f"{label} was created",
                events.related_ids(document),
                self._beginning,
                space=document.get("SpaceId") or document["Id"],
                project=document.get("ProjectId") or (document["Id"] if kind is kinds.PROJECT else None),
                references=[(document["Id"], label)],
            )

    def _event(
        self, category: str, message: str, related: Sequence[str], occurred: datetime, **more: Any
    ) -> tuple[Any, ...]:
        """Add an event that the administrator has caused; return its row."""
        document = events.event_document(
            self._next(kinds.EVENT), category, message, related, occurred, actor=ADMIN, **more
        )
        return self._put_event(kinds.EVENT.row(document), related)

    def _put_event(self, row: tuple[Any, ...], related: Sequence[str]) -> tuple[Any, ...]:
        self._auto_id = number = self._auto_id + 1
        told = (number, *row)
        self.tables["event"].append(told)
        self.tables["eventrelateddocument"].extend([(identifier, number) for identifier in related])
        return told

    def _freeze(self, project: Document) -> tuple[str, str]:
        """Return the snapshots of a project's process and variables; loaded ones never change, so there is one each."""
        identifier = project["Id"]
        if identifier not in self._snapshots:
            frozen = []
            for kind, current in (
                (kinds.PROCESS, self._settings.processes),
                (kinds.VARIABLE_SET, self._settings.variables),
            ):
                document = current[identifier]
                snapshot = f"{document['Id']}-s-{document['Version']}-{snapshot_suffix()}"
                self._create(kind, snapshot_document(document, snapshot))
                document["LastSnapshotId"] = snapshot
                frozen.append(snapshot)
            self._snapshots[identifier] = (frozen[0], frozen[1])
        return self._snapshots[identifier]

    def _machines(self, project: Document, environment: Document) -> list[str]:
        """Return the targets that a project runs on in an environment: those in one role, the same each time."""
        pair = (project["Id"], environment["Id"])
        if pair not in self._targets:
            roles = self._settings.roles[environment["Id"]]
            number = int(project["Id"].rpartition("-")[2])
            chosen = roles[sorted(roles)[number % len(roles)]] if roles else []
            self._targets[pair] = chosen[:MOST_TARGETS]
        return self._targets[pair]

    def _next(self, kind: DocumentType) -> str:
        self.allocated[kind.collection] += 1
        return f"{kind.collection}-{self.allocated[kind.collection]}"

    def _time(self, relative: float) -> datetime:
        return datetime.fromtimestamp(self._until + relative, UTC)


#: What deployments need of their release; the rest is not kept, for there are many.
_REMEMBERED = (
    "Id",
    "SpaceId",
    "ProjectId",
    "ChannelId",
    "Version",
    "ProjectDeploymentProcessSnapshotId",
    "ProjectVariableSetSnapshotId",
)
