"""Deployments: queued by three routes, listed, read (octopus-api §A.16)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, delete, find, get
from standin.errors import not_found
from standin.history import DEPLOYMENT_OPTIONS
from standin.history import create_deployment as queue_deployment
from standin.statements import queries
from standin.tasks import ACTIVE
from standin.web import commands
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.previews import is_guided
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.releases import release_by_version, release_of, with_fresh_variables
from standin.web.endpoints.scheduling import action_ids, check_machines, machine_ids, schedule
from standin.web.refusals import bad_request
from standin.web.removal import forget_logs
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
    return DEPLOYMENT.show(call.check(deployment))


async def create_deployment(call: Call) -> Reply:
    """Queue a deployment of a release to an environment."""
    return created(DEPLOYMENT.show(await _create(call)))


async def create_deployment_v1(call: Call) -> Reply:
    """Queue a deployment of a release to an environment; the answer has an envelope of its own."""
    return created({"Deployment": DEPLOYMENT.show(await _create(call))})


async def retry_deployment(call: Call) -> Reply:
    """Queue a deployment like one that has ended."""
    async with call.begin() as work:
        project = await project_of(call, work.conn)
        before = await get(work.conn, kinds.DEPLOYMENT, call.params["deploymentId"])
        if before["ProjectId"] != project["Id"]:
            raise not_found(before["Id"])
        if (await get(work.conn, kinds.TASK, before["TaskId"]))["State"] in ACTIVE:
            raise bad_request("A deployment can be retried when it has ended.")
        members = {name: before[name] for name in DEPLOYMENT_OPTIONS if name in before}
        members.update(QueueTime=None, QueueTimeExpiry=None)
        call.check(before)
        again = await queue_deployment(work, before["ReleaseId"], before["EnvironmentId"], before["TenantId"], members)
    return created({"DeploymentId": again["Id"], "ServerTaskId": again["TaskId"]})


async def delete_deployment(call: Call) -> Any:
    """Delete a deployment that has ended, with its task and log; its events and its place in the history stay."""
    async with call.begin() as work:
        deployment = await get(work.conn, kinds.DEPLOYMENT, call.id)
        if deployment["SpaceId"] != call.space:
            raise not_found(call.id)
        call.check(deployment)
        if (await get(work.conn, kinds.TASK, deployment["TaskId"]))["State"] in ACTIVE:
            raise bad_request("A deployment cannot be deleted while it is queued or running.")
        await delete(work.conn, kinds.DEPLOYMENT, deployment["Id"])
        await delete(work.conn, kinds.TASK, deployment["TaskId"])
        await work.conn.execute(queries("web/releases")["forget_machines"], deployment["Id"])
        await events.deleted(work, deployment, f"Deployment {deployment['Name']}")
    await forget_logs(call.state.home.task_logs, [deployment["TaskId"]])
    return DEPLOYMENT.show(deployment)


async def _create(call: Call) -> Document:
    sent = await call.read(commands.CreateDeployment)
    members = msgspec.to_builtins(sent)
    for name in (
        "ReleaseId",
        "EnvironmentId",
        "TenantId",
        "DebugMode",
        "FailTargetDiscovery",
        "TentacleRetentionPeriod",
    ):
        del members[name]
    members.update(schedule(call, sent.queue_time, sent.queue_time_expiry))
    async with call.begin() as work:
        release = await get(work.conn, kinds.RELEASE, sent.release_id)
        if release["SpaceId"] != call.space:
            raise not_found(sent.release_id)
        environment = await referenced(work.conn, ENVIRONMENT, sent.environment_id, call.space)
        tenant = await referenced(work.conn, TENANT, sent.tenant_id, call.space) if sent.tenant_id else None
        await check_machines(work, [*sent.specific_machine_ids, *sent.excluded_machine_ids], call.space)
        return await _queue(call, work, release, (environment, tenant), members)


async def _queue(
    call: Call, work: Work, release: Document, place: tuple[str, str | None], members: dict[str, Any]
) -> Document:
    """Queue a deployment to an environment, for a tenant if any, if who asks may deploy this there."""
    environment, tenant = place
    owners = {"ProjectId": release["ProjectId"], "EnvironmentId": environment, "TenantId": tenant}
    call.check({"SpaceId": call.space, **owners})
    return await queue_deployment(work, release["Id"], environment, tenant, members)


async def deploy_untenanted(call: Call) -> Any:
    """Queue a deployment to each environment named; none named, none queued."""
    sent = await call.read(commands.DeployUntenantedV1)
    async with call.begin() as work:
        release = await _release(call, work, sent)
        members = await _options(call, work, sent, release)
        environments = [await referenced(work.conn, ENVIRONMENT, name, call.space) for name in sent.environment_names]
        queued = []
        for one in environments:
            guided = await _guided(work, sent, release, one)
            queued.append(await _queue(call, work, release, (one, None), {**members, **guided}))
    return _queued(queued)


async def deploy_tenanted(call: Call) -> Any:
    """Queue a deployment to one environment for each tenant named, tagged, or `*` for all that are connected."""
    sent = await call.read(commands.DeployTenantedV1)
    async with call.begin() as work:
        release = await _release(call, work, sent)
        members = await _options(call, work, sent, release)
        environment = await referenced(work.conn, ENVIRONMENT, sent.environment_name, call.space)
        tenants = await _tenants(work, sent, call.space, release["ProjectId"], environment)
        members |= await _guided(work, sent, release, environment)
        queued = [await _queue(call, work, release, (environment, one), members) for one in tenants]
    return _queued(queued)


def _filters(call: Call, release: str | None) -> dict[str, Any]:
    query = call.query
    lists = {name: query.many(name) for name in ("projects", "environments", "tenants", "channels")}
    return {**named(call), **lists, "release": release, "task_states": query.many("taskstate")}


async def _release(call: Call, work: Work, sent: commands.DeployUntenantedV1 | commands.DeployTenantedV1) -> Document:
    project = await referenced(work.conn, PROJECT, sent.project_name, call.space)
    release = await release_by_version(work.conn, project, sent.release_version)
    if not sent.update_variable_snapshot:
        return release
    return await with_fresh_variables(work, call.check(release, "ReleaseEdit"))


async def _guided(
    work: Work, sent: commands.DeployUntenantedV1 | commands.DeployTenantedV1, release: Document, environment: str
) -> dict[str, bool]:
    """Say whether a failure asks for guidance: as the client says, else as project and environment do."""
    if sent.use_guided_failure is not None:
        return {"UseGuidedFailure": sent.use_guided_failure}
    project = await get(work.conn, kinds.PROJECT, release["ProjectId"])
    return {"UseGuidedFailure": is_guided(project, await get(work.conn, kinds.ENVIRONMENT, environment))}


async def _options(
    call: Call, work: Work, sent: commands.DeployUntenantedV1 | commands.DeployTenantedV1, release: Document
) -> dict[str, Any]:
    process = await get(work.conn, kinds.PROCESS, release["ProjectDeploymentProcessSnapshotId"])
    return {
        "ForcePackageDownload": sent.force_package_download,
        "ForcePackageRedeployment": sent.force_package_redeployment,
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
    wanted = [await referenced(work.conn, TENANT, name, space) for name in sent.tenants]
    wanted += [key for key, one in connected.items() if set(sent.tenant_tags) & set(one.get("TenantTags") or ())]
    missing = [key for key in wanted if key not in connected]
    if missing:
        raise bad_request(f"{', '.join(missing)[:500]} is not connected to the project in this environment.")
    return list(dict.fromkeys(wanted))


def _queued(deployments: Sequence[Document]) -> dict[str, Any]:
    return {
        "DeploymentServerTasks": [{"DeploymentId": one["Id"], "ServerTaskId": one["TaskId"]} for one in deployments]
    }
