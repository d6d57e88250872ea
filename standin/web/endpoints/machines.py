"""Deployment targets (octopus-api §A.11)."""

from typing import Any

from standin.documents import Document
from standin.events import MACHINE_DISABLED, MACHINE_ENABLED, about
from standin.statements import queries
from standin.web import models
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.refusals import invalid
from standin.web.resources import MACHINE
from standin.work import Work


class Machines(Collection):
    """Deployment targets; nothing is sent to the machines themselves."""

    def filters(self, call: Call) -> Filters:
        """Return what deployment targets are filtered by."""
        query = call.query
        return {
            **named(call),
            "in_environments": query.many("environmentids"),
            "roles": query.many("roles", "targettags"),
            "disabled": query.flag("isdisabled"),
            "health": query.many("healthstatuses"),
            "communication_styles": query.many("commstyles"),
        }

    async def check(self, work: Work, model: Any, space: str | None, _current: Document | None) -> Document:
        """Return how a target is; it needs environments of its space, and roles."""
        problems = []
        if not model.environment_ids:
            problems.append("A deployment target needs at least one environment.")
        if not model.roles:
            problems.append("A deployment target needs at least one role.")
        problems += [f"'{role[:100]}' is no role: it holds a |." for role in model.roles if "|" in role]
        unknown = await work.conn.fetch(queries("web/resources")["referenced"], model.environment_ids, space)
        problems += [f"There is no environment {row['r']} in this space." for row in unknown]
        if problems:
            raise invalid(*problems)
        return _health(model)

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Record that a target has been enabled or disabled."""
        if current is not None and document["IsDisabled"] != current["IsDisabled"]:
            category, verb = (MACHINE_DISABLED, "disabled") if document["IsDisabled"] else (MACHINE_ENABLED, "enabled")
            await about(work, category, document, document["Name"], f"Deployment target {document['Name']} was {verb}")


MACHINES = Machines(MACHINE)


async def every_role(call: Call) -> Any:
    """Return the roles of all deployment targets as an array of strings."""
    rows = await call.state.pool.fetch(queries("web/resources")["roles"], call.space)
    return [row["r"] for row in rows]


def _health(model: models.Machine) -> Document:
    """Say how a target is: one that runs on the server is always healthy, any other is so after a health check."""
    if model.endpoint.get("CommunicationStyle", "None") == "None":
        return {"HealthStatus": "Healthy", "StatusSummary": "The target needs no machine of its own."}
    return {"HealthStatus": "Unknown", "StatusSummary": "The target has not been checked yet."}
