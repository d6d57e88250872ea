"""The whole server, and a fresh space for each test that wants one."""

import itertools
from collections.abc import Iterator

import httpx
import pytest

from tests.octopus_server import Octopus, StandIn

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(standin: StandIn) -> Iterator[Octopus]:
    """The whole server."""
    with httpx.Client(base_url=standin.url, headers=standin.headers, timeout=30) as http:
        yield Octopus(http)


@pytest.fixture
def space(server: Octopus) -> Octopus:
    """A fresh space."""
    created = server.post("/spaces", {"Name": f"Space {next(_numbers)}", "SpaceManagersTeamMembers": ["Users-1"]})
    return Octopus(server.http, f"/{created['Id']}")
