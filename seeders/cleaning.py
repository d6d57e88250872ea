"""Cleaning: what octoload made on a server is removed in an order that Octopus accepts, and what is left is told."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from octoload import claims
from octoload.api import Octopus, Progress
from octoload.errors import RejectedError, ServerError, UsageError
from seeders import changes, journal, lock
from seeders.journal import Journal

#: Items asked for at a time.
_PAGE = 500
#: Seconds between two looks; seconds that cancelled tasks and a deletion may take.
_LOOK, _PATIENCE = 0.2, 1800.0


@dataclass(frozen=True, slots=True)
class Left:
    """What a cleaning left on a server."""

    #: What was removed, in words.
    removed: tuple[str, ...]
    #: What carries octoload's mark still, in words.
    marked: tuple[str, ...]
    #: Kind → by how many the server's counts differ from those before the seeding; None when these are not known.
    differences: Mapping[str, int] | None
    #: Events about what was removed: nobody can delete these.
    events: int


def clean(
    octopus: Octopus, folder: Path, mark: str = "", progress: Progress | None = None, *, take_over: bool = False
) -> Left:
    """Remove everything that carries octoload's mark.

    Args:
        octopus: the server.
        folder: where the journal of a seeding is, if there is one.
        mark: that of a history; all marks when it is empty.
        progress: told (done, total, label) after each space.
        take_over: whether to clean a space at which a seeder seems to be at work.

    Raises:
        UsageError: a seeder is at work in the folder or in a space.
        ServerError: the server fails or refuses.
    """
    with claims.hold(folder / "seeding.lock"):
        octopus.identify()
        notes = Journal.read(folder / journal.NAME)
        spaces = _marked(octopus, mark)
        for space in spaces:
            _check_lock(octopus, space, "" if notes is None else notes.start.token, take_over=take_over)
        events = sum(_events(octopus, space["Id"]) for space in spaces)
        for done, space in enumerate(spaces, 1):
            _remove(octopus, space)
            if progress:
                progress(done, len(spaces), "spaces removed")
        people = _people(octopus, mark)
        for path in people:
            octopus.delete(path)
        if notes is not None:
            changes.restore(octopus, notes)
        left = Left(
            removed=(*map(_words, spaces), *people.values()),
            marked=(*map(_words, _marked(octopus, mark)), *_people(octopus, mark).values()),
            differences=None if notes is None else _differences(octopus, notes),
            events=events + len(spaces) + 2 * len(people),
        )
        if notes is not None and not left.marked:
            notes.discard()
    return left


def _marked(octopus: Octopus, mark: str) -> list[dict[str, Any]]:
    """Return the spaces with a mark."""
    pattern = _pattern(mark)
    return [space for space in octopus.get("/api/spaces/all") if pattern.search(space.get("Description") or "")]


def _people(octopus: Octopus, mark: str) -> dict[str, str]:
    """Return the paths of teams and users with a mark, in the order of their removal, and what they are called."""
    pattern, named = _pattern(mark), _pattern(mark.replace(":", "-"), between="-")
    teams = [team for team in octopus.pages("/api/teams", take=_PAGE) if pattern.search(team.get("Description") or "")]
    users = list(octopus.pages("/api/users", filter="octoload-", take=_PAGE))
    return {f"/api/teams/{team['Id']}": f"team {team['Name']} ({team['Id']})" for team in teams} | {
        f"/api/users/{user['Id']}": f"user {user['Username']} ({user['Id']})"
        for user in users
        if named.match(user["Username"])
    }


def _pattern(mark: str, between: str = ":") -> re.Pattern[str]:
    """Return what finds a mark, or any mark when it is empty."""
    return re.compile(f"{re.escape(mark) or f'octoload{between}[0-9a-f]{{16}}'}\\b")


def _words(space: Mapping[str, Any]) -> str:
    return f"space {space['Name']} ({space['Id']})"


def _check_lock(octopus: Octopus, space: Mapping[str, Any], token: str, *, take_over: bool) -> None:
    groups = octopus.space(space["Id"]).pages("projectgroups", partialName=lock.NAME)
    held = next((group["Description"] for group in groups if group["Name"] == lock.NAME), None)
    if held is not None and not take_over and (not token or token not in held):
        raise UsageError(
            f"{octopus.shown_url}, space {space['Name']}: {held.partition(' (')[0]} is at work here",
            "Wait for it; when it is dead, clean in its folder, or take over with --take-over.",
        )


def _remove(octopus: Octopus, space: Mapping[str, Any]) -> None:
    """Stop a space's queue, end its tasks, and delete it: Octopus takes no other order (octopus-api §A.2)."""
    path, view = f"/api/spaces/{space['Id']}", octopus.space(space["Id"])
    octopus.put(path, {**octopus.get(path), "TaskQueueStopped": True})
    deadline = time.monotonic() + _PATIENCE
    while active := list(view.pages("tasks", active="true", take=200)):
        for task in active:
            _cancel(octopus, task)
        _wait(octopus, deadline, f"{len(active)} tasks of space {space['Name']} do not end")
    octopus.delete(path)
    while any(one["Id"] == space["Id"] for one in octopus.get("/api/spaces/all")):
        _wait(octopus, deadline, f"space {space['Name']} is not gone")


def _cancel(octopus: Octopus, task: Mapping[str, Any]) -> None:
    """Cancel a task that has not ended of itself meanwhile."""
    if task["State"] != "Cancelling":
        try:
            octopus.post(f"/api/tasks/{task['Id']}/cancel", {})
        except RejectedError:
            if not octopus.get(f"/api/tasks/{task['Id']}")["IsCompleted"]:
                raise


def _wait(octopus: Octopus, deadline: float, message: str) -> None:
    if time.monotonic() > deadline:
        raise ServerError(f"{octopus.shown_url}: {message}", "See under Tasks what they wait for; then clean again.")
    time.sleep(_LOOK)


def _events(octopus: Octopus, space: str) -> int:
    return int(octopus.space(space).get("events", take=1)["TotalResults"])


def _differences(octopus: Octopus, notes: Journal) -> dict[str, int]:
    """Return by how much the counts differ from those before the seeding, of which what was there then is gone too."""
    start, now = notes.start, octopus.counts()
    over = {kind: count - start.before.get(kind, 0) + start.held.get(kind, 0) for kind, count in now.items()}
    return {kind: count for kind, count in over.items() if count}
