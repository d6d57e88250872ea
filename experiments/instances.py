"""Real Octopus instances as the servers of a run: one an arm, as somebody else prepared them."""

import os
from pathlib import Path
from typing import Any

from experiments.experiment import Arm, Experiment
from experiments.rig import Target, write_provenance
from octoload import files
from octoload.api import Octopus
from octoload.errors import ServerError, UsageError


class OctopusRig:
    """Real Octopus instances, one an arm, as somebody else prepared them."""

    def __init__(self, experiment: Experiment, folder: Path) -> None:
        self._arms = experiment.arms
        self._folder = folder
        self.targets: dict[str, Target] = {}
        self.keys: dict[str, str] = {}

    def start(self) -> None:
        """See that each instance answers, takes the key and has the space.

        Raises:
            OctoloadError: one does not.
        """
        for name, arm in self._arms.items():
            key = os.environ.get(arm.key_variable, "")
            if not key:
                raise UsageError(
                    f"arm {name!r} needs an API key in {arm.key_variable}",
                    f"Set it: export {arm.key_variable}=API-… (PowerShell: $env:{arm.key_variable}='API-…')",
                )
            self.keys[arm.key_variable] = key
            with Octopus(str(arm.url), key) as octopus:
                octopus.identify()
                self.targets[name] = Target([str(arm.url)], arm.key_variable, _space_of(octopus, name, arm))
                write_provenance(self._folder, octopus)
                if any("rows" in other.changes for other in self._arms.values()):
                    rows = {"rows": _count_rows(octopus)}
                    files.write_json(self._folder / "arms" / name / "database.json", "database", 1, rows)

    def enter(self, arm: str) -> None:
        """Nothing here is ours to move."""

    def hosts(self) -> dict[str, Any]:
        """Return nothing: these hosts are real, and not ours to read."""
        return {}

    def fewer(self, arm: str) -> dict[str, int]:  # noqa: ARG002  as the other rig's
        """Return nothing: this database is not ours to read."""
        return {}

    def computed(self) -> dict[str, Any]:
        """Return nothing: these servers are not ours to read."""
        return {}

    @property
    def last_node(self) -> str:
        """Nothing: an outage's own commands know which node they strike."""
        return ""

    def tell(self, action: str, node: str) -> None:
        """Nothing here is ours to strike: an outage's own commands do it."""

    def check(self) -> None:
        """Nothing here is ours to watch; requests that fail are samples."""

    def stop(self) -> None:
        """Nothing here is ours to stop."""


#: What a real server counts, by resource kind -> the table that holds it.
_TABLES = {
    "environment": "DeploymentEnvironment",
    "machine": "Machine",
    "tenant": "Tenant",
    "project": "Project",
    "release": "Release",
    "deployment": "Deployment",
    "runbook": "Runbook",
    "runbook_run": "RunbookRun",
}


def _count_rows(octopus: Octopus) -> dict[str, int]:
    """Return rows by table as a real server counts its resources, over all spaces.

    Raises:
        ServerError: it does not tell.
    """
    try:
        counts = octopus.counts()
    except ServerError as exc:
        exc.cure = f"{exc.cure} Its counts are its rows: without them, leave `changes: [rows]` out.".strip()
        raise
    return {_TABLES[kind]: count for kind, count in counts.items() if kind in _TABLES}


def _space_of(octopus: Octopus, name: str, arm: Arm) -> str:
    spaces = octopus.get("/api/spaces/all")
    for space in spaces:
        wanted = arm.space.lower() if arm.space else None
        if space["IsDefault"] if wanted is None else wanted in (space["Id"].lower(), space["Name"].lower()):
            return str(space["Id"])
    known = ", ".join(space["Name"] for space in spaces)
    raise UsageError(f"arm {name!r}: {arm.url} has no space {arm.space!r}", f"It has: {known}")
