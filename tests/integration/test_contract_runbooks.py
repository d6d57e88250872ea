"""The contract of the stand-in for runbooks, their snapshots and their runs (octopus-api §A.17)."""

from typing import Any

import pytest

from tests.octopus_server import Document, Octopus, step

pytestmark = pytest.mark.integration

Works = tuple[Octopus, Document, Document, list[str]]


@pytest.fixture
def works(space: Octopus) -> Works:
    """A project with a runbook of one step, and two environments."""
    environments = [space.environment(name) for name in ("Dev", "Prod")]
    project = space.project("Works", space.get("/lifecycles/all")[0]["Id"])
    runbook = space.post(f"/projects/{project['Id']}/runbooks", {"Name": "Clean up"})
    write(space, runbook, 'echo "cleaned #{Octopus.Runbook.Name} in #{Octopus.Environment.Name} #{Who}"')
    return space, project, runbook, environments


def write(space: Octopus, runbook: Document, script: str) -> Document:
    """Replace the steps of a runbook by one script."""
    process = space.get(f"/runbookProcesses/{runbook['RunbookProcessId']}")
    saved: Document = space.put(f"/runbookProcesses/{process['Id']}", {**process, "Steps": [step("Clean", script)]})
    return saved


def freeze(space: Octopus, runbook: Document, name: str, **more: Any) -> Document:
    """Make a snapshot of a runbook."""
    body = {"Name": name, "RunbookId": runbook["Id"], "ProjectId": runbook["ProjectId"], **more}
    snapshot: Document = space.post("/runbookSnapshots", body)
    return snapshot


def categories(space: Octopus, document: str) -> list[str]:
    """The categories of a document's events, oldest first."""
    return [event["Category"] for event in reversed(space.get("/events", regarding=document)["Items"])]


@pytest.mark.proves(
    "GET runbooks",
    "GET runbooks/all",
    "GET runbooks/{id}",
    "POST runbooks",
    "PUT runbooks/{id}",
    "DELETE runbooks/{id}",
    "GET projects/{id}/runbooks",
    "POST projects/{id}/runbooks",
    "GET projects/{projectId}/runbooks/{id}",
    "PUT projects/{projectId}/runbooks/{id}",
    "DELETE projects/{projectId}/runbooks/{id}",
)
def test_runbooks_belong_to_a_project(works: Works) -> None:
    """They are made by two routes, listed by name, put back whole, and deleted with what they made."""
    space, project, runbook, (dev, _) = works
    assert (runbook["ProjectId"], runbook["RunbookProcessId"]) == (project["Id"], f"RunbookProcess-{runbook['Id']}")
    assert (runbook["EnvironmentScope"], runbook["PublishedRunbookSnapshotId"]) == ("All", None)
    assert runbook["RunRetentionPolicy"]["QuantityToKeep"] == 100
    second = space.post("/runbooks", {"name": "Back up", "projectId": project["Id"], "unknown": 1})
    space.post("/runbooks", {"Name": "back UP", "ProjectId": project["Id"]}, status=400)
    space.post("/runbooks", {"Name": "Lost", "ProjectId": "Projects-999999"}, status=400)
    assert [one["Name"] for one in space.get("/runbooks/all")] == ["Back up", "Clean up"]
    assert space.get("/runbooks", partialName="clean")["Items"] == [runbook]
    assert space.get(f"/projects/{project['Slug']}/runbooks")["TotalResults"] == 2
    limited = {**second, "Description": "Nightly", "EnvironmentScope": "Specified", "Environments": [dev]}
    changed = space.put(f"/runbooks/{second['Id']}", limited)
    assert (changed["Description"], changed["Environments"], changed["Links"]["Self"]) == (
        "Nightly",
        [dev],
        second["Links"]["Self"],
    )
    assert [one["Id"] for one in space.get(f"/runbooks/{second['Id']}/environments")] == [dev]
    assert space.get(f"/runbooks/{second['Id']}") == changed
    space.delete(f"/runbooks/{second['Id']}")
    space.get(f"/runbooks/{second['Id']}", status=404)
    space.get(f"/runbookProcesses/{second['RunbookProcessId']}", status=404)
    assert categories(space, second["Id"]) == ["Created", "Modified", "Deleted"]
    other = space.project("Other", project["LifecycleId"])
    below, beside = (f"/projects/{one['Id']}/runbooks/{runbook['Id']}" for one in (project, other))
    assert space.get(below) == runbook
    assert space.put(below, {**runbook, "Description": "Daily"})["Description"] == "Daily"
    space.get(beside, status=404)
    space.delete(beside, status=404)
    space.delete(below)
    space.post("/runbooks", {"Name": "Last", "ProjectId": project["Id"]})
    space.delete(f"/projects/{project['Id']}")
    assert space.get("/runbooks")["TotalResults"] == 0


@pytest.mark.proves(
    "GET runbookProcesses/{id}",
    "PUT runbookProcesses/{id}",
    "GET projects/{id}/runbookProcesses/{processId}",
    "PUT projects/{id}/runbookProcesses/{processId}",
)
def test_a_runbooks_process_has_a_version(works: Works) -> None:
    """A stale version is refused; ids of steps are the server's and stay."""
    space, project, runbook, _ = works
    path = f"/projects/{project['Id']}/runbookProcesses/{runbook['RunbookProcessId']}"
    process = space.get(path)
    assert process == space.get(f"/runbookProcesses/{runbook['RunbookProcessId']}")
    assert (process["Version"], process["RunbookId"], len(process["Steps"])) == (1, runbook["Id"], 1)
    saved = space.put(path, process)
    assert (saved["Version"], saved["Steps"][0]["Id"]) == (2, process["Steps"][0]["Id"])
    space.put(path, process, status=400)
    space.get("/runbookProcesses/RunbookProcess-Runbooks-999999", status=404)


@pytest.mark.proves(
    "GET runbookSnapshots",
    "GET runbookSnapshots/{id}",
    "POST runbookSnapshots",
    "GET projects/{id}/runbookSnapshots",
    "POST projects/{id}/runbookSnapshots",
    "GET projects/{id}/runbookSnapshots/{name}",
    "GET runbookProcesses/{id}/runbookSnapshotTemplate",
    "GET runbookSnapshots/{id}/runbookRuns/template",
    "GET runbooks/{id}/runbookRunTemplate",
)
def test_snapshots_freeze_a_runbook_as_it_is(works: Works) -> None:
    """Published or not, found by id and by name, newest first; templates name the next one and where it may run."""
    space, project, runbook, (dev, prod) = works
    template = f"/runbookProcesses/{runbook['RunbookProcessId']}/runbookSnapshotTemplate"
    assert space.get(template)["NextNameIncrement"] == "Snapshot 1"
    first = freeze(space, runbook, "Snapshot 1", Notes="first")
    frozen = f"{runbook['RunbookProcessId']}-s-1-"
    assert first["FrozenRunbookProcessId"].startswith(frozen)
    assert first["FrozenProjectVariableSetId"] == first["ProjectVariableSetSnapshotId"]
    assert space.get(f"/runbooks/{runbook['Id']}")["PublishedRunbookSnapshotId"] is None
    freeze_path = f"/projects/{project['Id']}/runbookSnapshots"
    second = space.post(f"{freeze_path}?publish=true", {"Name": "Snapshot 2", "RunbookId": runbook["Id"]})
    assert second["FrozenRunbookProcessId"] == first["FrozenRunbookProcessId"]
    assert space.get(f"/runbooks/{runbook['Id']}")["PublishedRunbookSnapshotId"] == second["Id"]
    assert space.get(template)["NextNameIncrement"] == "Snapshot 3"
    space.post("/runbookSnapshots", {"Name": "snapshot 2", "RunbookId": runbook["Id"]}, status=400)
    assert [one["Id"] for one in space.get("/runbookSnapshots")["Items"]] == [second["Id"], first["Id"]]
    assert space.get(freeze_path, searchByName="2")["Items"] == [second]
    assert space.get(f"{freeze_path}/Snapshot 1") == space.get(f"/runbookSnapshots/{first['Id']}") == first
    runs = space.get(f"/runbookSnapshots/{second['Id']}/runbookRuns/template")
    assert [one["Id"] for one in runs["PromoteTo"]] == [dev, prod]
    assert runs["IsRunbookProcessModified"] is False
    write(space, runbook, "echo other")
    assert space.get(f"/runbooks/{runbook['Id']}/runbookRunTemplate")["IsRunbookProcessModified"] is True
    assert categories(space, first["Id"]) == ["Created"]


@pytest.mark.proves(
    "POST runbookRuns",
    "GET runbookRuns",
    "GET runbookRuns/{id}",
    "GET projects/{id}/runbookRuns/{runId}/details/v1",
)
def test_a_run_runs_in_the_queue(works: Works) -> None:
    """The frozen script runs with the system's variables; the task, the log and the events tell of it."""
    space, project, runbook, (dev, _) = works
    snapshot = freeze(space, runbook, "One")
    write(space, runbook, "exit 1")
    body = {"RunbookId": runbook["Id"], "RunbookSnapshotId": snapshot["Id"], "EnvironmentId": dev}
    run = space.post("/runbookRuns", body)
    assert (run["ProjectId"], run["FrozenRunbookProcessId"]) == (project["Id"], snapshot["FrozenRunbookProcessId"])
    task = space.wait(run["TaskId"])
    assert (task["Name"], task["State"], task["ProjectId"]) == ("RunbookRun", "Success", project["Id"])
    assert task["Arguments"] == {"RunbookRunId": run["Id"], "RunbookId": runbook["Id"]}
    assert "cleaned Clean up in Dev #{Who}" in space.http.get(f"/api/tasks/{task['Id']}/raw").text
    assert [one["Id"] for one in space.get("/tasks", runbook=runbook["Id"])["Items"]] == [task["Id"]]
    started = ["RunbookRunQueued", "RunbookRunStarted", "RunbookRunSucceeded"]
    assert categories(space, run["Id"]) == started
    (event, *_) = space.get("/events", regarding=run["Id"], documentTypes="RunbookRuns")["Items"]
    related = {run["Id"], runbook["Id"], snapshot["Id"], project["Id"], dev, task["Id"]}
    assert set(event["RelatedDocumentIds"]) == related
    details = space.get(f"/projects/{project['Id']}/runbookRuns/{run['Id']}/details/v1")
    assert (details["Task"]["Id"], details["RunbookRun"]["Id"]) == (task["Id"], run["Id"])
    assert space.get("/runbookRuns", runbooks=runbook["Id"], taskState="Success")["Items"] == [
        space.get(f"/runbookRuns/{run['Id']}")
    ]
    assert space.get("/runbookRuns", environments="Environments-999999")["TotalResults"] == 0
    space.post("/runbookRuns", {**body, "RunbookSnapshotId": "RunbookSnapshots-999999"}, status=400)
    space.delete(f"/runbookRuns/{run['Id']}")
    space.get(f"/tasks/{task['Id']}", status=404)


@pytest.mark.proves("POST runbooks/{id}/run", "POST runbook-runs/create/v1")
def test_the_published_snapshot_is_run_by_name(works: Works) -> None:
    """Without one nothing runs; one run for each environment; steps are left out by name, unknown names are refused."""
    space, project, runbook, (dev, prod) = works
    body = {
        "projectName": project["Name"],
        "runbookName": "clean UP",
        "environmentNames": ["dev", "Prod"],
        "spaceId": space.home[1:],
        "spaceIdOrName": "any",
    }
    path = "/runbook-runs/create/v1"
    assert space.post(path, body, status=400)["ErrorMessage"] == "Runbook has no published snapshot."
    snapshot = freeze(space, runbook, "One", Publish="yes")
    write(space, runbook, "exit 1")
    queued = space.post(path, body, status=200)["RunbookRunServerTasks"]
    runs = [space.get(f"/runbookRuns/{one['RunbookRunId']}") for one in queued]
    assert [run["EnvironmentId"] for run in runs] == [dev, prod]
    assert {space.wait(one["ServerTaskId"])["State"] for one in queued} == {"Success"}
    (skipped,) = space.post(path, {**body, "EnvironmentNames": ["Dev"], "SkipStepNames": ["Clean"]}, status=200)[
        "RunbookRunServerTasks"
    ]
    space.wait(skipped["ServerTaskId"])
    assert "cleaned" not in space.http.get(f"/api/tasks/{skipped['ServerTaskId']}/raw").text
    for wrong in (
        {"SkipStepNames": ["None such"]},
        {"EnvironmentNames": ["Nowhere"]},
        {"RunbookName": "Nothing"},
        {"Snapshot": "Nothing"},
        {"SpecificMachineNames": ["Nobody"]},
    ):
        space.post(path, {**body, **{name[0].lower() + name[1:]: value for name, value in wrong.items()}}, status=400)
    (run,) = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentIds": [dev]})
    assert (run["RunbookSnapshotId"], run["EnvironmentId"]) == (snapshot["Id"], dev)
    assert space.wait(run["TaskId"])["State"] == "Success"


def test_a_failed_run_fails_its_task(works: Works) -> None:
    """The run remembers that something failed, and the event says so; a runbook that runs cannot be deleted."""
    space, _, runbook, (dev, _) = works
    write(space, runbook, "exit 3")
    freeze(space, runbook, "One", Publish="yes")
    (run,) = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentId": dev})
    assert space.wait(run["TaskId"])["State"] == "Failed"
    assert space.get(f"/runbookRuns/{run['Id']}")["FailureEncountered"] is True
    assert categories(space, run["Id"])[-1] == "RunbookRunFailed"
    later = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentId": dev, "QueueTime": "2099-01-01"})[0]
    space.delete(f"/runbooks/{runbook['Id']}", status=400)
    space.call("POST", f"/tasks/{later['TaskId']}/cancel")
    assert categories(space, later["Id"]) == ["RunbookRunQueued", "RunbookRunCanceled"]
    space.delete(f"/runbooks/{runbook['Id']}")


@pytest.mark.proves("POST runbook-runs/git/create/v1")
def test_a_runbook_runs_for_tenants(works: Works) -> None:
    """One run for each tenant named or tagged, in runbooks that are meant for tenants only."""
    space, project, runbook, (dev, _) = works
    tenants = [
        space.post("/tenants", {"Name": name, "ProjectEnvironments": {project["Id"]: [dev]}})["Id"]
        for name in ("Anna", "Bert")
    ]
    freeze(space, runbook, "One", Publish="yes")
    body = {"ProjectName": project["Id"], "RunbookName": runbook["Id"], "EnvironmentNames": ["Dev"], "Tenants": ["*"]}
    path = "/runbook-runs/create/v1"
    space.post(path, body, status=400)
    space.put(f"/runbooks/{runbook['Id']}", {**space.get(f"/runbooks/{runbook['Id']}"), "MultiTenancyMode": "Tenanted"})
    queued = space.post(path, body, status=200)["RunbookRunServerTasks"]
    assert [space.get(f"/runbookRuns/{one['RunbookRunId']}")["TenantId"] for one in queued] == tenants
    assert {space.wait(one["ServerTaskId"])["State"] for one in queued} == {"Success"}
    space.post(path, {**body, "Tenants": []}, status=400)
    space.post("/runbook-runs/git/create/v1", body, status=400)


def test_snapshots_that_are_needed_stay(works: Works) -> None:
    """Neither the published snapshot nor one that was run can be deleted; retention leaves its variables alone."""
    space, project, runbook, (dev, _) = works
    published, spare = freeze(space, runbook, "One", Publish="yes"), freeze(space, runbook, "Two")
    space.delete(f"/runbookSnapshots/{published['Id']}", status=400)
    renamed = space.put(f"/runbookSnapshots/{spare['Id']}", {**spare, "Name": "Three"})
    assert (renamed["Name"], renamed["Assembled"]) == ("Three", spare["Assembled"])
    variables = space.get(f"/projects/{project['Id']}/variables")
    changed = {**variables, "Variables": [{"Name": "Who", "Value": "now"}]}
    space.put(f"/projects/{project['Id']}/variables", changed)
    release = space.release(project, "1.0")
    space.delete(f"/releases/{release['Id']}")
    assert space.get(f"/variables/{published['ProjectVariableSetSnapshotId']}")["Variables"] == []
    fresh = space.call("POST", f"/runbookSnapshots/{published['Id']}/snapshot-variables")
    assert fresh["ProjectVariableSetSnapshotId"] != published["ProjectVariableSetSnapshotId"]
    (run,) = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentId": dev})
    space.wait(run["TaskId"])
    assert "in Dev now" in space.http.get(f"/api/tasks/{run['TaskId']}/raw").text
    assert space.get(f"/runbookSnapshots/{published['Id']}/runbookRuns")["TotalResults"] == 1
    space.delete(f"/runbookSnapshots/{renamed['Id']}")
    assert space.get("/runbookSnapshots")["TotalResults"] == 1


def test_a_snapshot_takes_the_library_as_it_is_now(works: Works) -> None:
    """Its template says that a library set was changed, until its variables are taken anew; its runs have them."""
    space, project, runbook, (dev, _) = works
    library = space.post("/libraryvariablesets", {"Name": "Shared"})
    whole = space.get(f"/projects/{project['Id']}")
    space.put(f"/projects/{project['Id']}", {**whole, "IncludedLibraryVariableSetIds": [library["Id"]]})
    frozen = freeze(space, runbook, "One", Publish="yes")
    path = f"/variables/{library['VariableSetId']}"
    space.put(path, {**space.get(path), "Variables": [{"Name": "Who", "Value": "from the library"}]})
    template = f"/runbookSnapshots/{frozen['Id']}/runbookRuns/template"
    assert space.get(template)["IsLibraryVariableSetModified"] is True
    fresh = space.call("POST", f"/runbookSnapshots/{frozen['Id']}/snapshot-variables")
    assert fresh["LibraryVariableSetSnapshotIds"] != frozen["LibraryVariableSetSnapshotIds"]
    assert space.get(template)["IsLibraryVariableSetModified"] is False
    (run,) = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentId": dev})
    space.wait(run["TaskId"])
    assert "in Dev from the library" in space.http.get(f"/api/tasks/{run['TaskId']}/raw").text
    for wrong in (["1.0.0"], [{"ActionName": "Clean", "Version": {}}]):
        body = {"Name": "Two", "RunbookId": runbook["Id"], "SelectedPackages": wrong}
        space.post("/runbookSnapshots", body, status=400)
