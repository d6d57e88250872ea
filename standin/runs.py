"""Runs of runbooks, as a node prepares them; they are run as deployments are."""

from typing import Any

from standin.deploy import Plan, common_variables, make_plan
from standin.documents import get
from standin.kinds import RUNBOOK, RUNBOOK_PROCESS, RUNBOOK_RUN, RUNBOOK_SNAPSHOT


async def prepare_run(conn: Any, run_id: str) -> Plan:
    """Read all that a run needs.

    Raises:
        Rejected: 404, something of it was deleted while it waited.
    """
    run = await get(conn, RUNBOOK_RUN, run_id)
    runbook = await get(conn, RUNBOOK, run["RunbookId"])
    frozen = await get(conn, RUNBOOK_SNAPSHOT, run["RunbookSnapshotId"])
    process = await get(conn, RUNBOOK_PROCESS, frozen["FrozenRunbookProcessId"])
    system = {
        **await common_variables(conn, run),
        "Octopus.Runbook.Id": runbook["Id"],
        "Octopus.Runbook.Name": runbook["Name"],
        "Octopus.RunbookSnapshot.Id": frozen["Id"],
        "Octopus.RunbookSnapshot.Name": frozen["Name"],
        "Octopus.RunbookRun.Id": run["Id"],
        "Octopus.RunbookRun.Name": run["Name"],
        "Octopus.RunbookRun.Comments": run.get("Comments") or "",
        "Octopus.RunbookRun.Created": run["Created"],
        "Octopus.RunbookRun.CreatedBy.Username": run["DeployedBy"],
    }
    return await make_plan(conn, run, frozen, process, system)
