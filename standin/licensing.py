"""The licence: limits on what an instance may hold; without one there are none (octopus-api §A.22)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from standin.configuration import configuration
from standin.errors import Rejected
from standin.statements import queries
from standin.work import Work

#: Id of the licence, in Configuration.
SETTING = "licenses-current"
UNLIMITED = 2_147_483_647
#: what is limited → the member of a licence's XML, and the tables that count
LIMITS = {
    "Projects": "ProjectLimit",
    "Tenants": "TenantLimit",
    "Machines": "MachineLimit",
    "Spaces": "SpaceLimit",
    "Users": "UserLimit",
    "Nodes": "NodeLimit",
}
#: table of a kind → what is limited
TABLES = {"Project": "Projects", "Tenant": "Tenants", "Machine": "Machines", "Space": "Spaces", "UserAccount": "Users"}


@dataclass(frozen=True, slots=True)
class License:
    """A licence as its text says."""

    #: its text, "" where there is none
    text: str
    #: what is limited → how many there may be; what is missing is not limited
    limits: dict[str, int]
    #: the last day on which it is valid
    until: date
    #: tasks that a node, and the whole cluster, may run at once
    node_tasks: int
    cluster_tasks: int


def parse(text: str) -> License:
    """Read the XML of a licence; its signature is not looked at.

    Raises:
        Rejected: 400, it is no licence.
    """
    if not text.strip():
        return License("", {}, date.max, UNLIMITED, UNLIMITED)
    if not re.search(r"<License\b.*</License>", text, re.DOTALL):
        raise Rejected(400, "The license key is not valid: it is XML that begins with <License.")
    limits = {name: limit for name, member in LIMITS.items() if (limit := _number(text, member)) is not None}
    until = re.search(r"<ValidTo>\s*(\d{4}-\d{2}-\d{2})", text)
    try:
        ends = date.fromisoformat(until[1]) if until else date.max
    except ValueError as exc:
        raise Rejected(400, "The license key is not valid: its last day is no date.") from exc
    node, cluster = (_number(text, member) for member in ("NodeTaskCap", "TaskCap"))
    return License(text, limits, ends, UNLIMITED if node is None else node, UNLIMITED if cluster is None else cluster)


async def current(conn: Any) -> License:
    """Return the licence of the instance."""
    return parse((await configuration(conn, SETTING)).get("LicenseText") or "")


async def usage(conn: Any) -> dict[str, int]:
    """Count what is limited."""
    return dict(await conn.fetchrow(queries("licensing")["usage"]))


async def check(work: Work, table: str) -> None:
    """Make sure that one document more of a kind is within the licence.

    Raises:
        Rejected: 400, it is not, or the licence has run out.
    """
    name = TABLES.get(table)
    if name is None:
        return
    licence = await current(work.conn)
    limit = licence.limits.get(name)
    thing = name.lower().removesuffix("s")
    if licence.until < datetime.now(UTC).date():
        raise Rejected(400, f"You cannot create another {thing}. Your current license has expired.")
    if limit is not None and (await usage(work.conn))[name.lower()] >= limit:
        raise Rejected(
            400,
            f"You cannot create another {thing}. This will exceed the limits of your current license. "
            f"It allows {limit} {name.lower()}.",
        )


def _number(text: str, member: str) -> int | None:
    found = re.search(rf"<{member}>\s*(\w+)\s*</{member}>", text)
    if found is None or found[1].lower() == "unlimited":
        return None
    if not found[1].isascii() or not found[1].isdecimal():
        raise Rejected(400, f"The license key is not valid: {member} is neither a number nor Unlimited.")
    return int(found[1])
