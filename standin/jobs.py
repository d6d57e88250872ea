"""Jobs: what each kind of server task does when a node runs it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standin import deploy, dispatch, events, fleet, runs
from standin.documents import KeyAllocator, pipes
from standin.errors import Rejected
from standin.filestore import FileStore
from standin.integrity import check_integrity
from standin.interruptions import Desk
from standin.purge import Purge
from standin.questions import Answer, Question
from standin.statements import queries
from standin.tasklog import TaskLog, log_path
from standin.work import Work, begin

#: Kinds of tasks about machines → what they do.
_FLEET = {
    "AdHocScript": fleet.run_script,
    "Health": fleet.check_health,
    "UpdateCalamari": fleet.update_calamari,
}
#: Kinds of tasks that a node can run.
KNOWN = (*_FLEET, "Deploy", "Retention", "RunbookRun", "SystemIntegrityCheck")


@dataclass(frozen=True, slots=True)
class Job:
    """A task as its node sees it."""

    #: id of the task
    id: str
    #: kind of the task
    name: str
    #: what it does, in words
    description: str
    #: space it belongs to, or None
    space: str | None
    #: arguments that it was queued with
    arguments: dict[str, Any] = field(default_factory=dict)
    #: id of the node
    node: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended."""

    #: `Success`, `Failed` or `Canceled`
    state: str
    #: why, unless it succeeded
    error: str = ""
    #: its log holds warnings
    warnings: bool = False


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a node gives to the tasks that it runs."""

    #: connections
    pool: Any
    #: gives out ids
    keys: KeyAllocator
    #: folder of the tasks' logs
    task_logs: Path
    #: files of the built-in feed
    packages: FileStore
    #: where questions are put to people
    desk: Desk


async def run(job: Job, shop: Workshop) -> Outcome:
    """Run a task and write its log; a task that cannot be run fails with the reason.

    Raises:
        CancelledError: somebody cancelled it; its scripts are killed and its log is closed.
    """
    with TaskLog(log_path(shop.task_logs, job.id)) as log:
        log.open(None, job.description)
        status = "Canceled"
        try:
            outcome = await _run(job, shop, log)
            status = outcome.state
        except Rejected as exc:
            outcome, status = Outcome("Failed", str(exc)), "Failed"
            log.write("", str(exc), "Fatal")
        finally:
            log.close("", status)
        return outcome


async def _run(job: Job, shop: Workshop, log: TaskLog) -> Outcome:
    if job.name in ("Deploy", "RunbookRun"):
        return await _execute(job, shop, log)
    if job.name == "Retention":
        await Purge(shop.pool, shop.keys, log, shop.task_logs).apply(job.space)
        return Outcome("Success")
    if job.name == "SystemIntegrityCheck":
        whole = await check_integrity(shop.pool, log)
        return Outcome("Success") if whole else Outcome("Failed", "Documents refer to what is not there.")
    if job.name in _FLEET:
        done = await _FLEET[job.name](shop.pool, shop.keys, log, job.space, job.arguments)
        return Outcome("Success") if done else Outcome("Failed", "The task failed. Please see its log for details.")
    raise Rejected(400, f"The stand-in has no tasks of the kind {job.name}; it knows {', '.join(KNOWN)}.")


async def _execute(job: Job, shop: Workshop, log: TaskLog) -> Outcome:
    async with begin(shop.pool, shop.keys) as work:
        if not await dispatch.is_mine(work, job.id, job.node):
            # The node was frozen since it took the task: nothing may start that others have ended.
            return Outcome("Canceled", dispatch.TERMINATED)
        plan = await (_begin_deployment if job.name == "Deploy" else _begin_run)(work, job)

    async def ask(question: Question, pause: str) -> Answer:
        return await shop.desk.ask(job.id, question, pause)

    succeeded = await deploy.run(plan, log, ask, shop.packages)
    return Outcome("Success") if succeeded else Outcome("Failed", deploy.FAILED)


async def _begin_deployment(work: Work, job: Job) -> deploy.Plan:
    identifier = str(job.arguments.get("DeploymentId"))
    await work.conn.execute(queries("tasks")["remember"], job.id)
    await events.record_deployment(work, events.DEPLOYMENT_STARTED, identifier)
    plan = await deploy.prepare(work.conn, identifier)
    machines = deploy.touched(plan)
    await work.conn.execute(queries("worker")["touch"], identifier, machines)
    await work.conn.execute(queries("worker")["deployed_to"], identifier, pipes(machines))
    return plan


async def _begin_run(work: Work, job: Job) -> deploy.Plan:
    identifier = str(job.arguments.get("RunbookRunId"))
    await events.record_run(work, events.RUNBOOK_RUN_STARTED, identifier)
    plan = await runs.prepare_run(work.conn, identifier)
    await work.conn.execute(queries("runbooks")["deployed_to"], identifier, pipes(deploy.touched(plan)))
    return plan
