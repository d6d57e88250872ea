"""Variable sets of projects and libraries, each with a version against lost updates (octopus-api §A.10)."""

import uuid
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, get, get_many
from standin.errors import not_found
from standin.process import Scope, choose
from standin.spaces import save_variables
from standin.statements import queries
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.tagsets import known_tags
from standin.web.filters import count_and_fetch, fetch_rows
from standin.web.granted import granted
from standin.web.links import links_of
from standin.web.paging import envelope
from standin.web.refusals import bad_request, invalid
from standin.web.resources import PROJECT, fetch_one
from standin.work import Work

#: what a variable may be scoped to
SCOPES = ("Environment", "Machine", "Role", "Action", "Channel", "TenantTag", "ProcessOwner", "Tenant")
_LISTING = (kinds.VARIABLE_SET, "length(Id), Id")


async def read_variables(call: Call) -> Any:
    """Return a variable set, or a frozen snapshot of one."""
    return await show(call.state.pool, await _owned(call, call.state.pool))


async def read_variables_of_project(call: Call) -> Any:
    """Return the variable set of a project."""
    project = await project_of(call)
    return await show(call.state.pool, await get(call.state.pool, kinds.VARIABLE_SET, project["VariableSetId"]))


async def modify_variables(call: Call) -> Any:
    """Replace a variable set whose version is the current one."""
    model = await call.read(models.VariableSet)
    async with call.begin() as work:
        return await _save(work, await _owned(call, work.conn), model)


async def modify_variables_of_project(call: Call) -> Any:
    """Replace the variable set of a project."""
    model = await call.read(models.VariableSet)
    async with call.begin() as work:
        project = await project_of(call, work.conn)
        return await _save(work, await get(work.conn, kinds.VARIABLE_SET, project["VariableSetId"]), model)


async def list_sets(call: Call) -> Any:
    """Return one page of the variable sets of a space, without snapshots."""
    window = call.query.window()
    filters = {**_current(call), "ids": call.query.many("ids")}
    async with call.state.pool.acquire() as conn:
        total, rows = await count_and_fetch(conn, _LISTING, filters, window)
        items = [await show(conn, kinds.VARIABLE_SET.read(row)) for row in rows]
    return envelope("VariableSet", items, total, window, call.path, call.query.filters())


async def every_set(call: Call) -> Any:
    """Return all variable sets of the space, without snapshots, as a bare array."""
    return [await show(call.state.pool, one) for one in await _every(call)]


async def names(call: Call) -> Any:
    """Return the names of the variables of a project and of the sets that it includes; without one, of the space."""
    wanted = call.query.text("project")
    if wanted is None:
        sets = await _every(call)
    else:
        sets = await _sets_of(call, wanted)
    return sorted({variable["Name"] for one in sets for variable in one["Variables"]}, key=str.lower)


async def preview(call: Call) -> Any:
    """Return the variables that hold where the query says: of each name, the one with the narrowest scope."""
    query, wanted = call.query, call.query.text("project")
    if wanted is None:
        raise bad_request("The query must name a project.")
    sets = await _sets_of(call, wanted)
    role = query.text("role")
    scope = Scope(
        query.text("environment") or "",
        query.text("channel") or "",
        query.text("tenant"),
        query.text("machine"),
        (role,) if role else (),
    )
    chosen = choose([variable for one in sets for variable in one["Variables"]], scope)
    return await show(call.state.pool, {**sets[0], "Variables": list(chosen.values())})


async def show(conn: Any, document: Document) -> Document:
    """Return a variable set without its sensitive values, and with what its variables may be scoped to."""
    variables = msgspec.to_builtins(convert(document["Variables"], list[models.Variable]))
    for variable in variables:
        if variable["IsSensitive"]:
            variable["Value"] = None
    library = document["OwnerId"].startswith("LibraryVariableSets-")
    return {
        **document,
        "Variables": variables,
        "ScopeValues": await _scope_values(conn, document),
        "Links": links_of("LibraryVariables" if library else "VariableSet", document),
    }


async def _every(call: Call) -> list[Document]:
    """Return all variable sets of the space that who asks may see, without snapshots."""
    rows = await fetch_rows(call.state.pool, _LISTING, _current(call))
    return [kinds.VARIABLE_SET.read(row) for row in rows]


def _current(call: Call) -> dict[str, Any]:
    return {"space": call.space, "frozen": False, **granted(call, kinds.VARIABLE_SET)}


async def _sets_of(call: Call, name: str) -> list[Document]:
    """Return the variable set of a project, then those of the libraries that it includes."""
    project = call.check(await fetch_one(call.state.pool, PROJECT, name, call.space))
    included = [f"variableset-{one}" for one in project.get("IncludedLibraryVariableSetIds") or []]
    found = await get_many(call.state.pool, kinds.VARIABLE_SET, [project["VariableSetId"], *included])
    return [found[one] for one in (project["VariableSetId"], *included) if one in found]


async def _save(work: Work, current: Document, model: models.VariableSet) -> Document:
    known = {one["Id"]: one for one in current["Variables"]}
    variables = [_assigned(variable, known) for variable in model.variables]
    if len({one["Id"] for one in variables}) < len(variables):
        raise invalid("Variable ids must be unique.")
    unknown = {scope for one in variables for scope in one["Scope"]} - set(SCOPES)
    if unknown:
        raise invalid(*(f"A variable cannot be scoped to '{one[:50]}'." for one in sorted(unknown)))
    return await show(work.conn, await save_variables(work, current["Id"], model.version, {"Variables": variables}))


def _assigned(variable: models.Variable, known: dict[str, Document]) -> Document:
    """Return a variable with an id; a sensitive one sent without a value keeps the value it had."""
    sensitive = variable.is_sensitive or variable.type == "Sensitive"
    members: Document = msgspec.to_builtins(variable)
    members.update(Id=variable.id or str(uuid.uuid4()), IsSensitive=sensitive)
    if sensitive:
        members["Type"] = "Sensitive"
        if variable.value is None and variable.id in known:
            members["Value"] = known[variable.id]["Value"]
    return members


async def _scope_values(conn: Any, document: Document) -> Document:
    owner, space = document["OwnerId"], document["SpaceId"]
    rows = await conn.fetch(queries("web/processes")["scope_values"], space, owner)
    values: Document = {f"{name}s": [] for name in ("Environment", "Machine", "Action", "Role", "Channel")}
    values["Processes"] = []
    for row in rows:
        item = {"Id": row["id"], "Name": row["name"]}
        if row["scope"] == "Processes":
            item["ProcessType"] = "Runbook" if row["id"].startswith("Runbooks-") else "Deployment"
        values[row["scope"]].append(item)
    process = await conn.fetchval(queries("web/processes")["steps"], f"deploymentprocess-{owner}")
    steps = msgspec.json.decode(process) if process else []
    actions = [action for step in steps for action in step.get("Actions") or []]
    values["Actions"] = [{"Id": action.get("Id"), "Name": action["Name"]} for action in actions]
    tags = sorted(await known_tags(conn, space))
    return {**values, "TenantTags": [{"Id": one, "Name": one} for one in tags]}


async def _owned(call: Call, conn: Any) -> Document:
    """Return a variable set that belongs to the space of the call."""
    document = await get(conn, kinds.VARIABLE_SET, call.id)
    if document["SpaceId"] != call.space:
        raise not_found(call.id)
    return call.check(document)
