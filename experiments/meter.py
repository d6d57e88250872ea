"""The meter: what simulated hosts used in a trial, the difference of two readings."""

from collections.abc import Callable
from typing import Any

#: What the stand-in says about its hosts (docs/formats.md, Hosts); empty where there are none.
Reading = dict[str, Any]


class Meter:
    """Reads the hosts while a trial goes on: what counts is from the first reading of its measured phase to the last.

    A reading takes a few milliseconds and a trial begins and ends a moment before and after its load, so that readings
    around it would make busy hosts look idle.
    """

    def __init__(self, read: Callable[[], Reading], begin: float, end: float) -> None:
        """`begin` and `end` of the measured phase are seconds from the begin of the load."""
        self._read = read
        self._begin, self._end = begin, end
        self._first: Reading = {}
        self._last: Reading = {}

    def look(self, elapsed: float) -> None:
        """Read, if the load has gone on for so many seconds that the measured phase has begun and not ended."""
        if self._begin <= elapsed <= self._end:
            self._last = self._read()
            self._first = self._first or self._last

    @property
    def used(self) -> dict[str, Any]:
        """`hosts` of `trial.json`; empty without hosts, or in a trial too short for two readings."""
        return used(self._first, self._last) if self._first is not self._last else {}


def used(before: Reading, after: Reading) -> dict[str, Any]:
    """Return `hosts` of `trial.json` from two readings (docs/formats.md, Hosts); empty when there are no hosts.

    `busy` is the share of its capacity that a host computed, `throttled` the share of its periods in which it was
    stopped because the capacity was used up, `steal` the share of all CPUs' time that the hypervisor took.
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
            "members": host["members"],
            "cpu_seconds": computed,
            "busy": computed / (host["cpus"] * seconds),
            "throttled": (host["throttled"] - first["throttled"]) / periods if periods else 0.0,
        }
    kept = {name: after[name] for name in ("mechanism", "period", "pinned", "cores", "sql", "round_trip")}
    steal = (after["steal_seconds"] - before["steal_seconds"]) / (seconds * after["cores"])
    return {**kept, "from": before["at"], "until": after["at"], "seconds": seconds, "steal": steal, "hosts": hosts}
