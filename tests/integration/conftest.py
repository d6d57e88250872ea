"""The whole server, a fresh space for each test that wants one, and a database without a server."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from standin import database
from tests.contract import Calls, proving_client
from tests.integration.test_standin_processes import running
from tests.octopus_server import Octopus, Shop, StandIn

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def calls() -> Iterator[Calls]:
    """What the clients of the fixtures below have called with success."""
    known = Calls(recording=bool(os.environ.get("OCTOLOAD_RECORD_SHAPES")))
    yield known
    known.keep()


@pytest.fixture(autouse=True)
def proven(request: pytest.FixtureRequest, calls: Calls) -> Iterator[None]:
    """Hold a test to what it says that it proves: it must have called each operation with success."""
    named = [text for mark in request.node.iter_markers("proves") for text in mark.args]
    calls.clear()
    yield
    missing = calls.missing(named)
    assert not missing, f"the test says that it proves {', '.join(missing)}, but it never called that with success"
    lacking = sorted(set(calls.lacking))
    assert not lacking, f"answers lack members that the contract lists: {'; '.join(lacking)}"


@pytest.fixture(scope="session")
def server(standin: StandIn, calls: Calls) -> Iterator[Octopus]:
    """The whole server."""
    with proving_client(standin.url, standin.headers, calls) as http:
        yield Octopus(http)


@pytest.fixture
def connect(standin: StandIn, calls: Calls) -> Iterator[Callable[..., Octopus]]:
    """Open further connections to the whole server, with the headers given and cookies of their own."""
    with contextlib.ExitStack() as opened:

        def open_one(**headers: str) -> Octopus:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return Octopus(opened.enter_context(proving_client(standin.url, named, calls)))

        yield open_one


@pytest.fixture
def space(server: Octopus) -> Octopus:
    """A fresh space."""
    created = server.post("/spaces", {"Name": f"Space {next(_numbers)}", "SpaceManagersTeamMembers": ["Users-1"]})
    return Octopus(server.http, f"/{created['Id']}")


@pytest.fixture
def shop(space: Octopus) -> Shop:
    """A project that goes from Dev to Live, its space and its environments."""
    environments = [space.environment(name) for name in ("Dev", "Live")]
    phases = [
        {"Name": name, "OptionalDeploymentTargets": [one]}
        for name, one in zip(("Dev", "Live"), environments, strict=True)
    ]
    lifecycle = space.post("/lifecycles", {"Name": "Way", "Phases": phases})
    return space, space.project("Shop", lifecycle["Id"]), environments


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with an instance in it, which no node serves."""
    with running("postgres", "--data", str(tmp_path_factory.mktemp("postgres"))) as (_, lines):
        target = database.with_database(lines[-1].removeprefix("ready: "), "instance")
        asyncio.run(database.prepare(target, "API-INSTANCE"))
        yield target
