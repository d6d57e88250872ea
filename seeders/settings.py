"""The settings of a history on a server: spaces and all that has no time, each after what it refers to."""

from collections.abc import Iterable, Sequence
from typing import Any

from octoload import fanout
from octoload.errors import RejectedError
from octoload.flight import Document, Find, Flight
from seeders import packages, survey
from seeders.documents import Documents
from seeders.stream import (
    Channel,
    Environment,
    Lifecycle,
    Machine,
    Package,
    Process,
    Project,
    ProjectGroup,
    Resource,
    Runbook,
    Space,
    TagSet,
    Team,
    Tenant,
    User,
    Variables,
)
from seeders.survey import Ids, Named

#: What may be made side by side, one after the other: each refers to earlier ones only.
_WAVES: tuple[tuple[type[Resource], ...], ...] = (
    (User, Environment, ProjectGroup, TagSet, Package),
    (Team, Lifecycle, Machine),
    (Project,),
    (Channel, Process, Variables, Runbook, Tenant),
)
#: Resources made at once; the adaptive limit may allow fewer.
_HANDS = 32


class Settings:
    """Makes the settings that are missing on a server."""

    def __init__(self, flight: Flight, documents: Documents, ids: Ids) -> None:
        self._flight = flight
        self._documents = documents
        self._ids = ids

    async def write_spaces(self, settings: Sequence[Resource]) -> None:
        """Make the spaces that are missing."""
        me = (await self._flight.get("/api/users/me"))["Id"]
        for record in settings:
            if isinstance(record, Space) and record.key not in self._ids["space"]:
                find = _by_name(self._flight, "/api/spaces", record.name, Description=record.description)
                made = await self._flight.create("/api/spaces", self._documents.space(record, me), find)
                self._ids["space"][record.key] = made["Id"]

    async def write(self, settings: Sequence[Resource]) -> None:
        """Make all that lies in the spaces and is missing, and the people of the whole server."""
        if any(isinstance(record, Package) for record in settings):
            for key, space in self._ids["space"].items():
                self._documents.feeds[key] = await self._built_in_feed(space)
        for wave in _WAVES:
            await fanout.each(self._write, (record for record in settings if isinstance(record, wave)), _HANDS)

    async def _write(self, record: Resource) -> None:
        match record:
            case Process():
                path = f"{self._project(record.space, record.project)}/deploymentprocesses"
                await self._fill(path, "Steps", (self._documents.step(step, record.space) for step in record.steps))
            case Variables():
                path = f"{self._project(record.space, record.project)}/variables"
                variables = (self._documents.variable(one, record.space) for one in record.variables)
                await self._fill(path, "Variables", variables)
            case Project():
                await self._create(record)
                await self._switch_cancelling_off(record)
            case Runbook():
                await self._create(record)
                await self._publish(record)
            case Package():
                path = f"{self._home(record.space)}/packages/raw?overwriteMode=IgnoreIfExists"
                await self._flight.upload(path, packages.file_name(record), packages.build(record))
            case User():
                await self._invite("user", "/api/users", record, Username=record.username)
            case Team():
                await self._invite("team", "/api/teams", record, Description=record.description)
            case Environment() | Lifecycle() | ProjectGroup() | Machine() | Channel() | TagSet() | Tenant():
                await self._create(record)

    async def _create(self, record: Named) -> None:
        found, key = self._ids[survey.kind_of(type(record))], f"{record.space}/{record.key}"
        if key not in found:
            path = f"{self._home(record.space)}/{survey.LISTS[type(record)]}"
            owner = {}
            if isinstance(record, Channel | Runbook):
                owner["ProjectId"] = self._ids["project"][f"{record.space}/{record.project}"]
            find = _by_name(self._flight, path, record.name, **owner)
            found[key] = (await self._flight.create(path, self._documents.of(record), find))["Id"]

    async def _invite(self, kind: str, path: str, record: User | Team, **has: str) -> None:
        """Make a user or a team of the whole server."""
        if record.key not in self._ids[kind]:
            find = _by_name(self._flight, path, record.name, "filter" if kind == "user" else "partialName", **has)
            self._ids[kind][record.key] = (await self._flight.create(path, self._documents.of(record), find))["Id"]

    async def _switch_cancelling_off(self, record: Project) -> None:
        """Let queued deployments be: newer ones must not cancel them (octopus-api §A.7)."""
        path = f"{self._project(record.space, record.key)}/deploymentsettings"
        settings = await self._flight.get(path)
        if settings.get("CancelQueuedTasks") or settings.get("CancelRunningTasks"):
            await self._flight.put(path, {**settings, "CancelQueuedTasks": False, "CancelRunningTasks": False})

    async def _publish(self, record: Runbook) -> None:
        """Give a runbook its steps, and publish a snapshot of it."""
        home, key = self._home(record.space), f"{record.space}/{record.key}"
        path = f"{home}/runbooks/{self._ids['runbook'][key]}"
        runbook = await self._flight.get(path)
        steps = (self._documents.step(step, record.space) for step in record.steps)
        await self._fill(f"{home}/runbookProcesses/{runbook['RunbookProcessId']}", "Steps", steps)
        snapshot = runbook.get("PublishedRunbookSnapshotId")
        if not snapshot:

            async def find() -> Document | None:
                published = (await self._flight.get(path)).get("PublishedRunbookSnapshotId")
                return {"Id": published} if published else None

            document = self._documents.snapshot(record)
            snapshot = (await self._flight.create(f"{home}/runbookSnapshots?publish=true", document, find))["Id"]
        self._ids.setdefault("runbook_snapshot", {})[key] = snapshot

    async def _fill(self, path: str, member: str, items: Iterable[Document]) -> None:
        """Put items into a document that has none yet; its version guards against a request that came twice."""
        document = await self._flight.get(path)
        if document[member]:
            return
        try:
            await self._flight.put(path, {**document, member: list(items)})
        except RejectedError:
            if not (await self._flight.get(path))[member]:
                raise

    async def _built_in_feed(self, space: str) -> str:
        page = await self._flight.get(f"/api/{space}/feeds", feedType="BuiltIn", take=100)
        return next(str(feed["Id"]) for feed in page["Items"] if feed.get("FeedType") == "BuiltIn")

    def _home(self, space: str) -> str:
        return f"/api/{self._ids['space'][space]}"

    def _project(self, space: str, project: str) -> str:
        return f"{self._home(space)}/projects/{self._ids['project'][f'{space}/{project}']}"


def _by_name(flight: Flight, path: str, name: str, by: str = "partialName", **has: Any) -> Find:
    """Return what finds a resource in a list by its name and by what else it has."""

    async def find() -> Document | None:
        async for item in flight.pages(path, **{by: has.get("Username", name)}):
            if name in (item.get("Name"), item.get("DisplayName")) and all(item.get(key) == has[key] for key in has):
                return item
        return None

    return find
