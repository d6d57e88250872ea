"""The overviews of runbooks: what ran where last, and all runs (octopus-api §A.19)."""

from collections.abc import Mapping
from typing import Any

from standin.documents import Document
from standin.statements import queries
from standin.web.call import Call
from standin.web.endpoints.common import named
from standin.web.endpoints.runbooks import runbook_of
from standin.web.items import course
from standin.web.links import links_of
from standin.web.paging import envelope


async def read_progression(call: Call) -> Any:
    """Return the newest run of a runbook in each environment, for each tenant."""
    async with call.state.pool.acquire() as conn:
        runbook = await runbook_of(call, conn)
        environments = await conn.fetch(queries("web/progression")["environments"], call.space)
        rows = await conn.fetch(queries("web/runbooks")["newest_runs"], runbook["Id"])
    runs: dict[str, list[Document]] = {}
    for row in rows:
        runs.setdefault(row["environmentid"], []).append(_show(row, call.space))
    return {
        "Id": f"progression-{runbook['Id']}",
        "Environments": [{"Id": row["id"], "Name": row["name"]} for row in environments if row["id"] in runs],
        "RunbookRuns": runs,
        "Links": {"Self": call.path},
    }


async def list_task_runs(call: Call) -> Any:
    """List runs with their tasks, newest first."""
    query, window = call.query, call.query.window()
    asked = [
        query.many(name)
        for name in ("projectids", "environmentids", "runbookids", "taskids", "tenantids", "runbooktags")
    ]
    tags, space = query.many("tenanttags"), named(call)["space"]
    source = queries("web/runbooks")["task_runs"]
    async with call.state.pool.acquire() as conn:
        total = await conn.fetchval(f"SELECT count(*) {source}", space, *asked, tags)
        page = f"SELECT {queries('web/runbooks')['run_columns']} {source} {queries('web/runbooks')['run_order']}"
        rows = await conn.fetch(page, space, *asked, tags, window.take, window.skip)
    items = [_show(row, call.space) for row in rows]
    return envelope("RunbooksDashboardItem", items, total, window, call.path, query.filters())


def _show(row: Mapping[str, Any], space: str) -> Document:
    item: Document = {
        "Id": row["id"],
        "SpaceId": space,
        "ProjectId": row["projectid"],
        "EnvironmentId": row["environmentid"],
        "TenantId": row["tenantid"],
        "RunbookId": row["runbookid"],
        "RunbookSnapshotId": row["runbooksnapshotid"],
        "RunbookSnapshotName": row["snapshotname"],
        "RunbookSnapshotNotes": row["snapshotnotes"],
        "TaskId": row["taskid"],
        **course(row),
        "RunBy": row["deployedby"],
    }
    return {**item, "Links": links_of("RunbooksDashboardItem", item)}
