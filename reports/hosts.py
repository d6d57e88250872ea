"""What hosts used in each arm, which of them was the bottleneck, and what held them to their capacity."""

from collections.abc import Sequence
from statistics import fmean

import msgspec

from reports.checks import Check
from reports.run import Document, Run, Trial
from reports.words import duration, share

#: Share of its capacity from which a host is what holds an arm back.
SATURATED = 0.85


class HostUse(msgspec.Struct, frozen=True):
    """A host in an arm, over the arm's valid trials."""

    arm: str
    #: `node-1`, `sql`
    host: str
    #: Its capacity in CPUs.
    cpus: float
    #: CPU seconds that it computed a second, mean.
    used: float
    #: Mean share of the capacity that it computed.
    busy: float
    #: Mean share of the periods in which it was stopped because its capacity was used up.
    throttled: float
    #: What lies on it: nodes, PostgreSQL.
    members: list[str]


class Surroundings(msgspec.Struct, frozen=True):
    """What surrounded the hosts of an arm, over its valid trials."""

    arm: str
    #: Mechanisms in force, in words; one, or the comparison is void.
    mechanisms: list[str]
    #: Mean share of all CPUs' time that the hypervisor took away.
    steal: float
    #: Mean measured round trip of the nodes to the database and back, seconds; None where it was not measured.
    round_trip: float | None


def use(trials: Sequence[Trial]) -> list[HostUse]:
    """Return what each host used, arm by arm; empty where nobody read hosts."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    members: dict[tuple[str, str], list[str]] = {}
    for trial in _read(trials):
        for host, values in trial.facts.hosts["hosts"].items():
            key = (trial.facts.arm, host)
            used = values["cpu_seconds"] / trial.facts.hosts["seconds"]
            members[key] = values.get("members", [])
            found.setdefault(key, []).append({**values, "used": used})
    return [
        HostUse(
            arm=arm,
            host=host,
            cpus=values[-1]["cpus"],
            used=_mean(values, "used"),
            busy=_mean(values, "busy"),
            throttled=_mean(values, "throttled"),
            members=members[arm, host],
        )
        for (arm, host), values in sorted(found.items())
    ]


def surroundings(trials: Sequence[Trial]) -> list[Surroundings]:
    """Return what surrounded the hosts, arm by arm; empty where nobody read hosts."""
    found: dict[str, list[Document]] = {}
    for trial in _read(trials):
        found.setdefault(trial.facts.arm, []).append(trial.facts.hosts)
    return [
        Surroundings(
            arm,
            sorted({mechanism(hosts) for hosts in all_hosts}),
            fmean(hosts.get("steal", 0.0) for hosts in all_hosts),
            fmean(trips) if (trips := [t for hosts in all_hosts if (t := hosts["round_trip"].get("nodes"))]) else None,
        )
        for arm, all_hosts in sorted(found.items())
    ]


def mechanism(hosts: Document) -> str:
    """Say what held the hosts of a trial to their capacity: `cgroup v1, periods of 10 ms, a CPU for each`."""
    if hosts["mechanism"] == "none":
        return "nothing"
    pinned = "pinned to one CPU each" if hosts.get("pinned") else "not pinned"
    return f"{hosts['mechanism']}, periods of {duration(hosts['period'])}, {pinned}"


def bottleneck(uses: Sequence[HostUse], arm: str) -> str:
    """Say which host held an arm back, by what the hosts computed; empty where no host was read."""
    own = [use for use in uses if use.arm == arm]
    if not own:
        return ""
    busiest = max(own, key=lambda use: use.busy)
    if busiest.busy < SATURATED:
        return f"{arm}: no host is at its limit (the busiest, {busiest.host}, at {busiest.busy:.0%})"
    full = [use.host for use in own if use.busy >= SATURATED]
    name = "the database's host" if full == ["sql"] else f"{' and '.join(full)}"
    return f"{arm}: the bottleneck is {name} ({busiest.busy:.0%} of {busiest.cpus:g} CPUs)"


def check(run: Run) -> list[Check]:
    """Judge what held the hosts to their capacity: figures of two mechanisms are never compared."""
    held: dict[str, list[int]] = {}
    for trial in _read(run.trials):
        held.setdefault(mechanism(trial.facts.hosts), []).append(trial.facts.index)
    if not held:
        return _crowded(run)
    if len(held) > 1:
        listed = "; ".join(f"{name} in trials {', '.join(map(str, numbers))}" for name, numbers in sorted(held.items()))
        message = (
            f"The hosts were held to their capacity in {len(held)} ways: {listed}. Figures of two mechanisms must not "
            "be compared. Run it anew where one works, and name it: `hosts: {mechanism: cgroup}`."
        )
        return [Check("hosts", float(len(held)), 1.0, "invalid", message)]
    (name,) = held
    if name == "nothing":
        message = "Nothing holds the hosts to their capacity on this system: they are names only. Run it on Linux."
        return [Check("hosts", 0.0, 1.0, "warn", message)]
    message = f"The hosts were held to their capacity by {name}, in all trials."
    if name.startswith("governor"):
        message += (
            " It stops all processes of a host together and so exaggerates what sharing a host costs: these figures "
            "are indicative, they show the order of things and not their size. Run it as root, or where the cpu "
            "controller is delegated, for control groups."
        )
        return [Check("hosts", 1.0, 1.0, "warn", message)]
    return [Check("hosts", 1.0, 1.0, "ok", message)]


def _crowded(run: Run) -> list[Check]:
    """Warn of nodes that share fewer CPUs: one more of them takes from the others what it has."""
    match run.provenance:
        case {"server": {"nodes": [*found]}, "machine": {"cores": int(cores)}} if run.plan.server.simulated:
            nodes = len(found)
        case _:
            return []
    if nodes <= cores:
        return []
    message = (
        f"{nodes} nodes and the database share the {cores} CPUs of this machine, so that one more node adds nothing "
        "but its own cost. Give each a part of its own: `hosts: {cpus: 0.2}` under `standin`."
    )
    return [Check("hosts", float(nodes), float(cores), "warn", message)]


def around(found: Surroundings) -> str:
    """Say what surrounded an arm's hosts."""
    trip = "" if found.round_trip is None else f", {duration(found.round_trip)} to the database and back as measured"
    return f"{found.arm}: held by {' and by '.join(found.mechanisms)}{trip}; steal {share(found.steal)}"


def _read(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.facts.valid and trial.facts.hosts]


def _mean(values: Sequence[dict[str, float]], name: str) -> float:
    return fmean(value[name] for value in values)
