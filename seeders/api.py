"""The API writer: a history put into any Octopus Server through its REST API, which then runs every deployment."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event, Lock, local
from typing import Any, TypeVar

from octoload.api import Octopus, SpaceView
from octoload.errors import AccessDeniedError, InterruptedRunError, NotOctopusError, RejectedError
from seeders import manifest, plan, stream, survey
from seeders.documents import Documents, Syntax
from seeders.history import History
from seeders.outstanding import Outstanding
from seeders.stream import (
    Environment,
    Lifecycle,
    Machine,
    Process,
    Project,
    ProjectGroup,
    Release,
    Space,
    Tenant,
    Variables,
)
from seeders.survey import Named

T = TypeVar("T")

#: Projects written at once, each by a thread with a client of its own.
_THREADS = 8
#: Unfinished deployments of a project at most.
_IN_FLIGHT = 20
#: Releases and deployments of a project asked for at a time.
_PAGE = 200


def write(
    history: History, octopus: Octopus, folder: Path, progress: stream.Progress | None = None
) -> manifest.Manifest:
    """Put a history into spaces of its own and wait until all deployments have run; save and return the manifest.

    What is there already from an interrupted writing of the same history is kept, and the rest is added. Dates are
    today's: the API cannot set them (octopus-facts §3.5).

    Args:
        history: what is asked for.
        octopus: the server; the key's user may create spaces.
        folder: where `manifest.json` goes.
        progress: told (done, total, label) from several threads, one at a time.

    Raises:
        UsageError: the server has a space of that name which was not made from this history.
        ServerError: the server fails or refuses, a deployment ends other than its history says, or the counts differ.
    """
    started = time.time()
    octopus.identify()
    drawn = plan.draw(history)
    footer = stream.write(drawn)
    ids = survey.find_ids(octopus, drawn.settings)
    held, before = survey.count(octopus, ids), octopus.counts()
    _Writer(octopus, drawn, ids, progress).write()
    missing = Counter(footer.counts)
    missing.subtract(held)
    verified = manifest.verify(before, octopus.counts(), missing, octopus.shown_url)
    written = manifest.build("api", octopus, history, footer, ids=ids, verified=verified, started=started)
    written.save(folder / "manifest.json")
    return written


class _Writer:
    """Writes what is missing: settings first, projects side by side, then their releases and deployments."""

    def __init__(self, octopus: Octopus, drawn: plan.Plan, ids: survey.Ids, progress: stream.Progress | None) -> None:
        self._octopus = octopus
        self._plan = drawn
        self._ids = ids
        self._progress = progress
        tenanted = any(isinstance(record, Tenant) for record in drawn.settings)
        self._documents = Documents(ids, _syntax_of(octopus), tenanted=tenanted)
        #: Projects of an interrupted writing, which may have releases already.
        self._resumed = set(ids["project"].values())
        self._stop = Event()
        self._lock = Lock()
        self._thread = local()
        self._siblings: list[Octopus] = []
        self._done = 0
        self._total = sum(life.quota.releases + life.quota.deployments for life in drawn.lives)

    def write(self) -> None:
        """Write all of it."""
        settings = self._plan.settings
        projects: dict[str, list[Project | Process | Variables]] = {}
        for record in settings:
            if isinstance(record, Space):
                self._write_space(record)
            elif isinstance(record, Project | Process | Variables):
                key = record.key if isinstance(record, Project) else record.project
                projects.setdefault(f"{record.space}/{key}", []).append(record)
            elif isinstance(record, Environment | Lifecycle | ProjectGroup | Machine):
                self._create(self._octopus, record)
        try:
            self._side_by_side(self._write_project, projects.values())
            for record in settings:
                if isinstance(record, Tenant):
                    self._create(self._octopus, record)
            self._side_by_side(self._write_life, self._plan.lives)
        finally:
            for sibling in self._siblings:
                sibling.close()

    def _side_by_side(self, work: Callable[[T], None], items: Iterable[T]) -> None:
        """Do all of the work in threads; the first failure, or Ctrl-C, ends the others."""
        with ThreadPoolExecutor(_THREADS) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
        for error in sorted(filter(None, (future.exception() for future in ended)), key=_is_interrupted):
            raise error
        self._stop.clear()

    def _write_space(self, record: Space) -> None:
        if record.key not in self._ids["space"]:
            me = self._octopus.get("/api/users/me")["Id"]
            made = self._octopus.post("/api/spaces", self._documents.space(record, me))
            self._ids["space"][record.key] = made["Id"]

    def _create(self, octopus: Octopus, record: Named) -> str:
        """Create a named resource unless it is there; return its id."""
        found = self._ids[survey.kind_of(type(record))]
        key = f"{record.space}/{record.key}"
        if key not in found:
            view = octopus.space(self._ids["space"][record.space])
            found[key] = view.post(survey.LISTS[type(record)], self._documents.of(record))["Id"]
        return found[key]

    def _write_project(self, records: list[Project | Process | Variables]) -> None:
        """Create a project with its settings, its process and its variables, unless they are there."""
        octopus = self._sibling()
        for record in records:
            if isinstance(record, Project):
                self._switch_cancelling_off(self._view(record.space), self._create(octopus, record))
                continue
            view, project = self._view(record.space), self._ids["project"][f"{record.space}/{record.project}"]
            if isinstance(record, Process):
                _fill(view, f"projects/{project}/deploymentprocesses", "Steps", map(self._documents.step, record.steps))
            else:
                variables = [self._documents.variable(variable, record.space) for variable in record.variables]
                _fill(view, f"projects/{project}/variables", "Variables", variables)

    def _switch_cancelling_off(self, view: SpaceView, project: str) -> None:
        """Let queued deployments be: newer ones must not cancel them (octopus-api §A.7)."""
        path = f"projects/{project}/deploymentsettings"
        view.put(path, {**view.get(path), "CancelQueuedTasks": False, "CancelRunningTasks": False})

    def _write_life(self, life: plan.Life) -> None:
        """Create the releases and the deployments of a project in their order.

        A release is deployed again only when its last deployment has ended: Octopus lets it go on to the next phase
        after a success (octopus-api §A.4).
        """
        quota = life.quota
        view, project = self._view(quota.space), self._ids["project"][f"{quota.space}/{quota.project}"]
        there = _There(view, project) if project in self._resumed else None
        releases: dict[str, str] = {}
        outstanding = Outstanding(view, self._stop, self._tick)
        for record in life:
            if self._stop.is_set():
                raise InterruptedRunError("seeding was stopped", "Seeding again goes on from here.")
            if isinstance(record, Release):
                found = there.releases.get(record.version) if there else None
                releases[record.key] = found or view.post("releases", self._documents.release(record))["Id"]
                self._tick()
                continue
            release = releases[record.release]
            task = there.next_task(release) if there else None
            if task is None:
                outstanding.wait_for_release(release)
                outstanding.wait_until_fewer(_IN_FLIGHT)
                task = view.post("deployments", self._documents.deployment(record, release))["TaskId"]
            outstanding.add(task, release, record.outcome)
        outstanding.wait_until_fewer(1)

    def _view(self, space: str) -> SpaceView:
        return self._sibling().space(self._ids["space"][space])

    def _sibling(self) -> Octopus:
        """Return this thread's client."""
        if not hasattr(self._thread, "octopus"):
            self._thread.octopus = self._octopus.sibling()
            with self._lock:
                self._siblings.append(self._thread.octopus)
        octopus: Octopus = self._thread.octopus
        return octopus

    def _tick(self) -> None:
        """Count one release that is there, or one deployment that has run."""
        with self._lock:
            self._done += 1
            if self._progress:
                self._progress(self._done, self._total, "releases and deployments")


class _There:
    """What a project has from an interrupted writing."""

    def __init__(self, view: SpaceView, project: str) -> None:
        self.releases = {item["Version"]: item["Id"] for item in view.pages(f"projects/{project}/releases", take=_PAGE)}
        self._tasks: dict[str, list[str]] = {}
        for item in view.pages("deployments", projects=project, take=_PAGE):
            self._tasks.setdefault(item["ReleaseId"], []).append(item["TaskId"])

    def next_task(self, release: str) -> str | None:
        """Return the task of the next deployment of a release, the oldest first, or None when there are no more."""
        tasks = self._tasks.get(release)
        return tasks.pop() if tasks else None  # lists have the newest first


def _fill(view: SpaceView, path: str, member: str, items: Iterable[dict[str, Any]]) -> None:
    """Put items into a document that has none yet; its version guards against other writers."""
    document = view.get(path)
    if not document[member]:
        view.put(path, {**document, member: list(items)})


def _syntax_of(octopus: Octopus) -> Syntax:
    """Return the language of the server's own machine."""
    try:
        system = octopus.get("/api/serverstatus/system-info")["OSVersion"]
    except (AccessDeniedError, NotOctopusError, RejectedError):  # not for everybody to see: most runs are on Linux
        return "Bash"
    return "PowerShell" if "Windows" in system else "Bash"


def _is_interrupted(error: BaseException) -> bool:
    return isinstance(error, InterruptedRunError)
