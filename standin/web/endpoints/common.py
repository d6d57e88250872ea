"""What endpoints share: the filters of every list, and the refusal to delete what is in use."""

from typing import Any

from standin import events
from standin.documents import DocumentType, get_many
from standin.errors import Rejected
from standin.statements import queries
from standin.web.call import Call
from standin.web.refusals import bad_request, invalid
from standin.web.resources import ResourceType, fetch_one
from standin.work import Work

#: what happens to a package, or to build information, that is there already
MODES = ("FailIfExists", "OverwriteExisting", "IgnoreIfExists")


def named(call: Call) -> dict[str, Any]:
    """Return what every list is filtered by: its space if it has one, ids, a part of the name."""
    name = call.query.text("partialname") or call.query.text("name")
    return {"space": call.space_id, "ids": call.query.many("ids"), "partial_name": name}


def across_spaces(call: Call) -> dict[str, Any]:
    """Return which spaces a list of tasks or events spans: that of the path, those of the query, or all and none.

    Of all spaces, only those that who asks may look into; what is in no space is for who may look into all.
    """
    if call.space_id is not None:
        return {"space": call.space_id}
    spaces = spaces_of(call)
    if call.rights.seen() is not None:
        return {"spaces": spaces}
    if call.query.flag("includesystem") is False:
        return {"spaces": spaces, "in_a_space": True}
    return {"spaces_or_system": spaces}


def spaces_of(call: Call) -> list[str] | None:
    """Return the spaces that a list spans: that of the path, or those of the query that may be seen; None: all."""
    if call.space_id is not None:
        return [call.space_id]
    spaces, seen = call.query.many("spaces"), call.rights.seen()
    return spaces if seen is None else [one for one in spaces or seen if one in seen]


def overwrite_mode(call: Call) -> str:
    """Return what is done about what is there already; old clients say `replace=true`.

    Raises:
        Rejected: 400, it is none of the modes.
    """
    wanted = call.query.text("overwritemode")
    if wanted is None:
        return "OverwriteExisting" if call.query.flag("replace") else "FailIfExists"
    mode = next((mode for mode in MODES if mode.lower() == wanted.lower()), None)
    if mode is None:
        raise bad_request(f"'{wanted[:50]}' is no overwriteMode; there are {', '.join(MODES)}.")
    return mode


async def referenced(conn: Any, resource: ResourceType, name: str, space: str | None) -> str:
    """Return the id of a document that a body refers to.

    Raises:
        Rejected: 400, the space has none such.
    """
    try:
        found: str = (await fetch_one(conn, resource, name, space))["Id"]
    except Rejected as exc:
        raise bad_request(f"There is no {resource.label.lower()} '{name[:200]}' in this space.") from exc
    return found


async def order_by(call: Call, kind: DocumentType, what: str, statement: str) -> None:
    """Put documents of a space into the order of the ids sent; `statement` does so.

    Raises:
        Rejected: 400, the body is no array of ids, or one of them is none of the space's.
    """
    wanted = await call.json()
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise bad_request(f"The body must be an array with the ids of each {what}.")
    async with call.begin() as work:
        known = await get_many(work.conn, kind, wanted)
        unknown = [one for one in wanted if one not in known or known[one]["SpaceId"] != call.space]
        if unknown:
            raise invalid(*(f"There is no {what} {one[:100]} in this space." for one in unknown))
        await work.conn.execute(statement, wanted, call.space)
        for one in known.values():
            await events.modified(work, one, f"{what.capitalize()} {one['Name']}")


async def refuse_when_used(work: Work, query: str, *values: Any) -> None:
    """Refuse to delete what others refer to; `query` returns the reasons.

    Raises:
        Rejected: 400, there is at least one reason.
    """
    reasons = [row["reason"] for row in await work.conn.fetch(queries("web/resources")[query], *values)]
    if reasons:
        raise bad_request("This resource is in use and cannot be deleted.", reasons)
