"""Deployment targets and tenants (octopus-api §A.11, §A.12)."""

from typing import Any

from standin.documents import Document
from standin.events import MACHINE_DISABLED, MACHINE_ENABLED, about
from standin.statements import queries
from standin.web import models
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named
from standin.web.refusals import invalid
from standin.web.resources import MACHINE, TENANT, create, fetch_all, fetch_one, fetch_page, modify, remove
from standin.work import Work


async def list_machines(call: Call) -> Any:
    """List a space's deployment targets."""
    return await fetch_page(call, MACHINE, machine_filters(call))


async def all_machines(call: Call) -> Any:
    """Return all deployment targets as a bare array."""
    return await fetch_all(call, MACHINE, machine_filters(call))


async def read_machine(call: Call) -> Any:
    """Return one deployment target."""
    return MACHINE.show(await fetch_one(call.state.pool, MACHINE, call.id, call.space))


async def create_machine(call: Call) -> Reply:
    """Create a deployment target; nothing is sent to the machine itself."""
    model = await call.read(models.Machine)
    async with call.begin() as work:
        await _check_machine(work, model, call.space)
        return created(MACHINE.show(await create(work, MACHINE, model, call.space, **_health(model))))


async def modify_machine(call: Call) -> Any:
    """Replace a deployment target."""
    model = await call.read(models.Machine)
    async with call.begin() as work:
        current = await fetch_one(work.conn, MACHINE, call.id, call.space)
        await _check_machine(work, model, call.space)
        machine = await modify(work, MACHINE, current, model, **_health(model))
        if machine["IsDisabled"] != current["IsDisabled"]:
            category, verb = (MACHINE_DISABLED, "disabled") if machine["IsDisabled"] else (MACHINE_ENABLED, "enabled")
            await about(work, category, machine, machine["Name"], f"Deployment target {machine['Name']} was {verb}")
    return MACHINE.show(machine)


async def delete_machine(call: Call) -> Any:
    """Delete a deployment target."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, MACHINE, call.id, call.space)
        await remove(work, MACHINE, current)
    return MACHINE.show(current)


async def all_roles(call: Call) -> Any:
    """Return the roles of all deployment targets as an array of strings."""
    rows = await call.state.pool.fetch(queries("web/resources")["roles"], call.space)
    return [row["r"] for row in rows]


async def list_tenants(call: Call) -> Any:
    """List a space's tenants."""
    return await fetch_page(call, TENANT, _tenant_filters(call))


async def all_tenants(call: Call) -> Any:
    """Return all tenants as a bare array."""
    return await fetch_all(call, TENANT, _tenant_filters(call))


async def read_tenant(call: Call) -> Any:
    """Return one tenant."""
    return TENANT.show(await fetch_one(call.state.pool, TENANT, call.id, call.space))


async def create_tenant(call: Call) -> Reply:
    """Create a tenant, connected to environments of projects."""
    model = await call.read(models.Tenant)
    async with call.begin() as work:
        await _check_tenant(work, model, call.space)
        return created(TENANT.show(await create(work, TENANT, model, call.space)))


async def modify_tenant(call: Call) -> Any:
    """Replace a tenant."""
    model = await call.read(models.Tenant)
    async with call.begin() as work:
        current = await fetch_one(work.conn, TENANT, call.id, call.space)
        await _check_tenant(work, model, call.space)
        return TENANT.show(await modify(work, TENANT, current, model))


async def delete_tenant(call: Call) -> Any:
    """Delete a tenant."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, TENANT, call.id, call.space)
        await remove(work, TENANT, current)
    return TENANT.show(current)


def machine_filters(call: Call) -> dict[str, Any]:
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


def _tenant_filters(call: Call) -> dict[str, Any]:
    return {**named(call), "connected_to": call.query.text("projectid"), "tags": call.query.many("tags")}


def _health(model: models.Machine) -> Document:
    """Say how a target is: one that runs on the server is always healthy, any other is so after a health check."""
    if model.endpoint.get("CommunicationStyle", "None") == "None":
        return {"HealthStatus": "Healthy", "StatusSummary": "The target needs no machine of its own."}
    return {"HealthStatus": "Unknown", "StatusSummary": "The target has not been checked yet."}


async def _check_machine(work: Work, model: models.Machine, space: str) -> None:
    problems = []
    if not model.environment_ids:
        problems.append("A deployment target needs at least one environment.")
    if not model.roles:
        problems.append("A deployment target needs at least one role.")
    problems += [f"'{role[:100]}' is no role: it holds a |." for role in model.roles if "|" in role]
    await _raise(work, problems, model.environment_ids, space)


async def _check_tenant(work: Work, model: models.Tenant, space: str) -> None:
    environments = [one for listed in model.project_environments.values() for one in listed]
    await _raise(work, [], environments, space)


async def _raise(work: Work, problems: list[str], environments: list[str], space: str) -> None:
    """Refuse what has problems, or refers to environments that the space does not have (400)."""
    unknown = await work.conn.fetch(queries("web/resources")["referenced"], environments, space)
    problems = [*problems, *(f"There is no environment {row['r']} in this space." for row in unknown)]
    if problems:
        raise invalid(*problems)
