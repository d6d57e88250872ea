"""What all tests share: how properties are tried, and a running stand-in."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.octopus_server import StandIn, end, first_words

# A busy machine is slow: how long an example takes says nothing of what it shows.
settings.register_profile("octoload", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("octoload")


@pytest.fixture(scope="session")
def standin() -> Iterator[StandIn]:
    """Serve a fresh instance, Octopus' timers a hundred times faster, and end all its processes afterwards."""
    key = "API-CONTRACTTESTS"
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": key}
    command = [sys.executable, "-m", "standin", "--port", "0", "--time-scale", "100"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        words = first_words(process).split()
        yield StandIn(words[1], words[3], process.pid)
    finally:
        end(process)
