"""The nodes of a server: held back and let go through the API, each change journalled before it is made."""

from collections.abc import Iterable
from typing import Any

import msgspec

from experiments.journal import Journal
from octoload.api import Octopus
from octoload.errors import UsageError

#: Where nodes are listed and changed (octopus-api §A.21).
NODES = "/api/octopusservernodes"


class Setting(msgspec.Struct, frozen=True):
    """What an arm asks of the nodes."""

    #: Nodes that take tasks; the others are drained. None leaves all of them.
    nodes: int | None = None
    #: Tasks that each of them may run at once. None leaves their caps.
    task_cap: int | None = None


class Cluster:
    """Nodes by their names' order, and what they were set to before."""

    def __init__(self, octopus: Octopus, journal: Journal) -> None:
        self._octopus = octopus
        self._journal = journal

    def hold(self) -> None:
        """Drain all nodes: none takes a task any more, running ones end (octopus-facts §2)."""
        self._set((node, node["MaxConcurrentTasks"], True) for node in self._nodes())

    def release(self, setting: Setting) -> int:
        """Let the nodes of an arm take tasks; return how many tasks they may run at once.

        Raises:
            UsageError: there are not so many nodes.
        """
        nodes = self._nodes()
        wanted = len(nodes) if setting.nodes is None else setting.nodes
        if wanted > len(nodes):
            raise UsageError(
                f"an arm needs {wanted} nodes, and the server has {len(nodes)}", "Add nodes, or lower `nodes`."
            )
        slots, changes = 0, []
        for index, node in enumerate(nodes):
            cap = node["MaxConcurrentTasks"] if setting.task_cap is None else setting.task_cap
            changes.append((node, cap, index >= wanted))
            slots += cap if index < wanted else 0
        self._set(changes)
        return slots

    def running(self) -> int:
        """Return how many tasks run on all nodes."""
        summary = self._octopus.get(f"{NODES}/summary")
        return sum(int(node["RunningTaskCount"]) for node in summary["Nodes"])

    def _nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = self._octopus.get(f"{NODES}/all")
        return sorted(nodes, key=lambda node: (str(node["Name"]), str(node["Id"])))

    def _set(self, changes: Iterable[tuple[dict[str, Any], int, bool]]) -> None:
        for node, cap, drained in changes:
            if (node["MaxConcurrentTasks"], node["IsInMaintenanceMode"]) == (cap, drained):
                continue
            before = {name: node[name] for name in ("MaxConcurrentTasks", "IsInMaintenanceMode")}
            after = {"MaxConcurrentTasks": cap, "IsInMaintenanceMode": drained}
            path = f"{NODES}/{node['Id']}"
            server = self._octopus.shown_url
            where = f"{node['Name']} of {server}"
            self._journal.note("change", what="node", server=server, where=where, path=path, to=after, put_back=before)
            self._octopus.put(path, {**node, **after})


def restore(octopus: Octopus, journal: Journal) -> list[str]:
    """Put every node of a server back to what it was before the run's first change; return those that were changed.

    Raises:
        ServerError: the server does not let itself be asked or told.
    """
    first: dict[str, dict[str, Any]] = {}
    for entry in journal.entries():
        if entry["kind"] == "change" and entry.get("what") == "node" and entry["server"] == octopus.shown_url:
            first.setdefault(entry["path"], entry)
    back = []
    for path, entry in first.items():
        node = octopus.get(path)
        if {name: node[name] for name in entry["put_back"]} != entry["put_back"]:
            octopus.put(path, {**node, **entry["put_back"]})
            back.append(str(entry["where"]))
    return back
