"""A cluster of the stand-in as tests drive it: its nodes' addresses, its clients, and the commands to it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from standin.control import command
from tests.integration.test_standin_processes import KEY, running
from tests.octopus_server import Octopus


@dataclass(frozen=True, slots=True)
class Cluster:
    """A stand-in with several nodes."""

    #: its folder
    data: Path
    #: node name → its client
    nodes: dict[str, Octopus]
    #: id of the process that serves
    pid: int

    def tell(self, *words: str) -> dict[str, Any]:
        """Give a command about nodes; return how the node is then."""
        return command(self.data, "node", words[0], list(words[1:]))

    def home(self, name: str = "node-1") -> Octopus:
        """The default space, asked of a node."""
        return Octopus(self.nodes[name].http, "/Spaces-1")


@contextlib.contextmanager
def cluster(data: Path, nodes: int, scale: int, *options: str) -> Iterator[Cluster]:
    """Serve a fresh instance with several nodes."""
    words = ("--data", str(data), "--port", "0", "--nodes", str(nodes), "--time-scale", str(scale), *options)
    with contextlib.ExitStack() as stack:
        process, lines = stack.enter_context(running(*words))
        urls = [line.split()[1] for line in lines if line.startswith("node: ")] or [lines[-1].split()[1]]
        clients = [
            stack.enter_context(httpx.Client(base_url=url, headers={"X-Octopus-ApiKey": KEY}, timeout=30))
            for url in urls
        ]
        named = {f"node-{number}": Octopus(http) for number, http in enumerate(clients, start=1)}
        yield Cluster(data, named, process.pid)
