"""The PyPI package octopus-python-client, by others, works against the stand-in as it is."""

from typing import Any

import pytest

from tests.clients.conftest import FLOWS, Room
from tests.clients.fetch import pip

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def said(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the client has returned on its way through the space."""
    python = pip(tmp_path_factory.mktemp("python-client"), "octopus-python-client==2.9.6")
    return room.flow(python, FLOWS / "python_client.py", folder=tmp_path_factory.mktemp("flow"))


def test_a_release_goes_from_project_to_task(said: Any, room: Room) -> None:
    """Space, package, tenant, project, process, variables, release, tenanted deployment, wait: all by it."""
    assert said["space"] == room.id
    assert said["release"]["Version"] == "0.0.1"
    assert (said["deployment"]["ReleaseId"], said["deployment"]["Comments"]) == (said["release"]["Id"], "by others")
    assert said["state"] == "Success"
    assert [one["Name"] for one in said["template"]["PromoteTo"]] == ["Street"]
    assert (said["package"], said["history"], said["releases"]) == ("new", ["1.2.0", "1.0.0"], ["0.0.1"])


def test_what_it_did_is_in_the_server(said: Any, room: Room) -> None:
    """Both steps ran for the tenant with the project's variable."""
    space, deployment = room.octopus, said["deployment"]
    steps = space.get(f"/tasks/{deployment['TaskId']}/details")["ActivityLogs"][0]["Children"]
    assert [step["Name"] for step in steps] == ["Acquire packages", "Step 1: Greet", "Step 2: Greet again"]
    assert space.http.get(f"/api/tasks/{deployment['TaskId']}/raw").text.count("good day, Corner") == 2


def test_a_release_has_the_newest_packages(said: Any, room: Room) -> None:
    """It asks for the packages of the process, and for the newest version of each."""
    packages = room.octopus.get(f"/releases/{said['release']['Id']}")["SelectedPackages"]
    assert [(one["ActionName"], one["Version"]) for one in packages] == [("Greet", "1.2.0"), ("Greet again", "1.2.0")]


def test_a_process_is_cloned_but_a_project_is_not(said: Any, room: Room) -> None:
    """It posts a project with the address of another one, which Octopus refuses too (its pull request 10)."""
    space = room.octopus
    assert "400" in said["clone"]
    assert [one["Name"] for one in space.get("/projects/all")] == ["Second Shop", "Web Shop"]
    process = space.get("/projects/second-shop/deploymentprocesses")
    assert [step["Name"] for step in process["Steps"]] == ["Greet", "Greet again"]


def test_it_downloads_all_that_it_knows_of(said: Any) -> None:
    """Each of the lists that it asks for, inside of the space and outside, is answered."""
    assert said["refused"] == {}
