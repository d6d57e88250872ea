"""Deployment targets (octopus-api §A.11)."""

from typing import Any

from standin import kinds
from standin.documents import Document
from standin.events import MACHINE_DISABLED, MACHINE_ENABLED, about
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.endpoints.connections import connection, health_of
from standin.web.endpoints.defaults import default_policy
from standin.web.endpoints.tasks import NEWEST
from standin.web.filters import Filters, count_and_fetch
from standin.web.paging import envelope
from standin.web.refusals import invalid
from standin.web.resources import MACHINE
from standin.web.tasks import show
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
            "communication_styles": query.many("commstyles", "deploymenttargettypes"),
            "with_tenants": query.many("tenantids"),
            "tags": query.many("tenanttags"),
            "systems": query.many("operatingsystemnames"),
            "shells": query.many("shellnames"),
            "thumbprint": query.text("thumbprint"),
            "deployed_to": query.text("deploymentid"),
        }

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
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
        policy = model.machine_policy_id or await default_policy(work, space)
        return {"MachinePolicyId": policy, **health_of(model.endpoint, current)}

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Record that a target has been enabled or disabled."""
        if current is not None and document["IsDisabled"] != current["IsDisabled"]:
            category, verb = (MACHINE_DISABLED, "disabled") if document["IsDisabled"] else (MACHINE_ENABLED, "enabled")
            await about(work, category, document, document["Name"], f"Deployment target {document['Name']} was {verb}")

    async def connection(self, call: Call) -> Any:
        """Return what is known of the connection to a target."""
        return connection(await self.find(call.state.pool, call), f"/api/{call.space}/machines")

    async def tasks(self, call: Call) -> Any:
        """Return one page of the tasks that have run on a target, newest first."""
        machine = await self.find(call.state.pool, call)
        filters = {"space": call.space, "on_machine": machine["Id"], "names": call.query.many("type")}
        window = call.query.window()
        async with call.state.pool.acquire() as conn:
            total, rows = await count_and_fetch(conn, (kinds.TASK, NEWEST), filters, window)
        items = [show(kinds.TASK.read(row)) for row in rows]
        return envelope("Task", items, total, window, call.path, call.query.filters())


MACHINES = Machines(MACHINE)


async def every_role(call: Call) -> Any:
    """Return the roles of all deployment targets as an array of strings."""
    rows = await call.state.pool.fetch(queries("web/resources")["roles"], call.space)
    return [row["r"] for row in rows]


async def operating_systems(call: Call) -> Any:
    """Return the operating systems of all deployment targets as an array of strings."""
    rows = await call.state.pool.fetch(queries("web/resources")["operating_systems"], call.space)
    return [row["r"] for row in rows]


async def shells(call: Call) -> Any:
    """Return the shells of all deployment targets as an array of strings."""
    rows = await call.state.pool.fetch(queries("web/resources")["shells"], call.space)
    return [row["r"] for row in rows]
