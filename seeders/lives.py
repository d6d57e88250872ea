"""The lives of projects on a server: their releases and deployments made in their order, projects side by side."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from octoload.errors import RejectedError
from octoload.flight import Document, Flight, settling
from seeders import plan
from seeders.documents import Documents
from seeders.journal import Journal
from seeders.stream import Deployment, Release
from seeders.survey import Ids
from seeders.watch import Ended, Watch

#: Unfinished deployments of a project at most.
_IN_FLIGHT = 20
#: Releases and deployments of a project asked for at a time.
_PAGE = 500
#: Seconds until a deployment that may have been asked for is looked for again.
_FIRST_LOOK = 0.1

#: Release, environment and tenant: deployments that share them cannot be told apart but by their order.
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Lives:
    """Makes the releases and deployments of projects that are missing on a server."""

    flight: Flight
    watch: Watch
    documents: Documents
    ids: Ids
    journal: Journal
    #: Told how many more releases and deployments are there.
    tick: Callable[[int], None]
    #: Projects of an interrupted writing, which may have releases already.
    resumed: frozenset[str]

    async def write(self, life: plan.Life) -> None:
        """Make a project's releases and deployments, and wait until all of them have run."""
        quota = life.quota
        key = f"{quota.space}/{quota.project}"
        if self.journal.is_done(key):
            self.tick(quota.releases + quota.deployments)
            return
        home = f"/api/{self.ids['space'][quota.space]}"
        there = await self._survey(key, home) if key in self.resumed else _There()
        await _Life(self, key, home, there).write(life)
        self.journal.done(key)

    async def _survey(self, key: str, home: str) -> "_There":
        """Return what a project has; what a killed seeder asked for last gets the time to appear."""
        project, there = self.ids["project"][key], _There()
        asked, at = self.journal.asked(key)
        until, pause = at + settling(self.journal.slowest(0.0)), _FIRST_LOOK
        while await self._count(home, project) < asked and time.time() < until:
            await asyncio.sleep(pause)
            pause *= 1.5
        async for item in self.flight.pages(f"{home}/projects/{project}/releases", take=_PAGE):
            there.releases[item["Version"]] = item["Id"]
        async for item in self.flight.pages(f"{home}/deployments", projects=project, take=_PAGE):
            there.tasks.setdefault(_place(item), []).append(item["TaskId"])
        return there

    async def _count(self, home: str, project: str) -> int:
        return int((await self.flight.get(f"{home}/deployments", projects=project, take=1))["TotalResults"])


@dataclass(frozen=True, slots=True)
class _There:
    """What a project has from an interrupted writing."""

    #: Version → id.
    releases: dict[str, str] = field(default_factory=dict)
    #: Tasks of deployments, the newest first, as lists have them.
    tasks: dict[Place, list[str]] = field(default_factory=dict)


class _Life:
    """One project at work."""

    def __init__(self, lives: Lives, key: str, home: str, there: _There) -> None:
        self._lives = lives
        self._key = key
        self._home = home
        self._there = there
        self._made = Counter({place: len(tasks) for place, tasks in there.tasks.items()})
        self._deployments = self._made.total()
        self._unfinished: set[Ended] = set()
        #: Release → its last deployment, while that is unfinished.
        self._last: dict[str, Ended] = {}

    async def write(self, life: plan.Life) -> None:
        """Make all of it in its order.

        A release is deployed again only when its last deployment has ended: Octopus lets it go on to the next phase
        after a success (octopus-api §A.4).
        """
        releases: dict[str, str] = {}
        for record in life:
            if isinstance(record, Release):
                found = self._there.releases.pop(record.version, None)
                releases[record.key] = found or await self._release(record)
                self._lives.tick(1)
            else:
                await self._deploy(record, releases[record.release])
        await self._wait_until_fewer(1)

    async def _release(self, record: Release) -> str:
        document = self._lives.documents.release(record)

        async def find() -> Document | None:
            path = f"{self._home}/projects/{document['ProjectId']}/releases/{record.version}"
            try:
                found: Document = await self._lives.flight.get(path)
            except RejectedError as exc:
                if exc.status == 404:
                    return None
                raise
            return found

        made = await self._lives.flight.create(f"{self._home}/releases", document, find)
        return str(made["Id"])

    async def _deploy(self, record: Deployment, release: str) -> None:
        """Deploy a release, unless it has been, and watch over the task."""
        document = self._lives.documents.deployment(record, release)
        if tasks := self._there.tasks.get(_place(document)):
            task = tasks.pop()
        else:
            if release in self._last:
                await self._last[release]
            await self._wait_until_fewer(_IN_FLIGHT)
            task = await self._make(document)
        self._watch_over(release, self._lives.watch.add(task, record.outcome))

    async def _make(self, document: Document) -> str:
        place, flight = _place(document), self._lives.flight

        async def find() -> Document | None:
            """Return the newest deployment of the place when it has more than were known."""
            pages = flight.pages(f"{self._home}/releases/{place[0]}/deployments", take=_PAGE)
            found = [item async for item in pages if _place(item) == place]
            return found[0] if len(found) > self._made[place] else None

        self._deployments += 1
        self._lives.journal.asks(self._key, self._deployments)
        made = await flight.create(f"{self._home}/deployments", document, find, unique=False)
        self._lives.journal.slowest(flight.slowest)
        self._made[place] += 1
        return str(made["TaskId"])

    def _watch_over(self, release: str, ended: Ended) -> None:
        self._unfinished.add(ended)
        self._last[release] = ended

        def forget(future: Ended) -> None:
            if future.cancelled() or future.exception():  # stays, for whoever waits next to raise what it says
                return
            self._unfinished.discard(future)
            if self._last.get(release) is future:
                del self._last[release]

        ended.add_done_callback(forget)

    async def _wait_until_fewer(self, count: int) -> None:
        while len(self._unfinished) >= count:
            done, _ = await asyncio.wait(self._unfinished, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()


def _place(document: Document) -> Place:
    return document["ReleaseId"], document["EnvironmentId"], document.get("TenantId") or ""
