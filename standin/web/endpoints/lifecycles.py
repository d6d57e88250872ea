"""Lifecycles and their retention policies (octopus-api §A.4)."""

import uuid
from collections import Counter
from typing import Any

import msgspec

from standin.documents import Document
from standin.statements import queries
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named, refuse_when_used
from standin.web.refusals import invalid
from standin.web.resources import LIFECYCLE, PROJECT, create, fetch_all, fetch_one, fetch_page, modify, remove
from standin.work import Work


async def list_lifecycles(call: Call) -> Any:
    """List a space's lifecycles."""
    return await fetch_page(call, LIFECYCLE, named(call), show)


async def all_lifecycles(call: Call) -> Any:
    """Return all lifecycles as a bare array."""
    return await fetch_all(call, LIFECYCLE, named(call), show)


async def read_lifecycle(call: Call) -> Any:
    """Return one lifecycle."""
    return show(await fetch_one(call.state.pool, LIFECYCLE, call.id, call.space))


async def create_lifecycle(call: Call) -> Reply:
    """Create a lifecycle that keeps the rules of phases."""
    model = normal(await call.read(models.Lifecycle))
    async with call.begin() as work:
        await check(work, model, call.space)
        return created(show(await create(work, LIFECYCLE, model, call.space)))


async def modify_lifecycle(call: Call) -> Any:
    """Replace a lifecycle."""
    model = normal(await call.read(models.Lifecycle))
    async with call.begin() as work:
        current = await fetch_one(work.conn, LIFECYCLE, call.id, call.space)
        await check(work, model, call.space)
        return show(await modify(work, LIFECYCLE, current, model))


async def delete_lifecycle(call: Call) -> Any:
    """Delete a lifecycle that neither a project nor a channel uses."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, LIFECYCLE, call.id, call.space)
        await refuse_when_used(work, "lifecycle_uses", current["Id"])
        await remove(work, LIFECYCLE, current)
    return show(current)


async def preview_lifecycle(call: Call) -> Any:
    """Return a lifecycle; one without phases with a single phase of all environments."""
    shown = await read_lifecycle(call)
    if not shown["Phases"]:
        rows = await call.state.pool.fetch(queries("history")["environments"], call.space)
        phase = models.Phase(id="", name="Default", optional_deployment_targets=[row["id"] for row in rows])
        shown["Phases"] = [msgspec.to_builtins(phase)]
    return shown


async def projects_of_lifecycle(call: Call) -> Any:
    """Return the projects of a lifecycle as a bare array."""
    lifecycle = await fetch_one(call.state.pool, LIFECYCLE, call.id, call.space)
    return await fetch_all(call, PROJECT, {"space": call.space, "lifecycle": lifecycle["Id"]})


def show(document: Document) -> Document:
    """Return a lifecycle with all members of its phases and policies, whichever client wrote it."""
    shown = LIFECYCLE.show(document)
    model = normal(convert({**document, "Links": None}, models.Lifecycle))
    return {**shown, **msgspec.to_builtins(model), "Slug": document["Slug"]}


def normal(model: models.Lifecycle) -> models.Lifecycle:
    """Return a lifecycle whose phases have ids and whose policies have all their members."""
    phases = [
        msgspec.structs.replace(
            phase,
            id=phase.id or str(uuid.uuid4()),
            release_retention_policy=_normal(phase.release_retention_policy),
            tentacle_retention_policy=_normal(phase.tentacle_retention_policy),
        )
        for phase in model.phases
    ]
    return msgspec.structs.replace(
        model,
        phases=phases,
        release_retention_policy=model.release_retention_policy.normal(),
        tentacle_retention_policy=model.tentacle_retention_policy.normal(),
    )


def _normal(policy: models.RetentionPeriod | None) -> models.RetentionPeriod | None:
    return policy.normal() if policy else None


async def check(work: Work, model: models.Lifecycle, space: str) -> None:
    """Hold the rules of phases.

    Raises:
        Rejected: 400, an environment is in two phases or does not exist, two phases have no environments, or all
            phases are optional.
    """
    used = Counter(one for phase in model.phases for one in _targets(phase))
    unknown = await work.conn.fetch(queries("web/resources")["referenced"], list(used), space)
    problems = [f"There is no environment {row['r']} in this space." for row in unknown]
    problems += [f"The environment {one} is in more than one phase." for one, times in used.items() if times > 1]
    if sum(not _targets(phase) for phase in model.phases) > 1:
        problems.append("Only one phase may be without environments.")
    if model.phases and all(phase.is_optional_phase for phase in model.phases):
        problems.append("At least one phase must not be optional.")
    if problems:
        raise invalid(*problems)


def _targets(phase: models.Phase) -> list[str]:
    return [*phase.automatic_deployment_targets, *phase.optional_deployment_targets]
