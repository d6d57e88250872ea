"""Deployment processes and variable sets, each with a version against lost updates (octopus-api §A.9, §A.10)."""

import uuid
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, DocumentType, get
from standin.errors import not_found
from standin.newspace import slug
from standin.spaces import save_process, save_variables
from standin.statements import queries
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.endpoints.projects import project_of
from standin.web.links import links_of
from standin.web.refusals import invalid
from standin.work import Work


async def read_process(call: Call) -> Any:
    """Return a deployment process, or a frozen snapshot of one."""
    return show_process(await _owned(call, call.state.pool, kinds.PROCESS, call.id))


async def read_process_of_project(call: Call) -> Any:
    """Return the deployment process of a project."""
    project = await project_of(call)
    return show_process(await get(call.state.pool, kinds.PROCESS, project["DeploymentProcessId"]))


async def modify_process(call: Call) -> Any:
    """Replace a deployment process whose version is the current one."""
    model = await call.read(models.DeploymentProcess)
    async with call.begin() as work:
        process = await _owned(call, work.conn, kinds.PROCESS, call.id)
        return await _save_process(work, process["Id"], model)


async def modify_process_of_project(call: Call) -> Any:
    """Replace the deployment process of a project."""
    model = await call.read(models.DeploymentProcess)
    async with call.begin() as work:
        return await _save_process(work, (await project_of(call, work.conn))["DeploymentProcessId"], model)


async def read_template(call: Call) -> Any:
    """Return what a client needs to know before it creates a release."""
    process = await _owned(call, call.state.pool, kinds.PROCESS, call.id)
    return await _template(call, process["ProjectId"], process["Id"])


async def read_template_of_project(call: Call) -> Any:
    """Return what a client needs to know before it creates a release of a project."""
    project = await project_of(call)
    return await _template(call, project["Id"], project["DeploymentProcessId"])


async def read_variables(call: Call) -> Any:
    """Return a variable set, or a frozen snapshot of one."""
    return await _shown(call.state.pool, await _owned(call, call.state.pool, kinds.VARIABLE_SET, call.id))


async def read_variables_of_project(call: Call) -> Any:
    """Return the variable set of a project."""
    project = await project_of(call)
    return await _shown(call.state.pool, await get(call.state.pool, kinds.VARIABLE_SET, project["VariableSetId"]))


async def modify_variables(call: Call) -> Any:
    """Replace a variable set whose version is the current one."""
    model = await call.read(models.VariableSet)
    async with call.begin() as work:
        variables = await _owned(call, work.conn, kinds.VARIABLE_SET, call.id)
        return await _save_variables(work, variables, model)


async def modify_variables_of_project(call: Call) -> Any:
    """Replace the variable set of a project."""
    model = await call.read(models.VariableSet)
    async with call.begin() as work:
        project = await project_of(call, work.conn)
        return await _save_variables(work, await get(work.conn, kinds.VARIABLE_SET, project["VariableSetId"]), model)


def show_process(document: Document, resource: str = "DeploymentProcess") -> Document:
    """Return a process with all members of its steps and actions, whoever wrote it."""
    steps = convert(document["Steps"], list[models.Step])
    return {
        **document,
        "Steps": msgspec.to_builtins([_named(step) for step in steps]),
        "Links": links_of(resource, document),
    }


async def _save_process(work: Work, identifier: str, model: models.DeploymentProcess) -> Document:
    return show_process(await save_steps(work, identifier, model.version, model.steps, kinds.PROCESS))


async def save_steps(
    work: Work, identifier: str, version: int, sent: list[models.Step], kind: DocumentType
) -> Document:
    """Replace the steps of a deployment process or of a runbook's.

    Raises:
        Rejected: 400, two steps have one name, or the version is not the current one.
    """
    steps = msgspec.to_builtins([_named(step) for step in sent])
    names = [step["Name"].lower() for step in steps]
    if len(set(names)) < len(names):
        raise invalid("Step names must be unique in a deployment process.")
    return await save_process(work, identifier, version, {"Steps": steps}, kind)


def _named(step: models.Step) -> models.Step:
    """Give a step and its actions the ids and slugs that the server assigns."""
    actions = [
        msgspec.structs.replace(action, id=action.id or str(uuid.uuid4()), slug=slug(action.slug or action.name))
        for action in step.actions
    ]
    return msgspec.structs.replace(
        step, id=step.id or str(uuid.uuid4()), slug=slug(step.slug or step.name), actions=actions
    )


async def _save_variables(work: Work, current: Document, model: models.VariableSet) -> Document:
    known = {one["Id"]: one for one in current["Variables"]}
    variables = [_assigned(variable, known) for variable in model.variables]
    if len({one["Id"] for one in variables}) < len(variables):
        raise invalid("Variable ids must be unique.")
    saved = await save_variables(work, current["Id"], model.version, {"Variables": variables})
    return await _shown(work.conn, saved)


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


async def _shown(conn: Any, document: Document) -> Document:
    """Return a variable set without its sensitive values, and with what its variables may be scoped to."""
    variables = msgspec.to_builtins(convert(document["Variables"], list[models.Variable]))
    for variable in variables:
        if variable["IsSensitive"]:
            variable["Value"] = None
    return {
        **document,
        "Variables": variables,
        "ScopeValues": await _scope_values(conn, document),
        "Links": links_of("VariableSet", document),
    }


async def _scope_values(conn: Any, document: Document) -> Document:
    rows = await conn.fetch(queries("web/processes")["scope_values"], document["SpaceId"], document["OwnerId"])
    values: Document = {name: [] for name in ("Environments", "Machines", "Actions", "Roles", "Channels")}
    for row in rows:
        values[row["scope"]].append({"Id": row["id"], "Name": row["name"]})
    process = await get(conn, kinds.PROCESS, f"deploymentprocess-{document['OwnerId']}")
    actions = [action for step in process["Steps"] for action in step.get("Actions") or []]
    values["Actions"] = [{"Id": action.get("Id"), "Name": action["Name"]} for action in actions]
    return {**values, "TenantTags": [], "Processes": []}


async def _template(call: Call, project: str, process: str) -> Document:
    row = await call.state.pool.fetchrow(queries("web/processes")["last_release"], project)
    last = row["version"] if row else None
    return {
        "DeploymentProcessId": process,
        "LastReleaseVersion": last,
        "NextVersionIncrement": next_version(last),
        "VersioningPackageStepName": None,
        "VersioningPackageReferenceName": None,
        "Packages": [],
        "GitResources": [],
        "Links": {"Self": call.path},
    }


def next_version(last: str | None) -> str:
    """Return the version after `last`: its last number plus one; 0.0.1 is the first."""
    head, _, tail = (last or "0.0.0").split("+")[0].split("-")[0].rpartition(".")
    return f"{head}.{int(tail) + 1}" if head and tail.isdecimal() else f"{last}.1"


async def _owned(call: Call, conn: Any, kind: DocumentType, identifier: str) -> Document:
    """Return a document that belongs to the space of the call."""
    document = await get(conn, kind, identifier)
    if document["SpaceId"] != call.space:
        raise not_found(identifier)
    return document
