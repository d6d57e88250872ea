"""The values that tenants give to the variables of their projects and library sets (octopus-api §A.12)."""

import hashlib
from collections.abc import Iterator
from typing import Any

from standin import events, kinds
from standin.documents import Document, encode, get_many, lock, update
from standin.web.call import Call
from standin.web.endpoints.tenants import TENANTS, tenants_of
from standin.web.equipment import TenantVariables
from standin.web.links import links_of
from standin.web.refusals import bad_request, invalid
from standin.web.secrets import hide, keep


async def read(call: Call) -> Any:
    """Return the variables of a tenant: templates of what it is connected to, and its values."""
    tenant = await TENANTS.find(call.state.pool, call)
    return show(tenant, *await _sources(call.state.pool, [tenant]))


async def every(call: Call) -> Any:
    """Return the variables of all tenants, or of those connected to a project, as a bare array."""
    tenants = await tenants_of(call, call.state.pool)
    projects, libraries = await _sources(call.state.pool, tenants)
    return [show(tenant, projects, libraries) for tenant in tenants]


async def modify(call: Call) -> Any:
    """Replace the values of a tenant; a sensitive one that comes without its text keeps it.

    Raises:
        Rejected: 400, a value belongs to no template, or somebody else has changed the values meanwhile.
    """
    sent = await call.read(TenantVariables)
    async with call.begin() as work:
        tenant = await lock(work.conn, kinds.TENANT, (await TENANTS.find(work.conn, call))["Id"])
        projects, libraries = await _sources(work.conn, [tenant])
        if sent.concurrency_token and sent.concurrency_token != _token(tenant):
            raise bad_request("The variables of this tenant have been changed by somebody else. Load them again.")
        values = {
            "Projects": {one: part.variables for one, part in sent.project_variables.items()},
            "Libraries": {one: part.variables for one, part in sent.library_variables.items()},
        }
        if problems := list(_problems(tenant, values, projects, libraries)):
            raise invalid(*problems)
        tenant["Values"] = keep(values, tenant.get("Values"))
        await update(work.conn, kinds.TENANT, tenant)
        await events.modified(work, tenant, f"Variables of tenant {tenant['Name']}")
    return show(tenant, projects, libraries)


async def missing(call: Call) -> Any:
    """Return which values tenants lack: those of templates without a default, by project and environment."""
    tenants = await tenants_of(call, call.state.pool)
    projects, libraries = await _sources(call.state.pool, tenants)
    project, environment = call.query.text("projectid"), call.query.text("environmentid")
    found = []
    for tenant in tenants:
        lacking = [
            one
            for one in _missing(tenant, projects, libraries)
            if project in {None, one["ProjectId"]} and environment in {None, one["EnvironmentId"]}
        ]
        if lacking:
            found.append({"TenantId": tenant["Id"], "MissingVariables": lacking, "Links": {}})
    return found


def show(tenant: Document, projects: dict[str, Document], libraries: dict[str, Document]) -> Document:
    """Return the variables of a tenant as the API shows them."""
    values = tenant.get("Values") or {}
    document = {"TenantId": tenant["Id"], "SpaceId": tenant["SpaceId"]}
    return {
        "Id": f"tenantvariables-{tenant['Id']}",
        "TenantId": tenant["Id"],
        "TenantName": tenant["Name"],
        "SpaceId": tenant["SpaceId"],
        "ConcurrencyToken": _token(tenant),
        "ProjectVariables": {
            one: {
                "ProjectId": one,
                "ProjectName": projects[one]["Name"],
                "Templates": projects[one].get("Templates") or [],
                "Variables": {
                    environment: hide(_of(values, "Projects", one).get(environment) or {}) for environment in listed
                },
                "Links": {"Project": f"/api/{tenant['SpaceId']}/projects/{one}"},
            }
            for one, listed in tenant["ProjectEnvironments"].items()
            if one in projects
        },
        "LibraryVariables": {
            one: {
                "LibraryVariableSetId": one,
                "LibraryVariableSetName": libraries[one]["Name"],
                "Templates": libraries[one]["Templates"],
                "Variables": hide(_of(values, "Libraries", one)),
                "Links": {"LibraryVariableSet": f"/api/{tenant['SpaceId']}/libraryvariablesets/{one}"},
            }
            for one in _libraries(tenant, projects)
            if one in libraries
        },
        "Links": links_of("TenantVariables", document),
    }


async def _sources(conn: Any, tenants: list[Document]) -> tuple[dict[str, Document], dict[str, Document]]:
    """Return the projects that tenants are connected to, and the library sets that those include."""
    projects = await get_many(conn, kinds.PROJECT, {one for tenant in tenants for one in tenant["ProjectEnvironments"]})
    included = {one for project in projects.values() for one in project.get("IncludedLibraryVariableSetIds") or []}
    return projects, await get_many(conn, kinds.LIBRARY_VARIABLE_SET, included)


def _libraries(tenant: Document, projects: dict[str, Document]) -> list[str]:
    found = [
        library
        for one in tenant["ProjectEnvironments"]
        for library in projects.get(one, {}).get("IncludedLibraryVariableSetIds") or []
    ]
    return list(dict.fromkeys(found))


def _problems(tenant: Document, values: Document, projects: Document, libraries: Document) -> Iterator[str]:
    connected = tenant["ProjectEnvironments"]
    for project, environments in values["Projects"].items():
        known = {one["Id"] for one in projects.get(project, {}).get("Templates") or []}
        for environment, given in environments.items():
            if environment not in connected.get(project, ()):
                yield f"The tenant is not connected to {project[:100]} in {environment[:100]}."
            yield from (f"{project[:100]} has no template {one[:100]}." for one in given if one not in known)
    for library, given in values["Libraries"].items():
        if library not in _libraries(tenant, projects):
            yield f"No project of the tenant includes {library[:100]}."
        known = {one["Id"] for one in libraries.get(library, {}).get("Templates") or []}
        yield from (f"{library[:100]} has no template {one[:100]}." for one in given if one not in known)


def _missing(tenant: Document, projects: dict[str, Document], libraries: dict[str, Document]) -> Iterator[Document]:
    values = tenant.get("Values") or {}
    for project, environments in tenant["ProjectEnvironments"].items():
        for environment in environments:
            given = _of(values, "Projects", project).get(environment) or {}
            templates = projects.get(project, {}).get("Templates") or []
            yield from (_gap(one, project, environment, None) for one in templates if _lacks(one, given))
    for library in _libraries(tenant, projects):
        given = _of(values, "Libraries", library)
        templates = libraries.get(library, {}).get("Templates") or []
        yield from (_gap(one, None, None, library) for one in templates if _lacks(one, given))


def _lacks(template: Document, given: Document) -> bool:
    return not template.get("DefaultValue") and not given.get(template["Id"])


def _gap(template: Document, project: str | None, environment: str | None, library: str | None) -> Document:
    return {
        "ProjectId": project,
        "EnvironmentId": environment,
        "LibraryVariableSetId": library,
        "VariableTemplateId": template["Id"],
        "VariableTemplateName": template["Name"],
        "Links": {},
    }


def _of(values: Document, part: str, owner: str) -> Document:
    found: Document = (values.get(part) or {}).get(owner) or {}
    return found


def _token(tenant: Document) -> str:
    """Return what changes whenever the values do."""
    return hashlib.sha256(encode(tenant.get("Values") or {}).encode()).hexdigest()[:32]
