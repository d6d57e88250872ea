"""Arms put in force through the server's own API, each change journalled before it is made."""

from collections.abc import Callable
from typing import Any

from experiments.experiment import Retention
from experiments.journal import Journal
from octoload.api import Octopus

#: Seconds that a Retention task may take; the first purge of an old instance is heavy (octopus-facts §1b).
RETENTION_WITHIN = 3600.0


def apply_retention(
    octopus: Octopus, space: str, policy: Retention, journal: Journal, progress: Callable[[int, int, str], None]
) -> dict[str, Any]:
    """Set the policy on every lifecycle of a space and run the Retention task to its end; return that task.

    The wire shape is that of octopus-api §A.4, the task that of §A.14. A phase with a policy of its own would win over
    its lifecycle's (octopus-facts §1b), so phases are made to inherit.

    Raises:
        ServerError: the server refuses, or the task does not succeed.
    """
    period = {"Strategy": "Count", "QuantityToKeep": policy.keep, "Unit": policy.unit, "ShouldKeepForever": False}
    for lifecycle in octopus.get(f"/api/{space}/lifecycles/all"):
        changed = {
            **lifecycle,
            "ReleaseRetentionPolicy": period,
            "Phases": [{**phase, "ReleaseRetentionPolicy": None} for phase in lifecycle["Phases"]],
        }
        journal.note(
            "change", what="retention policy", where=lifecycle["Name"], to=period, put_back=_policies(lifecycle)
        )
        octopus.put(f"/api/{space}/lifecycles/{lifecycle['Id']}", changed)
    journal.note("task", what="Retention", where=space)
    task = octopus.run_task("Retention", "octoload: apply the policy of the arm", space, RETENTION_WITHIN, progress)
    journal.note("done", what="Retention", where=space, task=task["Id"], duration=task.get("Duration", ""))
    return task


def _policies(lifecycle: dict[str, Any]) -> dict[str, Any]:
    phases = {phase["Name"]: phase.get("ReleaseRetentionPolicy") for phase in lifecycle["Phases"]}
    return {"lifecycle": lifecycle["ReleaseRetentionPolicy"], "phases": phases}
