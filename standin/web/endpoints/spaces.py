"""Spaces and users (octopus-api §A.1, §A.2)."""

from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, get
from standin.spaces import create_space as create_with_parts
from standin.spaces import slug
from standin.statements import queries
from standin.web import models
from standin.web.call import Call, Reply, created
from standin.web.links import links_of
from standin.web.paging import envelope
from standin.web.refusals import bad_request, invalid
from standin.web.resources import SPACE, fetch_all, fetch_one, fetch_page, modify, remove
from standin.work import Work


async def list_spaces(call: Call) -> Any:
    """List the spaces."""
    return await fetch_page(call, SPACE, _filters(call))


async def all_spaces(call: Call) -> Any:
    """Return all spaces as a bare array."""
    return await fetch_all(call, SPACE, _filters(call))


async def read_space(call: Call) -> Any:
    """Return one space, by id or slug."""
    return SPACE.show(await fetch_one(call.state.pool, SPACE, call.id, None))


async def create_space(call: Call) -> Reply:
    """Create a space with what every new space holds."""
    return created(SPACE.show(await _create(call)))


async def create_space_v1(call: Call) -> Reply:
    """Create a space; the answer has an envelope of its own."""
    return created({"Space": SPACE.show(await _create(call))})


async def modify_space(call: Call) -> Any:
    """Replace a space; its task queue must be stopped before it can be deleted."""
    model = await call.read(models.Space)
    async with call.begin() as work:
        current = await fetch_one(work.conn, SPACE, call.id, None)
        space = await modify(work, SPACE, current, model, IsDefault=current["IsDefault"])
    call.state.spaces.clear()
    return SPACE.show(space)


async def delete_space(call: Call) -> Any:
    """Delete a space whose task queue has been stopped, with all that it holds; its events stay."""
    async with call.begin() as work:
        current = await fetch_one(work.conn, SPACE, call.id, None)
        if current["IsDefault"]:
            raise bad_request("The default space cannot be deleted.")
        if not current["TaskQueueStopped"]:
            raise bad_request("The task queue of the space must be stopped before the space can be deleted.")
        await _empty(work, current["Id"])
        await remove(work, SPACE, current)
    await call.state.packages.forget_space(current["Id"])
    call.state.spaces.clear()
    return SPACE.show(current)


async def read_me(call: Call) -> Any:
    """Return the user who asks."""
    return show_user(await get(call.state.pool, kinds.USER, call.actor.user_id), call)


async def list_users(call: Call) -> Any:
    """List the users, of whom `filter` finds some by name."""
    window = call.query.window()
    found = await _users(call)
    page = found[window.skip : window.skip + window.take]
    return envelope("User", page, len(found), window, call.path, call.query.filters())


async def all_users(call: Call) -> Any:
    """Return all users as a bare array."""
    return await _users(call)


async def read_user(call: Call) -> Any:
    """Return one user."""
    return show_user(await get(call.state.pool, kinds.USER, call.id), call)


async def spaces_of_user(call: Call) -> Any:
    """Return the spaces that a user may enter as a bare array."""
    await get(call.state.pool, kinds.USER, call.id)
    return await fetch_all(call, SPACE, {})


async def teams_of_user(call: Call) -> Any:
    """Return no team: this server has none."""
    await get(call.state.pool, kinds.USER, call.id)
    return []


def _filters(call: Call) -> dict[str, Any]:
    return {"ids": call.query.many("ids"), "partial_name": call.query.text("partialname") or call.query.text("name")}


async def _create(call: Call) -> Document:
    model = await call.read(models.Space)
    if not model.space_managers_teams and not model.space_managers_team_members:
        raise invalid("At least one team or user must manage the space.")
    async with call.begin() as work:
        members = msgspec.to_builtins(model)
        members.update(IsDefault=False, Slug=slug(model.slug or model.name))
        return await create_with_parts(work, members)


async def _empty(work: Work, space: str) -> None:
    for name, statement in queries("web/spaces").items():
        if name.startswith("delete_"):
            await work.conn.execute(statement, space)


async def _users(call: Call) -> list[Document]:
    rows = await call.state.pool.fetch(
        queries("web/spaces")["users"], call.query.many("ids"), call.query.text("filter")
    )
    return [show_user(kinds.USER.read(row), call) for row in rows]


def show_user(document: Document, call: Call) -> Document:
    """Return a user as the API shows him."""
    return {
        "DisplayName": document["Username"],
        "EmailAddress": "",
        "IsService": False,
        "CanPasswordBeEdited": False,
        "Identities": [],
        **document,
        "IsRequestor": document["Id"] == call.actor.user_id,
        "Links": links_of("User", document),
    }
