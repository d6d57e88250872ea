"""What a user may do: the roles of his teams, held against the permission that an operation needs."""

from dataclasses import dataclass

import msgspec

from standin.permissions import IN_SYSTEM, needed
from standin.statements import queries
from standin.web.refusals import forbidden
from standin.web.routing import Match
from standin.web.state import NodeState
from standin.work import Actor

_NONE: frozenset[str] = frozenset()
#: what every user may ask about himself
_SELF = {"users/me", "users/logout", "users/access-token", "users/authentication", "teammembership"}


@dataclass(frozen=True, slots=True)
class Rights:
    """The permissions of a user."""

    #: those for the whole server
    system: frozenset[str]
    #: those in each space
    everywhere: frozenset[str]
    #: id of a space → those in it alone
    spaces: dict[str, frozenset[str]]

    def allow(self, permission: str, space: str | None) -> bool:
        """Say whether a permission is held in a space; without one, for the whole server or in any space."""
        if permission in self.everywhere or permission in self.system:
            return True
        if space is not None:
            return permission in self.spaces.get(space, _NONE)
        return permission not in IN_SYSTEM and any(permission in held for held in self.spaces.values())

    def seen(self) -> list[str] | None:
        """Return the spaces that the user may look into; None: all of them."""
        return None if self.everywhere else sorted(space for space, held in self.spaces.items() if held)


#: who has not logged in
NOBODY = Rights(_NONE, _NONE, {})


async def rights_of(state: NodeState, user: str) -> Rights:
    """Return the permissions of a user, remembered for a few seconds.

    Restrictions of a role to projects, environments or tenants are kept and shown, and not held: a role holds in the
    whole of its space.
    """
    known = state.rights.get(user)
    if known is None:
        rows = await state.pool.fetch(queries("web/identity")["rights"], user)
        spaces: dict[str, frozenset[str]] = {}
        everywhere, system = _NONE, _NONE
        for row in rows:
            held = frozenset(msgspec.json.decode(row["space"] or "[]", type=list[str]))
            if row["spaceid"] is None:
                everywhere |= held
                system |= frozenset(msgspec.json.decode(row["system"] or "[]", type=list[str]))
            else:
                spaces[row["spaceid"]] = spaces.get(row["spaceid"], _NONE) | held
        known = Rights(system, everywhere, spaces)
        state.rights.put(user, known)
    return known


async def authorise(state: NodeState, actor: Actor, match: Match, space: str | None) -> Rights:
    """Return the rights of a user who may do what he asks for.

    What concerns a user himself he may always see, and his own keys he may always change.

    Raises:
        Rejected: 403, he lacks the permission.
    """
    rights = await rights_of(state, actor.user_id)
    route = match.route
    permission = needed(route.method, route.path)
    if permission is None or rights.allow(permission, space):
        return rights
    own = route.path.startswith("users/") and match.params.get("id") == actor.user_id
    if route.path in _SELF or (own and (route.method == "GET" or "/apikeys" in route.path)):
        return rights
    raise forbidden(permission)
