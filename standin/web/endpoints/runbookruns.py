"""Runs of runbooks: queued by three routes, listed, read, deleted (octopus-api §A.17)."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, delete, find, get
from standin.errors import Rejected, not_found
from standin.runbooks import NOT_PUBLISHED, create_run, target_of
from standin.tasks import ACTIVE
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.runbooks import runbook_of
from standin.web.endpoints.runbooksnapshots import checked_snapshot, snapshot_of
from standin.web.endpoints.scheduling import action_ids, machine_ids, schedule
from standin.web.refusals import bad_request
from standin.web.removal import forget_logs
from standin.web.resources import (
    ENVIRONMENT,
    PROJECT,
    RUNBOOK,
    RUNBOOK_RUN,
    RUNBOOK_SNAPSHOT,
    TENANT,
    fetch_one,
    fetch_page,
)
from standin.web.runbooks import CreateRun, CreateRunsV1, RunParameters
from standin.web.tasks import show as show_task
from standin.work import Work

#: members of what a client sends that choose what is run, where
_CHOICE = (
    *("RunbookId", "RunbookSnapshotId", "RunbookSnapshotNameOrId", "UseDefaultSnapshot", "EnvironmentId"),
    *("EnvironmentIds", "TenantId", "TenantIds", "TenantTagNames", "DebugMode"),
)


async def list_runs(call: Call) -> Any:
    """List a space's runs, newest first."""
    return await fetch_page(call, RUNBOOK_RUN, _filters(call))


async def runs_of_snapshot(call: Call) -> Any:
    """List the runs of a snapshot, newest first."""
    snapshot = await snapshot_of(call, call.state.pool)
    return await fetch_page(call, RUNBOOK_RUN, {**_filters(call), "snapshot": snapshot["Id"]})


async def read_run(call: Call) -> Any:
    """Return one run."""
    return RUNBOOK_RUN.show(await _run_of(call, call.state.pool, call.id))


async def read_run_details(call: Call) -> Any:
    """Return a run of a project with its runbook, snapshot and task."""
    async with call.state.pool.acquire() as conn:
        project = await project_of(call, conn)
        run = await _run_of(call, conn, call.params["runId"])
        if run["ProjectId"] != project["Id"]:
            raise not_found(run["Id"])
        snapshot = await get(conn, kinds.RUNBOOK_SNAPSHOT, run["RunbookSnapshotId"])
        task = await get(conn, kinds.TASK, run["TaskId"])
        runbook = await get(conn, kinds.RUNBOOK, run["RunbookId"])
    return {
        "RunbookRun": RUNBOOK_RUN.show(run),
        "RunbookSnapshotName": snapshot["Name"],
        "RunbookName": runbook["Name"],
        "Task": show_task(task),
    }


async def post_run(call: Call) -> Reply:
    """Queue a run of a snapshot in an environment."""
    sent = await call.read(CreateRun)
    members = _options(call, sent)
    async with call.begin() as work:
        runbook = await get(work.conn, kinds.RUNBOOK, await referenced(work.conn, RUNBOOK, sent.runbook_id, call.space))
        wanted = await referenced(work.conn, RUNBOOK_SNAPSHOT, sent.runbook_snapshot_id, call.space)
        snapshot = checked_snapshot(await get(work.conn, kinds.RUNBOOK_SNAPSHOT, wanted), runbook)
        environment = await referenced(work.conn, ENVIRONMENT, sent.environment_id, call.space)
        tenant = await referenced(work.conn, TENANT, sent.tenant_id, call.space) if sent.tenant_id else None
        [run] = await _queue(call, work, snapshot, [(environment, tenant)], members)
    return created(RUNBOOK_RUN.show(run))


async def run_runbook(call: Call) -> Reply:
    """Queue runs of a runbook, one for each environment and tenant; of its published snapshot unless said."""
    sent = await call.read(RunParameters)
    members = _options(call, sent)
    async with call.begin() as work:
        runbook = await runbook_of(call, work.conn)
        name = None if sent.use_default_snapshot else sent.runbook_snapshot_name_or_id
        snapshot = await _snapshot(work, runbook, name)
        wanted = [*([sent.environment_id] if sent.environment_id else []), *sent.environment_ids]
        environments = [await referenced(work.conn, ENVIRONMENT, one, call.space) for one in wanted]
        named_tenants = [*([sent.tenant_id] if sent.tenant_id else []), *sent.tenant_ids]
        tenants = await _tenants(work, runbook, named_tenants, sent.tenant_tag_names)
        runs = await _queue(call, work, snapshot, product(environments, tenants), members)
    return created([RUNBOOK_RUN.show(run) for run in runs])


async def create_runs_v1(call: Call) -> Any:
    """Queue runs by the names of project, runbook and environments."""
    sent = await call.read(CreateRunsV1)
    async with call.begin() as work:
        runbook = await _by_name(work, sent, call.space)
        snapshot = await _snapshot(work, runbook, sent.snapshot)
        process = await get(work.conn, kinds.RUNBOOK_PROCESS, snapshot["FrozenRunbookProcessId"])
        members = {
            "FormValues": sent.variables,
            "UseGuidedFailure": bool(sent.use_guided_failure),
            "ForcePackageDownload": sent.force_package_download,
            "SkipActions": action_ids(process, sent.skip_step_names),
            "SpecificMachineIds": await machine_ids(work, sent.specific_machine_names, call.space),
            "ExcludedMachineIds": await machine_ids(work, sent.excluded_machine_names, call.space),
            "Comments": sent.comments,
            "Priority": sent.priority,
            **schedule(call, sent.run_at, sent.no_run_after),
        }
        environments = [await referenced(work.conn, ENVIRONMENT, one, call.space) for one in sent.environment_names]
        tenants = await _tenants(work, runbook, sent.tenants, sent.tenant_tags)
        runs = await _queue(call, work, snapshot, product(environments, tenants), members)
    return {"RunbookRunServerTasks": [{"RunbookRunId": run["Id"], "ServerTaskId": run["TaskId"]} for run in runs]}


async def create_runs_of_git_v1(call: Call) -> Any:
    """Refuse a run from Git: no project here is version-controlled; those that are not run by the other route."""
    sent = await call.read(CreateRunsV1)
    raise bad_request(f"The project {sent.project_name[:200]} is not version-controlled; use runbook-runs/create/v1.")


async def delete_run(call: Call) -> Any:
    """Delete a run that has ended, with its task and log."""
    async with call.begin() as work:
        run = await _run_of(call, work.conn, call.id)
        task = await get(work.conn, kinds.TASK, run["TaskId"])
        if task["State"] in ACTIVE:
            raise bad_request("A run cannot be deleted while it is queued or running.")
        await delete(work.conn, kinds.RUNBOOK_RUN, run["Id"])
        await delete(work.conn, kinds.TASK, task["Id"])
        await events.deleted(work, run, f"Runbook run {run['Id']}")
    await forget_logs(call.state.home.task_logs, [task["Id"]])
    return RUNBOOK_RUN.show(run)


async def _queue(
    call: Call, work: Work, snapshot: Document, places: Iterable[tuple[str, str | None]], members: Document
) -> list[Document]:
    """Queue a run in each environment, for each tenant, if who asks may run it there."""
    runs = []
    for environment, tenant in places:
        owners = {"ProjectId": snapshot["ProjectId"], "EnvironmentId": environment, "TenantId": tenant}
        call.check({"SpaceId": call.space, **owners})
        runs.append(await create_run(work, snapshot["Id"], await target_of(work, environment, tenant), members))
    return runs


def _filters(call: Call) -> dict[str, Any]:
    query = call.query
    lists = {name: query.many(name) for name in ("projects", "environments", "tenants", "runbooks")}
    return {**named(call), **lists, "run_states": query.many("taskstate")}


def _options(call: Call, sent: CreateRun | RunParameters) -> Document:
    members: Document = msgspec.to_builtins(sent)
    for name in _CHOICE:
        members.pop(name, None)
    members["UseGuidedFailure"] = bool(sent.use_guided_failure)
    members.update(schedule(call, sent.queue_time, sent.queue_time_expiry))
    return members


async def _by_name(work: Work, sent: CreateRunsV1, space: str) -> Document:
    project = await referenced(work.conn, PROJECT, sent.project_name, space)
    name = sent.runbook_name.lower()
    for runbook in await find(work.conn, kinds.RUNBOOK, ProjectId=project):
        if name in (runbook["Id"].lower(), runbook["Name"].lower(), runbook["Slug"].lower()):
            return runbook
    raise bad_request(f"The project has no runbook '{sent.runbook_name[:200]}'.")


async def _snapshot(work: Work, runbook: Document, name: str | None) -> Document:
    """Return a runbook's snapshot by name or id, or the published one.

    Raises:
        Rejected: 400, it has none such, or none is published.
    """
    if name:
        for snapshot in await find(work.conn, kinds.RUNBOOK_SNAPSHOT, RunbookId=runbook["Id"]):
            if name.lower() in (snapshot["Id"].lower(), snapshot["Name"].lower()):
                return snapshot
        raise bad_request(f"The runbook {runbook['Name']} has no snapshot '{name[:200]}'.")
    if not runbook["PublishedRunbookSnapshotId"]:
        raise Rejected(400, NOT_PUBLISHED)
    return await get(work.conn, kinds.RUNBOOK_SNAPSHOT, runbook["PublishedRunbookSnapshotId"])


async def _tenants(work: Work, runbook: Document, names: list[str], tags: list[str]) -> list[str | None]:
    """Return the ids of the tenants named or tagged; `[None]` where none is asked for."""
    if not names and not tags:
        return [None]
    everyone = await find(work.conn, kinds.TENANT, SpaceId=runbook["SpaceId"])
    connected = [one for one in everyone if runbook["ProjectId"] in (one.get("ProjectEnvironments") or {})]
    if "*" in names:
        return [one["Id"] for one in connected]
    wanted: list[str | None] = [await referenced(work.conn, TENANT, name, runbook["SpaceId"]) for name in names]
    wanted += [one["Id"] for one in connected if set(tags) & set(one.get("TenantTags") or ())]
    return list(dict.fromkeys(wanted))


async def _run_of(call: Call, conn: Any, identifier: str) -> Document:
    return call.check(await fetch_one(conn, RUNBOOK_RUN, identifier, call.space))
