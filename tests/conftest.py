"""A running stand-in for all tests of a session."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.octopus_server import StandIn, end, first_words


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
