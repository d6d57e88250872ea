"""What a server holds of a history: the ids behind its names."""

from collections.abc import Sequence

import msgspec

from octoload.api import Octopus, SpaceView
from octoload.errors import RejectedError, UsageError
from seeders.stream import (
    Channel,
    Environment,
    Lifecycle,
    Machine,
    Project,
    ProjectGroup,
    Resource,
    Runbook,
    Space,
    TagSet,
    Team,
    Tenant,
    User,
)

#: Kind → key → id on the server. The key of what lies in a space has the space's before it: `s1/p3`.
Ids = dict[str, dict[str, str]]

Named = Environment | Lifecycle | ProjectGroup | Machine | Project | Channel | Runbook | TagSet | Tenant

#: Record → the list that has it, below a space (octopus-api §A).
LISTS: dict[type[Named], str] = {
    Environment: "environments",
    Lifecycle: "lifecycles",
    ProjectGroup: "projectgroups",
    Machine: "machines",
    Project: "projects",
    Channel: "channels",
    Runbook: "runbooks",
    TagSet: "tagsets",
    Tenant: "tenants",
}
#: Resources whose names are unique in a project only.
IN_PROJECTS = (Channel, Runbook)
#: What is made and runs, and the list that has it.
_RUN = {"release": "releases", "deployment": "deployments", "runbook_run": "runbookRuns"}
#: Items asked for at a time.
_PAGE = 500


def kind_of(record: type[msgspec.Struct]) -> str:
    """Return the kind that a record's lines carry."""
    return str(record.__struct_config__.tag)


def find_ids(octopus: Octopus, settings: Sequence[Resource]) -> Ids:
    """Return the ids of all named resources that are there already; what is missing is left out.

    Raises:
        UsageError: a space of that name is there and was not made from this history.
        ServerError: the server fails.
    """
    ids: Ids = {"space": {}, **{kind_of(record): {} for record in LISTS}}
    there = {space["Name"].lower(): space for space in octopus.get("/api/spaces/all")}
    for record in settings:
        if isinstance(record, Space) and (space := there.get(record.name.lower())):
            if record.description not in (space.get("Description") or ""):
                raise UsageError(
                    f"{octopus.shown_url} has a space {record.name!r} already, not made from this history",
                    "Give the history another name: octoload writes into spaces of its own only.",
                )
            ids["space"][record.key] = space["Id"]
            _find_in_space(octopus, record.key, space["Id"], settings, ids)
    _find_people(octopus, settings, ids)
    return ids


def count(octopus: Octopus, ids: Ids) -> dict[str, int]:
    """Return how many resources of each kind the history's spaces hold."""
    held = {kind: len(found) for kind, found in ids.items()}
    for kind, path in _RUN.items():
        views = (octopus.space(space) for space in ids["space"].values())
        held[kind] = sum(_total(view, path) for view in views)
    return held


def _total(view: SpaceView, path: str) -> int:
    """Return how many items a list has; older versions have no runbooks."""
    try:
        return int(view.get(path, take=1)["TotalResults"])
    except RejectedError as exc:
        if exc.status == 404:
            return 0
        raise


def _find_in_space(octopus: Octopus, key: str, space_id: str, settings: Sequence[Resource], ids: Ids) -> None:
    for record_type, path in LISTS.items():
        wanted = {
            _identity(record, ids): record.key
            for record in settings
            if isinstance(record, record_type) and record.space == key
        }
        if not wanted:
            continue
        for item in octopus.space(space_id).pages(path, take=_PAGE):
            owner = item["ProjectId"] if record_type in IN_PROJECTS else ""
            if found := wanted.get((owner, item["Name"])):
                ids[kind_of(record_type)][f"{key}/{found}"] = item["Id"]


def _identity(record: Named, ids: Ids) -> tuple[str, str]:
    """Return what is unique in a space: a name, or a name within a project."""
    if isinstance(record, Channel | Runbook):
        return ids["project"].get(f"{record.space}/{record.project}", "none"), record.name
    return "", record.name


def _find_people(octopus: Octopus, settings: Sequence[Resource], ids: Ids) -> None:
    """Find users by their names, and teams by theirs and the mark."""
    users = {record.username: record.key for record in settings if isinstance(record, User)}
    teams = {(record.name, record.description): record.key for record in settings if isinstance(record, Team)}
    if users:
        ids["user"] = {}
        for item in octopus.pages("/api/users", filter="octoload-", take=_PAGE):
            if key := users.get(item["Username"]):
                ids["user"][key] = item["Id"]
    if teams:
        ids["team"] = {}
        for item in octopus.pages("/api/teams", take=_PAGE):
            if key := teams.get((item["Name"], item.get("Description") or "")):
                ids["team"][key] = item["Id"]
