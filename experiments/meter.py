"""The meter: what hosts used in a trial, as the difference of two readings and over time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from octoload.files import write_bytes

#: The host that octoload itself runs on, all its CPUs together.
MACHINE = "machine"
SCHEMA = pa.schema(
    [
        ("at", pa.float64()),
        ("host", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.float64()) for name in ("cpus", "cpu_seconds", "stolen_seconds")),
    ],
    metadata={"format": "octoload.telemetry", "version": "1"},
)

#: What the stand-in says about its hosts (docs/formats.md, Hosts); empty where there are none.
Reading = dict[str, Any]


class Meter:
    """Reads the hosts while a trial goes on: what counts is from the first reading of its measured phase to the last.

    A reading takes a few milliseconds and a trial begins and ends a moment before and after its load, so that readings
    around it would make busy hosts look idle. All readings are kept for the telemetry.
    """

    def __init__(self, read: Callable[[], Reading], begin: float, end: float) -> None:
        """`begin` and `end` of the measured phase are seconds from the begin of the load."""
        self._read = read
        self._rows: list[dict[str, Any]] = []
        self._begin, self._end = begin, end
        self._first: Reading = {}
        self._last: Reading = {}

    def look(self, elapsed: float) -> None:
        """Read when the load has gone on for so many seconds; it counts if that is in the measured phase."""
        reading = self.read()
        if self._begin <= elapsed <= self._end:
            self._last = reading
            self._first = self._first or self._last

    def read(self) -> Reading:
        """Read the simulated hosts, and this machine for the telemetry."""
        reading = self._read()
        for host in reading.get("hosts", []):
            self._keep(reading["at"], host["name"], host["cpus"], host["cpu_seconds"], None)
        times = psutil.cpu_times()
        used = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
        self._keep(time.time(), MACHINE, float(psutil.cpu_count() or 1), used, getattr(times, "steal", None))
        return reading

    def _keep(self, at: float, host: str, cpus: float, used: float, stolen: float | None) -> None:
        row = {"at": at, "host": host, "cpus": cpus, "cpu_seconds": used, "stolen_seconds": stolen}
        self._rows.append(row)

    def write(self, file: Path) -> None:
        """Write `octoload.telemetry` (docs/formats.md), whole or not at all; nothing when nothing was read.

        Raises:
            UsageError: the disk is full.
        """
        if not self._rows:
            return
        stream = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(self._rows, SCHEMA), stream)
        write_bytes(file, stream.getvalue().to_pybytes())

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
