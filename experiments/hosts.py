"""What simulated hosts used in a trial: the difference of two readings."""

from typing import Any


def used(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return `hosts` of `trial.json` from two readings (docs/formats.md, Hosts); empty when there are no hosts.

    `busy` is the share of its capacity that a host computed, `throttled` the share of its periods in which it was
    stopped because the capacity was used up.
    """
    if not before or not after:
        return {}
    seconds = after["at"] - before["at"]
    earlier = {host["name"]: host for host in before["hosts"]}
    hosts = {}
    for host in after["hosts"]:
        first = earlier.get(host["name"], {"cpu_seconds": 0.0, "periods": 0, "throttled": 0})
        computed = host["cpu_seconds"] - first["cpu_seconds"]
        periods = host["periods"] - first["periods"]
        hosts[host["name"]] = {
            "cpus": host["cpus"],
            "cpu_seconds": computed,
            "busy": computed / (host["cpus"] * seconds),
            "throttled": (host["throttled"] - first["throttled"]) / periods if periods else 0.0,
        }
    kept = {name: after[name] for name in ("mechanism", "period", "sql", "round_trip")}
    return {**kept, "seconds": seconds, "hosts": hosts}
