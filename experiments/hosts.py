"""The simulated hosts that an experiment asks for: what may be asked, and whether this machine has so much to give."""

import os
import re
import sys
from collections.abc import Iterator
from typing import Literal

import msgspec

from experiments.workload import Fault
from octoload.errors import UsageError

#: CPUs of a host: it lies on one CPU, and a quota has a smallest step (docs/formats.md, Hosts).
LEAST, MOST = 0.1, 0.9
#: Share of this machine's CPUs that all hosts get together: the load and the measuring need the rest.
GRANTED = 0.75

#: Where a stand-in's database lies: beside the first node, or on a host of its own.
Place = Literal["same-host", "separate-host"]


class Hosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Simulated machines of the stand-in: a part of this machine's CPUs for each node, and for the database."""

    #: CPUs of each node's host, such as 0.3.
    cpus: float
    #: CPUs of the database's own host; as a node's when left out.
    sql_cpus: float | None = None
    #: Where the database lies unless an arm says otherwise.
    sql: Place = "same-host"
    #: `auto`, `cgroup` or `governor`.
    mechanism: Literal["auto", "cgroup", "governor"] = "auto"

    def together(self, nodes: int) -> float:
        """Return the CPUs of so many nodes' hosts and the database's."""
        return nodes * self.cpus + (self.cpus if self.sql_cpus is None else self.sql_cpus)


def faults(hosts: Hosts) -> Iterator[Fault]:
    """Yield what is wrong with them on any machine."""
    for name, cpus in (("cpus", hosts.cpus), ("sql_cpus", hosts.sql_cpus)):
        if cpus is not None and not LEAST <= cpus <= MOST:
            cure = f"A host lies on one CPU and has from {LEAST:g} to {MOST:g} of it."
            yield f"standin.hosts.{name} is {cpus:g}", cure


def distance_faults(name: str, text: str, place: Place) -> Iterator[Fault]:
    """Yield what is wrong with an arm's round trip to the database, which lies in `place`."""
    seconds = _seconds(text)
    if seconds is None or seconds > 1:
        yield f"arm {name!r} has a sql_latency of {text!r}", "Give a round trip of at most a second, such as 2ms."
    elif seconds > 0 and place != "separate-host":
        cure = "Add `sql: separate-host` to it, or leave sql_latency out."
        yield f"arm {name!r} has a distance to a database on the same host", cure


def check_room(hosts: Hosts, nodes: int, cores: int) -> None:
    """See that a machine with so many CPUs has room for the hosts.

    Raises:
        UsageError: it has not.
    """
    wanted, most = hosts.together(nodes), GRANTED * cores
    if wanted > most + 1e-9:
        raise UsageError(
            f"standin.hosts wants {wanted:g} CPUs for {nodes} nodes and the database, and {most:g} of the {cores} here "
            "are given at most",
            "Make the hosts smaller or the nodes fewer: the load and the measuring need the rest.",
        )


def usable_cores() -> int:
    """Return how many CPUs this process, and what it starts, may compute on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _seconds(text: str) -> float | None:
    """Read a length of time as `standin serve` does, such as `2ms`."""
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(ms|s)|0", text.strip())
    return float(found[1] or 0) / (1000 if found[2] == "ms" else 1) if found else None
