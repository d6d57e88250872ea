"""Spaces and projects, with everything that comes into being along with them."""

import re
from typing import Any

from standin import events
from standin.documents import Document, DocumentType, find, get, insert, lock, update
from standin.errors import Rejected
from standin.kinds import CHANNEL, FEED, LIFECYCLE, PROCESS, PROJECT, PROJECT_GROUP, SPACE, VARIABLE_SET
from standin.work import Work

#: Names of what each new space holds (octopus-api §A.2).
DEFAULT_LIFECYCLE = "Default Lifecycle"
DEFAULT_PROJECT_GROUP = "Default Project Group"
BUILTIN_FEED = "Octopus Server (built-in)"
DEFAULT_MACHINE_POLICY = "Default Machine Policy"

#: Id of the space that an instance is born with.
FIRST_SPACE = "Spaces-1"

#: How long things are kept when nobody says otherwise: for ever (octopus-facts §1.10).
KEEP_FOR_EVER = {"Strategy": "Forever", "QuantityToKeep": 0, "Unit": "Items", "ShouldKeepForever": True}


async def create_space(work: Work, members: dict[str, Any]) -> Document:
    """Create a space with its default lifecycle and project group; `members` need a `Name`."""
    space = space_document(await work.keys.next(SPACE), members)
    await insert(work.conn, SPACE, space)
    lifecycle = default_lifecycle(await work.keys.next(LIFECYCLE), space["Id"])
    await insert(work.conn, LIFECYCLE, lifecycle)
    group = default_project_group(await work.keys.next(PROJECT_GROUP), space["Id"])
    await insert(work.conn, PROJECT_GROUP, group)
    await insert(work.conn, FEED, builtin_feed(space["Id"]))
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


def space_document(identifier: str, members: dict[str, Any]) -> Document:
    """Return a space (octopus-api §A.2)."""
    defaults = {
        "Description": "",
        "IsDefault": False,
        "IsPrivate": False,
        "TaskQueueStopped": False,
        "SpaceManagersTeams": [f"teams-spacemanagers-{identifier}"],
        "SpaceManagersTeamMembers": [],
    }
    return {**defaults, **members, "Id": identifier, "Slug": members.get("Slug") or slug(members["Name"])}


def default_lifecycle(identifier: str, space: str) -> Document:
    """Return the lifecycle of a new space: any environment in any order, nothing deleted."""
    return {
        "Id": identifier,
        "SpaceId": space,
        "Name": DEFAULT_LIFECYCLE,
        "Slug": slug(DEFAULT_LIFECYCLE),
        "Description": "",
        "Phases": [],
        "ReleaseRetentionPolicy": KEEP_FOR_EVER,
        "TentacleRetentionPolicy": KEEP_FOR_EVER,
    }


def default_project_group(identifier: str, space: str) -> Document:
    """Return the project group of a new space."""
    name = DEFAULT_PROJECT_GROUP
    rest: Document = {"Description": "", "EnvironmentIds": [], "RetentionPolicyId": None}
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), **rest}


def builtin_feed_id(space: str) -> str:
    """Return the id of a space's built-in feed; that of the first space bears no space's name (octopus-api §B.3)."""
    return "feeds-builtin" if space == FIRST_SPACE else f"feeds-builtin-{space}"


def builtin_feed(space: str) -> Document:
    """Return the feed of a new space that holds its packages."""
    rest: Document = {"DeleteUnreleasedPackagesAfterDays": None, "IsBuiltInRepoSyncEnabled": False}
    identifier, name = builtin_feed_id(space), BUILTIN_FEED
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), "FeedType": "BuiltIn", **rest}


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


def slug(name: str) -> str:
    """Return a name as it stands in addresses: `My Project!` → `my-project`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"


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
