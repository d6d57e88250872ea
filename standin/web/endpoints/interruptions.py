"""Interruptions: listed, taken over, answered (octopus-api §A.18)."""

from typing import Any

from standin import kinds
from standin.documents import Document, get
from standin.errors import not_found
from standin.interruptions import submit, take
from standin.web.call import Call
from standin.web.endpoints.users import show as show_user
from standin.web.granted import place_of
from standin.web.refusals import bad_request
from standin.web.resources import INTERRUPTION, fetch_page


async def list_interruptions(call: Call) -> Any:
    """List a space's interruptions, newest first."""
    query = call.query
    filters = {
        "space": call.space,
        "ids": query.many("ids"),
        "concerns": query.many("regarding"),
        "pending": query.flag("pendingonly") or None,
    }
    return await fetch_page(call, INTERRUPTION, filters, lambda document: _show(document, call))


async def read_interruption(call: Call) -> Any:
    """Return one interruption."""
    return _show(await _interruption_of(call, call.state.pool), call)


async def read_responsible(call: Call) -> Any:
    """Return the user who is responsible for an interruption; 404 while nobody is."""
    interruption = await _interruption_of(call, call.state.pool)
    if not interruption["ResponsibleUserId"]:
        raise not_found(f"{call.id}/responsible")
    return show_user(await get(call.state.pool, kinds.USER, interruption["ResponsibleUserId"]), call.actor.user_id)


async def take_responsibility(call: Call) -> Any:
    """Make the user who asks responsible for an interruption; return him."""
    async with call.begin() as work:
        interruption = await _interruption_of(call, work.conn)
        await take(work, interruption["Id"])
        return show_user(await get(work.conn, kinds.USER, call.actor.user_id), call.actor.user_id)


async def submit_interruption(call: Call) -> Any:
    """Answer an interruption with the values of its form; its task goes on."""
    sent = await call.json()
    if not isinstance(sent, dict):
        raise bad_request("The body must be an object with the values of the form.")
    async with call.begin() as work:
        interruption = await _interruption_of(call, work.conn)
        # Clients write the members in their own case; the form has the server's.
        members = {name.lower(): name for name in interruption["Form"]["Values"]}
        values = {members[name.lower()]: _text(value) for name, value in sent.items() if name.lower() in members}
        return _show(await submit(work, interruption["Id"], values), call)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise bad_request("The values of a form are texts.")


async def _interruption_of(call: Call, conn: Any) -> Document:
    interruption = await get(conn, kinds.INTERRUPTION, call.id)
    if interruption["SpaceId"] != call.space:
        raise not_found(call.id)
    call.check({**place_of(interruption["RelatedDocumentIds"]), "SpaceId": call.space})
    return interruption


def _show(document: Document, call: Call) -> Document:
    responsible = document["ResponsibleUserId"]
    shown = {name: value for name, value in document.items() if name != "SubmittedBy"}
    more = {
        "CanTakeResponsibility": document["IsPending"] and responsible != call.actor.user_id,
        "HasResponsibility": responsible == call.actor.user_id,
        "IsLinkedToOtherInterruption": False,
    }
    return INTERRUPTION.show({**shown, **more})
