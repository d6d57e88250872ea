"""A drain: a fixed list of deployments is queued while no node takes tasks, then all are worked off at once.

It measures task capacity in minutes where a search takes hours (statistics §4.3).
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from experiments import tasks, workload
from experiments.aside import Rest
from experiments.cluster import Cluster, Setting
from experiments.meter import Meter, used
from octoload.api import Octopus, Progress
from octoload.errors import ServerError, UsageError

#: Seconds between two looks at the queue, and seconds that running tasks of before may take to end.
LOOK, QUIET_WITHIN = 0.5, 600.0


class Drain:
    """The same list of deployments, worked off once for each trial."""

    def __init__(
        self, octopus: Octopus, space: str, cluster: Cluster, wanted: workload.Drain, rest: Rest = time.sleep
    ) -> None:
        """`rest` waits so many seconds.

        Raises:
            UsageError: the space has no release to deploy.
        """
        self._octopus = octopus
        self._space = space
        self._cluster = cluster
        self._within = wanted.within
        self._rest = rest
        found = _orders(octopus, space)
        self._orders = [found[number % len(found)] for number in range(wanted.tasks)]

    def run(
        self,
        setting: Setting,
        file: Path,
        progress: Progress,
        meter: Meter,
        await_start: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Queue all, let the arm's nodes work them off, write `tasks.parquet`; return the trial's facts.

        `meter` reads the hosts meanwhile; `await_start` is called when all are queued, and returns when nodes may take
        them.

        Raises:
            ServerError: nodes do not become idle, or the server fails.
        """
        began = time.time()
        self._cluster.hold()
        self._wait_until_idle()
        ids = [self._queue(order) for order in self._orders]
        progress(0, len(ids), "queued")
        await_start()
        steal, hosts = psutil.cpu_times(), meter.read()
        released = time.time()
        slots = self._cluster.release(setting)
        self._watch(len(ids), progress, meter)
        until, hosts = time.time(), used(hosts, meter.read())
        rows = tasks.read(self._octopus, self._space, ids)
        tasks.write(file, rows, tasks.count_starts(self._octopus, self._space, began))
        counted = {"drain": len(ids)}
        return {
            "started": began,
            "measured_from": released,
            "measured_until": until,
            "ended": time.time(),
            "planned": {"drain": len(self._orders)},
            "sent": counted,
            "recorded": len(rows),
            "counted": len(rows),
            "failures": sum(row["State"] != "Success" for row in rows),
            "slots": slots,
            "steal": _steal(steal),
            "hosts": hosts,
            "log": [],
        }

    def _queue(self, order: dict[str, str]) -> str:
        return str(self._octopus.post(f"/api/{self._space}/deployments", order)["TaskId"])

    def _wait_until_idle(self) -> None:
        deadline = time.monotonic() + QUIET_WITHIN
        while self._cluster.running():
            if time.monotonic() > deadline:
                raise ServerError(
                    f"tasks of before still run after {QUIET_WITHIN:.0f} s",
                    "See under Tasks what they wait for; cancel them and go on with --resume.",
                )
            self._rest(LOOK)

    def _watch(self, count: int, progress: Progress, meter: Meter) -> None:
        """Wait until all have ended, or the time is over: what is left is told by the trial's checks."""
        deadline = time.monotonic() + self._within
        for look in itertools.count():
            if time.monotonic() > deadline:
                return
            if look % 2:
                meter.read()  # each second, as beside a load
            left = tasks.left(self._octopus, self._space)
            progress(count - min(left, count), count, f"worked off, {left:,} queued or executing")
            if not left:
                return
            self._rest(LOOK)


def _orders(octopus: Octopus, space: str) -> list[dict[str, str]]:
    """Return deployments of the newest release of each project to the first environment.

    Neighbours are of different projects, so that none waits for another: one deployment runs at a time for a project
    and environment (octopus-facts §2).
    """
    environments = octopus.get(f"/api/{space}/environments/all")
    if not environments:
        raise UsageError(f"space {space} has no environment", "Fill it: octoload seed.")
    orders = []
    for project in octopus.get(f"/api/{space}/projects/all"):
        releases = octopus.get(f"/api/{space}/projects/{project['Id']}/releases", take=1)["Items"]
        orders += [{"ReleaseId": one["Id"], "EnvironmentId": environments[0]["Id"]} for one in releases]
    if not orders:
        raise UsageError(f"space {space} has no release to deploy", "Fill it: octoload seed.")
    return orders


def _steal(before: Any) -> float:
    """Return the share of all cores' time that the hypervisor took since; 0 where the system does not say."""
    after = psutil.cpu_times()
    whole = sum(after) - sum(before)
    return (getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)) / whole if whole > 0 else 0.0
