"""The contract of the stand-in for interruptions, which pause a task until somebody answers (octopus-api §A.18)."""

from typing import Any

import pytest

from tests.octopus_server import Document, Octopus, step, until

pytestmark = pytest.mark.integration

NODE = "/octopusservernodes/OctopusServerNodes-node-1"


def manual(name: str, *, blocks: bool = False) -> Document:
    """Return a step in which somebody must answer."""
    properties = {
        "Octopus.Action.Manual.Instructions": "Look at #{Octopus.Environment.Name}",
        "Octopus.Action.Manual.BlockConcurrentDeployments": str(blocks),
    }
    return {"Name": name, "Actions": [{"Name": name, "ActionType": "Octopus.Manual", "Properties": properties}]}


def project_of(space: Octopus, *steps: Document) -> Document:
    """Create a project with these steps."""
    project = space.project("Asking", space.get("/lifecycles/all")[0]["Id"])
    space.rewrite(project, *steps)
    return project


def deploy(space: Octopus, project: Document, environment: str, version: str, **options: Any) -> Document:
    """Queue a deployment of a new release."""
    release = space.release(project, version)
    body = {"ReleaseId": release["Id"], "EnvironmentId": environment, **options}
    deployment: Document = space.post("/deployments", body)
    return deployment


def raised(space: Octopus, task: str) -> Document:
    """Wait for the pending interruption of a task."""
    page = until(
        lambda: space.get("/interruptions", regarding=task, pendingOnly=True), lambda found: found["TotalResults"] > 0
    )
    interruption: Document = page["Items"][0]
    return interruption


def answer(space: Octopus, interruption: Document, **form: str | None) -> Document:
    """Take responsibility for an interruption and answer it."""
    path = f"/interruptions/{interruption['Id']}"
    space.put(f"{path}/responsible", None)
    submitted: Document = space.post(f"{path}/submit", form, status=200)
    return submitted


@pytest.mark.proves(
    "GET interruptions",
    "GET interruptions/{id}",
    "GET interruptions/{id}/responsible",
    "PUT interruptions/{id}/responsible",
    "POST interruptions/{id}/submit",
)
def test_a_manual_step_pauses_its_task(space: Octopus) -> None:
    """The steps after it wait until somebody who has taken responsibility lets them go on."""
    dev = space.environment("Dev")
    project = project_of(space, step("Before", "echo before"), manual("Approve"), step("After", "echo after"))
    deployment = deploy(space, project, dev, "1.0")
    interruption = raised(space, deployment["TaskId"])
    path = f"/interruptions/{interruption['Id']}"
    assert interruption == space.get(path)
    assert (interruption["Type"], interruption["Title"], interruption["IsPending"]) == (
        "ManualIntervention",
        "Approve",
        True,
    )
    assert {deployment["Id"], deployment["TaskId"], project["Id"], dev} <= set(interruption["RelatedDocumentIds"])
    (text, *_, buttons) = interruption["Form"]["Elements"]
    assert text["Control"]["Text"] == "Look at Dev"
    assert [one["Value"] for one in buttons["Control"]["Buttons"]] == ["Proceed", "Abort"]
    task = space.get(f"/tasks/{deployment['TaskId']}")
    assert (task["State"], task["HasPendingInterruptions"]) == ("Executing", True)
    assert task["PendingInterruptionTypes"] == ["ManualIntervention"]
    assert space.get("/tasks", hasPendingInterruptions=True)["TotalResults"] == 1
    assert space.get("/tasks")["TotalCounts"]["Interrupted"] == 1
    refused = space.post(f"{path}/submit", {"Result": "Proceed"}, status=400)
    assert "take responsibility" in refused["ErrorMessage"]
    space.get(f"{path}/responsible", status=404)
    user = space.put(f"{path}/responsible", None)
    assert space.get(f"{path}/responsible")["Id"] == user["Id"] == space.get(path)["ResponsibleUserId"]
    assert space.get(path)["HasResponsibility"] is True
    space.post(f"{path}/submit", {"Result": "Perhaps"}, status=400)
    done = space.post(f"{path}/submit", {"Instructions": None, "notes": "fine", "result": "Proceed"}, status=200)
    assert (done["IsPending"], done["Form"]["Values"]["Notes"]) == (False, "fine")
    space.post(f"{path}/submit", {"Result": "Proceed"}, status=400)
    assert space.get(f"/tasks/{deployment['TaskId']}")["HasPendingInterruptions"] is False
    assert space.wait(deployment["TaskId"])["State"] == "Success"
    log = space.http.get(f"/api/tasks/{deployment['TaskId']}/raw").text
    assert log.index("before") < log.index("fine") < log.index("after")
    events = space.get("/events", regarding=interruption["Id"])["Items"]
    assert [event["Category"] for event in events] == [
        "ManualInterventionInterruptionSubmitted",
        "Modified",
        "ManualInterventionInterruptionRaised",
    ]
    assert space.get("/interruptions", pendingOnly=True)["TotalResults"] == 0


def test_an_aborted_step_fails_its_deployment(space: Octopus) -> None:
    """What follows is not run, and the log says who aborted it."""
    project = project_of(space, manual("Approve"), step("After", "echo after"))
    deployment = deploy(space, project, space.environment("Dev"), "1.0")
    answer(space, raised(space, deployment["TaskId"]), Result="Abort", Notes="not today")
    assert space.wait(deployment["TaskId"])["State"] == "Failed"
    log = space.http.get(f"/api/tasks/{deployment['TaskId']}/raw").text
    assert "not today" in log
    assert "Left out" in log


def test_a_paused_task_holds_no_slot(space: Octopus, server: Octopus) -> None:
    """On a node that runs one task at a time another deployment to the same place runs while the first one waits."""
    dev = space.environment("Dev")
    project = project_of(space, manual("Approve"))
    server.put(NODE, {"MaxConcurrentTasks": 1})
    try:
        first = deploy(space, project, dev, "1.0")
        waiting = raised(space, first["TaskId"])
        second = deploy(space, project, dev, "1.1")
        answer(space, raised(space, second["TaskId"]), Result="Proceed")
        assert space.wait(second["TaskId"])["State"] == "Success"
        assert space.get(f"/tasks/{first['TaskId']}")["State"] == "Executing"
        answer(space, waiting, Result="Proceed")
        assert space.wait(first["TaskId"])["State"] == "Success"
    finally:
        server.put(NODE, {"MaxConcurrentTasks": 5})


def test_a_step_may_block_others_while_it_waits(space: Octopus) -> None:
    """Then the next deployment to the same place stays queued until the first has gone on."""
    dev = space.environment("Dev")
    project = project_of(space, manual("Approve", blocks=True))
    first = deploy(space, project, dev, "1.0")
    waiting = raised(space, first["TaskId"])
    second = deploy(space, project, dev, "1.1")
    behind = space.get(f"/tasks/{second['TaskId']}/queued-behind")
    assert [one["Id"] for one in behind["Items"]] == [first["TaskId"]]
    answer(space, waiting, Result="Proceed")
    assert space.wait(first["TaskId"])["State"] == "Success"
    answer(space, raised(space, second["TaskId"]), Result="Proceed")
    times = [space.wait(one["TaskId"]) for one in (first, second)]
    assert times[0]["CompletedTime"] <= times[1]["StartTime"]


def test_a_paused_task_can_be_canceled(space: Octopus) -> None:
    """Its question is pending no longer then, and nobody can answer it."""
    project = project_of(space, manual("Approve"))
    deployment = deploy(space, project, space.environment("Dev"), "1.0")
    interruption = raised(space, deployment["TaskId"])
    space.put(f"/interruptions/{interruption['Id']}/responsible", None)
    space.call("POST", f"/tasks/{deployment['TaskId']}/cancel")
    task = space.wait(deployment["TaskId"])
    assert (task["State"], task["HasPendingInterruptions"]) == ("Canceled", False)
    space.post(f"/interruptions/{interruption['Id']}/submit", {"Result": "Proceed"}, status=400)
    assert space.get("/interruptions", pendingOnly=True)["TotalResults"] == 0


@pytest.mark.parametrize(("guidance", "state"), [("Fail", "Failed"), ("Ignore", "Success"), ("Retry", "Success")])
def test_guided_failure_asks_how_to_go_on(space: Octopus, guidance: str, state: str, tmp_path: Any) -> None:
    """A script that fails is given up, passed over, or run again: here it succeeds the second time."""
    again = tmp_path / "again"
    again.mkdir()
    project = project_of(space, step("Fragile", f"rmdir {again} && exit 3; echo mended"))
    deployment = deploy(space, project, space.environment("Dev"), "1.0", UseGuidedFailure=True)
    interruption = raised(space, deployment["TaskId"])
    assert interruption["Type"] == "GuidedFailure"
    answer(space, interruption, Guidance=guidance)
    assert space.wait(deployment["TaskId"])["State"] == state
    assert ("mended" in space.http.get(f"/api/tasks/{deployment['TaskId']}/raw").text) is (guidance == "Retry")
