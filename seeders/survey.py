"""What a server holds of a history: the ids behind its names."""

from collections.abc import Sequence

import msgspec

from octoload.api import Octopus
from octoload.errors import UsageError
from seeders.stream import Environment, Lifecycle, Machine, Project, ProjectGroup, Resource, Space, Tenant

#: Kind → key → id on the server. The key of what lies in a space has the space's before it: `s1/p3`.
Ids = dict[str, dict[str, str]]

Named = Environment | Lifecycle | ProjectGroup | Machine | Project | Tenant

#: Record → the list that has it, below a space (octopus-api §A).
LISTS: dict[type[Named], str] = {
    Environment: "environments",
    Lifecycle: "lifecycles",
    ProjectGroup: "projectgroups",
    Machine: "machines",
    Project: "projects",
    Tenant: "tenants",
}
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
    return ids


def count(octopus: Octopus, ids: Ids) -> dict[str, int]:
    """Return how many resources of each kind the history's spaces hold."""
    held = {"space": len(ids["space"]), **{kind: len(found) for kind, found in ids.items()}}
    for kind, path in (("release", "releases"), ("deployment", "deployments")):
        views = (octopus.space(space) for space in ids["space"].values())
        held[kind] = sum(view.get(path, take=1)["TotalResults"] for view in views)
    return held


def _find_in_space(octopus: Octopus, key: str, space_id: str, settings: Sequence[Resource], ids: Ids) -> None:
    for record_type, path in LISTS.items():
        wanted = {record.name: record for record in settings if isinstance(record, record_type) and record.space == key}
        if wanted:
            for item in octopus.space(space_id).pages(path, take=_PAGE):
                if found := wanted.get(item["Name"]):
                    ids[kind_of(record_type)][f"{key}/{found.key}"] = item["Id"]
