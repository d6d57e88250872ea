"""Runbooks and their processes (octopus-api §A.17)."""

from typing import Any

from standin import kinds
from standin.documents import Document, get
from standin.errors import not_found
from standin.runbooks import create_process, environments_of, process_id, remove_runbook
from standin.web.body import convert
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.processes import save_steps, show_process
from standin.web.endpoints.projects import project_of
from standin.web.filters import Filters
from standin.web.refusals import bad_request
from standin.web.removal import forget_logs
from standin.web.resources import ENVIRONMENT, PROJECT, RUNBOOK, RUNBOOK_PROCESS, fetch_one, fetch_page
from standin.web.runbooks import Runbook, RunbookProcess
from standin.work import Work


class Runbooks(Collection):
    """Runbooks; each has a process of its own, and a snapshot that is the published one."""

    def filters(self, call: Call) -> Filters:
        """Return what lists are filtered by."""
        return {**named(call), "projects": call.query.many("projectids", "projectid")}

    async def model(self, call: Call) -> Runbook:
        """Return what a client sent; the project may stand in the path."""
        sent = await call.json()
        if call.path.lower().rstrip("/").endswith("/runbooks") and "id" in call.params and isinstance(sent, dict):
            sent = {**sent, "ProjectId": (await project_of(call))["Id"]}
        return convert(sent, Runbook)

    async def find(self, conn: Any, call: Call) -> Document:
        """Return the runbook that the path names, below its project or not."""
        runbook = await super().find(conn, call)
        if "projectId" in call.params:
            project = await fetch_one(conn, PROJECT, call.params["projectId"], call.space)
            if runbook["ProjectId"] != project["Id"]:
                raise not_found(call.id)
        return runbook

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return what belongs to a runbook: its project, process, environments and published snapshot."""
        project = await referenced(work.conn, PROJECT, model.project_id, space)
        environments = [await referenced(work.conn, ENVIRONMENT, one, space) for one in model.environments]
        if current is None:
            return {"ProjectId": project, "Environments": environments, "PublishedRunbookSnapshotId": None}
        if current["ProjectId"] != project:
            raise bad_request("A runbook cannot move to another project.")
        published = model.published_runbook_snapshot_id or None
        if published:
            snapshot = await get(work.conn, kinds.RUNBOOK_SNAPSHOT, published)
            if snapshot["RunbookId"] != current["Id"]:
                raise bad_request(f"The snapshot {published} is none of this runbook.")
        return {"ProjectId": project, "Environments": environments, "PublishedRunbookSnapshotId": published}

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Give a new runbook its process."""
        if current is None:
            await create_process(work, document)

    def show(self, document: Document) -> Document:
        """Return a runbook as the API shows it."""
        return self.resource.show({**document, "RunbookProcessId": process_id(document)})

    async def delete(self, call: Call) -> Any:
        """Delete a runbook with its snapshots, its runs and their tasks."""
        async with call.begin() as work:
            runbook = self.show(await self.find(work.conn, call))
            tasks = await remove_runbook(work, runbook)
        await forget_logs(call.state.home.task_logs, tasks)
        return runbook

    async def of_project(self, call: Call) -> Any:
        """Return one page of the runbooks of a project."""
        project = await project_of(call)
        return await fetch_page(call, RUNBOOK, {**named(call), "project": project["Id"]}, self.show)

    async def environments(self, call: Call) -> Any:
        """Return the environments that a runbook may be run in."""
        conn = call.state.pool
        runbook = await self.find(conn, call)
        project = await get(conn, kinds.PROJECT, runbook["ProjectId"])
        return [ENVIRONMENT.show(one) for one in await environments_of(conn, runbook, project)]


RUNBOOKS = Runbooks(RUNBOOK)


async def list_processes(call: Call) -> Any:
    """List the processes of all runbooks, and frozen snapshots of them."""
    return await fetch_page(call, RUNBOOK_PROCESS, {"space": call.space, "ids": call.query.many("ids")}, _shown)


async def read_process(call: Call) -> Any:
    """Return the process of a runbook, or a frozen snapshot of one."""
    return _shown(await process_of(call, call.state.pool))


async def modify_process(call: Call) -> Any:
    """Replace the process of a runbook whose version is the current one."""
    model = await call.read(RunbookProcess)
    async with call.begin() as work:
        process = await process_of(call, work.conn)
        return _shown(await save_steps(work, process["Id"], model.version, model.steps, kinds.RUNBOOK_PROCESS))


async def process_of(call: Call, conn: Any) -> Document:
    """Return the process that the path names, below its project or not."""
    process = await get(conn, kinds.RUNBOOK_PROCESS, call.params.get("processId") or call.id)
    if process["SpaceId"] != call.space:
        raise not_found(process["Id"])
    if "processId" in call.params and process["ProjectId"] != (await project_of(call, conn))["Id"]:
        raise not_found(process["Id"])
    return call.check(process)


async def runbook_of(call: Call, conn: Any) -> Document:
    """Return the runbook that the path names, as the API shows it."""
    return RUNBOOKS.show(call.check(await fetch_one(conn, RUNBOOK, call.id, call.space)))


def _shown(process: Document) -> Document:
    return show_process(process, "RunbookProcess")
