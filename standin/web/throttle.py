"""Rate limiting policies: off by default, and really limiting once they are enabled (octopus-api §B.5)."""

import time
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from standin import events
from standin.statements import queries
from standin.web.models import Resource
from standin.web.refusals import limited
from standin.web.state import NodeState
from standin.work import SERVER, Actor, begin

#: seconds between two events about one user, at real time, and in audit mode (octopus-facts §1.6)
QUIET, QUIET_IN_AUDIT = 900.0, 300.0
_Rate = Annotated[int, Meta(ge=1, le=1_000_000)]


class Policy(Resource, frozen=True, kw_only=True):
    """What of a policy can be changed."""

    is_enabled: bool = False
    requests_per_minute: _Rate = 200
    burst_limit: _Rate = 200
    audit_mode: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a built-in policy concerns."""

    #: id of the policy
    id: str
    #: its name
    name: str
    #: its `ScopeType`
    kind: Literal["Unauthenticated", "AuthenticatedHuman", "AuthenticatedAgent"]


SCOPES = (
    Scope("RateLimitingPolicies-1", "Unauthenticated requests", "Unauthenticated"),
    Scope("RateLimitingPolicies-2", "Users", "AuthenticatedHuman"),
    Scope("RateLimitingPolicies-3", "Service accounts", "AuthenticatedAgent"),
)


async def policies_of(state: NodeState) -> dict[str, Policy]:
    """Return the policies by id, remembered for two seconds."""
    known = state.policies.get("")
    if known is None:
        rows = await state.pool.fetch(queries("web/system")["configurations"], [scope.id for scope in SCOPES])
        kept = {row["id"]: msgspec.json.decode(row["json"], type=Policy) for row in rows}
        known = {scope.id: kept.get(scope.id, Policy()) for scope in SCOPES}
        state.policies.put("", known)
    return known


async def enforce(state: NodeState, actor: Actor | None, address: str | None) -> None:
    """Count a request under the policy that concerns who sends it; `actor` is None where nobody has logged in.

    Raises:
        Rejected: 429, he has sent too many; with `Retry-After`.
    """
    scope, who = _scope(actor, address)
    policy = (await policies_of(state))[scope.id]
    if not policy.is_enabled:
        return
    now = time.monotonic()
    wait = state.limiter.take(scope.id, who, now, per_minute=policy.requests_per_minute, burst=policy.burst_limit)
    if wait == 0:
        return
    quiet = (QUIET_IN_AUDIT if policy.audit_mode else QUIET) / state.time_scale
    if state.limiter.report(scope.id, who, now, quiet):
        await _record(state, scope, who, actor)
    if not policy.audit_mode:
        raise limited(scope.name, wait)


def show(scope: Scope, policy: Policy) -> dict[str, Any]:
    """Return a policy as the API shows it."""
    members = {"Id": scope.id, "Name": scope.name, "IsBuiltIn": True, "ScopeType": scope.kind}
    links = {"Self": f"/api/ratelimitingpolicies/{scope.id}"}
    return {**members, **msgspec.to_builtins(policy), "Links": links}


def _scope(actor: Actor | None, address: str | None) -> tuple[Scope, str]:
    if actor is None:
        return SCOPES[0], address or ""
    return (SCOPES[2], actor.api_key_id or actor.user_id) if actor.is_service else (SCOPES[1], actor.user_id)


async def _record(state: NodeState, scope: Scope, who: str, actor: Actor | None) -> None:
    async with begin(state.pool, state.ids, SERVER) as work:
        whom = actor.username if actor else who
        related = [scope.id, *([actor.user_id] if actor else [])]
        await events.record(work, events.RATE_LIMITED, f"{whom} has reached the rate limit {scope.name}", related)
