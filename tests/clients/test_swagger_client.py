"""The PyPI package octopus-deploy-swagger-client, made from a real server's document, works against the stand-in."""

from typing import Any

import pytest

from tests.clients.conftest import FLOWS, Room
from tests.clients.fetch import pip

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def said(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the client has returned on its way through the space; it refuses values that the document does not know."""
    python = pip(tmp_path_factory.mktemp("swagger-client"), "octopus-deploy-swagger-client==1.1.0")
    return room.flow(python, FLOWS / "swagger_client.py", folder=tmp_path_factory.mktemp("flow"))


def test_a_release_goes_from_project_to_log(said: Any, room: Room) -> None:
    """Root, space, environment, lifecycle, group, project, variables, process, release, deployment, wait, log."""
    assert (said["application"], said["space"]) == ("Octopus Deploy", room.id)
    project, slug, again = said["project"]
    assert (slug, again) == ("web-shop", project)
    assert said["page"] == [1, 1, ["Web Shop"]]
    deployment, release, task = said["deployment"]
    assert said["release"][:2] == [release, "1.0.0"]
    assert said["task"] == ["Success", True, True]
    assert (said["steps"], said["tasks"]) == (["Step 1: Greet"], [task])
    assert "good evening" in said["raw"]
    assert room.octopus.get("/deployments")["Items"][0]["Id"] == deployment


def test_its_dashboards_and_events_show_the_deployment(said: Any, room: Room) -> None:
    """What people look at says the same as the task."""
    assert said["dashboard"] == [["1.0.0", "Success"]]
    assert said["progression"] == ["1.0.0"]
    assert said["events"] == ["Created", "DeploymentQueued", "DeploymentStarted", "DeploymentSucceeded", "Modified"]
    events = room.octopus.get("/events", eventCategories="DeploymentSucceeded")["Items"]
    assert [said["deployment"][0] in event["RelatedDocumentIds"] for event in events] == [True]
