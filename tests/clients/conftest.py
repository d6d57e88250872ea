"""A space for each test, and the programs that drive clients of others through it."""

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.octopus_server import Octopus, StandIn

FLOWS = Path(__file__).parent / "flows"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Room:
    """A fresh space on the running stand-in, as a client of others is told of it and as the tests look into it."""

    #: the stand-in
    standin: StandIn
    #: the space through plain HTTP
    octopus: Octopus
    #: id of the space
    id: str
    #: name of the space
    name: str

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a program that drives a client."""
        told = {"OCTOPUS_URL": self.standin.url, "OCTOPUS_API_KEY": self.standin.api_key, "OCTOPUS_SPACE": self.name}
        return {**os.environ, **told, **more}

    def run(self, *command: str | Path, folder: Path, within: float = 120, **more: str) -> str:
        """Run a program that drives a client in a folder of its own; return what it printed."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        assert done.returncode == 0, f"{Path(command[-1]).name} failed:\n{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def flow(self, *command: str | Path, folder: Path, **more: str) -> Any:
        """Run a program of `flows/`; return what it says in its last line, as JSON: what the client returned."""
        return json.loads(self.run(*command, folder=folder, **more).splitlines()[-1])


@pytest.fixture(scope="module")
def room(standin: StandIn) -> Iterator[Room]:
    """A fresh space for the tests of a file."""
    with httpx.Client(base_url=standin.url, headers=standin.headers, timeout=30) as http:
        name = f"Room {next(_numbers)}"
        space = Octopus(http).post("/spaces", {"Name": name, "SpaceManagersTeamMembers": ["Users-1"]})
        yield Room(standin, Octopus(http, f"/{space['Id']}"), space["Id"], name)
