"""Project groups, projects and their channels (octopus-api §A.6 to §A.8)."""

from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, get, get_many, update
from standin.spaces import create_project as create_with_parts
from standin.statements import queries
from standin.web import models
from standin.web.call import Call, Reply, created
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced, refuse_when_used
from standin.web.endpoints.librarysets import with_ids
from standin.web.refusals import invalid
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
        members = {**msgspec.to_builtins(model), **await _checked(work, model, call.space), "SpaceId": call.space}
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
        checked = await _checked(work, model, call.space)
        return PROJECT.show(await modify(work, PROJECT, current, model, **checked))


async def delete_project(call: Call) -> Any:
    """Delete a project with all its releases."""
    async with call.begin() as work:
        current = await project_of(call, work.conn)
        tasks = await remove_project(work, current)
    await forget_logs(call.state.home.task_logs, tasks)
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
    row = await call.state.pool.fetchrow(queries("web/resources")["project_summary"], project["Id"])
    return {
        "HasDeploymentProcess": bool(process["Steps"]),
        "HasRunbooks": row["runbooks"] > 0,
        "HasBeenDeployed": row["deployed"],
        "IsDisabled": project["IsDisabled"],
        "Links": {"Self": call.path},
    }


async def read_metadata(call: Call) -> Any:
    """Return the extensions that a project has settings of, each with the names of its settings."""
    project = await project_of(call)
    return [
        {"ExtensionId": one.get("ExtensionId"), "Metadata": {"Types": [], "Settings": sorted(one.get("Values") or {})}}
        for one in project.get("ExtensionSettings") or []
        if isinstance(one, dict)
    ]


async def read_pulse(call: Call) -> Any:
    """Return how many tasks of projects wait and run: of those that the query names, or of all."""
    wanted = call.query.many("projectids")
    rows = await call.state.pool.fetch(queries("web/resources")["pulse"], call.space, wanted)
    return [{"ProjectId": row["id"], "Queued": row["queued"], "Executing": row["executing"]} for row in rows]


async def project_of(call: Call, conn: Any = None) -> Document:
    """Return the project that the path names by id, slug or name."""
    return call.check(await fetch_one(conn or call.state.pool, PROJECT, call.id, call.space))


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


async def _checked(work: Work, model: models.Project, space: str) -> Document:
    """Return the owners of a project and its templates with ids; the libraries that it includes must exist."""
    included = model.included_library_variable_set_ids
    known = await get_many(work.conn, kinds.LIBRARY_VARIABLE_SET, included)
    unknown = [one for one in included if one not in known or known[one]["SpaceId"] != space]
    if unknown:
        raise invalid(*(f"There is no library variable set {one[:100]} in this space." for one in unknown))
    return {
        "Templates": with_ids(model.templates),
        "ProjectGroupId": await referenced(work.conn, PROJECT_GROUP, model.project_group_id, space),
        "LifecycleId": await referenced(work.conn, LIFECYCLE, model.lifecycle_id, space),
    }
