"""What hosts used in each arm, and which of them was the bottleneck."""

from collections.abc import Sequence
from statistics import fmean

import msgspec

from reports.run import Trial

#: Share of its capacity from which a host is what holds an arm back.
SATURATED = 0.85


class HostUse(msgspec.Struct, frozen=True):
    """A host in an arm, over the arm's valid trials."""

    arm: str
    #: `node-1`, `sql`
    host: str
    #: Its capacity in CPUs.
    cpus: float
    #: Mean share of the capacity that it computed.
    busy: float
    #: Mean share of the periods in which it was stopped because its capacity was used up.
    throttled: float


def use(trials: Sequence[Trial]) -> list[HostUse]:
    """Return what each host used, arm by arm; empty where nobody read hosts."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for trial in trials:
        if trial.facts.valid:
            for host, values in trial.facts.hosts.get("hosts", {}).items():
                found.setdefault((trial.facts.arm, host), []).append(values)
    return [
        HostUse(arm, host, values[-1]["cpus"], _mean(values, "busy"), _mean(values, "throttled"))
        for (arm, host), values in sorted(found.items())
    ]


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


def _mean(values: Sequence[dict[str, float]], name: str) -> float:
    return fmean(value[name] for value in values)
