"""Deployments: queued by three routes, listed, read (octopus-api §A.16)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, find, get
from standin.errors import not_found
from standin.history import create_deployment as queue_deployment
from standin.web import commands
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.releases import release_by_version, release_of
from standin.web.endpoints.scheduling import action_ids, machine_ids, schedule
from standin.web.refusals import bad_request
from standin.web.resources import DEPLOYMENT, ENVIRONMENT, PROJECT, TENANT, fetch_page
from standin.work import Work


async def list_deployments(call: Call) -> Any:
    """List a space's deployments, newest first."""
    return await fetch_page(call, DEPLOYMENT, _filters(call, None))


async def deployments_of_release(call: Call) -> Any:
    """List the deployments of a release, newest first."""
    release = await release_of(call)
    return await fetch_page(call, DEPLOYMENT, _filters(call, release["Id"]))


async def read_deployment(call: Call) -> Any:
    """Return one deployment."""
    deployment = await get(call.state.pool, kinds.DEPLOYMENT, call.id)
    if deployment["SpaceId"] != call.space:
        raise not_found(call.id)
    return DEPLOYMENT.show(deployment)


async def create_deployment(call: Call) -> Reply:
    """Queue a deployment of a release to an environment."""
    sent = await call.read(commands.CreateDeployment)
    members = msgspec.to_builtins(sent)
    for reference in ("ReleaseId", "EnvironmentId", "TenantId", "DebugMode"):
        del members[reference]
    members.update(schedule(call, sent.queue_time, sent.queue_time_expiry))
    async with call.begin() as work:
        release = await get(work.conn, kinds.RELEASE, sent.release_id)
        if release["SpaceId"] != call.space:
            raise not_found(sent.release_id)
        environment = await referenced(work, ENVIRONMENT, sent.environment_id, call.space)
        tenant = await referenced(work, TENANT, sent.tenant_id, call.space) if sent.tenant_id else None
        deployment = await queue_deployment(work, release["Id"], environment, tenant, members)
    return created(DEPLOYMENT.show(deployment))


async def deploy_untenanted(call: Call) -> Any:
    """Queue a deployment to each environment named; none named, none queued."""
    sent = await call.read(commands.DeployUntenantedV1)
    async with call.begin() as work:
        release = await _release(work, sent, call.space)
        members = await _options(call, work, sent, release)
        environments = [await referenced(work, ENVIRONMENT, name, call.space) for name in sent.environment_names]
        queued = [await queue_deployment(work, release["Id"], one, None, members) for one in environments]
    return _queued(queued)


async def deploy_tenanted(call: Call) -> Any:
    """Queue a deployment to one environment for each tenant named, tagged, or `*` for all that are connected."""
    sent = await call.read(commands.DeployTenantedV1)
    async with call.begin() as work:
        release = await _release(work, sent, call.space)
        members = await _options(call, work, sent, release)
        environment = await referenced(work, ENVIRONMENT, sent.environment_name, call.space)
        tenants = await _tenants(work, sent, call.space, release["ProjectId"], environment)
        queued = [await queue_deployment(work, release["Id"], environment, one, members) for one in tenants]
    return _queued(queued)


def _filters(call: Call, release: str | None) -> dict[str, Any]:
    query = call.query
    lists = {name: query.many(name) for name in ("projects", "environments", "tenants", "channels")}
    return {**named(call), **lists, "release": release, "task_states": query.many("taskstate")}


async def _release(work: Work, sent: commands.DeployUntenantedV1 | commands.DeployTenantedV1, space: str) -> Document:
    project = await referenced(work, PROJECT, sent.project_name, space)
    return await release_by_version(work.conn, project, sent.release_version)


async def _options(
    call: Call, work: Work, sent: commands.DeployUntenantedV1 | commands.DeployTenantedV1, release: Document
) -> dict[str, Any]:
    process = await get(work.conn, kinds.PROCESS, release["ProjectDeploymentProcessSnapshotId"])
    return {
        "ForcePackageDownload": sent.force_package_download,
        "ForcePackageRedeployment": sent.force_package_redeployment,
        "UseGuidedFailure": sent.use_guided_failure,
        "FormValues": sent.variables,
        "SkipActions": action_ids(process, sent.skip_step_names),
        "SpecificMachineIds": await machine_ids(work, sent.specific_machine_names, call.space),
        "ExcludedMachineIds": await machine_ids(work, sent.excluded_machine_names, call.space),
        "Comments": sent.comments,
        "Priority": sent.priority,
        **schedule(call, sent.run_at, sent.no_run_after),
    }


async def _tenants(
    work: Work, sent: commands.DeployTenantedV1, space: str, project: str, environment: str
) -> list[str]:
    connected = {
        tenant["Id"]: tenant
        for tenant in await find(work.conn, kinds.TENANT, SpaceId=space)
        if environment in (tenant.get("ProjectEnvironments") or {}).get(project, ())
    }
    if "*" in sent.tenants:
        return list(connected)
    wanted = [await referenced(work, TENANT, name, space) for name in sent.tenants]
    wanted += [key for key, one in connected.items() if set(sent.tenant_tags) & set(one.get("TenantTags") or ())]
    missing = [key for key in wanted if key not in connected]
    if missing:
        raise bad_request(f"{', '.join(missing)[:500]} is not connected to the project in this environment.")
    return list(dict.fromkeys(wanted))


def _queued(deployments: Sequence[Document]) -> dict[str, Any]:
    return {
        "DeploymentServerTasks": [{"DeploymentId": one["Id"], "ServerTaskId": one["TaskId"]} for one in deployments]
    }
