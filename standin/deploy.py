"""Deployments: a release's frozen process, run step by step on its targets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from standin import scripts
from standin.documents import Document, get, unpipe
from standin.kinds import CHANNEL, DEPLOYMENT, ENVIRONMENT, PROCESS, PROJECT, RELEASE, TASK, TENANT, VARIABLE_SET
from standin.process import Scope, Script, Step, environment_name, evaluate, plan, substitute, wants_to_run
from standin.statements import queries
from standin.tasklog import TaskLog

#: What a failed deployment's task says (octopus-api §A.14).
FAILED = "The deployment failed because one or more steps failed. Please see the deployment log for details."


@dataclass(frozen=True, slots=True)
class Target:
    """A machine that a step runs for."""

    #: its id
    id: str
    #: its name
    name: str
    #: its roles
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment with all that it needs, read once before it starts."""

    #: the deployment
    deployment: Document
    #: groups of steps: groups one after the other, the steps of a group side by side
    groups: list[list[Step]]
    #: the project's variables, frozen with the release
    variables: list[dict[str, Any]]
    #: values of the system's variables: `Octopus.Release.Number` and so on
    system: dict[str, str]
    #: the machines of the environment that take part
    targets: list[Target]
    #: where it goes
    scope: Scope


async def prepare(conn: Any, deployment_id: str) -> Plan:
    """Read all that a deployment needs.

    Raises:
        Rejected: 404, something of it was deleted while it waited.
    """
    deployment = await get(conn, DEPLOYMENT, deployment_id)
    release = await get(conn, RELEASE, deployment["ReleaseId"])
    process = await get(conn, PROCESS, release["ProjectDeploymentProcessSnapshotId"])
    variables = await get(conn, VARIABLE_SET, release["ProjectVariableSetSnapshotId"])
    scope = Scope(deployment["EnvironmentId"], deployment["ChannelId"], deployment["TenantId"])
    rows = await conn.fetch(queries("worker")["targets"], deployment["SpaceId"], f"%|{scope.environment}|%")
    targets = [Target(row["id"], row["name"], tuple(unpipe(row["roles"]))) for row in rows]
    groups = plan(process, scope, deployment.get("SkipActions") or ())
    system = await _system_variables(conn, deployment, release)
    return Plan(deployment, groups, variables["Variables"], system, _chosen(targets, deployment), scope)


async def run(plan: Plan, log: TaskLog) -> bool:
    """Run a deployment; False when a step failed."""
    failed = False
    for group in plan.groups:
        results = await asyncio.gather(*(_run_step(plan, step, log, failed=failed) for step in group))
        failed = failed or not all(results)
    return not failed


def touched(plan: Plan) -> list[str]:
    """Return the ids of the machines that a deployment goes to."""
    wanted = {role for group in plan.groups for step in group for role in step.roles}
    return [target.id for target in plan.targets if wanted & set(target.roles)]


async def _run_step(plan: Plan, step: Step, log: TaskLog, *, failed: bool) -> bool:
    element = log.open("", f"Step {step.number}: {step.name}")
    if not wants_to_run(step.condition, failed=failed):
        log.write(element, f"Left out: it runs on {step.condition} only.", "Verbose")
        log.close(element, "Skipped")
        return True
    results = await _run_targets(plan, step, log, element)
    log.close(element, "Success" if all(results) else "Failed")
    return all(results)


async def _run_targets(plan: Plan, step: Step, log: TaskLog, element: str) -> list[bool]:
    """Run a step for each of its targets, so many at once as its window lets; on the server when it names no role."""
    if not step.roles:
        return [await _run_scripts(plan, step, log, element, None)]
    targets = [target for target in plan.targets if set(step.roles) & set(target.roles)]
    if not targets:
        log.write(element, f"There are no deployment targets in the roles {', '.join(step.roles)}.", "Warning")
    window = asyncio.Semaphore(step.window)

    async def run_one(target: Target) -> bool:
        async with window:
            return await _run_scripts(plan, step, log, element, target)

    return await asyncio.gather(*(run_one(target) for target in targets))


async def _run_scripts(plan: Plan, step: Step, log: TaskLog, parent: str, target: Target | None) -> bool:
    element = log.open(parent, target.name if target else "Octopus Server")
    values = _values(plan, target)
    for script in step.scripts:
        if not await _run_script(script, values, log, element):
            log.close(element, "Failed")
            return False
    log.close(element, "Success")
    return True


async def _run_script(script: Script, values: Mapping[str, str], log: TaskLog, element: str) -> bool:
    """Run a script; what the system knows stands in its environment, e.g. OCTOPUS_DEPLOYMENT_COMMENTS."""
    known = {environment_name(name): value for name, value in values.items() if name.startswith("Octopus.")}
    body = substitute(script.body, values)
    code = await scripts.run(script, body, known, lambda text, category: log.write(element, text, category))
    if code != 0:
        log.write(element, f"The script of {script.name} ended with exit code {code}.", "Fatal")
    return code == 0


def _values(plan: Plan, target: Target | None) -> dict[str, str]:
    if target is None:
        return {**evaluate(plan.variables, plan.scope), **plan.system}
    machine = {
        "Octopus.Machine.Id": target.id,
        "Octopus.Machine.Name": target.name,
        "Octopus.Machine.Roles": ",".join(target.roles),
    }
    scope = replace(plan.scope, machine=target.id, roles=target.roles)
    return {**evaluate(plan.variables, scope), **plan.system, **machine}


async def _system_variables(conn: Any, deployment: Document, release: Document) -> dict[str, str]:
    project = await get(conn, PROJECT, deployment["ProjectId"])
    environment = await get(conn, ENVIRONMENT, deployment["EnvironmentId"])
    channel = await get(conn, CHANNEL, deployment["ChannelId"])
    task = await get(conn, TASK, deployment["TaskId"])
    tenant = await get(conn, TENANT, deployment["TenantId"]) if deployment["TenantId"] else {}
    return {
        "Octopus.Deployment.Id": deployment["Id"],
        "Octopus.Deployment.Name": deployment["Name"],
        "Octopus.Deployment.Comments": deployment.get("Comments") or "",
        "Octopus.Deployment.Created": deployment["Created"],
        "Octopus.Deployment.CreatedBy.Username": deployment["DeployedBy"],
        "Octopus.Environment.Id": environment["Id"],
        "Octopus.Environment.Name": environment["Name"],
        "Octopus.Project.Id": project["Id"],
        "Octopus.Project.Name": project["Name"],
        "Octopus.Release.Id": release["Id"],
        "Octopus.Release.Number": release["Version"],
        "Octopus.Release.Notes": release.get("ReleaseNotes") or "",
        "Octopus.Release.Channel.Name": channel["Name"],
        "Octopus.Task.Id": task["Id"],
        "Octopus.Task.Name": task["Description"],
        "Octopus.Space.Id": deployment["SpaceId"],
        "Octopus.Deployment.Tenant.Id": tenant.get("Id", ""),
        "Octopus.Deployment.Tenant.Name": tenant.get("Name", ""),
    }


def _chosen(targets: list[Target], deployment: Document) -> list[Target]:
    only, without = deployment.get("SpecificMachineIds") or (), deployment.get("ExcludedMachineIds") or ()
    return [target for target in targets if (not only or target.id in only) and target.id not in without]
