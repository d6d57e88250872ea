"""The API writer: a history put into any Octopus Server through its REST API, which then runs every deployment."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from octoload import claims, fanout
from octoload.api import Octopus
from octoload.errors import AccessDeniedError, NotOctopusError, RejectedError, UsageError
from octoload.flight import Flight
from seeders import changes, journal, lock, manifest, plan, stream, survey
from seeders.documents import Documents, Syntax
from seeders.history import History
from seeders.journal import Journal
from seeders.lives import Lives
from seeders.scripts import Labour
from seeders.settings import Settings
from seeders.stream import Tenant
from seeders.watch import Watch

if sys.platform == "win32":
    _new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    from uvloop import new_event_loop as _new_loop

#: Projects at work at once; the adaptive limit may allow fewer requests.
_PROJECTS = 64


def write(
    history: History,
    octopus: Octopus,
    folder: Path,
    progress: stream.Progress | None = None,
    *,
    take_over: bool = False,
    lift_rate_limits: bool = False,
) -> manifest.Manifest:
    """Put a history into spaces of its own and wait until all deployments have run; save and return the manifest.

    Killed at any moment and called again, it goes on: what is there is kept, and the rest is added. Dates are today's:
    the API cannot set them (octopus-facts §3.5).

    Args:
        history: what is asked for.
        octopus: the server; the key's user may create spaces.
        folder: where `manifest.json` and the journal go.
        progress: told (done, total, label), one at a time.
        take_over: whether to take the space from another seeder, which somebody knows to be dead.
        lift_rate_limits: whether to switch the server's rate limiting policies off meanwhile.

    Raises:
        UsageError: the server has a space of that name which was not made from this history, or another seeder is at
            work in the folder or in the space.
        ServerError: the server fails or refuses, a deployment ends other than its history says, or the counts differ.
    """
    with claims.hold(folder / "seeding.lock"):
        drawn = plan.draw(history)
        footer = stream.write(drawn)
        ids = survey.find_ids(octopus, drawn.settings)
        notes, fresh = _open_journal(history, octopus, folder, ids)
        try:
            with changes.rate_limits_lifted(octopus, notes) if lift_rate_limits else changes.put_back(octopus, notes):
                _run(_write(octopus, drawn, ids, notes, progress, labour=history.labour, take_over=take_over))
        except UsageError:  # another seeder is at work there: what the server had when this one came says nothing
            if fresh:
                notes.discard()
            raise
        expected = Counter(footer.counts)
        expected.subtract(notes.start.held)
        verified = manifest.verify(notes.start.before, octopus.counts(), expected, octopus.shown_url)
        written = manifest.build(
            "api", octopus, history, footer, ids=ids, verified=verified, started=notes.start.started
        )
        written.save(folder / "manifest.json")
        notes.finish()
    return written


def _open_journal(history: History, octopus: Octopus, folder: Path, ids: survey.Ids) -> tuple[Journal, bool]:
    """Return the journal to go on with, or a new one that keeps what the server has before the first write.

    The second value is whether it is new.
    """
    installation = octopus.identify().installation
    unfinished = Journal.resume(folder, history.mark, installation)
    if unfinished is not None:
        return unfinished, False
    held = survey.count(octopus, ids)
    start = journal.Start(history.mark, installation, octopus.counts(), held, time.time(), journal.new_token())
    return Journal.begin(folder, start), True


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run the writer in a loop of its own; Ctrl-C ends it after what it holds on the server was given free."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(work)


async def _write(
    octopus: Octopus,
    drawn: plan.Plan,
    ids: survey.Ids,
    notes: Journal,
    progress: stream.Progress | None,
    *,
    labour: Labour,
    take_over: bool,
) -> None:
    """Write what is missing: settings first, then the lives of the projects, side by side."""
    resumed = frozenset(ids["project"])
    tenanted = any(isinstance(one, Tenant) for one in drawn.settings)
    documents = Documents(ids, _syntax_of(octopus), tenanted=tenanted, labour=labour)
    tally = _Tally(sum(life.quota.total for life in drawn.lives), progress)
    async with Flight(octopus.access) as flight:
        settings = Settings(flight, documents, ids)
        await settings.write_spaces(drawn.settings)
        async with lock.hold(flight, ids["space"]["s1"], notes.start.token, take_over=take_over):
            await settings.write(drawn.settings)
            async with Watch(flight, tally.add) as watch:
                lives = Lives(flight, watch, documents, ids, notes, tally.add, resumed)
                await fanout.each(lives.write, drawn.lives, _PROJECTS)


class _Tally:
    """Releases that are there and deployments that have run, told to whoever shows the progress."""

    def __init__(self, total: int, progress: stream.Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def add(self, count: int = 1) -> None:
        """Count some more."""
        self._done += count
        if self._progress:
            self._progress(self._done, self._total, "releases, deployments and runs")


def _syntax_of(octopus: Octopus) -> Syntax:
    """Return the language of the server's own machine."""
    try:
        system = octopus.get("/api/serverstatus/system-info")["OSVersion"]
    except (AccessDeniedError, NotOctopusError, RejectedError):  # not for everybody to see: most runs are on Linux
        return "Bash"
    return "PowerShell" if "Windows" in system else "Bash"
