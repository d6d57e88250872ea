"""Teams, roles, and which team has which role where (octopus-api §A.1)."""

from typing import Any

from standin import kinds
from standin.documents import Document, delete, find, get_many
from standin.people import ADMINISTRATORS, EVERYONE
from standin.permissions import IN_SPACE, IN_SYSTEM, ROLES
from standin.web.call import Call
from standin.web.endpoints.common import across_spaces, named
from standin.web.endpoints.users import Membership
from standin.web.filters import Filters
from standin.web.refusals import bad_request, invalid
from standin.web.resources import SCOPED_USER_ROLE, SPACE, TEAM, USER_ROLE, fetch_one, fetch_page
from standin.work import Work

_BUILT_IN_ROLES = {role.id for role in ROLES}


class Teams(Membership):
    """Teams, each of one space or of the whole server."""

    def filters(self, call: Call) -> Filters:
        """Return what teams are filtered by."""
        return {**named(call), **across_spaces(call)}

    def show(self, document: Document) -> Document:
        """Return a team, with what can be done to it."""
        fixed = _is_fixed(document["Id"])
        may = {"CanBeDeleted": not fixed, "CanBeRenamed": not fixed, "CanChangeRoles": document["Id"] != ADMINISTRATORS}
        return {**super().show(document), **may, "CanChangeMembers": document["Id"] != EVERYONE}

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the space of a team; its members must exist."""
        known = await get_many(work.conn, kinds.USER, model.member_user_ids)
        problems = [f"There is no user {one}." for one in model.member_user_ids if one not in known]
        if current is not None:
            if _is_fixed(current["Id"]) and model.name != current["Name"]:
                problems.append("A built-in team cannot be renamed.")
            if current["Id"] == EVERYONE and model.member_user_ids:
                problems.append("All users belong to this team; it has no list of members.")
            if current["Id"] == ADMINISTRATORS and not model.member_user_ids:
                problems.append("At least one user must be an administrator.")
        if problems:
            raise invalid(*problems)
        if current is not None:
            return {"SpaceId": current["SpaceId"]}
        owner = space or model.space_id
        return {"SpaceId": (await fetch_one(work.conn, SPACE, owner, None))["Id"] if owner else None}

    async def release(self, work: Work, document: Document) -> None:
        """Delete a team's roles along with it; a built-in team stays."""
        if _is_fixed(document["Id"]):
            raise bad_request("A built-in team cannot be deleted.")
        for grant in await find(work.conn, kinds.SCOPED_USER_ROLE, TeamId=document["Id"]):
            await delete(work.conn, kinds.SCOPED_USER_ROLE, grant["Id"])

    async def grants(self, call: Call) -> Any:
        """Return one page of the roles of a team."""
        team = await self.find(call.state.pool, call)
        return await fetch_page(call, SCOPED_USER_ROLE, {"team": team["Id"]})


class UserRoles(Membership):
    """Roles; the built-in ones stay."""

    def show(self, document: Document) -> Document:
        """Return a role, its permissions in words too."""
        words = {
            f"{where}PermissionDescriptions": [describe(one) for one in document[f"Granted{where}Permissions"]]
            for where in ("Space", "System")
        }
        restrictions = ["Environments", "ProjectGroups", "Projects", "Tenants"]
        own = {"CanBeDeleted": document["Id"] not in _BUILT_IN_ROLES, "SupportedRestrictions": restrictions}
        return {**super().show(document), **words, **own}

    async def check(self, _work: Work, model: Any, _space: str | None, _current: Document | None) -> Document:
        """Refuse permissions that do not exist."""
        problems = [
            f"'{one[:50]}' is no permission in a space."
            for one in model.granted_space_permissions
            if one not in IN_SPACE
        ]
        problems += [
            f"'{one[:50]}' is no permission of the server."
            for one in model.granted_system_permissions
            if one not in IN_SYSTEM
        ]
        if problems:
            raise invalid(*problems)
        return {}

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a role that is built in or that a team has."""
        if document["Id"] in _BUILT_IN_ROLES:
            raise bad_request("A built-in role cannot be deleted.")
        held = await find(work.conn, kinds.SCOPED_USER_ROLE, UserRoleId=document["Id"])
        if held:
            raise bad_request(
                "This resource is in use and cannot be deleted.", [f"{one['TeamId']} has it." for one in held]
            )


class ScopedUserRoles(Membership):
    """Grants of roles to teams."""

    def filters(self, call: Call) -> Filters:
        """Return what grants are filtered by."""
        return {"ids": call.query.many("ids"), **across_spaces(call)}

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the space of a grant; team and role must exist."""
        team = await fetch_one(work.conn, TEAM, model.team_id, None)
        role = await fetch_one(work.conn, USER_ROLE, model.user_role_id, None)
        if team["Id"] == ADMINISTRATORS:
            raise bad_request("The roles of the administrators cannot be changed.")
        owner = current["SpaceId"] if current is not None else space or model.space_id
        if owner and role["GrantedSystemPermissions"] and not role["GrantedSpacePermissions"]:
            raise bad_request("A role of the whole server cannot be granted in a space.")
        where = (await fetch_one(work.conn, SPACE, owner, None))["Id"] if owner else None
        return {"TeamId": team["Id"], "UserRoleId": role["Id"], "SpaceId": where}

    async def release(self, _work: Work, document: Document) -> None:
        """Refuse to take the administrators' role away."""
        if document["TeamId"] == ADMINISTRATORS:
            raise bad_request("The roles of the administrators cannot be changed.")


TEAMS = Teams(TEAM)
USER_ROLES = UserRoles(USER_ROLE)
SCOPED_USER_ROLES = ScopedUserRoles(SCOPED_USER_ROLE)


async def every_permission(_call: Call) -> Any:
    """Return all permissions with what they are for."""
    return {
        name: {
            "Description": describe(name),
            "SupportedRestrictions": [],
            "CanApplyAtSpaceLevel": name in IN_SPACE,
            "CanApplyAtSystemLevel": name in IN_SYSTEM,
        }
        for name in sorted(IN_SPACE | IN_SYSTEM)
    }


def describe(permission: str) -> str:
    """Return a permission in words: `MachinePolicyEdit` → `Machine policy edit`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in permission).strip()
    return words.capitalize()


def _is_fixed(team: str) -> bool:
    return team in {ADMINISTRATORS, EVERYONE} or team.startswith("teams-spacemanagers-")
