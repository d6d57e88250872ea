"""What deployments and runs have alike in their orders: when, on which targets, without which steps."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from standin import kinds
from standin.documents import Document, find, get_many, time_text
from standin.timers import Timers
from standin.web.call import Call
from standin.web.query import parse_time
from standin.web.refusals import bad_request
from standin.work import Work


def schedule(call: Call, queue: str | None, expiry: str | None) -> dict[str, str | None]:
    """Return when a task may begin and when it is too late: 30 minutes later, unless said (octopus-facts §2.3).

    Raises:
        Rejected: 400, it would be too late before it may begin.
    """
    begins, ends = (parse_time(one, "QueueTime") if one else None for one in (queue, expiry))
    if begins and ends and ends <= begins:
        raise bad_request("Deployment Schedule is invalid.")
    if begins and not ends:
        ends = begins + timedelta(seconds=Timers(call.state.time_scale).schedule_window)
    return {"QueueTime": time_text(begins) if begins else None, "QueueTimeExpiry": time_text(ends) if ends else None}


async def machine_ids(work: Work, names: Sequence[str], space: str) -> list[str]:
    """Return the ids of deployment targets.

    Raises:
        Rejected: 400, there is none of such a name.
    """
    if not names:
        return []
    known = {machine["Name"].lower(): machine["Id"] for machine in await find(work.conn, kinds.MACHINE, SpaceId=space)}
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise bad_request(f"There is no deployment target named {', '.join(unknown)[:500]}.")
    return [known[name.lower()] for name in names]


async def check_machines(work: Work, identifiers: Sequence[str], space: str) -> None:
    """Make sure that deployment targets named by id are there.

    Raises:
        Rejected: 400, one of them is not.
    """
    if identifiers:
        known = await get_many(work.conn, kinds.MACHINE, identifiers)
        unknown = [one for one in identifiers if one not in known or known[one]["SpaceId"] != space]
        if unknown:
            raise bad_request(f"There is no deployment target {', '.join(unknown)[:500]} in this space.")


def action_ids(process: Document, names: Sequence[str]) -> list[str]:
    """Return the ids of the actions that a process has under the names of steps or actions.

    Raises:
        Rejected: 400, there is no step of such a name.
    """
    found: dict[str, list[Any]] = {}
    for step in process["Steps"]:
        actions = [action["Id"] for action in step["Actions"]]
        found.setdefault(step["Name"].lower(), []).extend(actions)
        for action in step["Actions"]:
            if action["Name"].lower() != step["Name"].lower():
                found.setdefault(action["Name"].lower(), []).append(action["Id"])
    unknown = [name for name in names if name.lower() not in found]
    if unknown:
        raise bad_request(f"There is no step named {', '.join(unknown)[:500]}.")
    return [identifier for name in names for identifier in found[name.lower()]]
