"""Releases and deployments: what grows, with the tasks, snapshots and events that come along."""

import secrets
import string
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from standin import events
from standin.documents import Document, DocumentType, get, get_many, hold, insert, lock, update
from standin.errors import Rejected
from standin.kinds import (
    CHANNEL,
    DEPLOYMENT,
    ENVIRONMENT,
    PROCESS,
    PROJECT,
    RELEASE,
    TASK,
    TENANT,
    VARIABLE_SET,
)
from standin.promotion import Promotion, check_space, check_tenant, has_priority, open_phase
from standin.spaces import default_channel_of
from standin.statements import queries
from standin.tasks import cancel_superseded, is_partial
from standin.work import Actor, Work

#: Options of a deployment and what they are when a client does not say (octopus-api §A.16).
DEPLOYMENT_OPTIONS: dict[str, Any] = {
    "Comments": None,
    "FormValues": {},
    "QueueTime": None,
    "QueueTimeExpiry": None,
    "ForcePackageDownload": False,
    "ForcePackageRedeployment": False,
    "UseGuidedFailure": False,
    "SkipActions": [],
    "SpecificMachineIds": [],
    "ExcludedMachineIds": [],
    "Priority": "LifecycleDefault",
}


#: Chooses the packages of a new release, given its process and channel; returns members of the release.
Select = Callable[[Work, Document, Document], Awaitable[dict[str, Any]]]


async def create_release(
    work: Work, project: str, version: str, members: dict[str, Any] | None = None, select: Select | None = None
) -> Document:
    """Create a release: the process and the variables are frozen as they are now (octopus-api §A.15).

    `members` may hold `ChannelId`, `ReleaseNotes`, `SelectedPackages` and the like; `select` may add to them what
    depends on the process.

    Raises:
        Rejected: 404, there is no such project; 400, the version exists, the project is disabled, or the channel
            belongs to another project.
    """
    members = members or {}
    owner = await get(work.conn, PROJECT, project)
    if owner["IsDisabled"]:
        raise Rejected(400, "The project is disabled, so releases cannot be created.")
    channel = await _channel(work, project, members.get("ChannelId"))
    current = await get(work.conn, PROCESS, owner["DeploymentProcessId"])
    if select is not None:
        members = {**members, **await select(work, current, channel)}
    if owner.get("IncludedLibraryVariableSetIds"):
        members = {**members, "LibraryVariableSetSnapshotIds": await library_snapshots(work, owner)}
    process = await snapshot(work, PROCESS, owner["DeploymentProcessId"], current)
    variables = await snapshot(work, VARIABLE_SET, owner["VariableSetId"])
    identifier = await work.keys.next(RELEASE)
    release = release_document(
        identifier, owner, channel["Id"], version=version, assembled=work.now, snapshots=(process, variables), **members
    )
    if await work.conn.fetchval(queries("history")["version_exists"], project, version):
        raise Rejected(400, f"Release '{version}' already exists for this project. Please use a different version.")
    await insert(work.conn, RELEASE, release)
    await events.record(
        work,
        events.CREATED,
        f"Release {version} of {owner['Name']} was created",
        [release["Id"], project, channel["Id"]],
        space=release["SpaceId"],
        project=project,
        references=[(release["Id"], version), (project, owner["Name"])],
    )
    return release


async def create_deployment(
    work: Work,
    release_id: str,
    environment_id: str,
    tenant_id: str | None = None,
    members: dict[str, Any] | None = None,
) -> Document:
    """Queue a deployment: its task, its row of history and the DeploymentQueued event (octopus-api §A.16).

    `members` may hold the options of `DEPLOYMENT_OPTIONS`.

    Raises:
        Rejected: 404, the release, environment or tenant does not exist; 400, they belong to different spaces, or
            the lifecycle has not opened the environment for this release.
    """
    members = members or {}
    release = await hold(work.conn, RELEASE, release_id)  # retention may be about to delete it
    promotion = Promotion(
        release,
        await get(work.conn, PROJECT, release["ProjectId"]),
        await get(work.conn, ENVIRONMENT, environment_id),
        await get(work.conn, TENANT, tenant_id) if tenant_id else None,
    )
    check_space(promotion)
    check_tenant(promotion)
    phase = await open_phase(work, promotion)
    task_id, identifier = await work.keys.next(TASK), await work.keys.next(DEPLOYMENT)
    deployment = deployment_document(identifier, task_id, promotion, work.now, actor=work.actor, **members)
    task = deployment_task(deployment, promotion)
    task["Priority"] = int(has_priority(deployment["Priority"], phase=phase.priority))
    if promotion.project.get("CancelQueuedTasks") and not is_partial(deployment):
        await cancel_superseded(work, task)
    await insert(work.conn, TASK, task)
    await insert(work.conn, DEPLOYMENT, deployment)
    await work.conn.execute(queries("history")["remember"], deployment["Id"])
    await events.record_deployment(work, events.DEPLOYMENT_QUEUED, deployment["Id"])
    return deployment


async def create_task(
    work: Work,
    name: str,
    description: str,
    arguments: dict[str, Any] | None = None,
    space: str | None = None,
    **schedule: Any,
) -> Document:
    """Queue a task that is no deployment: Health, Retention and the like (octopus-api §A.14).

    `schedule` may hold `QueueTime` and `QueueTimeExpiry`.

    Raises:
        Rejected: 404, the space does not exist.
    """
    # Retention runs once at a time in the whole cluster, whatever space it was asked for (octopus-facts §1b).
    tag = name if name == "Retention" else None
    queued = schedule.pop("QueueTime", None) or work.now
    members = {**schedule, "SpaceId": space, "ConcurrencyTag": tag}
    task = task_document(await work.keys.next(TASK), name, description, queued, arguments or {}, **members)
    await insert(work.conn, TASK, task)
    await events.created(work, task, f"Task {description}")
    return task


async def library_snapshots(work: Work, project: Document) -> list[str]:
    """Freeze the variables of the library sets that a project includes."""
    included = project.get("IncludedLibraryVariableSetIds") or ()
    return [await snapshot(work, VARIABLE_SET, f"variableset-{one}") for one in included]


async def snapshot(work: Work, kind: DocumentType, identifier: str, current: Document | None = None) -> str:
    """Freeze a process or a variable set; the last snapshot serves again while nothing has changed since.

    `current` is the document, if it has been read in this transaction.
    """
    current = current or await get(work.conn, kind, identifier)
    if last := _last_snapshot(current):
        return last
    # Somebody may save it, or freeze it, at the same moment: only who changes it waits, not each new release.
    current = await lock(work.conn, kind, identifier)
    if last := _last_snapshot(current):
        return last
    frozen = snapshot_document(current, _snapshot_prefix(current) + snapshot_suffix())
    await insert(work.conn, kind, frozen)
    await update(work.conn, kind, {**current, "LastSnapshotId": frozen["Id"]})
    return str(frozen["Id"])


async def libraries_differ(conn: Any, project: Document, frozen: Document) -> bool:
    """Say whether library sets of a project were changed, added, dropped or put in order since they were frozen."""
    included = [f"variableset-{one}" for one in project.get("IncludedLibraryVariableSetIds") or ()]
    known, taken = await get_many(conn, VARIABLE_SET, included), frozen.get("LibraryVariableSetSnapshotIds") or ()
    return len(taken) != len(included) or not all(
        one in known and is_current(known[one], snapshot_id) for one, snapshot_id in zip(included, taken, strict=True)
    )


def is_current(current: Document, snapshot_id: str) -> bool:
    """Say whether a snapshot is of the present version of a process or a variable set, which stands in its id."""
    return snapshot_id.startswith(_snapshot_prefix(current))


def _snapshot_prefix(current: Document) -> str:
    return f"{current['Id']}-s-{current['Version']}-"


def _last_snapshot(current: Document) -> str | None:
    """Return the snapshot of a document's present version, or None when there is none yet."""
    last: str | None = current.get("LastSnapshotId")
    return last if last and is_current(current, last) else None


def snapshot_suffix() -> str:
    """Return the random end of a snapshot's id."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(5))


def snapshot_document(current: Document, identifier: str) -> Document:
    """Return the frozen copy of a process or a variable set."""
    return {**current, "Id": identifier, "IsFrozen": True, "LastSnapshotId": None}


def release_document(
    identifier: str,
    project: Document,
    channel: str,
    *,
    version: str,
    assembled: datetime,
    snapshots: tuple[str, str],
    **members: Any,
) -> Document:
    """Return a release; `snapshots` are those of the process and of the variables."""
    return {
        "ReleaseNotes": None,
        "IgnoreChannelRules": False,
        "SelectedPackages": [],
        "SelectedGitResources": [],
        "BuildInformation": [],
        "LibraryVariableSetSnapshotIds": [],
        "VersionControlReference": None,
        "CustomFields": {},
        **members,
        "Id": identifier,
        "SpaceId": project["SpaceId"],
        "ProjectId": project["Id"],
        "ChannelId": channel,
        "Version": version,
        "Assembled": assembled,
        "ProjectDeploymentProcessSnapshotId": snapshots[0],
        "ProjectVariableSetSnapshotId": snapshots[1],
    }


def deployment_document(
    identifier: str, task_id: str, promotion: Promotion, created: datetime, *, actor: Actor, **members: Any
) -> Document:
    """Return a deployment; `members` are options of it."""
    release, tenant = promotion.release, promotion.tenant
    return {
        **DEPLOYMENT_OPTIONS,
        "DeployedToMachineIds": [],
        **members,
        "Id": identifier,
        "SpaceId": release["SpaceId"],
        "Name": f"Deploy to {promotion.environment['Name']}",
        "Created": created,
        "EnvironmentId": promotion.environment["Id"],
        "ProjectId": release["ProjectId"],
        "ReleaseId": release["Id"],
        "ProjectGroupId": promotion.project["ProjectGroupId"],
        "TaskId": task_id,
        "ChannelId": release["ChannelId"],
        "TenantId": tenant["Id"] if tenant else None,
        "DeployedBy": actor.username,
        "DeployedById": actor.user_id,
        "DeploymentProcessId": release["ProjectDeploymentProcessSnapshotId"],
        "ManifestVariableSetId": release["ProjectVariableSetSnapshotId"],
        "FailureEncountered": False,
        "Changes": [],
        "ChangesMarkdown": "",
    }


def deployment_task(deployment: Document, promotion: Promotion) -> Document:
    """Return the queued task of a deployment; its concurrency tag lets one run at a time (octopus-facts §2.2)."""
    project, environment, tenant = promotion.project, promotion.environment, promotion.tenant
    suffix = f" for {tenant['Name']}" if tenant else ""
    return task_document(
        deployment["TaskId"],
        "Deploy",
        f"Deploy {project['Name']} release {promotion.release['Version']} to {environment['Name']}{suffix}",
        deployment["QueueTime"] or deployment["Created"],
        {"DeploymentId": deployment["Id"]},
        SpaceId=deployment["SpaceId"],
        QueueTimeExpiry=deployment["QueueTimeExpiry"],
        ConcurrencyTag=concurrency_tag(project["Id"], environment["Id"], deployment["TenantId"]),
        ProjectId=project["Id"],
        EnvironmentId=environment["Id"],
        TenantId=deployment["TenantId"],
    )


def task_document(
    identifier: str, name: str, description: str, queued: datetime, arguments: dict[str, Any], **members: Any
) -> Document:
    """Return a queued task (octopus-api §A.14)."""
    return {
        "Id": identifier,
        "Name": name,
        "Description": description,
        "QueueTime": queued,
        "State": "Queued",
        "Arguments": arguments,
        **members,
    }


def concurrency_tag(project: str, environment: str, tenant: str | None) -> str:
    """Return the tag that two deployments share when they must not run at once."""
    return f"{tenant}/{project}/{environment}" if tenant else f"{project}/{environment}"


async def _channel(work: Work, project: str, wanted: str | None) -> Document:
    if not wanted:
        return await default_channel_of(work.conn, project)
    channel = await get(work.conn, CHANNEL, wanted)
    if channel["ProjectId"] != project:
        raise Rejected(400, f"The channel {wanted} does not belong to the project {project}.")
    return channel
