"""Project groups, projects and their channels (octopus-api §A.6 to §A.8)."""

from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, get, update
from standin.newspace import slug
from standin.spaces import create_project as create_with_parts
from standin.web import models
from standin.web.call import Call, Reply, created
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced, refuse_when_used
from standin.web.removal import forget_logs, remove_project
from standin.web.resources import (
    LIFECYCLE,
    PROJECT,
    PROJECT_GROUP,
    fetch_all,
    fetch_one,
    fetch_page,
    modify,
)
from standin.work import Work


class ProjectGroups(Collection):
    """Project groups; one with projects stays."""

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a project group that has projects."""
        await refuse_when_used(work, "group_uses", document["Id"])

    async def projects(self, call: Call) -> Any:
        """Return one page of the projects of a group."""
        group = await self.find(call.state.pool, call)
        return await fetch_page(call, PROJECT, {**named(call), "group": group["Id"]})


GROUPS = ProjectGroups(PROJECT_GROUP)


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
