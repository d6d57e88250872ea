"""Runbooks, their snapshots and runs, and interruptions (octopus-api §A.17, §A.18)."""

from standin.web import runbooks as sent
from standin.web.endpoints import interruptions, runbookruns, runbooks, runbooksnapshots
from standin.web.endpoints.runbooks import RUNBOOKS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
RUNS = f"{LIST} projects environments tenants runbooks taskState"

ROUTES = (
    *RUNBOOKS.routes(space, "runbooks", f"{LIST} projectIds"),
    space.get("runbooks/{id}/environments", RUNBOOKS.environments),
    space.get("runbooks/{id}/runbookSnapshots", runbooksnapshots.snapshots_of_runbook, LIST),
    space.get("runbooks/{id}/runbookSnapshotTemplate", runbooksnapshots.snapshot_template_of_runbook),
    space.get("runbooks/{id}/runbookRunTemplate", runbooksnapshots.run_template_of_runbook),
    space.create("runbooks/{id}/run", runbookruns.run_runbook, sent.RunParameters),
    space.get("projects/{id}/runbooks", RUNBOOKS.of_project, LIST),
    space.create("projects/{id}/runbooks", RUNBOOKS.create, sent.Runbook),
    space.get("projects/{projectId}/runbooks/{id}", RUNBOOKS.read),
    space.put("projects/{projectId}/runbooks/{id}", RUNBOOKS.modify, sent.Runbook),
    space.delete("projects/{projectId}/runbooks/{id}", RUNBOOKS.delete),
    space.get("runbookProcesses", runbooks.list_processes, "skip take ids"),
    space.get("runbookProcesses/{id}", runbooks.read_process),
    space.put("runbookProcesses/{id}", runbooks.modify_process, sent.RunbookProcess),
    space.get("projects/{id}/runbookProcesses/{processId}", runbooks.read_process),
    space.put("projects/{id}/runbookProcesses/{processId}", runbooks.modify_process, sent.RunbookProcess),
    space.get("runbookProcesses/{id}/runbookSnapshotTemplate", runbooksnapshots.snapshot_template),
    space.get("runbookSnapshots", runbooksnapshots.list_snapshots, LIST),
    space.create("runbookSnapshots", runbooksnapshots.post_snapshot, sent.RunbookSnapshot, "publish"),
    space.get("runbookSnapshots/{id}", runbooksnapshots.read_snapshot),
    space.put("runbookSnapshots/{id}", runbooksnapshots.modify_snapshot, sent.ModifySnapshot),
    space.delete("runbookSnapshots/{id}", runbooksnapshots.delete_snapshot),
    space.post("runbookSnapshots/{id}/snapshot-variables", runbooksnapshots.refresh_variables),
    space.get("runbookSnapshots/{id}/runbookRuns", runbookruns.runs_of_snapshot, RUNS),
    space.get("runbookSnapshots/{id}/runbookRuns/template", runbooksnapshots.run_template),
    space.get("projects/{id}/runbookSnapshots", runbooksnapshots.snapshots_of_project, "searchByName skip take"),
    space.create("projects/{id}/runbookSnapshots", runbooksnapshots.post_snapshot, sent.RunbookSnapshot, "publish"),
    space.get("projects/{id}/runbookSnapshots/{name}", runbooksnapshots.read_snapshot_of_project),
    space.get("runbookRuns", runbookruns.list_runs, RUNS),
    space.create("runbookRuns", runbookruns.post_run, sent.CreateRun),
    space.get("runbookRuns/{id}", runbookruns.read_run),
    space.delete("runbookRuns/{id}", runbookruns.delete_run),
    space.get("projects/{id}/runbookRuns/{runId}/details/v1", runbookruns.read_run_details),
    space.post("runbook-runs/create/v1", runbookruns.create_runs_v1, sent.CreateRunsV1),
    space.post("runbook-runs/git/create/v1", runbookruns.create_runs_of_git_v1, sent.CreateRunsV1),
    space.get("interruptions", interruptions.list_interruptions, "skip take ids regarding pendingOnly"),
    space.get("interruptions/{id}", interruptions.read_interruption),
    space.get("interruptions/{id}/responsible", interruptions.read_responsible),
    space.put("interruptions/{id}/responsible", interruptions.take_responsibility),
    space.post("interruptions/{id}/submit", interruptions.submit_interruption),
)
