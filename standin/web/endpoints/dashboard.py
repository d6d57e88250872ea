"""The dashboards: what is deployed where, read afresh from all deployments each time (octopus-api §A.19)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from standin import events, kinds
from standin.configuration import configuration, put_configuration
from standin.documents import Document
from standin.lifecycles import phases_of
from standin.statements import queries
from standin.versions import sort_key
from standin.web.body import convert
from standin.web.call import Call
from standin.web.commands import DashboardConfiguration
from standin.web.granted import visible
from standin.web.items import show_items

#: projects that a dashboard shows at most, as `dashboardconfiguration` has it
PROJECT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the cells of a dashboard."""

    #: the projects, by name
    projects: list[Document]
    #: ids and names of the environments, in their order
    environments: dict[str, str]
    #: lifecycle → ids of the environments that it leads through
    ways: dict[str, list[str]]
    #: groups and tenants as rows
    groups: Sequence[Any]
    tenants: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a space is asked for; None asks for everything."""

    #: ids of projects
    projects: list[str] | None = None
    #: ids of environments
    environments: list[str] | None = None
    #: id of a release
    release: str | None = None
    #: ids of tenants
    tenants: list[str] | None = None
    #: the deployments that a rollback would go to, too
    previous: bool = True
    #: of each project and environment the highest version only
    highest: bool = False
    #: projects at most
    limit: int = PROJECT_LIMIT


async def read_dashboard(call: Call) -> Any:
    """Return the dashboard of a space as its user has configured it, or of one project or release."""
    query = call.query
    wish = Wish(
        projects=query.many("projectid"),
        release=query.text("releaseid"),
        tenants=query.many("selectedtenants"),
        highest=bool(query.flag("highestlatestversionperprojectandenvironment")),
    )
    async with call.state.pool.acquire() as conn:
        if not query.flag("showall"):
            wish = await _configured(conn, call, wish)
        if tags := query.many("selectedtags"):
            wish = replace(wish, tenants=[*(wish.tenants or ()), *await _tagged(conn, call.space, tags)])
        return await _dashboard(conn, call, wish)


async def read_dynamic_dashboard(call: Call) -> Any:
    """Return the dashboard of the projects and environments named by id; what is unknown shows nothing."""
    query = call.query
    previous = bool(query.flag("includeprevious"))
    async with call.state.pool.acquire() as conn:
        return await _dashboard(conn, call, Wish(query.many("projects"), query.many("environments"), previous=previous))


async def read_configuration(call: Call) -> Any:
    """Return what the user who asks wants to see on the dashboard of a space."""
    return _show_configuration(call, await _configuration(call.state.pool, call))


async def modify_configuration(call: Call) -> Any:
    """Say what the user who asks wants to see on the dashboard of a space."""
    sent = await call.read(DashboardConfiguration)
    async with call.begin() as work:
        await put_configuration(work.conn, _configuration_id(call), msgspec.to_builtins(sent))
        document = {"Id": _configuration_id(call), "SpaceId": call.space}
        await events.modified(work, document, "Dashboard configuration")
    return _show_configuration(call, sent)


async def _dashboard(conn: Any, call: Call, wish: Wish) -> Document:
    frame = _seen(call, await _frame(conn, call.space, wish.projects))
    rows = await conn.fetch(queries("dashboard")[call.state.dashboard], call.space, wish.projects)
    rows = visible(
        call,
        rows,
        lambda row: {"ProjectId": row["projectid"], "EnvironmentId": row["environmentid"], "TenantId": row["tenantid"]},
    )
    cells = [
        row
        for row in rows
        if (wish.environments is None or row["environmentid"] in wish.environments)
        and (wish.release is None or row["releaseid"] == wish.release)
        and (wish.tenants is None or row["tenantid"] in wish.tenants)
    ]
    current = [row for row in cells if row["kind"] == "C"]
    before = [row for row in cells if row["kind"] == "P"] if wish.previous else []
    environments = {
        one: name for one, name in frame.environments.items() if wish.environments is None or one in wish.environments
    }
    return {
        "Id": "dashboard",
        "Projects": [_project(project, frame) for project in frame.projects[: wish.limit]],
        "ProjectGroups": [_group(row, call.space) for row in frame.groups],
        "Environments": [_named("environments", one, name, call.space) for one, name in environments.items()],
        "Tenants": [_tenant(row, call.space) for row in frame.tenants],
        "Items": await show_items(conn, _highest(current) if wish.highest else current, call.space),
        "PreviousItems": await show_items(conn, before, call.space),
        "ProjectLimit": wish.limit,
        "IsFiltered": len(frame.projects) > wish.limit,
        "Links": {"Self": call.path},
    }


def _seen(call: Call, frame: Frame) -> Frame:
    """Return the part of a frame that who asks may see."""
    return replace(
        frame,
        projects=list(visible(call, frame.projects, lambda one: {"Id": one["Id"]})),
        environments=dict(visible(call, list(frame.environments.items()), lambda one: {"Id": one[0]})),
        tenants=visible(call, frame.tenants, lambda row: {"Id": row["id"]}),
    )


def _highest(cells: Sequence[Any]) -> list[Any]:
    """Return of each project and environment the cells with the highest version."""
    keys: dict[tuple[str, str], str] = {}
    for row in cells:
        place = row["projectid"], row["environmentid"]
        keys[place] = max(keys.get(place, ""), sort_key(row["releaseversion"]))
    return [row for row in cells if sort_key(row["releaseversion"]) == keys[row["projectid"], row["environmentid"]]]


async def _configured(conn: Any, call: Call, wish: Wish) -> Wish:
    """Return what is asked for within what the user has configured; what he names goes before it."""
    kept = await _configuration(conn, call)
    limit = PROJECT_LIMIT if kept.project_limit is None else kept.project_limit
    wish = replace(wish, limit=limit, environments=kept.included_environment_ids or None)
    if wish.projects is None and (kept.included_project_ids or kept.included_project_group_ids):
        rows = await conn.fetch(
            queries("web/dashboard")["included"], call.space, kept.included_project_ids, kept.included_project_group_ids
        )
        wish = replace(wish, projects=[row["id"] for row in rows])
    if wish.tenants is None and (kept.included_tenant_ids or kept.included_tenant_tags):
        tagged = await _tagged(conn, call.space, kept.included_tenant_tags) if kept.included_tenant_tags else []
        wish = replace(wish, tenants=[*kept.included_tenant_ids, *tagged])
    return wish


async def _tagged(conn: Any, space: str, tags: list[str]) -> list[str]:
    return [row["id"] for row in await conn.fetch(queries("web/dashboard")["tagged"], space, tags)]


async def _configuration(conn: Any, call: Call) -> DashboardConfiguration:
    return convert(await configuration(conn, _configuration_id(call)), DashboardConfiguration)


def _configuration_id(call: Call) -> str:
    return f"dashboardconfigurations-{call.space}-{call.actor.user_id}"


def _show_configuration(call: Call, kept: DashboardConfiguration) -> Document:
    self = f"/api/{call.space}/dashboardconfiguration"
    members = msgspec.to_builtins(kept)
    return {"Id": _configuration_id(call), "SpaceId": call.space, **members, "Links": {"Self": self}}


async def _frame(conn: Any, space: str, projects: list[str] | None) -> Frame:
    named = queries("web/dashboard")
    environments = {row["id"]: row["name"] for row in await conn.fetch(named["environments"], space)}
    ways = {}
    for row in await conn.fetch(named["lifecycles"], space):
        phases = phases_of(kinds.LIFECYCLE.read(row), list(environments))
        ways[row["id"]] = [environment for phase in phases for environment in phase.environments]
    return Frame(
        projects=[kinds.PROJECT.read(row) for row in await conn.fetch(named["projects"], space, projects)],
        environments=environments,
        ways=ways,
        groups=await conn.fetch(named["groups"], space),
        tenants=await conn.fetch(named["tenants"], space),
    )


def _project(project: Document, frame: Frame) -> Document:
    mode = project.get("TenantedDeploymentMode") or "Untenanted"
    return {
        **_named("projects", project["Id"], project["Name"], project["SpaceId"]),
        "Slug": project["Slug"],
        "ProjectGroupId": project["ProjectGroupId"],
        "EnvironmentIds": frame.ways.get(project["LifecycleId"], []),
        "TenantedDeploymentMode": mode,
        "CanPerformUntenantedDeployment": mode != "Tenanted",
        "IsDisabled": project["IsDisabled"],
    }


def _group(row: Any, space: str) -> Document:
    listed = msgspec.json.decode(row["environmentids"]) if row["environmentids"] else []
    return {**_named("projectgroups", row["id"], row["name"], space), "EnvironmentIds": listed or []}


def _tenant(row: Any, space: str) -> Document:
    members = msgspec.json.decode(row["json"])
    return {
        **_named("tenants", row["id"], row["name"], space),
        "ProjectEnvironments": members.get("ProjectEnvironments") or {},
        "TenantTags": members.get("TenantTags") or [],
    }


def _named(path: str, identifier: str, name: str, space: str) -> Document:
    return {"Id": identifier, "Name": name, "Links": {"Self": f"/api/{space}/{path}/{identifier}"}}
