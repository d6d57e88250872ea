"""The settings of a history on a server: spaces and all that has no time, each after what it refers to."""

from collections.abc import Iterable, Sequence

from octoload import crew
from octoload.errors import RejectedError
from octoload.flight import Document, Find, Flight
from seeders import survey
from seeders.documents import Documents
from seeders.stream import (
    Environment,
    Lifecycle,
    Machine,
    Process,
    Project,
    ProjectGroup,
    Resource,
    Space,
    Tenant,
    Variables,
)
from seeders.survey import Ids, Named

#: What may be made side by side, one after the other: each refers to earlier ones only.
_WAVES: tuple[type[Resource], ...] = (
    Environment,
    Lifecycle,
    ProjectGroup,
    Machine,
    Project,
    Process,
    Variables,
    Tenant,
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
                find = _by_name(self._flight, "/api/spaces", record.name, record.description)
                made = await self._flight.create("/api/spaces", self._documents.space(record, me), find)
                self._ids["space"][record.key] = made["Id"]

    async def write(self, settings: Sequence[Resource]) -> None:
        """Make all that lies in the spaces and is missing."""
        for wave in _WAVES:
            await crew.each(self._write, (record for record in settings if type(record) is wave), _HANDS)

    async def _write(self, record: Resource) -> None:
        match record:
            case Process():
                await self._fill(record, "deploymentprocesses", "Steps", map(self._documents.step, record.steps))
            case Variables():
                variables = (self._documents.variable(one, record.space) for one in record.variables)
                await self._fill(record, "variables", "Variables", variables)
            case Project():
                await self._create(record)
                await self._switch_cancelling_off(record)
            case Environment() | Lifecycle() | ProjectGroup() | Machine() | Tenant():
                await self._create(record)

    async def _create(self, record: Named) -> None:
        found, key = self._ids[survey.kind_of(type(record))], f"{record.space}/{record.key}"
        if key not in found:
            path = f"{self._home(record.space)}/{survey.LISTS[type(record)]}"
            find = _by_name(self._flight, path, record.name)
            found[key] = (await self._flight.create(path, self._documents.of(record), find))["Id"]

    async def _switch_cancelling_off(self, record: Project) -> None:
        """Let queued deployments be: newer ones must not cancel them (octopus-api §A.7)."""
        path = f"{self._project(record.space, record.key)}/deploymentsettings"
        settings = await self._flight.get(path)
        if settings.get("CancelQueuedTasks") or settings.get("CancelRunningTasks"):
            await self._flight.put(path, {**settings, "CancelQueuedTasks": False, "CancelRunningTasks": False})

    async def _fill(self, record: Process | Variables, path: str, member: str, items: Iterable[Document]) -> None:
        """Put items into a document that has none yet; its version guards against a request that came twice."""
        path = f"{self._project(record.space, record.project)}/{path}"
        document = await self._flight.get(path)
        if document[member]:
            return
        try:
            await self._flight.put(path, {**document, member: list(items)})
        except RejectedError:
            if not (await self._flight.get(path))[member]:
                raise

    def _home(self, space: str) -> str:
        return f"/api/{self._ids['space'][space]}"

    def _project(self, space: str, project: str) -> str:
        return f"{self._home(space)}/projects/{self._ids['project'][f'{space}/{project}']}"


def _by_name(flight: Flight, path: str, name: str, description: str = "") -> Find:
    """Return what finds a resource in a list by its name, and by what its description must have in it."""

    async def find() -> Document | None:
        async for item in flight.pages(path, partialName=name):
            if item["Name"] == name and description in (item.get("Description") or ""):
                return item
        return None

    return find
