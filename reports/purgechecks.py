"""The checks of a trial that purges: whether something was deleted, and all of it within what was measured."""

from collections.abc import Mapping
from typing import Any

from reports.checks import Check


def check_purge(facts: Mapping[str, Any]) -> list[Check]:
    """Check the purge of a trial that has just ended; `facts` is what `trial.json` will hold."""
    steps = facts["purge"]["steps"]
    deleted = sum(int(step["releases"]) for step in steps)
    message = f"Retention deleted {deleted:,} releases in {len(steps)} steps (some must go)."
    if deleted < 1:
        message += " The policy is not tighter than the history: keep less, or seed more."
    late = float(steps[-1]["completed"]) - float(facts["measured_until"])
    said = f"The last Retention task ended {abs(late):.1f} s {'after' if late > 0 else 'before'} the end of the load."
    if late > 0:
        said += " What it cost then was not measured: lengthen design.seconds, or begin earlier."
    return [
        Check("purge", deleted, 1, "ok" if deleted >= 1 else "invalid", message),
        Check("purge beside the load", late, 0, "ok" if late <= 0 else "invalid", said),
    ]
