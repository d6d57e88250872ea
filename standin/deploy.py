"""Execution: a frozen process, of a release or of a runbook's snapshot, run step by step on its targets."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from standin import questions, scripts
from standin.acquisition import Package, acquire, needed
from standin.documents import Document, get, unpipe
from standin.errors import Rejected
from standin.filestore import FileStore
from standin.kinds import CHANNEL, DEPLOYMENT, ENVIRONMENT, PROCESS, PROJECT, RELEASE, TASK, TENANT, VARIABLE_SET
from standin.process import (
    Manual,
    Scope,
    Script,
    Step,
    choose,
    environment_name,
    evaluate,
    fill_in,
    plan,
    substitute,
    wants_to_run,
)
from standin.questions import Ask
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
    """A deployment or a run with all that it needs, read once before it starts."""

    #: the deployment or the run
    subject: Document
    #: groups of steps: groups one after the other, the steps of a group side by side
    groups: list[list[Step]]
    #: the project's variables, frozen with the release or the snapshot, with what people filled in
    variables: list[dict[str, Any]]
    #: values of the system's variables: `Octopus.Release.Number` and so on
    system: dict[str, str]
    #: the machines of the environment that take part
    targets: list[Target]
    #: where it goes
    scope: Scope
    #: what it needs from the built-in feed
    packages: tuple[Package, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """A plan while it is run."""

    #: what is done
    plan: Plan
    #: where it is written down
    log: TaskLog
    #: puts a question to people, and waits for their answer
    ask: Ask
    #: ids of the machines that somebody has taken out after a failure
    excluded: set[str] = field(default_factory=set)


async def prepare(conn: Any, deployment_id: str) -> Plan:
    """Read all that a deployment needs.

    Raises:
        Rejected: 404, something of it was deleted while it waited.
    """
    deployment = await get(conn, DEPLOYMENT, deployment_id)
    release = await get(conn, RELEASE, deployment["ReleaseId"])
    process = await get(conn, PROCESS, release["ProjectDeploymentProcessSnapshotId"])
    system = await _system_variables(conn, deployment, release)
    return await make_plan(conn, deployment, release, process, system)


async def make_plan(conn: Any, subject: Document, frozen: Document, process: Document, system: dict[str, str]) -> Plan:
    """Return the plan of a deployment or a run; `frozen` is its release or snapshot, whose process has been read.

    Raises:
        Rejected: 404, the variables are gone; 400, a variable that must be filled in has no value.
    """
    scope = Scope(subject["EnvironmentId"], subject.get("ChannelId") or "", subject["TenantId"])
    rows = await conn.fetch(queries("worker")["targets"], subject["SpaceId"], f"%|{scope.environment}|%")
    targets = [Target(row["id"], row["name"], tuple(unpipe(row["roles"]))) for row in rows]
    skipped = subject.get("SkipActions") or ()
    variables = await variables_of(conn, frozen)
    filled = fill_in(variables, subject.get("FormValues") or {})
    _check_filled(filled, scope)
    packages = await needed(conn, process, frozen, scope, skipped)
    return Plan(subject, plan(process, scope, skipped), filled, system, _chosen(targets, subject), scope, packages)


async def variables_of(conn: Any, frozen: Document) -> list[dict[str, Any]]:
    """Return the variables of a release or a snapshot: its project's own before those of the library."""
    own = await get(conn, VARIABLE_SET, frozen["ProjectVariableSetSnapshotId"])
    found: list[dict[str, Any]] = list(own["Variables"])
    for identifier in frozen.get("LibraryVariableSetSnapshotIds") or ():
        found += (await get(conn, VARIABLE_SET, identifier))["Variables"]
    return found


async def run(plan: Plan, log: TaskLog, ask: Ask, store: FileStore) -> bool:
    """Run a plan, with its packages at hand for as long; False when one is missing or a step failed."""
    if not plan.packages:
        return await _run_steps(plan, log, ask)
    with tempfile.TemporaryDirectory(prefix="octoload-packages-", ignore_cleanup_errors=True) as folder:
        places = [Path(folder) / one for one in touched(plan) or ["Server"]]
        return await acquire(plan.packages, log, store, places) and await _run_steps(plan, log, ask)


async def _run_steps(plan: Plan, log: TaskLog, ask: Ask) -> bool:
    execution, failed = Execution(plan, log, ask), False
    for group in plan.groups:
        alone = len(group) == 1
        steps = (_run_step(execution, step, alone=alone, failed=failed) for step in group)
        results = await asyncio.gather(*steps)
        failed = failed or not all(results)
    return not failed


def touched(plan: Plan) -> list[str]:
    """Return the ids of the machines that a plan goes to."""
    wanted = {role for group in plan.groups for step in group for role in step.roles}
    return [target.id for target in plan.targets if wanted & set(target.roles)]


async def _run_step(execution: Execution, step: Step, *, alone: bool, failed: bool) -> bool:
    log = execution.log
    element = log.open("", f"Step {step.number}: {step.name}")
    if not wants_to_run(step.condition, failed=failed):
        log.write(element, f"Left out: it runs on {step.condition} only.", "Verbose")
        log.close(element, "Skipped")
        return True
    results = await _run_targets(execution, step, element, alone=alone)
    log.close(element, "Success" if all(results) else "Failed")
    return all(results)


async def _run_targets(execution: Execution, step: Step, element: str, *, alone: bool) -> list[bool]:
    """Run a step for each of its targets, so many at once as its window lets; on the server when it names no role."""
    if not step.roles or all(isinstance(action, Manual) for action in step.actions):
        return [await _run_actions(execution, step, element, None, alone=alone)]
    targets = [target for target in execution.plan.targets if set(step.roles) & set(target.roles)]
    targets = [target for target in targets if target.id not in execution.excluded]
    if not targets:
        words = f"There are no deployment targets in the roles {', '.join(step.roles)}."
        execution.log.write(element, words, "Warning")
    window = asyncio.Semaphore(step.window)

    async def run_one(target: Target) -> bool:
        async with window:
            return await _run_actions(execution, step, element, target, alone=alone and len(targets) == 1)

    return await asyncio.gather(*(run_one(target) for target in targets))


async def _run_actions(execution: Execution, step: Step, parent: str, target: Target | None, *, alone: bool) -> bool:
    """Run a step's actions one after the other; `alone` says that nothing of the task runs beside them."""
    element = execution.log.open(parent, target.name if target else "Octopus Server")
    values = _values(execution.plan, target)
    for action in step.actions:
        if isinstance(action, Manual):
            done = await _wait_for_answer(execution, action, values, element, alone=alone)
        else:
            done = await _run_guided(execution, action, values, element, target, alone=alone)
        if not done:
            execution.log.close(element, "Failed")
            return False
    execution.log.close(element, "Success")
    return True


async def _wait_for_answer(
    execution: Execution, manual: Manual, values: Mapping[str, str], element: str, *, alone: bool
) -> bool:
    """Ask somebody to proceed or abort; the task pauses until then (octopus-api §A.18)."""
    question = questions.manual(manual.name, substitute(manual.instructions, values), manual.teams)
    pause = ("Blocking" if manual.blocks else "Released") if alone else ""
    execution.log.write(element, f"{manual.name} waits for somebody's answer.", "Wait")
    answer = await execution.ask(question, pause)
    proceed = answer.values.get("Result") == "Proceed"
    words = f"{answer.by} answered {answer.values.get('Result')}: {answer.values.get('Notes') or 'no notes'}"
    execution.log.write(element, words, "Info" if proceed else "Fatal")
    return proceed


async def _run_guided(
    execution: Execution,
    script: Script,
    values: Mapping[str, str],
    element: str,
    target: Target | None,
    *,
    alone: bool,
) -> bool:
    """Run a script; when it fails in guided mode, somebody says how to go on."""
    while not await _run_script(script, values, execution.log, element):
        if not execution.plan.subject.get("UseGuidedFailure"):
            return False
        where = target.name if target else "the Octopus Server"
        execution.log.write(element, f"{script.name} failed on {where} and waits for guidance.", "Wait")
        answer = await execution.ask(questions.guidance(script.name, where), "Released" if alone else "")
        guidance = answer.values.get("Guidance")
        execution.log.write(element, f"{answer.by} answered {guidance}.", "Info")
        if guidance == "Exclude" and target:
            execution.excluded.add(target.id)
        if guidance != "Retry":
            return guidance in {"Ignore", "Exclude"}
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
    channel = await get(conn, CHANNEL, deployment["ChannelId"])
    return {
        **await common_variables(conn, deployment),
        "Octopus.Deployment.Id": deployment["Id"],
        "Octopus.Deployment.Name": deployment["Name"],
        "Octopus.Deployment.Comments": deployment.get("Comments") or "",
        "Octopus.Deployment.Created": deployment["Created"],
        "Octopus.Deployment.CreatedBy.Username": deployment["DeployedBy"],
        "Octopus.Release.Id": release["Id"],
        "Octopus.Release.Number": release["Version"],
        "Octopus.Release.Notes": release.get("ReleaseNotes") or "",
        "Octopus.Release.Channel.Name": channel["Name"],
    }


async def common_variables(conn: Any, subject: Document) -> dict[str, str]:
    """Return the values of the system's variables that deployments and runs have alike."""
    project = await get(conn, PROJECT, subject["ProjectId"])
    environment = await get(conn, ENVIRONMENT, subject["EnvironmentId"])
    task = await get(conn, TASK, subject["TaskId"])
    tenant = await get(conn, TENANT, subject["TenantId"]) if subject["TenantId"] else {}
    return {
        "Octopus.Environment.Id": environment["Id"],
        "Octopus.Environment.Name": environment["Name"],
        "Octopus.Project.Id": project["Id"],
        "Octopus.Project.Name": project["Name"],
        "Octopus.Task.Id": task["Id"],
        "Octopus.Task.Name": task["Description"],
        "Octopus.Space.Id": subject["SpaceId"],
        "Octopus.Deployment.Tenant.Id": tenant.get("Id", ""),
        "Octopus.Deployment.Tenant.Name": tenant.get("Name", ""),
    }


def _chosen(targets: list[Target], deployment: Document) -> list[Target]:
    only, without = deployment.get("SpecificMachineIds") or (), deployment.get("ExcludedMachineIds") or ()
    return [target for target in targets if (not only or target.id in only) and target.id not in without]


def _check_filled(variables: list[dict[str, Any]], scope: Scope) -> None:
    """Refuse to run without a value that somebody had to fill in for this scope (400)."""
    for variable in choose(variables, scope).values():
        prompt = variable.get("Prompt") or {}
        if prompt.get("Required") and not variable.get("Value"):
            raise Rejected(400, f"The variable {variable['Name']} must be given a value.")
