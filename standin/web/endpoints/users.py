"""Users: accounts, their spaces, teams and permissions (octopus-api §A.1)."""

import asyncio
from typing import Any

from standin import kinds
from standin.documents import Document, delete, find, get, time_text, update
from standin.passwords import hash_password
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.links import links_of
from standin.web.refusals import bad_request
from standin.web.resources import SPACE, USER, fetch_all
from standin.web.rights import Grant, rights_of
from standin.work import Work

#: accounts that an instance cannot do without
_FIXED = {"users-system"}


class Membership(Collection):
    """What decides who may do what: this node forgets at once what it knew."""

    async def create(self, call: Call) -> Reply:
        """Create a document."""
        reply = await super().create(call)
        call.state.forget_people()
        return reply

    async def modify(self, call: Call) -> Any:
        """Replace a document."""
        reply = await super().modify(call)
        call.state.forget_people()
        return reply

    async def delete(self, call: Call) -> Any:
        """Delete a document."""
        reply = await super().delete(call)
        call.state.forget_people()
        return reply


class Users(Membership):
    """Accounts; a password is hashed, and never returned."""

    def filters(self, call: Call) -> Filters:
        """Return what users are filtered by."""
        return {"ids": call.query.many("ids"), "user": call.query.text("filter") or named(call)["partial_name"]}

    def show(self, document: Document) -> Document:
        """Return a user as the API shows him."""
        return show(document, None)

    async def check(self, work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Return the hash of the password; one that is not sent stays."""
        if current is not None and current["Id"] in _FIXED:
            raise bad_request("The account of the server itself cannot be changed.")
        if model.is_service and model.password:
            raise bad_request("A service account has no password; it uses API keys.")
        more: Document = {"Password": None}
        if model.password:
            more["PasswordHash"] = await asyncio.to_thread(hash_password, model.password)
        if current is None:
            return {**more, "Created": time_text(work.now)}
        return {**more, "IsService": current.get("IsService", False)}

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """End the sessions of a user whose password has changed, or who is no longer active."""
        new_password = current is not None and current.get("PasswordHash") != document.get("PasswordHash")
        if new_password or not document["IsActive"]:
            await work.conn.execute(queries("web/identity")["forget_sessions"], document["Id"])

    async def release(self, work: Work, document: Document) -> None:
        """Take a user out of his teams, with his keys and sessions."""
        if document["Id"] in _FIXED or document["Id"] == work.actor.user_id:
            raise bad_request("Neither your own account nor that of the server can be deleted.")
        for key in await find(work.conn, kinds.API_KEY, UserId=document["Id"]):
            await delete(work.conn, kinds.API_KEY, key["Id"])
        await work.conn.execute(queries("web/identity")["forget_sessions"], document["Id"])
        for team in await teams_with(work.conn, document["Id"]):
            if document["Id"] in team["MemberUserIds"]:
                rest = [one for one in team["MemberUserIds"] if one != document["Id"]]
                await update(work.conn, kinds.TEAM, {**team, "MemberUserIds": rest})

    async def me(self, call: Call) -> Any:
        """Return the user who asks."""
        return show(await get(call.state.pool, kinds.USER, call.actor.user_id), call.actor.user_id)

    async def read(self, call: Call) -> Any:
        """Return one user."""
        return show(await self.find(call.state.pool, call), call.actor.user_id)

    async def spaces(self, call: Call) -> Any:
        """Return the spaces that a user may enter as a bare array."""
        user = await self.find(call.state.pool, call)
        seen = (await rights_of(call.state, user["Id"])).seen()
        return await fetch_all(call, SPACE, {"ids": seen})

    async def teams(self, call: Call) -> Any:
        """Return the teams of a user as a bare array."""
        user = await self.find(call.state.pool, call)
        return await membership(call, user["Id"])

    async def permissions(self, call: Call) -> Any:
        """Return what a user may do: each permission with the spaces in which he has it."""
        user = await self.find(call.state.pool, call)
        rights = await rights_of(call.state, user["Id"])
        held: dict[str, list[Document]] = {}
        whole = [Grant(rights.everywhere, None), *(Grant(names, one) for one, names in sorted(rights.spaces.items()))]
        for grant in (*whole, *rights.restricted):
            for name in sorted(grant.permissions):
                held.setdefault(name, []).append(_restriction(grant))
        return {
            "Id": f"userpermissions-{user['Id']}",
            "SpacePermissions": held,
            "SystemPermissions": sorted(rights.system),
            "Teams": await membership(call, user["Id"]),
            "IsPermissionsComplete": True,
            "IsTeamsComplete": True,
            "Links": {"Self": f"/api/users/{user['Id']}/permissions"},
        }


USERS = Users(USER)


async def read_membership(call: Call) -> Any:
    """Return the teams of the user that the query names."""
    wanted = call.query.text("userid")
    if wanted is None:
        raise bad_request("The query must name a userId.")
    user = await get(call.state.pool, kinds.USER, wanted)
    if user["Id"] != call.actor.user_id:
        call.need("TeamView")
    return await membership(call, user["Id"])


async def membership(call: Call, user: str) -> list[Document]:
    """Return the teams of a user in short."""
    return [
        {
            "Id": team["Id"],
            "Name": team["Name"],
            "SpaceId": team["SpaceId"],
            "IsDirectlyAssigned": user in team["MemberUserIds"],
            "ExternalGroupNames": [],
        }
        for team in await teams_with(call.state.pool, user)
    ]


async def teams_with(conn: Any, user: str) -> list[Document]:
    """Return the teams that a user belongs to."""
    rows = await conn.fetch(queries("web/spaces")["teams_with"], user)
    return [kinds.TEAM.read(row) for row in rows]


def show(document: Document, requestor: str | None) -> Document:
    """Return a user as the API shows him to `requestor`, without what is kept of his password."""
    shown = {name: value for name, value in document.items() if name not in {"PasswordHash", "Password"}}
    return {
        "DisplayName": document["Username"],
        "EmailAddress": "",
        "IsService": False,
        "Identities": [],
        **shown,
        "CanPasswordBeEdited": not document.get("IsService") and document["Id"] not in _FIXED,
        "IsRequestor": document["Id"] == requestor,
        "Links": links_of("User", document),
    }


def _restriction(grant: Grant) -> Document:
    """Return where a permission holds; a project group has become the projects in it."""
    return {
        "SpaceId": grant.space,
        "RestrictedToProjectIds": sorted(grant.projects or ()),
        "RestrictedToEnvironmentIds": sorted(grant.environments or ()),
        "RestrictedToTenantIds": sorted(grant.tenants or ()),
        "RestrictedToProjectGroupIds": [],
    }
