"""Spaces (octopus-api §A.2)."""

from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, delete, find, get, get_many, insert, update
from standin.newspace import managers_of, managing_teams
from standin.spaces import create_space as create_with_parts
from standin.statements import queries
from standin.web.call import Call, Reply, created
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.refusals import bad_request, invalid
from standin.web.resources import SPACE, fetch_one
from standin.work import Work


class Spaces(Collection):
    """Spaces; one goes only when its task queue has been stopped."""

    def filters(self, call: Call) -> Filters:
        """Return what spaces are filtered by; a user sees those in which he may do something."""
        seen, filters = call.rights.seen(), named(call)
        if seen is not None:
            filters["ids"] = [one for one in filters["ids"] or seen if one in seen]
        return filters

    async def create(self, call: Call) -> Reply:
        """Create a space with what every new space holds."""
        return created(self.show(await self._create(call)))

    async def create_v1(self, call: Call) -> Reply:
        """Create a space; the answer has an envelope of its own."""
        return created({"Space": self.show(await self._create(call))})

    async def check(self, work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Return the teams that manage a space; what is the default space stays so."""
        users, teams = model.space_managers_team_members, model.space_managers_teams
        if not users and not teams:
            raise invalid("At least one team or user must manage the space.")
        known = {**await get_many(work.conn, kinds.USER, users), **await get_many(work.conn, kinds.TEAM, teams)}
        unknown = [one for one in (*users, *teams) if one not in known]
        if unknown:
            raise invalid(*(f"There is no user or team '{one[:100]}'." for one in unknown))
        if current is None:
            return {"IsDefault": False}
        return {"IsDefault": current["IsDefault"], "SpaceManagersTeams": managing_teams(current["Id"], teams)}

    async def settle(self, work: Work, document: Document, _current: Document | None) -> None:
        """Give the space to those who manage it now, and to nobody who managed it before."""
        for grant in await find(work.conn, kinds.SCOPED_USER_ROLE, SpaceId=document["Id"]):
            if grant["UserRoleId"] == "userroles-spacemanager":
                await delete(work.conn, kinds.SCOPED_USER_ROLE, grant["Id"])
        for kind, part in managers_of(document):
            if kind is kinds.TEAM:
                team = await get(work.conn, kind, part["Id"])
                await update(work.conn, kind, {**team, "MemberUserIds": part["MemberUserIds"]})
            else:
                await insert(work.conn, kind, part)

    async def modify(self, call: Call) -> Any:
        """Replace a space."""
        reply = await super().modify(call)
        call.state.spaces.clear()
        call.state.forget_people()
        return reply

    async def release(self, work: Work, document: Document) -> None:
        """Delete all that a space holds; its events stay."""
        if document["IsDefault"]:
            raise bad_request("The default space cannot be deleted.")
        if not document["TaskQueueStopped"]:
            raise bad_request("The task queue of the space must be stopped before the space can be deleted.")
        for name, statement in queries("web/spaces").items():
            if name.startswith("delete_"):
                await work.conn.execute(statement, document["Id"])

    async def delete(self, call: Call) -> Any:
        """Delete a space."""
        reply = await super().delete(call)
        await call.state.home.packages.forget_space(reply["Id"])
        await call.state.home.artifacts.forget_space(reply["Id"])
        call.state.spaces.clear()
        call.state.forget_people()
        return reply

    async def find(self, conn: Any, call: Call) -> Document:
        """Return the space that the path names, if who asks may look into it."""
        space = await fetch_one(conn, SPACE, call.id, None)
        seen = call.rights.seen()
        if seen is not None and space["Id"] not in seen:
            call.need("SpaceView")
        return space

    async def search(self, call: Call) -> Any:
        """Return what in a space has the keyword in its name: id, name and type of each."""
        space = await self.find(call.state.pool, call)
        keyword = call.query.text("keyword")
        if keyword is None:
            return []
        rows = await call.state.pool.fetch(queries("web/spaces")["search"], space["Id"], keyword)
        return [{"Id": row["id"], "Name": row["name"], "Type": row["type"]} for row in rows]

    async def _create(self, call: Call) -> Document:
        model = await self.model(call)
        async with call.begin() as work:
            members = {**msgspec.to_builtins(model), **await self.check(work, model, None, None)}
            space = await create_with_parts(work, members)
        call.state.forget_people()
        return space


SPACES = Spaces(SPACE)
