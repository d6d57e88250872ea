"""What endpoints share: the arguments of every list, and the refusal to delete what is in use."""

from typing import Any

from standin.errors import Rejected
from standin.statements import queries
from standin.web.call import Call
from standin.web.refusals import bad_request
from standin.web.resources import ResourceType, fetch_one
from standin.work import Work


def arguments(call: Call) -> list[Any]:
    """Return what every list of a space is filtered by: the space, ids, a part of the name."""
    return [call.space, call.query.many("ids"), call.query.text("partialname") or call.query.text("name")]


async def referenced(work: Work, resource: ResourceType, name: str, space: str | None) -> str:
    """Return the id of a document that a body refers to.

    Raises:
        Rejected: 400, the space has none such.
    """
    try:
        found: str = (await fetch_one(work.conn, resource, name, space))["Id"]
    except Rejected as exc:
        raise bad_request(f"There is no {resource.label.lower()} '{name[:200]}' in this space.") from exc
    return found


async def refuse_when_used(work: Work, query: str, *values: Any) -> None:
    """Refuse to delete what others refer to; `query` returns the reasons.

    Raises:
        Rejected: 400, there is at least one reason.
    """
    reasons = [row["reason"] for row in await work.conn.fetch(queries("web/resources")[query], *values)]
    if reasons:
        raise bad_request("This resource is in use and cannot be deleted.", reasons)
