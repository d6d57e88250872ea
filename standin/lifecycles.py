"""Lifecycles: which environments a release may go to next, and which retention policy holds in a phase; pure rules."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a lifecycle with what it inherits filled in."""

    #: id of the phase
    id: str
    #: name of the phase
    name: str
    #: ids of its environments, automatic ones first
    environments: tuple[str, ...]
    #: environments that must have succeeded before the next phase opens; 0 = all
    minimum: int
    #: the next phase opens without it
    optional: bool
    #: releases kept: a `RetentionPeriod` of the API
    policy: dict[str, Any]
    #: its deployments go before others in the queue
    priority: bool = False


def phases_of(lifecycle: dict[str, Any], environments: Sequence[str]) -> list[Phase]:
    """Return the phases of a lifecycle with their policies.

    A lifecycle without phases has one optional phase for each environment of the space, in their order, and a phase
    without environments takes all that no other phase names (octopus-api §A.4). A phase without a policy of its own
    has that of the latest earlier phase with one, else the lifecycle's (octopus-facts §1b).
    """
    inherited = lifecycle.get("ReleaseRetentionPolicy") or {}
    if not lifecycle.get("Phases"):
        return [Phase(one, one, (one,), 0, optional=True, policy=inherited) for one in environments]
    named = {one for phase in lifecycle["Phases"] for one in _targets(phase)}
    phases = []
    for phase in lifecycle["Phases"]:
        inherited = _own_policy(phase) or inherited
        targets = _targets(phase) or tuple(one for one in environments if one not in named)
        phases.append(
            Phase(
                phase.get("Id") or phase["Name"],
                phase["Name"],
                targets,
                phase.get("MinimumEnvironmentsBeforePromotion") or 0,
                optional=bool(phase.get("IsOptionalPhase")),
                policy=inherited,
                priority=bool(phase.get("IsPriorityPhase")),
            )
        )
    return phases


def is_complete(phase: Phase, succeeded: Collection[str]) -> bool:
    """Say whether a release that succeeded in these environments is through a phase."""
    done = sum(environment in succeeded for environment in phase.environments)
    return done >= (phase.minimum or len(phase.environments))


def open_environments(phases: Sequence[Phase], succeeded: Collection[str]) -> list[str]:
    """Return the environments a release may be deployed to, having succeeded in these.

    A phase is open when each phase before it is complete or optional.
    """
    found: list[str] = []
    for phase in phases:
        found.extend(phase.environments)
        if not (phase.optional or is_complete(phase, succeeded)):
            break
    return found


def _targets(phase: dict[str, Any]) -> tuple[str, ...]:
    return (*(phase.get("AutomaticDeploymentTargets") or ()), *(phase.get("OptionalDeploymentTargets") or ()))


def _own_policy(phase: dict[str, Any]) -> dict[str, Any] | None:
    policy: dict[str, Any] | None = phase.get("ReleaseRetentionPolicy")
    return policy if policy and policy.get("Strategy") != "Default" else None
