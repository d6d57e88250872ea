"""The official TypeScript client (npm @octopusdeploy/api-client) works against the stand-in as it is."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import FLOWS, Room
from tests.clients.fetch import npm
from tests.octopus_server import StandIn

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

#: the client, and what its own tests are run with
PACKAGES = ("@octopusdeploy/api-client@3.11.0", "jest@29.7.0", "@faker-js/faker@7.6.0")
#: its tests of packing need source files that are not in the package
JEST = {"haste": {"retainAllFiles": True}, "testPathIgnorePatterns": ["/pack/"], "transform": {}}
#: those of its tests that run a PowerShell script which sleeps
NEED_POWERSHELL = {
    "wait for server task existing task deploy with short timeout exits correctly",
    "wait for server task existing task deploy with cancel on timeout works correctly",
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of installed modules."""
    return npm(tmp_path_factory.mktemp("typescript"), *PACKAGES)


@pytest.fixture(scope="module")
def said(modules: Path, room: Room, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the client has returned on its way through the space."""
    return room.flow("node", FLOWS / "typescript.js", folder=tmp_path_factory.mktemp("flow"), NODE_PATH=str(modules))


def test_a_release_goes_from_project_to_log(said: Any, room: Room) -> None:
    """Space, package, build information, lifecycle, project, process, release, deployment, wait, log: all by it."""
    assert (said["space"]["Id"], said["user"]["Id"]) == (room.id, "Users-1")
    assert (said["pushed"]["PackageId"], said["pushed"]["Version"]) == ("Acme.Web", "1.2.0")
    assert said["pushed"]["PackageVersionBuildInformation"]["BuildNumber"] == "288"
    assert said["pages"] == [["Web Cellar", "Web Shop"], ["Web Till"]]
    assert [step["Name"] for step in said["process"]["Steps"]] == ["Greet", "Unpack"]
    assert (said["task"]["State"], said["states"][-1]) == ("Success", "Success")
    deployment = said["deployment"]
    assert (deployment["ReleaseId"], deployment["TaskId"]) == (said["release"]["ReleaseId"], said["task"]["Id"])
    steps = said["details"]["ActivityLogs"][0]["Children"]
    assert [step["Name"] for step in steps] == ["Acquire packages", "Step 1: Greet", "Step 2: Unpack"]
    assert "hello from the shop" in said["raw"]


def test_what_it_did_is_in_the_server(said: Any, room: Room) -> None:
    """The space holds the release with its package, one deployment that succeeded, and events with its name."""
    space = room.octopus
    release = space.get(f"/releases/{said['release']['ReleaseId']}")
    assert (release["Version"], release["ReleaseNotes"]) == ("1.0.0", "First")
    assert [one["Id"] for one in space.get("/deployments")["Items"]] == [said["deployment"]["Id"]]
    assert space.get("/tasks")["TotalCounts"]["Success"] == 2
    events = space.get("/events", documentTypes="Projects", eventCategories="Created")["Items"]
    agents = [event["UserAgent"] for event in events if event["Message"].startswith("Project ")]
    assert agents == ["ts-octopusdeploy octoload"] * 3


def test_a_release_keeps_the_packages_that_it_names(said: Any, room: Room) -> None:
    """`Unpack:1.2.0` is the package of that step."""
    release = room.octopus.get(f"/releases/{said['release']['ReleaseId']}")
    assert [(one["ActionName"], one["Version"]) for one in release["SelectedPackages"]] == [("Unpack", "1.2.0")]


def test_a_runbook_runs(said: Any, room: Room) -> None:
    """Runbook, process, published snapshot, run, wait, log: all by it."""
    assert said["runbook"]["PublishedRunbookSnapshotId"] == said["snapshot"]["Id"] == said["run"]["RunbookSnapshotId"]
    assert (said["run"]["RunbookId"], said["run"]["TaskId"]) == (said["runbook"]["Id"], said["swept"]["Id"])
    assert said["swept"]["State"] == "Success"
    assert "the shop is swept by Sweep" in said["sweeping"]
    (task,) = room.octopus.get("/tasks", name="RunbookRun")["Items"]
    assert (task["Id"], task["State"]) == (said["swept"]["Id"], "Success")


def test_a_tenant_is_tagged_and_connected(modules: Path, room: Room, tmp_path: Path) -> None:
    """Tag set, tenant, its variables and a change of it."""
    said = room.flow("node", FLOWS / "typescript_tenants.js", folder=tmp_path, NODE_PATH=str(modules))
    tenant = room.octopus.get(f"/tenants/{said['tenant']['Id']}")
    assert (tenant["TenantTags"], tenant["Description"]) == (["Size/Small"], "On the corner")
    assert list(tenant["ProjectEnvironments"]) == [said["project"]["Id"]]
    assert said["variables"]["TenantId"] == tenant["Id"]


def test_it_understands_refusals(said: Any) -> None:
    """A name that is taken, a package that is there, an unknown id: the caller hears the server's words."""
    (name, taken), (push, exists), (unknown, _) = said["refused"]
    assert (name, push, unknown) == (400, None, 404)
    assert "already" in taken
    assert "A package with the same name and version already exists" in exists


def test_its_own_tests_pass(modules: Path, standin: StandIn, tmp_path: Path) -> None:
    """The tests that come with the client, meant for a real server, pass; two of them only where PowerShell is."""
    config = json.dumps({**JEST, "rootDir": str(modules / "@octopusdeploy" / "api-client" / "dist")})
    report = tmp_path / "report.json"
    told = {"OCTOPUS_TEST_URL": standin.url, "OCTOPUS_TEST_API_KEY": standin.api_key}
    jest = ["node", str(modules / "jest" / "bin" / "jest.js"), "--runInBand", "--silent", "--forceExit", "--json"]
    subprocess.run(
        [*jest, f"--outputFile={report}", "--config", config],
        cwd=modules.parent,
        env={**os.environ, **told},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=600,
        check=False,
    )
    results = [one for file in json.loads(report.read_text("utf-8"))["testResults"] for one in file["assertionResults"]]
    failed = {one["fullName"]: one["failureMessages"] for one in results if one["status"] != "passed"}
    excused = set() if shutil.which("pwsh") or shutil.which("powershell") else NEED_POWERSHELL
    assert {name: said for name, said in failed.items() if name not in excused} == {}
    assert len(results) >= 20
