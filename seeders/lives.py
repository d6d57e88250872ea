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

#: Unfinished tasks of a project at most, where releases go from environment to environment, and where they do not.
_IN_FLIGHT, _SIDE_BY_SIDE = 20, 200
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
            self.tick(quota.total)
            return
        home = f"/api/{self.ids['space'][quota.space]}"
        there = await self._survey(key, home) if key in self.resumed else _There()
        await _Life(self, key, home, there).write(life)
        self.journal.done(key)

    async def _survey(self, key: str, home: str) -> "_There":
        """Return what a project has; what a killed seeder asked for last gets the time to appear."""
        project, there = self.ids["project"][key], _There()
        async for item in self.flight.pages(f"{home}/projects/{project}/releases", take=_PAGE):
            there.releases[item["Version"]] = item["Id"]
        for kind in (DEPLOYMENTS, *([RUNS] if self.ids["runbook"] else [])):
            asked, at = self.journal.asked(f"{key} {kind.path}")
            until, pause = at + settling(self.journal.slowest(0.0)), _FIRST_LOOK
            while await self._count(f"{home}/{kind.path}", project) < asked and time.time() < until:
                await asyncio.sleep(pause)
                pause *= 1.5
            async for item in self.flight.pages(f"{home}/{kind.path}", projects=project, take=_PAGE):
                there.tasks.setdefault(kind.place(item), []).append(item["TaskId"])
        return there

    async def _count(self, path: str, project: str) -> int:
        return int((await self.flight.get(path, projects=project, take=1))["TotalResults"])


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the server runs when it is made: a deployment, or a run of a runbook."""

    #: The list below a space.
    path: str
    #: The list of what is run, and the member that names it.
    owners: str
    owner: str

    def place(self, document: Document) -> Place:
        """Return what is run and where: those that share it cannot be told apart but by their order."""
        return document[self.owner], document["EnvironmentId"], document.get("TenantId") or ""

    def like(self, home: str, owner: str) -> str:
        """Return the path of the list of all of one owner."""
        return f"{home}/{self.owners}/{owner}/{self.path}"


DEPLOYMENTS = _Kind("deployments", "releases", "ReleaseId")
RUNS = _Kind("runbookRuns", "runbookSnapshots", "RunbookSnapshotId")


@dataclass(frozen=True, slots=True)
class _There:
    """What a project has from an interrupted writing."""

    #: Version → id.
    releases: dict[str, str] = field(default_factory=dict)
    #: Tasks of deployments and runs, the newest first, as lists have them.
    tasks: dict[Place, list[str]] = field(default_factory=dict)


class _Life:
    """One project at work."""

    def __init__(self, lives: Lives, key: str, home: str, there: _There) -> None:
        self._lives = lives
        self._key = key
        self._home = home
        self._there = there
        #: How many of a place were asked for, and of a kind.
        self._made = Counter({place: len(tasks) for place, tasks in there.tasks.items()})
        self._asked: Counter[str] = Counter()
        self._unfinished: set[Ended] = set()
        #: Release → its last deployment, while that is unfinished.
        self._last: dict[str, Ended] = {}

    async def write(self, life: plan.Life) -> None:
        """Make all of it in its order.

        A release is deployed again only when its last deployment has ended: Octopus lets it go on to the next phase
        after a success (octopus-api §A.4).
        """
        releases: dict[str, str] = {}
        documents, ids, promotion = self._lives.documents, self._lives.ids, life.quota.promotion
        most = _IN_FLIGHT if promotion else _SIDE_BY_SIDE
        for record in life:
            if isinstance(record, Release):
                found = self._there.releases.pop(record.version, None)
                releases[record.key] = found or await self._release(record)
                self._lives.tick(1)
            elif isinstance(record, Deployment):
                release = releases[record.release]
                document = documents.deployment(record, release)
                await self._run(DEPLOYMENTS, document, record.outcome, release if promotion else "", most)
            else:
                snapshot = ids["runbook_snapshot"][f"{record.space}/{record.runbook}"]
                await self._run(RUNS, documents.run(record, snapshot), record.outcome, "", most)
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

    async def _run(self, kind: _Kind, document: Document, outcome: str, after: str, most: int) -> None:
        """Make a deployment or a run, unless it is there, and watch over its task.

        Args:
            kind: which of the two.
            document: what to make.
            outcome: how its task should end.
            after: the release whose last deployment must have ended, if any.
            most: unfinished tasks of the project at most.
        """
        self._asked[kind.path] += 1
        if tasks := self._there.tasks.get(kind.place(document)):
            task = tasks.pop()
        else:
            if after in self._last:
                await self._last[after]
            await self._wait_until_fewer(most)
            task = await self._make(kind, document)
        self._watch_over(after, self._lives.watch.add(task, outcome))

    async def _make(self, kind: _Kind, document: Document) -> str:
        place, flight = kind.place(document), self._lives.flight

        async def find() -> Document | None:
            """Return the newest of the place when it has more than were known."""
            pages = flight.pages(kind.like(self._home, place[0]), take=_PAGE)
            found = [item async for item in pages if kind.place(item) == place]
            return found[0] if len(found) > self._made[place] else None

        self._lives.journal.asks(f"{self._key} {kind.path}", self._asked[kind.path])
        made = await flight.create(f"{self._home}/{kind.path}", document, find, unique=False)
        self._lives.journal.slowest(flight.slowest)
        self._made[place] += 1
        return str(made["TaskId"])

    def _watch_over(self, release: str, ended: Ended) -> None:
        self._unfinished.add(ended)
        if release:
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
