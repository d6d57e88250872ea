"""Telemetry of a trial as it is read: what each host had computed at which time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from octoload.errors import UsageError
from reports.summaries import Floats

_COLUMNS = ["at", "host", "cpus", "cpu_seconds", "stolen_seconds"]


@dataclass(frozen=True, slots=True)
class HostLoad:
    """One host's readings in the order of their times."""

    #: `node-1`, `sql`; `machine` is the one that octoload runs on.
    host: str
    #: Its capacity in CPUs.
    cpus: float
    #: Unix times.
    at: Floats
    #: CPU seconds that it had computed until then; only grows.
    used: Floats
    #: CPU seconds that the hypervisor had taken until then; NaN where nobody knows.
    stolen: Floats


def read(path: Path) -> list[HostLoad]:
    """Read `telemetry.parquet`, one record a host in the order of their names; empty when there is no such file.

    Raises:
        UsageError: the file is damaged or lacks a column.
    """
    if not path.exists():
        return []
    try:
        table = pq.read_table(path, columns=_COLUMNS)
        names = np.asarray(table["host"].cast(pa.string()).to_numpy(), np.object_)
        at, cpus, used, stolen = (
            np.asarray(table[name].to_numpy(), np.float64) for name in ("at", "cpus", "cpu_seconds", "stolen_seconds")
        )
    except (OSError, KeyError, pa.ArrowException) as exc:
        raise UsageError(f"{path} cannot be read: {str(exc).splitlines()[0]}", "Run the trial again.") from exc
    found = []
    for name in sorted(set(names.tolist())):
        own = np.flatnonzero(names == name)
        own = own[np.argsort(at[own], kind="stable")]
        found.append(HostLoad(name, float(cpus[own[-1]]), at[own], used[own], stolen[own]))
    return found
