"""What a user may do: the roles of his teams, held against the permission that an operation needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from standin.permissions import IN_SYSTEM, needed
from standin.statements import queries
from standin.web.refusals import forbidden
from standin.web.routing import Match
from standin.web.state import NodeState
from standin.work import Actor

_NONE: frozenset[str] = frozenset()
#: held in one space these are enough for routes across all spaces, which show and touch no others (§A.14, §A.20)
_ACROSS = {"EventView", "TaskCancel", "TaskCreate", "TaskEdit", "TaskView"}
#: what every user may ask about himself
_SELF = {"users/me", "users/logout", "users/access-token", "users/authentication", "teammembership"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of a team: its permissions, and where they hold; None holds everywhere."""

    #: permissions in spaces
    permissions: frozenset[str]
    #: id of the space
    space: str | None
    #: ids of projects
    projects: frozenset[str] | None = None
    #: ids of environments
    environments: frozenset[str] | None = None
    #: ids of tenants
    tenants: frozenset[str] | None = None

    @property
    def is_restricted(self) -> bool:
        """Say whether it holds for some projects, environments or tenants only."""
        return not (self.projects is None and self.environments is None and self.tenants is None)

    def covers(self, document: Mapping[str, Any]) -> bool:
        """Say whether it holds for a document; what a document does not belong to is not held against it."""
        return (
            self.space in (None, document.get("SpaceId"))
            and _meets(self.projects, document, "Project")
            and _meets(self.environments, document, "Environment")
            and _meets(self.tenants, document, "Tenant")
        )


@dataclass(frozen=True, slots=True)
class Rights:
    """The permissions of a user."""

    #: those for the whole server
    system: frozenset[str]
    #: those in each space
    everywhere: frozenset[str]
    #: id of a space → those in it alone
    spaces: dict[str, frozenset[str]]
    #: those that hold for some projects, environments or tenants only
    restricted: tuple[Grant, ...] = field(default=())

    def allow(self, permission: str, space: str | None) -> bool:
        """Say whether a permission is held in a space, or a part of it; without one, for the server or in any space."""
        if permission in self.everywhere or permission in self.system:
            return True
        if space is None and permission in IN_SYSTEM - _ACROSS:
            return False
        return self.grants(permission, space) != ()

    def grants(self, permission: str, space: str | None) -> tuple[Grant, ...] | None:
        """Return the grants of a permission in a space, or in any; None: nothing restricts it there."""
        if permission in self.everywhere or permission in self.system:
            return None
        if space is not None and permission in self.spaces.get(space, _NONE):
            return None
        whole = (Grant(held, one) for one, held in self.spaces.items())
        return tuple(
            one
            for one in (*whole, *self.restricted)
            if permission in one.permissions and (space is None or one.space in (None, space))
        )

    def seen(self) -> list[str] | None:
        """Return the spaces that the user may look into; None: all of them."""
        if self.everywhere or any(one.space is None for one in self.restricted):
            return None
        partly = {one.space for one in self.restricted if one.space and one.permissions}
        return sorted({space for space, held in self.spaces.items() if held} | partly)


#: who has not logged in
NOBODY = Rights(_NONE, _NONE, {})


async def rights_of(state: NodeState, user: str) -> Rights:
    """Return the permissions of a user, remembered for a few seconds."""
    known = state.rights.get(user)
    if known is None:
        rows = await state.pool.fetch(queries("web/identity")["rights"], user)
        spaces: dict[str, frozenset[str]] = {}
        everywhere, system, restricted = _NONE, _NONE, []
        for row in rows:
            grant = _grant(row)
            if grant.is_restricted:
                restricted.append(grant)
            elif grant.space is None:
                everywhere |= grant.permissions
                system |= frozenset(_ids(row["system"]))
            else:
                spaces[grant.space] = spaces.get(grant.space, _NONE) | grant.permissions
        known = Rights(system, everywhere, spaces, tuple(restricted))
        state.rights.put(user, known)
    return known


async def authorise(state: NodeState, actor: Actor, match: Match, space: str | None) -> tuple[Rights, str | None]:
    """Return the rights of a user who may do what he asks for, and the permission that it needs.

    What concerns a user himself he may always see, and his own keys he may always change: no permission is needed.

    Raises:
        Rejected: 403, he lacks the permission.
    """
    rights = await rights_of(state, actor.user_id)
    route = match.route
    permission = needed(route.method, route.path)
    if permission is None or rights.allow(permission, space):
        return rights, permission
    own = route.path.startswith("users/") and match.params.get("id") == actor.user_id
    if route.path in _SELF or (own and (route.method == "GET" or "/apikeys" in route.path)):
        return rights, None
    raise forbidden(permission)


def _grant(row: Mapping[str, Any]) -> Grant:
    """Return a grant as it is kept; a project group stands for the projects in it."""
    projects = _ids(row["projects"]) or None
    if row["groups"] not in (None, "[]"):
        projects = [*(projects or ()), *(row["grouped"] or ())]
    return Grant(
        frozenset(_ids(row["space"])),
        row["spaceid"],
        None if projects is None else frozenset(projects),
        frozenset(_ids(row["environments"])) or None,
        frozenset(_ids(row["tenants"])) or None,
    )


def _ids(text: str | None) -> list[str]:
    return msgspec.json.decode(text or "[]", type=list[str])


def _meets(allowed: frozenset[str] | None, document: Mapping[str, Any], what: str) -> bool:
    """Say whether a document is, or belongs to, one of the projects, environments or tenants that are allowed."""
    if allowed is None:
        return True
    identifier = str(document.get("Id", ""))
    if identifier.startswith(f"{what}s-"):
        return identifier in allowed
    owner, owners = document.get(f"{what}Id"), document.get(f"{what}Ids")
    if owner:
        return owner in allowed
    return not owners or not allowed.isdisjoint(owners)
