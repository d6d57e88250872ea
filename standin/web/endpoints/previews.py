"""What a deployment would do, before anybody orders it: where a release may go, and the steps there (§A.15)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from standin import kinds
from standin.deploy import variables_of
from standin.documents import Document, find, get, get_many, unpipe
from standin.history import is_current, libraries_differ
from standin.process import Scope, applies, choose, roles_of
from standin.promotion import goes_to_tenants, goes_untenanted, open_to
from standin.statements import queries
from standin.web.call import Call
from standin.web.commands import Previews
from standin.web.endpoints.common import referenced
from standin.web.endpoints.progression import way_of
from standin.web.endpoints.releases import release_of
from standin.web.resources import ENVIRONMENT, TENANT


async def read_template(call: Call) -> Any:
    """Return where a release may be deployed to, for whom, and what has changed in its project since it was made."""
    release = await release_of(call)
    async with call.state.pool.acquire() as conn:
        project = await get(conn, kinds.PROJECT, release["ProjectId"])
        process = await get(conn, kinds.PROCESS, project["DeploymentProcessId"])
        variables = await get(conn, kinds.VARIABLE_SET, project["VariableSetId"])
        way = await way_of(conn, release)
        rows = await conn.fetch(queries("history")["succeeded"], release["Id"])
        opened = open_to(release, way.phases, {row["environmentid"] for row in rows})
        names = await get_many(conn, kinds.ENVIRONMENT, opened)
        tenants = await find(conn, kinds.TENANT, SpaceId=call.space) if goes_to_tenants(project) else []
        libraries = await libraries_differ(conn, project, release)
    targets = [names[one] for one in opened if one in names]
    return {
        "Id": f"deploymenttemplate-{release['Id']}",
        "PromoteTo": [_target(release, one) for one in targets] if goes_untenanted(project) else [],
        "TenantPromotions": [found for one in tenants if (found := _promotion(release, one, targets))],
        "IsDeploymentProcessModified": not is_current(process, release["ProjectDeploymentProcessSnapshotId"]),
        "IsVariableSetModified": not is_current(variables, release["ProjectVariableSetSnapshotId"]),
        "IsLibraryVariableSetModified": libraries,
        "DeploymentNotes": None,
        "Links": {"Self": call.path},
    }


async def read_preview(call: Call) -> Any:
    """Return what a deployment to an environment, for a tenant, would do."""
    async with call.state.pool.acquire() as conn:
        environment = await referenced(conn, ENVIRONMENT, call.params["environment"], call.space)
        name = call.params.get("tenant")
        tenant = await referenced(conn, TENANT, name, call.space) if name else None
        return await _preview(conn, await release_of(call, conn), environment, tenant)


async def read_previews(call: Call) -> Any:
    """Return what deployments to several environments and tenants would do."""
    sent = await call.read(Previews)
    async with call.state.pool.acquire() as conn:
        release, found = await release_of(call, conn), []
        for one in sent.deployment_previews:
            environment = await referenced(conn, ENVIRONMENT, one.environment_id, call.space)
            tenant = await referenced(conn, TENANT, one.tenant_id, call.space) if one.tenant_id else None
            found.append(await _preview(conn, release, environment, tenant))
    return found


def is_guided(project: Document, environment: Document) -> bool:
    """Say whether a failure asks for guidance when a client does not say."""
    mode = project.get("DefaultGuidedFailureMode") or "EnvironmentDefault"
    return mode == "On" or (mode == "EnvironmentDefault" and bool(environment.get("UseGuidedFailure")))


async def _preview(conn: Any, release: Document, environment: str, tenant: str | None) -> Document:
    project = await get(conn, kinds.PROJECT, release["ProjectId"])
    process = await get(conn, kinds.PROCESS, release["ProjectDeploymentProcessSnapshotId"])
    variables = await variables_of(conn, release)
    place = await get(conn, kinds.ENVIRONMENT, environment)
    scope = Scope(environment, release["ChannelId"], tenant)
    machines = await conn.fetch(queries("worker")["targets"], release["SpaceId"], f"%|{environment}|%")
    return {
        "Id": f"deploymentpreview-{release['Id']}-{environment}",
        "EnvironmentId": environment,
        "TenantId": tenant,
        "StepsToExecute": list(_steps(process, scope, machines)),
        "Form": _form(variables, scope),
        "UseGuidedFailureModeByDefault": is_guided(project, place),
        "Changes": [_change(release)],
        "ChangesMarkdown": release.get("ReleaseNotes") or "",
        "Links": {"Release": f"/api/{release['SpaceId']}/releases/{release['Id']}"},
    }


def _steps(process: Document, scope: Scope, machines: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
    """Yield the actions that a deployment there would run, each with its targets."""
    for number, step in enumerate(process["Steps"], start=1):
        roles = list(roles_of(step))
        found = [one for one in machines if set(roles) & set(unpipe(one["roles"]))] if roles else []
        actions = step.get("Actions") or []
        for place, action in enumerate(actions, start=1):
            if applies({**action, "IsDisabled": False}, scope):  # what is disabled is shown as such
                yield {
                    "ActionId": action.get("Id"),
                    "ActionName": action["Name"],
                    "ActionNumber": str(number) if len(actions) == 1 else f"{number}.{place}",
                    "Roles": roles,
                    "Machines": [{"Id": one["id"], "Name": one["name"], "HasWarnings": False} for one in found],
                    "MachineNames": [one["name"] for one in found],
                    "CanBeSkipped": not action.get("IsRequired"),
                    "IsDisabled": bool(action.get("IsDisabled")),
                    "HasNoApplicableMachines": bool(roles) and not found,
                    "UnavailableMachines": [],
                    "ExcludedMachines": [],
                }


def _form(variables: Sequence[Document], scope: Scope) -> Document:
    """Return the form of the variables that somebody may fill in."""
    prompted = [variable for variable in choose(variables, scope).values() if variable.get("Prompt")]
    return {
        "Values": {one["Id"]: None if one.get("IsSensitive") else one.get("Value") for one in prompted},
        "Elements": [_element(one) for one in prompted],
    }


def _element(variable: Mapping[str, Any]) -> Document:
    prompt = variable["Prompt"]
    control = {
        "Type": "VariableValue",
        "Name": variable["Name"],
        "Label": prompt.get("Label") or variable["Name"],
        "Description": prompt.get("Description") or "",
        "IsSecure": bool(variable.get("IsSensitive")),
        "DisplaySettings": prompt.get("DisplaySettings") or {},
    }
    return {"Name": variable["Id"], "Control": control, "IsValueRequired": bool(prompt.get("Required"))}


def _change(release: Document) -> Document:
    builds = release.get("BuildInformation") or []
    return {
        "ReleaseId": release["Id"],
        "Version": release["Version"],
        "ReleaseNotes": release.get("ReleaseNotes"),
        "BuildInformation": builds,
        "WorkItems": [],
        "Commits": [commit for build in builds for commit in build.get("Commits") or []],
    }


def _target(release: Document, environment: Document) -> Document:
    preview = f"/api/{release['SpaceId']}/releases/{release['Id']}/deployments/preview/{environment['Id']}"
    return {"Id": environment["Id"], "Name": environment["Name"], "Links": {"Preview": preview}}


def _promotion(release: Document, tenant: Document, targets: Sequence[Document]) -> Document | None:
    """Return where a release may be deployed to for a tenant; None where the tenant has nothing of its project."""
    connected = (tenant.get("ProjectEnvironments") or {}).get(release["ProjectId"])
    if connected is None:
        return None
    base = f"/api/{release['SpaceId']}/releases/{release['Id']}/deployments/preview"
    found = [
        {"Id": one["Id"], "Name": one["Name"], "Links": {"Preview": f"{base}/{one['Id']}/{tenant['Id']}"}}
        for one in targets
        if one["Id"] in connected
    ]
    return {"Id": tenant["Id"], "Name": tenant["Name"], "PromoteTo": found, "Links": {}}
