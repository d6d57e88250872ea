"""The rate limiting policies of the instance (octopus-api §B.5)."""

from typing import Any

import msgspec

from standin import events
from standin.configuration import put_configuration
from standin.errors import not_found
from standin.web.call import Call
from standin.web.paging import envelope
from standin.web.throttle import SCOPES, Policy, Scope, policies_of, show


async def list_policies(call: Call) -> Any:
    """Return one page of the policies."""
    window, known = call.query.window(), await policies_of(call.state)
    items = [show(scope, known[scope.id]) for scope in SCOPES]
    page = items[window.skip : window.skip + window.take]
    return envelope("RateLimitingPolicy", page, len(items), window, call.path)


async def read_policy(call: Call) -> Any:
    """Return one policy."""
    scope = _scope(call)
    return show(scope, (await policies_of(call.state))[scope.id])


async def modify_policy(call: Call) -> Any:
    """Replace a policy; this node holds to it at once, the others within two seconds."""
    scope, policy = _scope(call), await call.read(Policy)
    async with call.begin() as work:
        await put_configuration(work.conn, scope.id, msgspec.to_builtins(policy))
        await events.modified(work, {"Id": scope.id}, f"Rate limiting policy {scope.name}")
    call.state.policies.clear()
    call.state.limiter.clear(scope.id)
    return show(scope, policy)


def _scope(call: Call) -> Scope:
    found = next((scope for scope in SCOPES if scope.id.lower() == call.id.lower()), None)
    if found is None:
        raise not_found(call.id)
    return found
