"""Deployment environments (octopus-api §A.3)."""

from typing import Any

from standin.statements import queries
from standin.web import models
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, refuse_when_used
from standin.web.endpoints.infrastructure import machine_filters
from standin.web.refusals import bad_request, invalid
from standin.web.resources import ENVIRONMENT, MACHINE, create, fetch_all, fetch_one, fetch_page, modify, remove


async def list_environments(call: Call) -> Any:
    """List a space's environments in their order, ten a page."""
    return await fetch_page(call, ENVIRONMENT, named(call))


async def list_environments_v2(call: Call) -> Any:
    """List environments as newer clients ask for them."""
    page = await fetch_page(call, ENVIRONMENT, named(call))
    page["Items"] = [{**item, "Type": "Static", "ParentEnvironmentId": None} for item in page["Items"]]
    return page


async def all_environments(call: Call) -> Any:
    """Return all environments as a bare array."""
    return await fetch_all(call, ENVIRONMENT, named(call))


async def all_environments_v1(call: Call) -> Any:
    """Return all environments in an envelope of their own."""
    return {"Environments": await fetch_all(call, ENVIRONMENT, named(call))}


async def read_environment(call: Call) -> Any:
    """Return one environment."""
    return ENVIRONMENT.show(await fetch_one(call.state.pool, ENVIRONMENT, call.id, call.space))


async def create_environment(call: Call) -> Reply:
    """Create an environment; without a place of its own it comes last."""
    model = await call.read(models.Environment)
    async with call.begin() as work:
        order = model.sort_order
        if order is None:
            order = await work.conn.fetchval(queries("web/resources")["next_sort_order"], call.space)
        return created(ENVIRONMENT.show(await create(work, ENVIRONMENT, model, call.space, SortOrder=order)))


async def modify_environment(call: Call) -> Any:
    """Replace an environment."""
    model = await call.read(models.Environment)
    async with call.begin() as work:
        current = await fetch_one(work.conn, ENVIRONMENT, call.id, call.space)
        order = current["SortOrder"] if model.sort_order is None else model.sort_order
        return ENVIRONMENT.show(await modify(work, ENVIRONMENT, current, model, SortOrder=order))


async def delete_environment(call: Call) -> Any:
    """Delete an environment that neither a lifecycle nor a deployment target uses."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, ENVIRONMENT, call.id, call.space)
        await refuse_when_used(work, "environment_uses", current["Id"], call.space)
        await remove(work, ENVIRONMENT, current)
    return ENVIRONMENT.show(current)


async def sort_environments(call: Call) -> Any:
    """Put the environments into the order of the ids sent."""
    wanted = await call.json()
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise bad_request("The body must be an array of environment ids.")
    async with call.begin() as work:
        unknown = await work.conn.fetch(queries("web/resources")["referenced"], wanted, call.space)
        if unknown:
            raise invalid(*(f"There is no environment {row['r']} in this space." for row in unknown))
        await work.conn.execute(queries("web/resources")["order_environments"], wanted, call.space)
    return await fetch_all(call, ENVIRONMENT, named(call))


async def machines_of_environment(call: Call) -> Any:
    """List the deployment targets of an environment."""
    environment = await fetch_one(call.state.pool, ENVIRONMENT, call.id, call.space)
    return await fetch_page(call, MACHINE, {**machine_filters(call), "in_environments": [environment["Id"]]})
