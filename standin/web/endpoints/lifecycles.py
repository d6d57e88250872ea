"""Lifecycles and their retention policies (octopus-api §A.4)."""

import uuid
from collections import Counter
from typing import Any

import msgspec

from standin.documents import Document
from standin.statements import queries
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import refuse_when_used
from standin.web.refusals import invalid
from standin.web.resources import LIFECYCLE, PROJECT, fetch_all
from standin.work import Work


class Lifecycles(Collection):
    """Lifecycles that keep the rules of phases."""

    def show(self, document: Document) -> Document:
        """Return a lifecycle with all members of its phases and policies, whichever client wrote it."""
        model = normal(convert({**document, "Links": None}, models.Lifecycle))
        return {**super().show(document), **msgspec.to_builtins(model), "Slug": document["Slug"]}

    async def model(self, call: Call) -> models.Lifecycle:
        """Return what a client sent, in full."""
        return normal(await call.read(models.Lifecycle))

    async def check(self, work: Work, model: Any, space: str | None, _current: Document | None) -> Document:
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
        return {}

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a lifecycle that a project or a channel uses."""
        await refuse_when_used(work, "lifecycle_uses", document["Id"])

    async def preview(self, call: Call) -> Any:
        """Return a lifecycle; one without phases with a single phase of all environments."""
        shown = await self.read(call)
        if not shown["Phases"]:
            rows = await call.state.pool.fetch(queries("history")["environments"], call.space)
            phase = models.Phase(id="", name="Default", optional_deployment_targets=[row["id"] for row in rows])
            shown["Phases"] = [msgspec.to_builtins(phase)]
        return shown

    async def projects(self, call: Call) -> Any:
        """Return the projects of a lifecycle as a bare array."""
        lifecycle = await self.find(call.state.pool, call)
        return await fetch_all(call, PROJECT, {"space": call.space, "lifecycle": lifecycle["Id"]})


LIFECYCLES = Lifecycles(LIFECYCLE)


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


def _targets(phase: models.Phase) -> list[str]:
    return [*phase.automatic_deployment_targets, *phase.optional_deployment_targets]
