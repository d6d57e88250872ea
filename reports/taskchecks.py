"""The checks of a drain: whether every task was worked off once, within the slots that the arm had."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reports import drains, tasks
from reports.checks import Check, State, graded, steal
from reports.drains import TASKS_PER_SLOT
from reports.statistics import Untold
from reports.tasks import Tasks

#: Share of the measured phase in which no task of a drain runs beside the load.
IDLE = 0.10


def check_drain(facts: Mapping[str, Any], file: Path, objective: float | None = None) -> list[Check]:
    """Check a drain that has just ended.

    Args:
        facts: what `trial.json` will hold, without `checks` and `valid`.
        file: its `tasks.parquet`.
        objective: seconds of queue wait for which a primary endpoint tells the capacity; None when none does.

    Raises:
        UsageError: the file is missing or damaged.
    """
    return [*check_worked_off(facts, file, objective), steal(facts)]


def check_worked_off(facts: Mapping[str, Any], file: Path, objective: float | None = None) -> list[Check]:
    """Check the tasks of a drain alone, as `check_drain` does: beside a load, that one's checks tell of the machine."""
    rows, slots = tasks.read(file), int(facts["slots"])
    return [
        _lost(rows, int(facts["sent"]["drain"])),
        _twice(rows),
        _failed(rows),
        _slots(rows, slots),
        _utilisation(rows, slots),
        _enough(rows, slots),
        *([_capacity(rows, slots, objective)] if objective is not None else []),
    ]


def check_followed(facts: Mapping[str, Any], file: Path, plan: Mapping[str, Any]) -> list[Check]:
    """Check the tasks that a trial's load has queued and that were followed to their end.

    Args:
        facts: what `trial.json` will hold, without `checks` and `valid`.
        file: its `tasks.parquet`.
        plan: the run's `plan.json`: in an arm that is meant to bring errors, tasks may fail.

    Raises:
        UsageError: the file is missing or damaged.
    """
    rows = tasks.read(file)
    told = [_lost(rows, int(facts["tasks"]["queued"])), _twice(rows)]
    return told if "errors" in plan.get("meant", {}).get(facts["arm"], []) else [*told, _failed(rows)]


def check_overlap(drain: Mapping[str, Any], load: Mapping[str, Any]) -> Check:
    """Check that tasks ran as long as requests were measured beside them; both are facts of a trial."""
    missing = float(load["measured_until"]) - float(drain["measured_until"])
    late = float(drain["measured_from"]) - float(load["measured_from"])
    share = max(0.0, missing) + max(0.0, late)
    share /= float(load["measured_until"]) - float(load["measured_from"])
    message = f"Tasks ran in {1 - share:.0%} of the time in which requests were measured (90 % at least)."
    if share > IDLE:
        message += " Latencies are partly those of an idle server: queue more tasks, or shorten design.seconds."
    return Check("tasks beside the load", share, IDLE, "warn" if share > IDLE else "ok", message)


def _lost(rows: Tasks, queued: int) -> Check:
    lost = tasks.lost(rows, queued)
    message = f"{lost} of {queued} tasks have not come to an end (none may)."
    if lost:
        message += " Look at the server's task list for what they wait for, and give them more time."
    return Check("tasks lost", lost, 0, "invalid" if lost else "ok", message)


def _twice(rows: Tasks) -> Check:
    twice = tasks.twice(rows)
    message = f"{twice} tasks were started more than once, by the audit trail (none may)."
    if twice:
        message += " A server that runs a task twice is broken: report it to its maker."
    return Check("tasks run twice", twice, 0, "invalid" if twice else "ok", message)


def _failed(rows: Tasks) -> Check:
    share = float((rows.state != "Success").mean()) if len(rows.state) else 1.0
    message = f"{share:.1%} of the tasks did not succeed (at most 1 % may)."
    if share > 0.01:
        message += " Failing is often fast: find out why in their logs before comparing rates."
    return Check("tasks failed", share, 0.01, "invalid" if share > 0.01 else "ok", message)


def _slots(rows: Tasks, slots: int) -> Check:
    """Running tasks beyond the sum of the caps mean that clocks or caps are wrong (statistics §5.3)."""
    most = tasks.most_running(rows)
    message = f"At most {most} tasks ran at once, of {slots} slots."
    if most > slots:
        message += " So the caps or the nodes' clocks are not what they seem: synchronise the clocks."
    return Check("slots", most, slots, "warn" if most > slots else "ok", message)


def _utilisation(rows: Tasks, slots: int) -> Check:
    """The slots' use X E[S] / c cannot be above 1 (statistics §5.3); far below, nodes waited for something else."""
    found = tasks.drain(rows, slots)
    if isinstance(found, Untold):
        return Check("utilisation", None, 1.0, "invalid", f"No rate can be told: {found.reason}.")
    used = found.per_minute / 60 * float(np.mean(rows.run)) / slots
    message = f"The slots were {used:.0%} busy while the queue was full (more than 100 % cannot be)."
    if used > 1.05:
        message += " So the task data are inconsistent: synchronise the nodes' clocks."
    elif used < 0.5:
        message += " The rest is the nodes' waiting for their next look at the queue, or for each other."
    return Check("utilisation", used, 1.05, graded(used, 1.05, 1.5), message)


def _capacity(rows: Tasks, slots: int, objective: float) -> Check:
    found = tasks.capacity(rows, tasks.drain(rows, slots), objective)
    message = drains.sentence(found)
    if isinstance(found, Untold):
        message += " This trial says nothing about it: see what keeps the slots from work."
        return Check("capacity", None, None, "warn", message)
    return Check("capacity", found.per_hour, None, "ok", message)


def _enough(rows: Tasks, slots: int) -> Check:
    count, wanted = len(rows.task), TASKS_PER_SLOT * slots
    state: State = "warn" if count < wanted else "ok"
    message = f"{count} tasks for {slots} slots ({wanted} are wanted, {TASKS_PER_SLOT} a slot)."
    if state == "warn":
        message += " The rate wavers more for it: queue more tasks."
    return Check("tasks a slot", count, wanted, state, message)
