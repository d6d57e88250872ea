"""The guard before servers that are in a situation by themselves: nothing of what they say is made up."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from octoload.api import Octopus
from octoload.errors import UsageError
from tests.octopus_server import Octopus as Server
from tests.octopus_server import StandIn, key_of
from tests.rude_proxy import RudeProxy
from tests.seed_commands import HISTORY, QUIET, command, somebody, turned_away

pytestmark = pytest.mark.integration

PASSWORD = "Secret-123456"
NODE = "/octopusservernodes/OctopusServerNodes-node-1"
LICENCE = "/licenses/licenses-current"

#: A document of the server, what is changed in it, and the words of the refusal.
SITUATIONS = {
    "in maintenance": ("/maintenanceconfiguration", {"IsInMaintenanceMode": True}, "maintenance mode"),
    "over its licence": (
        LICENCE, {"LicenseText": "<License><ProjectLimit>0</ProjectLimit></License>"},
        "2 projects where it allows 0 more",
    ),
    "with a licence that has run out": (
        LICENCE, {"LicenseText": "<License><ValidTo>2020-01-01</ValidTo></License>"}, "exceeded already",
    ),
    "drained": (NODE, {"IsInMaintenanceMode": True}, "no node takes tasks"),
    "with a task cap of 0": (NODE, {"MaxConcurrentTasks": 0}, "no node takes tasks"),
}  # fmt: skip


@contextlib.contextmanager
def changed(server: Server, path: str, **members: Any) -> Iterator[None]:
    """Change a document of the server while the block runs."""
    was = server.get(path)
    server.put(path, {**was, **members})
    try:
        yield
    finally:
        server.put(path, was)


@pytest.fixture
def octopus(standin: StandIn) -> Iterator[Octopus]:
    with Octopus(standin.url, standin.api_key) as octopus:
        yield octopus


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_server_that_really_is_so_is_refused(octopus, server: Server, standin, tmp_path, name):
    """Check and seed both refuse it without one write, and it may be seeded when that is over."""
    path, members, words = SITUATIONS[name]
    before = octopus.counts()
    call: dict[str, Any] = {"key": standin.api_key, "folder": tmp_path}
    with changed(server, path, **members):
        assert words in turned_away(UsageError, standin.url, changes=QUIET, **call)
    with RudeProxy(standin.url, changes=QUIET) as proxy:
        assert command("check", "--url", proxy.url, **call)[0] == 0
    assert octopus.counts() == before


def test_a_space_of_somebody_else_is_refused(octopus, server: Server, standin, tmp_path):
    """One of the history's name, in other letters, is not written to, whoever made it."""
    server.post("/spaces", {"Name": HISTORY.name.upper(), "SpaceManagersTeamMembers": ["Users-1"]})
    space = server.get("/spaces", partialName=HISTORY.name)["Items"][0]
    try:
        words = turned_away(UsageError, standin.url, key=standin.api_key, folder=tmp_path, changes=QUIET)
        assert "'GUARDED' is there already, made by somebody else" in words
    finally:
        server.put(f"/spaces/{space['Id']}", {**space, "TaskQueueStopped": True})
        server.delete(f"/spaces/{space['Id']}")


def test_a_key_that_may_only_read_is_refused(server: Server, standin, tmp_path):
    """The key of a user without any team sees that it may not create spaces, and writes nothing."""
    with somebody(server, "reader") as reader:
        key = key_of(server, reader)
        words = turned_away(UsageError, standin.url, key=key, folder=tmp_path, changes=QUIET)
    assert "may not create spaces" in words
    assert key not in words


def test_somebody_who_logs_in_is_seen(server: Server, standin, connect: Callable[..., Server], tmp_path):
    """A person who has just opened the portal stands against seeding."""
    with somebody(server, "person", Password=PASSWORD) as person:
        connect().post("/users/login", {"Username": "guard.person", "Password": PASSWORD}, status=200)

        def theirs(page: dict) -> dict:
            """Leave out what other tests did on this server."""
            return {**page, "Items": [one for one in page["Items"] if one["UserId"] == person["Id"]]}

        events = {"/api/events": theirs}
        words = turned_away(UsageError, standin.url, key=standin.api_key, folder=tmp_path, changes=events)
    assert "logins of 1 other people" in words


@pytest.mark.parametrize("path", ["subscriptions", "projecttriggers"])
def test_what_acts_by_itself_is_seen_on_a_clone(server: Server, space: Server, standin, tmp_path, path):
    """An enabled trigger or subscription is a warning, and on a copy of another instance it stands against seeding."""
    project = space.project("Watched", space.get("/lifecycles/all")[0]["Id"])
    made = space.post(
        f"/{path}", {"Name": "Nightly", **({"ProjectId": project["Id"]} if path == "projecttriggers" else {})}
    )
    call: dict[str, Any] = {"key": standin.api_key, "folder": tmp_path}
    clone = {"/api/serverstatus": lambda status: {**status, "IsPotentialClone": True}}
    with RudeProxy(standin.url, changes=QUIET) as proxy:
        code, said = command("check", "--url", proxy.url, **call)
        assert (code, "of others are enabled" in said) == (0, True)
    assert "of others are enabled" in turned_away(UsageError, standin.url, changes={**QUIET, **clone}, **call)
    with RudeProxy(standin.url, changes={**QUIET, **clone}) as proxy:
        assert command("check", "--url", proxy.url, "--this-is-a-test-instance", "node-1", **call)[0] == 0
    space.delete(f"/{path}/{made['Id']}")
