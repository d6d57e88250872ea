"""Looks around on a server before a trial: which space, which projects, which environments."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from octoload.api import Octopus, SpaceView
from octoload.edge import clocks
from octoload.edge.clocks import Bounds
from octoload.edge.scenario import Named, Place, Runbook
from octoload.errors import UsageError

#: The word in a space's description by which octoload knows its own.
MARK = "octoload"

#: Tasks that are looked up at most, the newest: the batch in which build agents ask for theirs (octopus-api §C).
TASKS = 300

_NUMBER = re.compile(r"(\d+)$")


def find(url: str, api_key: str, space: str | None, needs: Iterable[str], dates: Bounds) -> Place:
    """Return what scenarios need to know; nothing of it is measured, but `dates` learns how the server's clock goes.

    Raises:
        ServerError: nothing answers, it is no Octopus, or it refuses the key.
        UsageError: the space is not there, or has none of what a scenario needs.
    """
    needed = set(needs)
    with Octopus(url, api_key) as octopus:
        octopus.listen(lambda sent, received, headers: _note(dates, sent, received, headers))
        octopus.identify()
        octopus.get("/api/users/me")  # anybody may read the root document: here the key is tried
        space_id = _space(octopus, space)
        view = octopus.space(space_id)
        found: dict[str, list[Any]] = {name: _FINDERS[name](view) for name in sorted(needed)}
    for name, resources in found.items():
        if not resources:
            raise UsageError(f"space {space_id} of {octopus.shown_url} has no {name}", "Fill it: octoload seed.")
    return Place(
        space_id,
        found.get("projects", []),
        found.get("environments", []),
        found.get("tasks", []),
        int(time.time()),
        found.get("releases", []),
        found.get("runbooks", []),
    )


def _projects(view: SpaceView) -> list[Named]:
    return sorted(_all(view.get("projects/all")), key=lambda project: _number(project.id))


def _newest_releases(view: SpaceView) -> list[str]:
    """Return the newest release of each project: one request each, for only a project lists its own by age."""
    found = [view.get(f"projects/{project.id}/releases", skip=0, take=1)["Items"] for project in _projects(view)]
    return [str(release["Id"]) for releases in found for release in releases]


def _runbooks(view: SpaceView) -> list[Runbook]:
    found = view.get("runbooks/all")
    return [Runbook(one["Id"], snapshot) for one in found if (snapshot := one.get("PublishedRunbookSnapshotId"))]


#: What scenarios may need, and how it is found.
_FINDERS: dict[str, Callable[[SpaceView], list[Any]]] = {
    "projects": _projects,
    "environments": lambda view: _all(view.get("environments/all")),
    "tasks": lambda view: [str(task["Id"]) for task in view.get("tasks", skip=0, take=TASKS)["Items"]],
    "releases": _newest_releases,
    "runbooks": _runbooks,
}


def _note(dates: Bounds, sent: float, received: float, headers: Mapping[str, str]) -> None:
    found = clocks.by_date(sent, received, headers.get("Date", ""))
    if found:
        dates.add(headers.get("Octopus-Node", ""), found)


def _space(octopus: Octopus, wanted: str | None) -> str:
    spaces = octopus.get("/api/spaces/all")
    for space in spaces:
        if wanted and wanted.lower() in (str(space["Id"]).lower(), str(space["Name"]).lower()):
            return str(space["Id"])
    if wanted:
        names = ", ".join(str(space["Name"]) for space in spaces[:10])
        raise UsageError(f"{octopus.shown_url} has no space {wanted!r}", f"It has {names}.")
    ours = [space for space in spaces if MARK in str(space.get("Description") or "").lower()]
    default = [space for space in spaces if space.get("IsDefault")]
    for space in (*ours, *default, *spaces):
        return str(space["Id"])
    raise UsageError(f"{octopus.shown_url} shows no space to this key", "Give its user a role in a space.")


def _all(resources: list[dict[str, Any]]) -> list[Named]:
    return [Named(str(resource["Id"]), str(resource["Name"])) for resource in resources]


def _number(identifier: str) -> int:
    match = _NUMBER.search(identifier)
    return int(match[1]) if match else 0
