"""The dashboards: what is deployed where, read afresh from all deployments each time (octopus-api §A.19)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document
from standin.lifecycles import phases_of
from standin.statements import queries
from standin.web.call import Call
from standin.web.items import show_item

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


async def read_dashboard(call: Call) -> Any:
    """Return the dashboard of a space, or of one project or release."""
    query = call.query
    return await _dashboard(
        call,
        projects=query.many("projectid"),
        environments=None,
        release=query.text("releaseid"),
        tenants=query.many("selectedtenants"),
        previous=True,
    )


async def read_dynamic_dashboard(call: Call) -> Any:
    """Return the dashboard of the projects and environments named by id; what is unknown shows nothing."""
    query = call.query
    return await _dashboard(
        call,
        projects=query.many("projects"),
        environments=query.many("environments"),
        release=None,
        tenants=None,
        previous=bool(query.flag("includeprevious")),
    )


async def _dashboard(
    call: Call,
    *,
    projects: list[str] | None,
    environments: list[str] | None,
    release: str | None,
    tenants: list[str] | None,
    previous: bool,
) -> Document:
    async with call.state.pool.acquire() as conn:
        frame = await _frame(conn, call.space, projects)
        rows = await conn.fetch(queries("dashboard")[call.state.dashboard], call.space, projects)
    cells = [
        row
        for row in rows
        if (environments is None or row["environmentid"] in environments)
        and (release is None or row["releaseid"] == release)
        and (tenants is None or row["tenantid"] in tenants)
    ]
    shown = {one: name for one, name in frame.environments.items() if environments is None or one in environments}
    return {
        "Id": "dashboard",
        "Projects": [_project(project, frame) for project in frame.projects[:PROJECT_LIMIT]],
        "ProjectGroups": [_group(row, call.space) for row in frame.groups],
        "Environments": [_named("environments", one, name, call.space) for one, name in shown.items()],
        "Tenants": [_tenant(row, call.space) for row in frame.tenants],
        "Items": [show_item(row, call.space) for row in cells if row["kind"] == "C"],
        "PreviousItems": [show_item(row, call.space) for row in cells if row["kind"] == "P"] if previous else [],
        "ProjectLimit": PROJECT_LIMIT,
        "IsFiltered": len(frame.projects) > PROJECT_LIMIT,
        "Links": {"Self": call.path},
    }


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
