"""Spaces and projects, with everything that comes into being along with them."""

from typing import Any

from standin import events, licensing
from standin.documents import Document, DocumentType, find, get, insert, lock, update
from standin.errors import Rejected
from standin.kinds import (
    CHANNEL,
    FEED,
    LIFECYCLE,
    PROCESS,
    PROJECT,
    PROJECT_GROUP,
    SPACE,
    VARIABLE_SET,
)
from standin.newspace import SPACE_PARTS, builtin_feed, managers_of, space_document
from standin.slugs import new_slug, slug
from standin.work import Work


async def create_space(work: Work, members: dict[str, Any]) -> Document:
    """Create a space with what every new space holds; `members` need a `Name`."""
    await licensing.check(work, SPACE.table)
    members = {**members, "Slug": await new_slug(work.conn, SPACE, members)}
    space = space_document(await work.keys.next(SPACE), members)
    await insert(work.conn, SPACE, space)
    for kind, make in SPACE_PARTS:
        await insert(work.conn, kind, make(await work.keys.next(kind), space["Id"]))
    await insert(work.conn, FEED, builtin_feed(space["Id"]))
    for kind, document in managers_of(space):
        await insert(work.conn, kind, document)
    await events.record(
        work,
        events.CREATED,
        f"Space {space['Name']} was created",
        [space["Id"]],
        space=space["Id"],
        references=[(space["Id"], space["Name"])],
    )
    return space


async def create_project(work: Work, members: dict[str, Any]) -> Document:
    """Create a project with its default channel, process version 0 and variable set version 0 (octopus-api §A.7).

    `members` are those of the API, with `SpaceId`.

    Raises:
        Rejected: the group or lifecycle is none of the space's, or the name is taken.
    """
    for kind, member in ((PROJECT_GROUP, "ProjectGroupId"), (LIFECYCLE, "LifecycleId")):
        owner = await get(work.conn, kind, members[member])
        if owner["SpaceId"] != members["SpaceId"]:
            raise Rejected(400, f"{members[member]} does not belong to {members['SpaceId']}.")
    await licensing.check(work, PROJECT.table)
    members = {**members, "Slug": await new_slug(work.conn, PROJECT, members)}
    project = project_document(await work.keys.next(PROJECT), members)
    await insert(work.conn, PROJECT, project)
    await insert(work.conn, CHANNEL, default_channel(await work.keys.next(CHANNEL), project))
    await insert(work.conn, PROCESS, process_document(project))
    await insert(work.conn, VARIABLE_SET, variables_document(project))
    await events.created(work, project, f"Project {project['Name']}")
    return project


async def save_process(
    work: Work, identifier: str, version: int, members: dict[str, Any], kind: DocumentType = PROCESS
) -> Document:
    """Replace a process, of a project or of a runbook; it gets the next version and no snapshot yet.

    Raises:
        Rejected: 400, it is a frozen snapshot or `version` is no longer the current one.
    """
    process = await lock(work.conn, kind, identifier)
    words = "deployment process" if kind is PROCESS else "runbook process"
    _check_version(process, version, words)
    process = {**process, **members, "Id": identifier, "Version": version + 1}
    await update(work.conn, kind, process)
    await events.modified(work, process, words.capitalize())
    return process


async def save_variables(work: Work, identifier: str, version: int, members: dict[str, Any]) -> Document:
    """Replace a variable set; it gets the next version.

    Raises:
        Rejected: 400, it is a frozen snapshot or `version` is no longer the current one.
    """
    variables = await lock(work.conn, VARIABLE_SET, identifier)
    _check_version(variables, version, "variable set")
    variables = {**variables, **members, "Id": identifier, "Version": version + 1}
    await update(work.conn, VARIABLE_SET, variables)
    await events.modified(work, variables, "Variable set")
    return variables


async def default_channel_of(conn: Any, project: str) -> Document:
    """Return the default channel of a project, or its only one.

    Raises:
        Rejected: 400, it has several and none is the default.
    """
    channels = await find(conn, CHANNEL, ProjectId=project)
    chosen = [channel for channel in channels if channel["IsDefault"]] or channels
    if len(chosen) != 1 and not any(channel["IsDefault"] for channel in chosen):
        raise Rejected(400, "The project has several channels and no default one; a channel must be specified.")
    return chosen[0]


def project_document(identifier: str, members: dict[str, Any]) -> Document:
    """Return a project with the ids of its process and variable set."""
    return {
        **members,
        "Id": identifier,
        "Slug": members.get("Slug") or slug(members["Name"]),
        "VariableSetId": f"variableset-{identifier}",
        "DeploymentProcessId": f"deploymentprocess-{identifier}",
        "IsVersionControlled": False,
        "PersistenceSettings": {"Type": "Database"},
    }


def default_channel(identifier: str, project: Document) -> Document:
    """Return the channel that a project is born with."""
    return {
        "Id": identifier,
        "SpaceId": project["SpaceId"],
        "Name": "Default",
        "Slug": "default",
        "ProjectId": project["Id"],
        "LifecycleId": None,
        "IsDefault": True,
        "Description": "",
        "Rules": [],
        "TenantTags": [],
        "GitReferenceRules": [],
        "GitResourceRules": [],
    }


def process_document(project: Document, steps: list[dict[str, Any]] | None = None) -> Document:
    """Return a project's process: version 0 without steps, version 1 with them."""
    return {**_owned(project, "DeploymentProcessId", steps), "Steps": steps or []}


def variables_document(project: Document, variables: list[dict[str, Any]] | None = None) -> Document:
    """Return a project's variable set: version 0 without variables, version 1 with them."""
    return {**_owned(project, "VariableSetId", variables), "Variables": variables or []}


def library_variables(library: Document) -> Document:
    """Return the variable set of a new library variable set."""
    return {
        "Id": f"variableset-{library['Id']}",
        "SpaceId": library["SpaceId"],
        "OwnerId": library["Id"],
        "Version": 0,
        "IsFrozen": False,
        "RelatedDocumentIds": [library["Id"]],
        "LastSnapshotId": None,
        "Variables": [],
    }


def _owned(project: Document, member: str, content: list[dict[str, Any]] | None) -> Document:
    return {
        "Id": project[member],
        "SpaceId": project["SpaceId"],
        "OwnerId": project["Id"],
        "ProjectId": project["Id"],
        "Version": 1 if content else 0,
        "IsFrozen": False,
        "RelatedDocumentIds": [project["Id"]],
        "LastSnapshotId": None,
    }


def _check_version(document: Document, version: int, words: str) -> None:
    if document["IsFrozen"]:
        raise Rejected(400, f"The {words} {document['Id']} is a frozen snapshot and cannot be modified.")
    if document["Version"] != version:
        raise Rejected(
            400,
            f"The {words} has been changed by somebody else since version {version}; "
            f"the current version is {document['Version']}. Load it again and repeat your changes.",
        )
