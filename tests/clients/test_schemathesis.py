"""Calls made up from the stand-in's own OpenAPI document: none breaks the server, each refusal has the envelope."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import FLOWS, Room
from tests.clients.fetch import pip
from tests.octopus_server import Octopus, StandIn, fresh_standin

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

#: most seconds of calls, and most calls of one operation in each phase
SECONDS, EXAMPLES = 180, 12
#: operations that shut others out: maintenance mode, rate limits, the end of the session, a stopped scheduler
EXCLUDED = r"maintenanceconfiguration|ratelimitingpolicies|users/logout|scheduler/(start|stop|trigger)"
CHECKS = "not_a_server_error,refusals_have_the_envelope"


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Schemathesis in an environment of its own."""
    return pip(tmp_path_factory.mktemp("schemathesis"), "schemathesis==4.32.5")


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """An instance of its own: who may do what is not as it was after these calls."""
    with fresh_standin() as served:
        yield served


@pytest.fixture(scope="module")
def known(room: Room) -> dict[str, Any]:
    """A document of each of the collections that a history has, by the collection's name in a path."""
    space = room.octopus
    environment = space.environment("Street")
    lifecycle = space.get("/lifecycles/all")[0]["Id"]
    project = space.project("Web Shop", lifecycle)
    release = space.release(project, "1.0.0")
    deployment = space.deploy(release, environment)
    runbook = space.post("/runbooks", {"Name": "Sweep", "ProjectId": project["Id"]})
    machine = {"Name": "Till", "EnvironmentIds": [environment], "Roles": ["till"]}
    target = space.post("/machines", {**machine, "Endpoint": {"CommunicationStyle": "None"}})
    server = Octopus(space.http)
    # The caller's own rights are not among what is called for: without them all the rest would be refused.
    user = server.post("/users", {"Username": "somebody", "DisplayName": "Somebody", "IsService": True})
    role = server.post("/userroles", {"Name": "Reader", "GrantedSpacePermissions": ["ProjectView"]})
    return {
        "space": room.id,
        "spaces": room.id,
        "environments": environment,
        "lifecycles": lifecycle,
        "projectgroups": project["ProjectGroupId"],
        "projects": project["Id"],
        "channels": release["ChannelId"],
        "deploymentprocesses": project["DeploymentProcessId"],
        "variables": project["VariableSetId"],
        "releases": release["Id"],
        "deployments": deployment["Id"],
        "tasks": deployment["TaskId"],
        "events": space.get("/events")["Items"][0]["Id"],
        "runbooks": runbook["Id"],
        "runbookprocesses": runbook["RunbookProcessId"],
        "machines": target["Id"],
        "tenants": space.post("/tenants", {"Name": "Corner"})["Id"],
        "feeds": space.get("/feeds")["Items"][0]["Id"],
        "users": user["Id"],
        "teams": server.post("/teams", {"Name": "Some"})["Id"],
        "userroles": role["Id"],
        "progression": project["Id"],
        "octopusservernodes": "OctopusServerNodes-node-1",
    }


def test_no_made_up_call_breaks_the_server(tool: Path, known: dict[str, Any], room: Room, tmp_path: Path) -> None:
    """Valid and broken calls of all operations: no 5xx, a refusal has the envelope, and the server goes on."""
    told = {"OCTOPUS_KNOWN_IDS": json.dumps(known), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    said = room.run(
        *(tool, "-m", "schemathesis.cli", "run", f"{room.standin.url}/api/swagger.json"),
        *("--header", f"X-Octopus-ApiKey: {room.standin.api_key}", "--checks", CHECKS, "--seed", "1"),
        *("--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--max-time", str(SECONDS)),
        *("--exclude-path-regex", EXCLUDED, "--request-timeout", "30", "--continue-on-failure", "--no-shrink"),
        *("--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--no-color"),
        folder=tmp_path,
        within=SECONDS + 300,
        PYTHONPATH=str(FLOWS),
        **told,
    )
    cases = re.search(r"(\d+) generated", said)
    assert cases
    assert int(cases[1]) > 3000
    assert room.octopus.get("/projects")["TotalResults"] >= 0, "the calls shut themselves out"
