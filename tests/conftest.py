"""What all tests share: how properties are tried, and a running stand-in."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.octopus_server import StandIn, fresh_standin

# A busy machine is slow: how long an example takes says nothing of what it shows.
settings.register_profile("octoload", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("octoload")


@pytest.fixture(scope="session")
def standin() -> Iterator[StandIn]:
    """The instance that the tests of a session share."""
    with fresh_standin() as served:
        yield served
