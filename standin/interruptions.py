"""Interruptions: questions of running tasks, which pause until somebody has answered (octopus-api §A.18)."""

import asyncio
from dataclasses import dataclass
from typing import Any

from standin import events
from standin.dispatch import resume
from standin.documents import Document, KeyAllocator, get, insert, lock, update
from standin.errors import Rejected
from standin.kinds import INTERRUPTION, TASK
from standin.questions import ANSWERS, GUIDED_FAILURE, MANUAL, Answer, Question
from standin.statements import queries
from standin.work import Work, begin

NOT_RESPONSIBLE = "You must take responsibility for this interruption before attempting to submit it."
_RAISED = {MANUAL: events.MANUAL_INTERVENTION_RAISED, GUIDED_FAILURE: events.GUIDED_FAILURE_RAISED}
_SUBMITTED = {MANUAL: events.MANUAL_INTERVENTION_SUBMITTED, GUIDED_FAILURE: events.GUIDED_FAILURE_SUBMITTED}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A task that waits on this node."""

    #: its id
    task: str
    #: what it gave up, "" nothing
    pause: str
    #: takes the answer
    answer: "asyncio.Future[Answer]"


class Desk:
    """The questions of a node's tasks that are not answered yet."""

    def __init__(self, pool: Any, keys: KeyAllocator, node_id: str, offline: float) -> None:
        """`offline` is after how many silent seconds a node's cap no longer counts."""
        self._pool = pool
        self._keys = keys
        self._node_id = node_id
        self._offline = offline
        self._waiting: dict[str, _Waiting] = {}

    async def ask(self, task_id: str, question: Question, pause: str) -> Answer:
        """Put a question and wait for its answer; the task gives up what `pause` says until then."""
        waiting = _Waiting(task_id, pause, asyncio.get_running_loop().create_future())
        async with begin(self._pool, self._keys) as work:
            identifier = await _raise(work, task_id, question, pause)
        self._waiting[identifier] = waiting
        try:
            return await waiting.answer
        finally:
            del self._waiting[identifier]

    async def look(self) -> None:
        """Give the tasks that wait their answers; one that gave up its slot goes on when there is one again."""
        if not self._waiting:
            return
        for row in await self._pool.fetch(queries("interruptions")["answered"], list(self._waiting)):
            interruption, waiting = INTERRUPTION.read(row), self._waiting.get(row["id"])
            if waiting and (not waiting.pause or await self._resume(waiting.task)) and not waiting.answer.done():
                values = interruption["Form"]["Values"]
                waiting.answer.set_result(Answer(values, interruption["SubmittedBy"]))

    async def _resume(self, task_id: str) -> bool:
        async with begin(self._pool, self._keys) as work:
            if not await resume(work, task_id, self._node_id, self._offline):
                return False
            if deployment := await work.conn.fetchval(queries("interruptions")["deployment"], task_id):
                await events.record_deployment(work, events.DEPLOYMENT_RESUMED, deployment)
            return True


async def take(work: Work, identifier: str) -> Document:
    """Make who asks responsible for an interruption.

    Raises:
        Rejected: 404, there is none; 400, it has been answered.
    """
    interruption = await lock(work.conn, INTERRUPTION, identifier)
    if not interruption["IsPending"]:
        raise Rejected(400, "This interruption has been submitted already.")
    interruption["ResponsibleUserId"] = work.actor.user_id
    await update(work.conn, INTERRUPTION, interruption)
    task = await get(work.conn, TASK, interruption["TaskId"])
    await _record(work, events.MODIFIED, interruption, task, f"was taken by {work.actor.username}")
    return interruption


async def submit(work: Work, identifier: str, values: dict[str, Any]) -> Document:
    """Answer an interruption; its task goes on when its node has seen it.

    Raises:
        Rejected: 404, there is none; 400, it has been answered, somebody else is responsible, or it is no answer.
    """
    interruption = await lock(work.conn, INTERRUPTION, identifier)
    if not interruption["IsPending"]:
        raise Rejected(400, "This interruption has been submitted already.")
    if interruption["ResponsibleUserId"] != work.actor.user_id:
        raise Rejected(400, NOT_RESPONSIBLE)
    member, allowed = ANSWERS[interruption["Type"]]
    form = {**interruption["Form"]["Values"], **values}
    if form.get(member) not in allowed:
        raise Rejected(400, f"'{member}' must be one of {', '.join(allowed)}.")
    interruption.update(IsPending=False, Form={**interruption["Form"], "Values": form}, SubmittedBy=work.actor.username)
    await update(work.conn, INTERRUPTION, interruption)
    await work.conn.execute(queries("interruptions")["settle"], interruption["TaskId"])
    task = await get(work.conn, TASK, interruption["TaskId"])
    await _record(work, _SUBMITTED[interruption["Type"]], interruption, task, f"was answered: {form[member]}")
    return interruption


async def _raise(work: Work, task_id: str, question: Question, pause: str) -> str:
    """Keep a question and pause its task; return the id of the interruption."""
    task = await lock(work.conn, TASK, task_id)
    related = await work.conn.fetchval(queries("interruptions")["related"], task_id)
    interruption: Document = {
        "Id": await work.keys.next(INTERRUPTION),
        "SpaceId": task["SpaceId"],
        "TaskId": task_id,
        "Created": work.now,
        "IsPending": True,
        "ResponsibleUserId": None,
        "RelatedDocumentIds": [one for one in related if one],
        "Title": question.title,
        "Type": question.kind,
        "Form": question.form,
        "ResponsibleTeamIds": list(question.teams),
        "CorrelationId": task_id,
        "SubmittedBy": None,
    }
    await insert(work.conn, INTERRUPTION, interruption)
    await work.conn.execute(queries("interruptions")["pause"], task_id, pause)
    await _record(work, _RAISED[question.kind], interruption, task, "was raised")
    return str(interruption["Id"])


async def _record(work: Work, category: str, interruption: Document, task: Document, what: str) -> None:
    await events.record(
        work,
        category,
        f"Interruption {interruption['Title']} of {task['Description']} {what}",
        [interruption["Id"], *interruption["RelatedDocumentIds"]],
        space=interruption["SpaceId"],
        project=task["ProjectId"],
        environment=task["EnvironmentId"],
        tenant=task["TenantId"],
        references=[(interruption["Id"], interruption["Title"]), (task["Id"], task["Description"])],
    )
