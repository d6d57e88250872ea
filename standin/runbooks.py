"""Runbooks: operations of a project, frozen in snapshots of their own and run in the queue (octopus-api §A.17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standin import events
from standin.documents import Document, find, get, hold, insert
from standin.errors import Rejected
from standin.history import DEPLOYMENT_OPTIONS, concurrency_tag, library_snapshots, snapshot, task_document
from standin.kinds import (
    ENVIRONMENT,
    LIFECYCLE,
    PROJECT,
    RUNBOOK,
    RUNBOOK_PROCESS,
    RUNBOOK_RUN,
    RUNBOOK_SNAPSHOT,
    TASK,
    TENANT,
    VARIABLE_SET,
)
from standin.lifecycles import phases_of
from standin.statements import queries
from standin.tasks import cancel_superseded, is_partial
from standin.work import Work

NOT_PUBLISHED = "Runbook has no published snapshot."


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a snapshot of a runbook consists of."""

    #: ids of the snapshots of its process and of its project's variables
    process: str
    variables: str
    #: when it was made
    at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where a runbook is run: two documents."""

    #: the environment
    environment: Document
    #: the tenant it is run for, or None
    tenant: Document | None = None


def process_id(runbook: Document) -> str:
    """Return the id of a runbook's process."""
    return f"RunbookProcess-{runbook['Id']}"


def process_document(runbook: Document, steps: Sequence[dict[str, Any]] = ()) -> Document:
    """Return a runbook's process: version 0 without steps, version 1 with them."""
    return {
        "Id": process_id(runbook),
        "SpaceId": runbook["SpaceId"],
        "OwnerId": runbook["Id"],
        "RunbookId": runbook["Id"],
        "ProjectId": runbook["ProjectId"],
        "Version": 1 if steps else 0,
        "IsFrozen": False,
        "RelatedDocumentIds": [runbook["Id"], runbook["ProjectId"]],
        "LastSnapshotId": None,
        "Steps": list(steps),
    }


def frozen_document(identifier: str, runbook: Document, frozen: Frozen, members: dict[str, Any]) -> Document:
    """Return a runbook's snapshot; `members` need a `Name`."""
    return {
        "Notes": None,
        "SelectedPackages": [],
        "SelectedGitResources": [],
        "GitReference": None,
        "LibraryVariableSetSnapshotIds": [],
        **members,
        "Id": identifier,
        "SpaceId": runbook["SpaceId"],
        "ProjectId": runbook["ProjectId"],
        "RunbookId": runbook["Id"],
        "Assembled": frozen.at,
        "FrozenRunbookProcessId": frozen.process,
        "ProjectVariableSetSnapshotId": frozen.variables,
    }


async def create_process(work: Work, runbook: Document) -> None:
    """Give a new runbook its process, version 0 without steps."""
    await insert(work.conn, RUNBOOK_PROCESS, process_document(runbook))


async def create_snapshot(work: Work, runbook: Document, members: dict[str, Any]) -> Document:
    """Freeze a runbook's process and its project's variables as they are now; `members` need a `Name`.

    Raises:
        Rejected: 400, the runbook has a snapshot of this name.
    """
    project = await get(work.conn, PROJECT, runbook["ProjectId"])
    process = await snapshot(work, RUNBOOK_PROCESS, process_id(runbook))
    variables = await snapshot(work, VARIABLE_SET, project["VariableSetId"])
    identifier, frozen = await work.keys.next(RUNBOOK_SNAPSHOT), Frozen(process, variables, work.now)
    members = {"LibraryVariableSetSnapshotIds": await library_snapshots(work, project), **members}
    document = frozen_document(identifier, runbook, frozen, members)
    await insert(work.conn, RUNBOOK_SNAPSHOT, document)
    await events.record(
        work,
        events.CREATED,
        f"Snapshot {document['Name']} of the runbook {runbook['Name']} was created",
        [document["Id"], runbook["Id"], project["Id"]],
        space=runbook["SpaceId"],
        project=project["Id"],
        references=[(document["Id"], document["Name"]), (runbook["Id"], runbook["Name"])],
    )
    return await get(work.conn, RUNBOOK_SNAPSHOT, document["Id"])


async def create_run(work: Work, frozen_id: str, target: Target, members: dict[str, Any]) -> Document:
    """Queue a run of a runbook's snapshot: its task and the RunbookRunQueued event.

    Raises:
        Rejected: 404, there is no such snapshot; 400, the runbook may not be run there.
    """
    frozen = await hold(work.conn, RUNBOOK_SNAPSHOT, frozen_id)  # somebody may be about to delete it
    runbook = await get(work.conn, RUNBOOK, frozen["RunbookId"])
    project = await get(work.conn, PROJECT, runbook["ProjectId"])
    await _check(work, runbook, project, target)
    task_id, tenant = await work.keys.next(TASK), target.tenant
    run = {
        **DEPLOYMENT_OPTIONS,
        **members,
        "Id": await work.keys.next(RUNBOOK_RUN),
        "SpaceId": runbook["SpaceId"],
        "Name": f"Run {runbook['Name']} in {target.environment['Name']}",
        "Created": work.now,
        "EnvironmentId": target.environment["Id"],
        "ProjectId": project["Id"],
        "RunbookId": runbook["Id"],
        "RunbookSnapshotId": frozen["Id"],
        "FrozenRunbookProcessId": frozen["FrozenRunbookProcessId"],
        "ManifestVariableSetId": frozen["ProjectVariableSetSnapshotId"],
        "TaskId": task_id,
        "TenantId": tenant["Id"] if tenant else None,
        "DeployedBy": work.actor.username,
        "DeployedById": work.actor.user_id,
        "DeployedToMachineIds": [],
        "FailureEncountered": False,
    }
    task = _task(run, runbook, frozen, target)
    if runbook.get("CancelQueuedTasks") and not is_partial(run):
        await cancel_superseded(work, task)
    await insert(work.conn, TASK, task)
    await insert(work.conn, RUNBOOK_RUN, run)
    await events.record_run(work, events.RUNBOOK_RUN_QUEUED, run["Id"])
    return await get(work.conn, RUNBOOK_RUN, run["Id"])


async def environments_of(conn: Any, runbook: Document, project: Document) -> list[Document]:
    """Return the environments that a runbook may be run in, in their order."""
    rows = await conn.fetch(queries("history")["environments"], runbook["SpaceId"])
    order = [row["id"] for row in rows]
    scope = runbook.get("EnvironmentScope") or "All"
    allowed = set(order)
    if scope == "Specified":
        allowed = set(runbook.get("Environments") or ())
    elif scope == "FromProjectLifecycles":
        lifecycle = await get(conn, LIFECYCLE, project["LifecycleId"])
        allowed = {one for phase in phases_of(lifecycle, order) for one in phase.environments}
    known = {one["Id"]: one for one in await find(conn, ENVIRONMENT, SpaceId=runbook["SpaceId"])}
    return [known[one] for one in order if one in allowed]


async def remove_runbook(work: Work, runbook: Document) -> list[str]:
    """Delete a runbook with its process, snapshots, runs and their tasks; return the ids of the tasks.

    Raises:
        Rejected: 400, a run of it has not ended.
    """
    named = queries("runbooks")
    if await work.conn.fetchval(named["active"], runbook["Id"]):
        raise Rejected(400, "A runbook cannot be deleted while a run of it is queued or running.")
    tasks = [row["taskid"] for row in await work.conn.fetch(named["delete_runs"], runbook["Id"])]
    await work.conn.execute(named["delete_tasks"], tasks)
    await work.conn.execute(named["delete_snapshots"], runbook["Id"])
    await work.conn.execute(named["delete_processes"], runbook["Id"])
    await work.conn.execute(named["delete_runbook"], runbook["Id"])
    await events.deleted(work, runbook, f"Runbook {runbook['Name']}")
    return tasks


def _task(run: Document, runbook: Document, frozen: Document, target: Target) -> Document:
    """Return the queued task of a run; a runbook runs once at a time in an environment, for a tenant."""
    suffix = f" for {target.tenant['Name']}" if target.tenant else ""
    return task_document(
        run["TaskId"],
        "RunbookRun",
        f"Run {runbook['Name']} {frozen['Name']} in {target.environment['Name']}{suffix}",
        run["QueueTime"] or run["Created"],
        {"RunbookRunId": run["Id"], "RunbookId": runbook["Id"]},
        SpaceId=run["SpaceId"],
        QueueTimeExpiry=run["QueueTimeExpiry"],
        ConcurrencyTag=concurrency_tag(runbook["Id"], run["EnvironmentId"], run["TenantId"]),
        Priority=int(run["Priority"] == "On"),
        ProjectId=run["ProjectId"],
        EnvironmentId=run["EnvironmentId"],
        TenantId=run["TenantId"],
    )


async def _check(work: Work, runbook: Document, project: Document, target: Target) -> None:
    if project["IsDisabled"]:
        raise Rejected(400, "The project is disabled, so its runbooks cannot be run.")
    allowed = {one["Id"] for one in await environments_of(work.conn, runbook, project)}
    if target.environment["Id"] not in allowed:
        raise Rejected(400, f"The runbook {runbook['Name']} cannot be run in {target.environment['Name']}.")
    mode = runbook.get("MultiTenancyMode") or "Untenanted"
    if target.tenant is None and mode == "Tenanted":
        raise Rejected(400, f"The runbook {runbook['Name']} can be run for tenants only.")
    if target.tenant is not None and mode == "Untenanted":
        raise Rejected(400, f"The runbook {runbook['Name']} cannot be run for tenants.")


async def target_of(work: Work, environment_id: str, tenant_id: str | None) -> Target:
    """Return the documents of an environment and a tenant."""
    tenant = await get(work.conn, TENANT, tenant_id) if tenant_id else None
    return Target(await get(work.conn, ENVIRONMENT, environment_id), tenant)
