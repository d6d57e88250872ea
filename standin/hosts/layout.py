"""The layout of hosts on a machine's CPUs: what may be granted, and on which CPU each host lies; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from standin.errors import UsageError

#: Share of all CPUs that hosts get together: who measures must not be throttled by what he measures.
GRANTED = 0.75
#: Share of one CPU that the hosts on it get together.
GRANTED_OF_ONE = 0.9
#: The smallest host: a kernel's quota is 1 ms at least, in periods of 10 ms.
LEAST = 0.1
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Host:
    """A simulated machine."""

    #: its name: `host-1`, `sql`
    name: str
    #: its capacity in CPUs: 0.6 is 600 ms of computing a second
    cpus: float
    #: number of the CPU that it lies on
    core: int


def grant(hosts: Sequence[Host], name: str, cpus: float, cores: Sequence[int]) -> Host:
    """Give a host, new or known, a capacity; return it on the CPU that it had, or else on the emptiest.

    Raises:
        UsageError: it is too small, or the machine has not so much to give.
    """
    if not LEAST <= cpus <= GRANTED_OF_ONE:
        raise UsageError(
            f"a host of {cpus:g} CPUs cannot be made: it lies on one CPU and has from {LEAST:g} to {GRANTED_OF_ONE:g}",
            "Choose a capacity in this range.",
        )
    others = [host for host in hosts if host.name != name]
    wanted, most = cpus + sum(host.cpus for host in others), GRANTED * len(cores)
    if wanted > most + _ROUNDING:
        raise UsageError(
            f"the hosts want {wanted:g} CPUs together, but {most:g} of the {len(cores)} here are given at most",
            "Make the hosts smaller, or fewer: the load and the measuring need the rest.",
        )
    known = [host.core for host in hosts if host.name == name]
    for core in (*known, *sorted(cores, key=lambda one: (_load(others, one), one))):
        if _load(others, core) + cpus <= GRANTED_OF_ONE + _ROUNDING:
            return Host(name, cpus, core)
    raise UsageError(
        f"no CPU has {cpus:g} left for the host {name}: each gives {GRANTED_OF_ONE:g} at most",
        "Make the hosts smaller, or fewer.",
    )


def arrange(capacities: Iterable[tuple[str, float]], cores: Sequence[int]) -> list[Host]:
    """Lay out hosts on CPUs, the largest first, each on the CPU that has given least.

    Raises:
        UsageError: as `grant` says.
    """
    hosts: list[Host] = []
    for name, cpus in sorted(capacities, key=lambda pair: -pair[1]):
        hosts.append(grant(hosts, name, cpus, cores))
    return hosts


def _load(hosts: Iterable[Host], core: int) -> float:
    return sum(host.cpus for host in hosts if host.core == core)
