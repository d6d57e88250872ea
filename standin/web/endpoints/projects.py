"""Project groups, projects and their channels (octopus-api §A.6 to §A.8)."""

from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, find, get, update
from standin.spaces import create_project as create_with_parts
from standin.spaces import slug
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, referenced, refuse_when_used
from standin.web.refusals import bad_request
from standin.web.removal import forget_logs, remove_project
from standin.web.resources import (
    CHANNEL,
    LIFECYCLE,
    PROJECT,
    PROJECT_GROUP,
    create,
    fetch_all,
    fetch_one,
    fetch_page,
    modify,
    remove,
)
from standin.work import Work


async def list_groups(call: Call) -> Any:
    """List a space's project groups."""
    return await fetch_page(call, PROJECT_GROUP, named(call))


async def all_groups(call: Call) -> Any:
    """Return all project groups as a bare array."""
    return await fetch_all(call, PROJECT_GROUP, named(call))


async def read_group(call: Call) -> Any:
    """Return one project group."""
    return PROJECT_GROUP.show(await fetch_one(call.state.pool, PROJECT_GROUP, call.id, call.space))


async def create_group(call: Call) -> Reply:
    """Create a project group."""
    model = await call.read(models.ProjectGroup)
    async with call.begin() as work:
        return created(PROJECT_GROUP.show(await create(work, PROJECT_GROUP, model, call.space)))


async def modify_group(call: Call) -> Any:
    """Replace a project group."""
    model = await call.read(models.ProjectGroup)
    async with call.begin() as work:
        current = await fetch_one(work.conn, PROJECT_GROUP, call.id, call.space)
        return PROJECT_GROUP.show(await modify(work, PROJECT_GROUP, current, model))


async def delete_group(call: Call) -> Any:
    """Delete a project group that has no projects."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, PROJECT_GROUP, call.id, call.space)
        await refuse_when_used(work, "group_uses", current["Id"])
        await remove(work, PROJECT_GROUP, current)
    return PROJECT_GROUP.show(current)


async def projects_of_group(call: Call) -> Any:
    """List the projects of a group, in pages."""
    group = await fetch_one(call.state.pool, PROJECT_GROUP, call.id, call.space)
    return await fetch_page(call, PROJECT, {**named(call), "group": group["Id"]})


async def list_projects(call: Call) -> Any:
    """List a space's projects."""
    return await fetch_page(call, PROJECT, _filters(call))


async def all_projects(call: Call) -> Any:
    """Return all projects as a bare array."""
    return await fetch_all(call, PROJECT, _filters(call))


async def read_project(call: Call) -> Any:
    """Return one project, by id, slug or name."""
    return PROJECT.show(await project_of(call))


async def create_project(call: Call) -> Reply:
    """Create a project with its default channel, process and variable set; `?clone=` copies those of another."""
    model = await call.read(models.Project)
    async with call.begin() as work:
        members = {**msgspec.to_builtins(model), **await _owners(work, model, call.space), "SpaceId": call.space}
        members["Slug"] = slug(model.slug or model.name)
        source = call.query.text("clone")
        original = await fetch_one(work.conn, PROJECT, source, call.space) if source else None
        if original:
            members["ClonedFromProjectId"] = original["Id"]
        project = await create_with_parts(work, members)
        if original:
            await _copy_parts(work, original, project)
    return created(PROJECT.show(project))


async def modify_project(call: Call) -> Any:
    """Replace a project."""
    model = await call.read(models.Project)
    async with call.begin() as work:
        current = await project_of(call, work.conn)
        owners = await _owners(work, model, call.space)
        return PROJECT.show(await modify(work, PROJECT, current, model, **owners))


async def delete_project(call: Call) -> Any:
    """Delete a project with all its releases."""
    async with call.begin() as work:
        current = await project_of(call, work.conn)
        tasks = await remove_project(work, current)
    await forget_logs(call.state.task_logs, tasks)
    return PROJECT.show(current)


async def read_settings(call: Call) -> Any:
    """Return how a project is deployed."""
    return _settings(await project_of(call))


async def modify_settings(call: Call) -> Any:
    """Replace how a project is deployed."""
    model = await call.read(models.DeploymentSettings)
    members = msgspec.to_builtins(model)
    members["ProjectConnectivityPolicy"] = members.pop("ConnectivityPolicy")
    async with call.begin() as work:
        project = {**await project_of(call, work.conn), **members}
        await update(work.conn, kinds.PROJECT, project)
        await events.modified(work, project, f"Project {project['Name']}")
    return _settings(project)


async def read_summary(call: Call) -> Any:
    """Return what the portal's navigation shows of a project."""
    project = await project_of(call)
    process = await get(call.state.pool, kinds.PROCESS, project["DeploymentProcessId"])
    return {"HasDeploymentProcess": bool(process["Steps"]), "HasRunbooks": False, "HasBeenDeployed": None}


async def channels_of_project(call: Call) -> Any:
    """List the channels of a project."""
    project = await project_of(call)
    return await fetch_page(call, CHANNEL, {**named(call), "project": project["Id"]})


async def list_channels(call: Call) -> Any:
    """List a space's channels."""
    return await fetch_page(call, CHANNEL, named(call))


async def all_channels(call: Call) -> Any:
    """Return all channels as a bare array."""
    return await fetch_all(call, CHANNEL, named(call))


async def read_channel(call: Call) -> Any:
    """Return one channel."""
    return CHANNEL.show(await fetch_one(call.state.pool, CHANNEL, call.id, call.space))


async def create_channel(call: Call) -> Reply:
    """Create a channel of a project; the project may stand in the path."""
    sent = await call.json()
    if "id" in call.params and isinstance(sent, dict):
        sent = {**sent, "ProjectId": (await project_of(call))["Id"]}
    model = convert(sent, models.Channel)
    async with call.begin() as work:
        channel = await create(work, CHANNEL, model, call.space, **await _channel_owners(work, model, call.space))
        await _one_default(work, channel)
    return created(CHANNEL.show(channel))


async def modify_channel(call: Call) -> Any:
    """Replace a channel."""
    model = await call.read(models.Channel)
    async with call.begin() as work:
        current = await fetch_one(work.conn, CHANNEL, call.id, call.space)
        owners = await _channel_owners(work, model, call.space)
        if owners["ProjectId"] != current["ProjectId"]:
            raise bad_request("A channel cannot move to another project.")
        channel = await modify(work, CHANNEL, current, model, **owners)
        await _one_default(work, channel)
    return CHANNEL.show(channel)


async def delete_channel(call: Call) -> Any:
    """Delete a channel that is neither the default nor the only one, and has no releases."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, CHANNEL, call.id, call.space)
        if len(await find(work.conn, kinds.CHANNEL, ProjectId=current["ProjectId"])) == 1:
            raise bad_request("You cannot delete the only remaining channel.")
        if current["IsDefault"]:
            raise bad_request("You cannot delete the default channel.")
        await refuse_when_used(work, "channel_uses", current["Id"])
        await remove(work, CHANNEL, current)
    return CHANNEL.show(current)


async def project_of(call: Call, conn: Any = None) -> Document:
    """Return the project that the path names by id, slug or name."""
    return await fetch_one(conn or call.state.pool, PROJECT, call.id, call.space)


def _filters(call: Call) -> dict[str, Any]:
    query = call.query
    owners = {"group": query.text("projectgroupid"), "lifecycle": query.text("lifecycleid")}
    return {**named(call), **owners, "cloned_from": query.text("clonedfromprojectid")}


def _settings(project: Document) -> Document:
    shown = PROJECT.show(project)
    names = [field.encode_name for field in msgspec.structs.fields(models.DeploymentSettings)]
    settings = {name: shown["ProjectConnectivityPolicy" if name == "ConnectivityPolicy" else name] for name in names}
    self = f"/api/{project['SpaceId']}/projects/{project['Id']}/deploymentsettings"
    return {
        "Id": f"deploymentsettings-{project['Id']}",
        "ProjectId": project["Id"],
        **settings,
        "Links": {"Self": self},
    }


async def _copy_parts(work: Work, original: Document, project: Document) -> None:
    """Give a cloned project the process and the variables of the original."""
    for kind, member, content in (
        (kinds.PROCESS, "DeploymentProcessId", "Steps"),
        (kinds.VARIABLE_SET, "VariableSetId", "Variables"),
    ):
        source = await get(work.conn, kind, original[member])
        target = await get(work.conn, kind, project[member])
        await update(work.conn, kind, {**target, content: source[content], "Version": 1 if source[content] else 0})


async def _owners(work: Work, model: models.Project, space: str) -> Document:
    return {
        "ProjectGroupId": await referenced(work, PROJECT_GROUP, model.project_group_id, space),
        "LifecycleId": await referenced(work, LIFECYCLE, model.lifecycle_id, space),
    }


async def _channel_owners(work: Work, model: models.Channel, space: str) -> Document:
    return {
        "ProjectId": await referenced(work, PROJECT, model.project_id, space),
        "LifecycleId": await referenced(work, LIFECYCLE, model.lifecycle_id, space) if model.lifecycle_id else None,
    }


async def _one_default(work: Work, channel: Document) -> None:
    """Leave a project with one default channel: the one that was made so last."""
    if channel["IsDefault"]:
        for other in await find(work.conn, kinds.CHANNEL, ProjectId=channel["ProjectId"], IsDefault=True):
            if other["Id"] != channel["Id"]:
                await update(work.conn, kinds.CHANNEL, {**other, "IsDefault": False})
