"""Snapshots of runbooks, and what clients ask before they make or run one (octopus-api §A.17)."""

import re
from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, get, lock, time_text, update
from standin.errors import Rejected, not_found
from standin.history import is_current, libraries_differ, library_snapshots, snapshot
from standin.runbooks import create_snapshot, environments_of, process_id
from standin.statements import queries
from standin.web.body import convert
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.runbooks import process_of, runbook_of
from standin.web.refusals import bad_request
from standin.web.resources import PROJECT, RUNBOOK, RUNBOOK_SNAPSHOT, fetch_one, fetch_page, remove
from standin.web.runbooks import ModifySnapshot, RunbookSnapshot
from standin.work import Work


async def list_snapshots(call: Call) -> Any:
    """List a space's snapshots, newest first."""
    return await fetch_page(call, RUNBOOK_SNAPSHOT, named(call), show_snapshot)


async def snapshots_of_project(call: Call) -> Any:
    """List the snapshots of a project's runbooks, newest first."""
    project = await project_of(call)
    name = call.query.text("searchbyname") or call.query.text("partialname")
    filters = {**named(call), "partial_name": name, "project": project["Id"]}
    return await fetch_page(call, RUNBOOK_SNAPSHOT, filters, show_snapshot)


async def snapshots_of_runbook(call: Call) -> Any:
    """List the snapshots of a runbook, newest first."""
    runbook = await runbook_of(call, call.state.pool)
    return await fetch_page(call, RUNBOOK_SNAPSHOT, {**named(call), "owner": runbook["Id"]}, show_snapshot)


async def read_snapshot(call: Call) -> Any:
    """Return one snapshot, by id or name."""
    return show_snapshot(await snapshot_of(call, call.state.pool))


async def read_snapshot_of_project(call: Call) -> Any:
    """Return one snapshot of a project's runbooks, by id or name."""
    async with call.state.pool.acquire() as conn:
        project = await project_of(call, conn)
        found = await fetch_one(conn, RUNBOOK_SNAPSHOT, call.params["name"], call.space)
    if found["ProjectId"] != project["Id"]:
        raise not_found(call.params["name"])
    return show_snapshot(found)


async def post_snapshot(call: Call) -> Reply:
    """Freeze a runbook as it is now; `publish` makes the snapshot the one that is run by default."""
    sent = convert(await call.json(), RunbookSnapshot)
    members = {name: value for name, value in msgspec.to_builtins(sent).items() if name in _KEPT}
    publish = bool(call.query.flag("publish") or str(sent.publish or "").strip())
    async with call.begin() as work:
        runbook = await get(work.conn, kinds.RUNBOOK, await referenced(work.conn, RUNBOOK, sent.runbook_id, call.space))
        call.check(runbook)
        await _check_project(call, work, runbook, sent)
        document = await create_snapshot(work, runbook, members)
        if publish:
            await _publish(work, runbook, document)
    return created(show_snapshot(document))


async def modify_snapshot(call: Call) -> Any:
    """Change the name or the notes of a snapshot."""
    sent = await call.read(ModifySnapshot)
    async with call.begin() as work:
        current = await _locked(call, work)
        document = {**current, "Name": sent.name, "Notes": sent.notes}
        return show_snapshot(await _save(work, document))


async def refresh_variables(call: Call) -> Any:
    """Take the variables of the project and its library sets as they are now into a snapshot."""
    async with call.begin() as work:
        current = await _locked(call, work)
        project = await get(work.conn, kinds.PROJECT, current["ProjectId"])
        fresh = {
            "ProjectVariableSetSnapshotId": await snapshot(work, kinds.VARIABLE_SET, project["VariableSetId"]),
            "LibraryVariableSetSnapshotIds": await library_snapshots(work, project),
        }
        return show_snapshot(await _save(work, {**current, **fresh}))


async def delete_snapshot(call: Call) -> Any:
    """Delete a snapshot that is neither published nor was ever run."""
    async with call.begin() as work:
        current = await _locked(call, work)
        runbook = await get(work.conn, kinds.RUNBOOK, current["RunbookId"])
        if runbook["PublishedRunbookSnapshotId"] == current["Id"]:
            raise bad_request("The published snapshot cannot be deleted.")
        if await work.conn.fetchval(queries("web/runbooks")["runs_of_snapshot"], current["Id"]):
            raise bad_request("A snapshot that has been run cannot be deleted.")
        await remove(work, RUNBOOK_SNAPSHOT, current)
    return show_snapshot(current)


async def snapshot_template(call: Call) -> Any:
    """Return what a client needs to know before it makes a snapshot, asked for by process."""
    process = await process_of(call, call.state.pool)
    return await _template(call, process["RunbookId"], process["Id"])


async def snapshot_template_of_runbook(call: Call) -> Any:
    """Return what a client needs to know before it makes a snapshot, asked for by runbook."""
    runbook = await runbook_of(call, call.state.pool)
    return await _template(call, runbook["Id"], runbook["RunbookProcessId"])


async def run_template(call: Call) -> Any:
    """Return where a snapshot may be run."""
    found = await snapshot_of(call, call.state.pool)
    return await _run_template(call, await get(call.state.pool, kinds.RUNBOOK, found["RunbookId"]), found)


async def run_template_of_runbook(call: Call) -> Any:
    """Return where a runbook may be run: its published snapshot."""
    runbook = await runbook_of(call, call.state.pool)
    published = runbook["PublishedRunbookSnapshotId"]
    found = await get(call.state.pool, kinds.RUNBOOK_SNAPSHOT, published) if published else None
    return await _run_template(call, runbook, found)


async def snapshot_of(call: Call, conn: Any) -> Document:
    """Return the snapshot that the path names."""
    return call.check(await fetch_one(conn, RUNBOOK_SNAPSHOT, call.id, call.space))


def show_snapshot(document: Document) -> Document:
    """Return a snapshot as the API shows it."""
    variables = document["ProjectVariableSetSnapshotId"]
    token = f"{document['Id']}-{variables.rpartition('-')[2]}"
    more = {"FrozenProjectVariableSetId": variables, "VariableSnapshotConcurrencyToken": token}
    return RUNBOOK_SNAPSHOT.show({**document, **more})


async def _locked(call: Call, work: Work) -> Document:
    """Return the snapshot that the path names, which will be changed or deleted."""
    return await lock(work.conn, kinds.RUNBOOK_SNAPSHOT, (await snapshot_of(call, work.conn))["Id"])


async def _publish(work: Work, runbook: Document, document: Document) -> None:
    current = await lock(work.conn, kinds.RUNBOOK, runbook["Id"])
    await update(work.conn, kinds.RUNBOOK, {**current, "PublishedRunbookSnapshotId": document["Id"]})
    await events.modified(work, current, f"Runbook {current['Name']}")


async def _save(work: Work, document: Document) -> Document:
    document = {**document, "LastModifiedOn": time_text(work.now), "LastModifiedBy": work.actor.username}
    await update(work.conn, kinds.RUNBOOK_SNAPSHOT, document)
    await events.modified(work, document, RUNBOOK_SNAPSHOT.title(document))
    return document


async def _check_project(call: Call, work: Work, runbook: Document, sent: RunbookSnapshot) -> None:
    """Refuse a snapshot whose project, in the path or the body, is not that of its runbook."""
    project = runbook["ProjectId"]
    if "id" in call.params:
        project = (await project_of(call, work.conn))["Id"]
    elif sent.project_id:
        project = await referenced(work.conn, PROJECT, sent.project_id, call.space)
    if project != runbook["ProjectId"]:
        raise bad_request(f"The runbook {runbook['Name']} does not belong to the project {project}.")


async def _template(call: Call, runbook: str, process: str) -> Document:
    last = await call.state.pool.fetchval(queries("web/runbooks")["last_snapshot"], runbook)
    return {
        "Id": process,
        "RunbookId": runbook,
        "RunbookProcessId": process,
        "NextNameIncrement": _next_name(last),
        "Packages": [],
        "GitResources": [],
        "Links": {"Self": call.path},
    }


async def _run_template(call: Call, runbook: Document, frozen: Document | None) -> Document:
    conn = call.state.pool
    project = await get(conn, kinds.PROJECT, runbook["ProjectId"])
    process = await get(conn, kinds.RUNBOOK_PROCESS, process_id(runbook))
    variables = await get(conn, kinds.VARIABLE_SET, project["VariableSetId"])
    environments = await environments_of(conn, runbook, project)
    return {
        "Id": runbook["Id"],
        "PromoteTo": [_promotion(one, frozen) for one in environments],
        "TenantPromotions": [],
        "IsRunbookProcessModified": frozen is not None and not is_current(process, frozen["FrozenRunbookProcessId"]),
        "IsVariableSetModified": frozen is not None
        and not is_current(variables, frozen["ProjectVariableSetSnapshotId"]),
        "IsLibraryVariableSetModified": frozen is not None and await libraries_differ(conn, project, frozen),
        "DeploymentNotes": frozen["Notes"] if frozen else None,
        "Links": {"Self": call.path},
    }


def _promotion(environment: Document, frozen: Document | None) -> Document:
    links = {}
    if frozen:
        base = f"/api/{frozen['SpaceId']}/runbookSnapshots/{frozen['Id']}/runbookRuns"
        links = {"Preview": f"{base}/preview/{environment['Id']}"}
    return {"Id": environment["Id"], "Name": environment["Name"], "Links": links}


def _next_name(last: str | None) -> str:
    """Return a name for the next snapshot: the last one's number plus one."""
    found = re.fullmatch(r"(.*?)(\d{1,15})", last or "Snapshot 0", re.ASCII)
    return f"{found[1]}{int(found[2]) + 1}" if found else f"{last} 1"


_KEPT = ("Name", "Notes", "SelectedPackages", "SelectedGitResources")


def checked_snapshot(found: Document, runbook: Document) -> Document:
    """Return a snapshot that belongs to a runbook.

    Raises:
        Rejected: 400, it belongs to another one.
    """
    if found["RunbookId"] != runbook["Id"]:
        raise Rejected(400, f"The snapshot {found['Name']} does not belong to the runbook {runbook['Name']}.")
    return found
