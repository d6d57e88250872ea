"""The guard before a seeding: situations of a server, and what happens in each; then cleaning up."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rich.console import Console

from experiments import cli
from octoload.api import Octopus
from octoload.errors import AccessDeniedError, NotOctopusError, UsageError
from seeders import journal
from tests.octopus_server import Octopus as Server
from tests.octopus_server import StandIn, key_of, until
from tests.rude_proxy import RudeProxy
from tests.seed_commands import HISTORY, QUIET, command, items, program, somebody, turned_away, writes

pytestmark = pytest.mark.integration

KEY = "API-PLANTEDPLANTEDPLANTED"


def event(category: str, user: str = "Users-77", agent: str = "OctopusClient-js/2026.3.15581") -> dict:
    return {"Category": category, "UserId": user, "UserAgent": agent}


def members(**changes: Any) -> Any:
    return lambda document: {**document, **changes}


def limits(**allowed: int) -> Any:
    """Change a licence so that it allows so many of some kinds, of which two are in use."""
    return members(
        Limits=[
            {"Name": name, "EffectiveLimit": limit, "CurrentUsage": 2, "IsUnlimited": False}
            for name, limit in allowed.items()
        ]
    )


def nodes(**changes: Any) -> Any:
    return lambda summary: {**summary, "Nodes": [{**node, **changes} for node in summary["Nodes"]]}


def policies(**changes: Any) -> Any:
    policy = {"Id": "RateLimitingPolicies-3", "ScopeType": "AuthenticatedHuman", "IsEnabled": True}
    return lambda _page: {"Items": [{**policy, "RequestsPerMinute": 200, "AuditMode": False, **changes}]}


MINE = {"/api/spaces/all": lambda spaces: [*spaces, {"Id": "Spaces-999", "Name": "guarded", "Description": "My own."}]}
NODE = "--this-is-a-test-instance"


def known(spaces: list[dict]) -> list[dict]:
    """Leave out the spaces of other tests."""
    return [one for one in spaces if one["Id"] == "Spaces-1" or "octoload:" in (one.get("Description") or "")]


#: A copy of another instance in which nothing acts by itself.
CLONE = {
    **QUIET, "/api/serverstatus": members(IsPotentialClone=True), "/api/spaces/all": known,
    "/api/Spaces-1/projecttriggers": items(), "/api/Spaces-1/subscriptions": items(),
}  # fmt: skip

#: What the server says otherwise than a fresh one, what else is given, the words of the refusal (None: it writes).
SITUATIONS = {
    "a test instance": (QUIET, (), None),
    "deployments by others": ({"/api/events": items(event("DeploymentQueued"))}, (), "looks like production"),
    "logins of others": ({"/api/events": items(event("LoginSucceeded"))}, (), "logins of 1 other people"),
    "logins of the key's own user": ({"/api/events": items(event("LoginSucceeded", user="Users-1"))}, (), None),
    "octoload's own deployments": ({"/api/events": items(event("DeploymentQueued", agent="octoload/9 (x)"))}, (), None),
    "nobody may see who uses it": ({"/api/events": 403}, (), "cannot be seen"),
    "production, named by its node": ({"/api/events": items(event("DeploymentQueued"))}, (NODE, "node-1"), None),
    "production, named otherwise": (
        {"/api/events": items(event("DeploymentQueued"))}, (NODE, "octopus-test"), "'octopus-test' is not its name",
    ),
    "a clone": (CLONE, (), None),
    "a clone with triggers": (
        {
            **CLONE,
            "/api/Spaces-1/projecttriggers": lambda _: {"Items": [{"IsDisabled": False}, {"IsDisabled": True}]},
        },
        (), "1 triggers and 0 subscriptions",
    ),
    "in maintenance": ({**QUIET, "/api/serverstatus": members(IsInMaintenanceMode=True)}, (), "maintenance mode"),
    "over its licence": (
        {**QUIET, "/api/licenses/licenses-current-status": limits(Projects=3)}, (), "2 projects where it allows 1 more",
    ),
    "within its licence": ({**QUIET, "/api/licenses/licenses-current-status": limits(Projects=4)}, (), None),
    "rate limited": ({**QUIET, "/api/ratelimitingpolicies": policies()}, (), None),
    "drained": ({**QUIET, "/api/octopusservernodes/summary": nodes(IsOffline=True)}, (), "no node takes tasks"),
    "a read-only key": (
        {**QUIET, "/api/users/Users-1/permissions": lambda _: {"SystemPermissions": ["SpaceView"]}}, (),
        "may not create spaces",
    ),
    "a space of somebody else": ({**QUIET, **MINE}, (), "made by somebody else"),
    "too old": ({**QUIET, "/api": members(Version="2018.12.1")}, (), "has no spaces"),
}  # fmt: skip


@pytest.fixture
def octopus(standin: StandIn) -> Iterator[Octopus]:
    with Octopus(standin.url, standin.api_key) as octopus:
        yield octopus


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_is_written_to_or_refused(octopus, standin, tmp_path, name):
    """Each is checked and seeded alike: where the guard refuses, not one write has left octoload."""
    changes, given, words = SITUATIONS[name]
    before = octopus.counts()
    call = {"key": standin.api_key, "folder": tmp_path}
    if words is None:
        with RudeProxy(standin.url, changes=changes) as proxy:
            assert command("check", "--url", proxy.url, *given, **call)[0] == 0
            assert not writes(proxy)
            assert command("seed", "--url", proxy.url, *given, **call)[0] == 0
            assert octopus.counts()["release"] == before["release"] + HISTORY.releases
    else:
        assert words in turned_away(UsageError, standin.url, *given, changes=changes, **call)
    command("clean", "--url", standin.url, **call)
    assert octopus.counts() == before


def test_a_wrong_key_is_said(standin, tmp_path):
    """A key that the server does not know is refused with 401, and not shown."""
    message = turned_away(AccessDeniedError, standin.url, key=KEY, folder=tmp_path, changes={})
    assert "401" in message
    assert KEY not in message


def test_a_huge_file_is_said_at_once(standin, tmp_path):
    """Fifty megabytes of YAML are refused by their size, before they are read and before the server is asked."""
    (tmp_path / "huge.yaml").write_bytes(b"name: Huge\n" + b"# \n" * 17_000_000)
    options = cli.parser().parse_args(
        ["check", "--history", str(tmp_path / "huge.yaml"), "--url", "http://127.0.0.1:9"]
    )
    with pytest.raises(UsageError, match=r"has 51,000,011 bytes"):
        options.command(options, Console(quiet=True))


def test_something_else_is_said(standin, tmp_path):
    """A server that is no Octopus is told by what it says of itself."""
    jenkins = {"/api": lambda _: {"Application": "Jenkins"}}
    turned_away(NotOctopusError, standin.url, key=standin.api_key, folder=tmp_path, changes=jenkins)


def test_who_really_uses_a_server_is_seen(server: Server, space: Server, octopus, standin, tmp_path):
    """A deployment that somebody made an hour ago, seen by the server's own events, stands against seeding."""
    environment = space.environment("Test")
    lifecycle = space.get("/lifecycles/all")[0]["Id"]
    release = space.release(space.project("Theirs", lifecycle), "1.0.0")
    space.deploy(release, environment)
    message = turned_away(UsageError, standin.url, key=standin.api_key, folder=tmp_path, changes={})
    assert "looks like production" in message


def test_rate_limits_are_lifted_and_put_back(standin, tmp_path):
    """They are off during the seeding, noted before they are changed, and as they were after it."""
    put: list[tuple[str, bool]] = []
    changes = {**QUIET, "/api/ratelimitingpolicies": policies()}

    def note(body: bytes) -> int:
        notes = (tmp_path / journal.NAME).read_text()
        put.append(("changes" in notes, json.loads(body)["IsEnabled"]))
        return 200

    with RudeProxy(
        standin.url, changes=changes, puts={"/api/ratelimitingpolicies/RateLimitingPolicies-3": note}
    ) as proxy:
        words = ("seed", "--url", proxy.url, "--lift-rate-limits")
        assert command(*words, key=standin.api_key, folder=tmp_path)[0] == 0
    assert put == [(True, False), (True, True)]
    command("clean", "--url", standin.url, key=standin.api_key, folder=tmp_path)


@pytest.fixture
def robot(server: Server, standin: StandIn) -> Iterator[Octopus]:
    """A service account that may do everything, and that limits for people do not concern."""
    with somebody(server, "robot", IsService=True) as user:
        team = server.post("/teams", {"Name": "Guard's robots", "MemberUserIds": [user["Id"]]})
        try:
            role = {"TeamId": team["Id"], "UserRoleId": "userroles-systemadministrator", "SpaceId": None}
            server.post("/scopeduserroles", role)
            with Octopus(standin.url, key_of(server, user)) as octopus:
                yield octopus
        finally:
            server.delete(f"/teams/{team['Id']}")


def test_a_rate_limited_server_is_seeded_at_its_pace(octopus, robot, standin, tmp_path):
    """Where the server itself answers 429, the history is complete all the same, and no limit is touched.

    It allows one request a second until it has refused one, and then more.
    """
    policies = {one["ScopeType"]: one for one in octopus.get("/api/ratelimitingpolicies")["Items"]}
    path = f"/api/ratelimitingpolicies/{policies['AuthenticatedHuman']['Id']}"
    limited = {**policies["AuthenticatedHuman"], "IsEnabled": True, "RequestsPerMinute": 60, "BurstLimit": 10}
    before = octopus.counts()

    def allow_more() -> None:
        until(lambda: proxy.limited, bool)
        robot.put(path, {**limited, "RequestsPerMinute": 1200})

    octopus.put(path, limited)
    try:
        with RudeProxy(standin.url, changes=QUIET) as proxy, ThreadPoolExecutor(1) as beside:
            more = beside.submit(allow_more)
            assert command("seed", "--url", proxy.url, key=standin.api_key, folder=tmp_path)[0] == 0
            more.result()
        assert octopus.get(path)["IsEnabled"]
    finally:
        octopus.put(path, policies["AuthenticatedHuman"])
    assert octopus.counts()["deployment"] == before["deployment"] + HISTORY.deployments
    command("clean", "--url", standin.url, key=standin.api_key, folder=tmp_path)


@pytest.mark.parametrize("then", [("seed", NODE, "node-1"), ("clean",)], ids=lambda words: words[0])
def test_a_killed_seeding_leaves_rate_limits_to_the_next(octopus, standin, tmp_path, then):
    """What `kill -9` left switched off, the next seed or clean in its folder puts back as it was."""
    policies = {one["ScopeType"]: one for one in octopus.get("/api/ratelimitingpolicies")["Items"]}
    was = policies["AuthenticatedHuman"]
    path = f"/api/ratelimitingpolicies/{was['Id']}"
    octopus.put(path, {**was, "IsEnabled": True, "RequestsPerMinute": 100_000, "BurstLimit": 10_000})
    limited = octopus.get(path)
    env = {**os.environ, "OCTOPUS_API_KEY": standin.api_key}
    switched, killed = threading.Event(), threading.Event()

    def switch(body: bytes) -> int:
        """Do as the seeding asks, and keep the answer back until it is dead."""
        octopus.put(path, json.loads(body))
        switched.set()
        assert killed.wait(60)
        return 200

    try:
        with RudeProxy(standin.url, puts={path: switch}) as proxy:
            words = ("seed", "--lift-rate-limits", "--url", proxy.url, NODE, "node-1")
            with subprocess.Popen(program(*words, folder=tmp_path), env=env, stdout=subprocess.DEVNULL) as process:
                assert switched.wait(60)
                process.kill()
            killed.set()
        assert not octopus.get(path)["IsEnabled"]
        assert command(*then, "--url", standin.url, key=standin.api_key, folder=tmp_path)[0] == 0
        assert octopus.get(path) == limited
    finally:
        octopus.put(path, was)
        command("clean", "--url", standin.url, key=standin.api_key, folder=tmp_path)


def test_cleaning_leaves_events_only(octopus, standin, tmp_path):
    """All that a seeding made is gone, tasks in the queue too; events are told; a second cleaning finds nothing."""
    before = octopus.counts()
    with RudeProxy(standin.url, changes=QUIET) as proxy:
        command("seed", "--url", proxy.url, key=standin.api_key, folder=tmp_path)
    space = next(one["Id"] for one in octopus.get("/api/spaces/all") if one["Name"] == HISTORY.name)
    release = next(octopus.space(space).pages("releases"))["Id"]
    environment = next(octopus.space(space).pages("environments"))["Id"]
    future = {"ReleaseId": release, "EnvironmentId": environment, "QueueTime": "2030-01-01T00:00:00+00:00"}
    waiting = octopus.space(space).post("deployments", future)["TaskId"]
    until(lambda: octopus.get(f"/api/tasks/{waiting}")["State"], lambda state: state == "Queued")
    code, said = command("clean", "--url", standin.url, key=standin.api_key, folder=tmp_path)
    assert code == 0
    assert f"Removed: space Guarded ({space})" in said
    assert "counts are those before" in said
    assert "events of the audit trail" in said
    assert octopus.counts() == before
    code, said = command("clean", "--url", standin.url, key=standin.api_key, folder=tmp_path)
    assert (code, "there was nothing" in said) == (0, True)


def test_what_is_left_is_told_and_is_an_error(octopus, standin, tmp_path):
    """A space that the server still shows after its deletion is named, and the exit code is not 0."""
    ours = {"Id": "Spaces-998", "Name": "Stubborn", "Description": HISTORY.mark}
    gone = {"count": 0}

    def stubborn(spaces: list) -> list:
        gone["count"] += 1
        return [*spaces, ours] if gone["count"] > 1 else spaces

    with RudeProxy(standin.url, changes={"/api/spaces/all": stubborn}) as proxy:
        code, said = command("clean", "--url", proxy.url, key=standin.api_key, folder=tmp_path)
    assert code == 5
    assert "LEFT: space Stubborn (Spaces-998)" in said


def test_no_file_has_the_key(octopus, standin, tmp_path):
    """The key is in no file and no word that checking, seeding and cleaning leave, in no event and no log of a task."""
    call = {"key": standin.api_key, "folder": tmp_path}
    with RudeProxy(standin.url, changes=QUIET) as proxy:
        command("check", "--url", proxy.url, **call)
        command("seed", "--url", proxy.url, **call)
    space = next(octopus.space(one["Id"]) for one in octopus.get("/api/spaces/all") if one["Name"] == HISTORY.name)
    told = {event["Id"]: event for event in space.pages("events", take=500)}
    told |= {task["Id"]: octopus.get(f"/api/tasks/{task['Id']}/details") for task in space.pages("tasks", take=100)}
    assert sum(one.startswith("ServerTasks") for one in told) == HISTORY.deployments
    left = {file.name: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert {"manifest.json", "seeding.jsonl", "seeding.lock", "said.txt"} <= set(left)
    command("clean", "--url", standin.url, **call)
    left |= {f"{file.name} after cleaning": file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert not [name for name, text in {**told, **left}.items() if standin.api_key in str(text)]
