"""The npm package octopus-deploy, a command line and a library by others, works against the stand-in as it is."""

from pathlib import Path

import pytest

from tests.clients.conftest import FLOWS, Room
from tests.clients.fetch import npm
from tests.octopus_server import Document, step

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of installed modules."""
    return npm(tmp_path_factory.mktemp("octopus-deploy"), "octopus-deploy@6.3.1")


@pytest.fixture(scope="module")
def shop(room: Room) -> Document:
    """A project with a variable for people to fill in, two environments and a step that says what was filled in."""
    space = room.octopus
    staging, _ = (space.environment(name) for name in ("Staging", "Production"))
    project = space.project("Web Shop", space.get("/lifecycles/all")[0]["Id"])
    space.rewrite(project, step("Greet", "echo greeting '#{Greeting}'"))
    variables = space.get(f"/variables/{project['VariableSetId']}")
    greeting = {"Name": "Greeting", "Value": "none", "Scope": {"Environment": [staging]}, "Prompt": {"Label": "Greet"}}
    space.put(f"/variables/{variables['Id']}", {**variables, "Variables": [greeting]})
    return project


def run(modules: Path, room: Room, folder: Path, *words: str) -> str:
    """Run its command line; return what it printed."""
    told = ("--host", room.standin.url, "--apiKey", room.standin.api_key, "--space", room.name)
    return room.run("node", modules / "octopus-deploy" / "bin" / "octopus-deploy.js", *words, *told, folder=folder)


def test_it_packs_and_pushes(modules: Path, room: Room, tmp_path: Path) -> None:
    """What it packs is in the feed, and again only when it is told to replace it."""
    (tmp_path / "shop.txt").write_text("wares", "utf-8")
    pack = ("octopack", "--packageName", "Acme.Till", "--packageVersion", "2.0.0", "--globs", "./*.txt", "--base", "./")
    assert "Published package 'Acme.Till.2.0.0.tar.gz'" in run(modules, room, tmp_path, *pack)
    (package,) = room.octopus.get("/packages", nuGetPackageId="Acme.Till")["Items"]
    assert (package["Version"], package["FileExtension"]) == ("2.0.0", ".tar.gz")
    assert "Published" not in run(modules, room, tmp_path, *pack)
    assert "Published" in run(modules, room, tmp_path, *pack, "--replace", "true")
    assert room.octopus.get("/packages")["TotalResults"] == 1


def test_it_releases_deploys_and_promotes(modules: Path, room: Room, shop: Document, tmp_path: Path) -> None:
    """A release by the project's slug, deployed with a value for its variable, promoted to the next environment."""
    space, named = room.octopus, ("--projectSlugOrId", shop["Slug"])
    run(modules, room, tmp_path, "release", "create", *named, "--releaseVersion", "1.0.0", "--releaseNotes", "First")
    filled = ("--environmentName", "Staging", "--variables", '{"Greeting": "good morning"}', "--comments", "by others")
    run(modules, room, tmp_path, "release", "deploy", *named, "--releaseVersion", "1.1.0", *filled)
    promote = ("release", "promote", *named, "--releaseVersion", "1.1.0", "--environmentName", "Production")
    run(modules, room, tmp_path, *promote)
    assert [one["Version"] for one in space.get("/releases")["Items"]] == ["1.1.0", "1.0.0"]
    promoted, deployed = space.get("/deployments")["Items"]
    assert (deployed["Name"], deployed["Comments"]) == ("Deploy to Staging", "by others")
    assert promoted["Name"] == "Deploy to Production"
    tasks = [space.wait(one["TaskId"]) for one in (deployed, promoted)]
    assert [task["State"] for task in tasks] == ["Success", "Success"]
    raw = room.octopus.http.get(f"/api/tasks/{deployed['TaskId']}/raw").text
    assert "greeting good morning" in raw


def test_its_library_reads_what_is_there(modules: Path, room: Room, shop: Document, tmp_path: Path) -> None:
    """Spaces, environments, targets, channels, the project with its process and variables; it deletes a target."""
    space = room.octopus
    space.project("Second", shop["LifecycleId"])
    machine = {"Name": "Till 1", "EnvironmentIds": [space.get("/environments/all")[0]["Id"]], "Roles": ["till"]}
    space.post("/machines", {**machine, "Endpoint": {"CommunicationStyle": "None"}})
    told = {"NODE_PATH": str(modules), "OCTOPUS_PROJECT": shop["Slug"]}
    said = room.flow("node", FLOWS / "octopus_deploy.js", folder=tmp_path, **told)
    assert said["spaces"].count(room.name) == 1
    assert said["environments"] == ["Staging", "Production"]
    assert (said["machines"], said["project"], said["steps"]) == (["Till 1"], shop["Id"], ["Greet"])
    assert said["variables"] == {"Greeting": "none"}
    assert said["channels"] == [1, 1]
    assert said["unknown"] is False
    assert space.get("/machines")["TotalResults"] == 0
