"""Rows of a loaded history: each resource of the stream becomes what a live server would have left of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standin import events, kinds, stream
from standin.deploy import FAILED
from standin.documents import Document, DocumentType, encode
from standin.eventrows import ADMIN, EventRows
from standin.history import deployment_document, deployment_task, release_document
from standin.promotion import Promotion
from standin.settings import Settings

#: Targets that a loaded deployment ran on, at most: those of its environment in one role.
MOST_TARGETS = 3
#: Patterns that are kept; comments of their own for each deployment would make one each.
MOST_PATTERNS = 20_000

_OUTCOMES = {"Success": events.DEPLOYMENT_SUCCEEDED, "Failed": events.DEPLOYMENT_FAILED}
#: Stands for a version in what is made before the version is known.
_VERSION = "\0"


class RowPattern:
    """Rows of one kind that differ in a few columns: the first is made of a document, the others of the first."""

    def __init__(self, kind: DocumentType, document: Document, *varying: str) -> None:
        names = ("Id", *kind.columns, "JSON")
        self._row = list(kind.row(document))
        self._places = [names.index(name) for name in varying]

    def row(self, *values: Any) -> tuple[Any, ...]:
        """Return a row with these values in the varying columns."""
        row = self._row.copy()
        for place, value in zip(self._places, values, strict=True):
            row[place] = value
        return tuple(row)


@dataclass(frozen=True, slots=True)
class _Route:
    """What all deployments of a project to an environment (for a tenant) have in common."""

    deployment: RowPattern
    task: RowPattern
    description: str
    machines: list[str]
    names: tuple[str, str, str | None]
    ids: tuple[str, str, str, str | None]


class Rows:
    """Turns the resources of a stream into rows, in `tables`: table name → values in the order of its columns."""

    def __init__(self, header: stream.Header, allocated: Mapping[str, int], node: str) -> None:
        """`allocated` says how many ids of each collection are taken, `node` which node has run the deployments."""
        self.tables: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.allocated = defaultdict(int, allocated)
        self._until = header.until
        self._node = node
        self._beginning = self._time(-header.history.age_days * 86400.0)
        self._settings = Settings(self._next, self._create, self._beginning)
        self._events = EventRows(self._next, allocated.get("Events", 0))
        self.tables["event"] = self._events.rows
        self._releases: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._release_patterns: dict[str, tuple[Document, RowPattern]] = {}
        self._routes: dict[tuple[str, str, str, str], _Route] = {}

    def add(self, resource: stream.Resource) -> None:
        """Add what a resource leaves behind.

        Raises:
            KeyError: it refers to something that has not come before it.
        """
        if isinstance(resource, stream.Deployment):
            self._deploy(resource)
        elif isinstance(resource, stream.Release):
            self._release(resource)
        elif isinstance(resource, stream.Runbook):
            self._settings.publish(resource)
        else:
            self._settings.add(resource)

    def finish(self) -> None:
        """Add what is whole only at the end: processes, variables, and the events that are still to come."""
        self._settings.finish()
        self._events.reach(float("inf"))

    def _release(self, record: stream.Release) -> None:
        self._events.reach(record.assembled)
        project = self._settings.projects[record.space, record.project]
        release, pattern = self._release_pattern(project)
        identifier, assembled = self._next(kinds.RELEASE), self._time(record.assembled)
        self._releases[record.space, record.key] = (identifier, record.version, project["Id"])
        self.tables["release"].append(pattern.row(identifier, record.version, assembled))
        self._events.add(
            events.CREATED,
            f"Release {record.version} of {project['Name']} was created",
            [identifier, project["Id"], release["ChannelId"]],
            assembled,
            place=(project["SpaceId"], project["Id"], None, None),
            references=[(identifier, record.version), (project["Id"], project["Name"])],
        )

    def _deploy(self, record: stream.Deployment) -> None:
        self._events.reach(record.queued)
        release, version, project = self._releases[record.space, record.release]
        route = self._route(record, project)
        queued, started, completed = map(self._time, (record.queued, record.started, record.completed))
        identifier, task = self._next(kinds.DEPLOYMENT), self._next(kinds.TASK)
        self.tables["deployment"].append(route.deployment.row(identifier, queued, release, task))
        self.tables["deploymentrelatedmachine"].extend([(identifier, machine) for machine in route.machines])
        failed = record.outcome != "Success"
        self.tables["servertask"].append(
            route.task.row(
                task,
                route.description.replace(_VERSION, version),
                queued,
                started,
                completed,
                completed,
                FAILED if failed else "",
                record.outcome,
                failed,
                record.completed - record.started,
                encode({"Arguments": {"DeploymentId": identifier}}),
            )
        )
        told = self._tell_queued(route, (identifier, task), (release, version), queued)
        self._events.later(record.started, events.DEPLOYMENT_STARTED, told, started)
        self._events.later(record.completed, _OUTCOMES[record.outcome], told, completed)

    def _tell_queued(
        self, route: _Route, ids: tuple[str, str], of: tuple[str, str], queued: datetime
    ) -> tuple[Any, ...]:
        """Add the event of a queued deployment (`ids`: its own and its task's) of a release (`of`: id and version).

        It is found by all that it is about.
        """
        (identifier, task), (release, version) = ids, of
        project, environment, tenant = route.names
        space, project_id, environment_id, tenant_id = route.ids
        message, words = events.deployment_message(events.DEPLOYMENT_QUEUED, project, version, environment, tenant)
        channel = self._settings.channels[project_id]
        related = [identifier, project_id, release, environment_id, task, channel, *([tenant_id] if tenant_id else [])]
        named = (project_id, release, environment_id, tenant_id)
        return self._events.add(
            events.DEPLOYMENT_QUEUED,
            message,
            related,
            queued,
            place=(space, project_id, environment_id, tenant_id),
            references=[(one, word) for one, word in zip(named, words, strict=True) if one],
        )

    def _release_pattern(self, project: Document) -> tuple[Document, RowPattern]:
        identifier = project["Id"]
        if identifier not in self._release_patterns:
            release = release_document(
                "",
                project,
                self._settings.channels[identifier],
                version=_VERSION,
                assembled=self._beginning,
                snapshots=self._freeze(project),
            )
            pattern = RowPattern(kinds.RELEASE, release, "Id", "Version", "Assembled")
            self._release_patterns[identifier] = (release, pattern)
        return self._release_patterns[identifier]

    def _route(self, record: stream.Deployment, project: str) -> _Route:
        key = (project, record.environment, record.tenant, record.comments)
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= MOST_PATTERNS:
                self._routes.clear()
            route = self._routes[key] = self._make_route(record, project)
        return route

    def _make_route(self, record: stream.Deployment, project_id: str) -> _Route:
        project = self._settings.projects[record.space, record.project]
        environment = self._settings.environments[record.space, record.environment]
        tenant = self._settings.tenants[record.space, record.tenant] if record.tenant else None
        promotion = Promotion(self._release_patterns[project_id][0], project, environment, tenant)
        machines = self._machines(project, environment)
        members = {"Comments": record.comments or None, "DeployedToMachineIds": machines}
        deployment = deployment_document("", "", promotion, self._beginning, actor=ADMIN, **members)
        task = {**deployment_task(deployment, promotion), "ServerNodeId": self._node}
        return _Route(
            RowPattern(kinds.DEPLOYMENT, deployment, "Id", "Created", "ReleaseId", "TaskId"),
            RowPattern(kinds.TASK, task, *_TASK_VARIES),
            task["Description"],
            machines,
            (project["Name"], environment["Name"], tenant["Name"] if tenant else None),
            (project["SpaceId"], project_id, environment["Id"], tenant["Id"] if tenant else None),
        )

    def _create(self, kind: DocumentType, document: Document, label: str = "") -> None:
        """Add a document and, when it has a label, the event of its creation at the beginning of the history."""
        self.tables[kind.table.lower()].append(kind.row(document))
        if label:
            self._events.add(
                events.CREATED,
                f"{label} was created",
                events.related_ids(document),
                self._beginning,
                place=(document.get("SpaceId") or document["Id"], *events.places_of(document)),
                references=[(document["Id"], label)],
            )

    def _freeze(self, project: Document) -> tuple[str, str]:
        """Return the snapshots of a project's process and variables."""
        settings, identifier = self._settings, project["Id"]
        process = settings.freeze(kinds.PROCESS, settings.processes[identifier])
        return process, settings.freeze(kinds.VARIABLE_SET, settings.variables[identifier])

    def _machines(self, project: Document, environment: Document) -> list[str]:
        """Return the targets that a project runs on in an environment: those in one role, the same each time."""
        roles = self._settings.roles[environment["Id"]]
        number = int(project["Id"].rpartition("-")[2])
        return roles[sorted(roles)[number % len(roles)]][:MOST_TARGETS] if roles else []

    def _next(self, kind: DocumentType) -> str:
        self.allocated[kind.collection] += 1
        return f"{kind.collection}-{self.allocated[kind.collection]}"

    def _time(self, relative: float) -> datetime:
        return datetime.fromtimestamp(self._until + relative, UTC)


_TASK_VARIES = (
    "Id",
    "Description",
    "QueueTime",
    "StartTime",
    "CompletedTime",
    "LastUpdatedTime",
    "ErrorMessage",
    "State",
    "HasWarningsOrErrors",
    "DurationSeconds",
    "JSON",
)
