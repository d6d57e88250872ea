"""Deployment processes, each with a version against lost updates (octopus-api §A.9)."""

import uuid
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, DocumentType, get
from standin.errors import not_found
from standin.slugs import slug
from standin.spaces import save_process
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.endpoints.projects import project_of
from standin.web.filters import count_and_fetch
from standin.web.granted import granted
from standin.web.links import links_of
from standin.web.paging import envelope
from standin.web.refusals import invalid
from standin.web.secrets import hide, keep
from standin.work import Work


async def list_processes(call: Call) -> Any:
    """Return one page of the deployment processes of a space, without snapshots."""
    window = call.query.window()
    filters = {"space": call.space, "ids": call.query.many("ids"), "frozen": False, **granted(call, kinds.PROCESS)}
    async with call.state.pool.acquire() as conn:
        total, rows = await count_and_fetch(conn, (kinds.PROCESS, "length(Id), Id"), filters, window)
    items = [show_process(kinds.PROCESS.read(row)) for row in rows]
    return envelope("DeploymentProcess", items, total, window, call.path, call.query.filters())


async def read_process(call: Call) -> Any:
    """Return a deployment process, or a frozen snapshot of one."""
    return show_process(await owned_process(call, call.state.pool))


async def read_process_of_project(call: Call) -> Any:
    """Return the deployment process of a project."""
    project = await project_of(call)
    return show_process(await get(call.state.pool, kinds.PROCESS, project["DeploymentProcessId"]))


async def modify_process(call: Call) -> Any:
    """Replace a deployment process whose version is the current one."""
    model = await call.read(models.DeploymentProcess)
    async with call.begin() as work:
        process = await owned_process(call, work.conn)
        return await _save_process(work, process["Id"], model)


async def modify_process_of_project(call: Call) -> Any:
    """Replace the deployment process of a project."""
    model = await call.read(models.DeploymentProcess)
    async with call.begin() as work:
        return await _save_process(work, (await project_of(call, work.conn))["DeploymentProcessId"], model)


def show_process(document: Document, resource: str = "DeploymentProcess") -> Document:
    """Return a process with all members of its steps and actions, whoever wrote it."""
    steps = convert(document["Steps"], list[models.Step])
    return {
        **document,
        "Steps": hide(msgspec.to_builtins([_named(step) for step in steps])),
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
    known = {one["Id"]: one for one in _actions((await get(work.conn, kind, identifier))["Steps"]) if one.get("Id")}
    for action in _actions(steps):
        action["Properties"] = keep(action["Properties"], known.get(action["Id"], {}).get("Properties"))
    names = [step["Name"].lower() for step in steps]
    if len(set(names)) < len(names):
        raise invalid("Step names must be unique in a deployment process.")
    return await save_process(work, identifier, version, {"Steps": steps}, kind)


def _actions(steps: list[Document]) -> list[Document]:
    return [action for step in steps for action in step.get("Actions") or []]


def _named(step: models.Step) -> models.Step:
    """Give a step and its actions the ids and slugs that the server assigns."""
    actions = [
        msgspec.structs.replace(action, id=action.id or str(uuid.uuid4()), slug=slug(action.slug or action.name))
        for action in step.actions
    ]
    return msgspec.structs.replace(
        step, id=step.id or str(uuid.uuid4()), slug=slug(step.slug or step.name), actions=actions
    )


async def owned_process(call: Call, conn: Any) -> Document:
    """Return the deployment process that the path names, in the space of the call."""
    document = await get(conn, kinds.PROCESS, call.id)
    if document["SpaceId"] != call.space:
        raise not_found(call.id)
    return call.check(document)
