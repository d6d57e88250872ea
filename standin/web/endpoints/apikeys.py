"""API keys of users: shown in full once, and valid until they expire or are deleted (octopus-api §A.1)."""

import secrets
from typing import Any

from standin import events, kinds
from standin.database import key_hash, new_api_key
from standin.documents import Document, delete, find, get, insert, time_text
from standin.errors import not_found
from standin.web.call import Call, Reply, created
from standin.web.endpoints.users import USERS
from standin.web.links import links_of
from standin.web.membership import ApiKey
from standin.web.paging import envelope
from standin.web.query import parse_time
from standin.web.refusals import bad_request


async def list_keys(call: Call) -> Any:
    """Return one page of the keys of a user, the oldest first."""
    user = await USERS.find(call.state.pool, call)
    window = call.query.window()
    keys = [_show(key) for key in await find(call.state.pool, kinds.API_KEY, UserId=user["Id"])]
    keys.sort(key=lambda key: (key["Created"] or "", key["Id"]))
    return envelope("ApiKey", keys[window.skip : window.skip + window.take], len(keys), window, call.path)


async def create_key(call: Call) -> Reply:
    """Create a key; this answer alone holds it."""
    sent = await call.read(ApiKey)
    key = new_api_key()
    async with call.begin() as work:
        user = await USERS.find(work.conn, call)
        expires = parse_time(sent.expires, "Expires") if sent.expires else None
        if expires is not None and expires <= work.now:
            raise bad_request("An API key cannot expire in the past.")
        document = {
            "Id": f"apikeys-{secrets.token_urlsafe(15)}",
            "UserId": user["Id"],
            "KeyHash": key_hash(key),
            "Purpose": sent.purpose,
            "Hint": key[:7],
            "Created": time_text(work.now),
            "Expires": time_text(expires) if expires else None,
        }
        await insert(work.conn, kinds.API_KEY, document)
        related = [document["Id"], user["Id"]]
        words = f"API key {document['Hint']} of {user['Username']}"
        await events.record(work, events.CREATED, f"{words} was created", related, references=[(user["Id"], words)])
    return created({**_show(document), "ApiKey": key})


async def read_key(call: Call) -> Any:
    """Return what is known of a key: not the key itself."""
    return _show(await _key(call, call.state.pool))


async def delete_key(call: Call) -> Any:
    """Delete a key; nobody gets in with it from now on."""
    async with call.begin() as work:
        key = await _key(call, work.conn)
        await delete(work.conn, kinds.API_KEY, key["Id"])
        related = [key["Id"], key["UserId"]]
        await events.record(work, events.DELETED, f"API key {key.get('Hint') or ''} was deleted", related)
    call.state.forget_people()
    return _show(key)


async def _key(call: Call, conn: Any) -> Document:
    user = await USERS.find(conn, call)
    key = await get(conn, kinds.API_KEY, call.params["keyId"])
    if key["UserId"] != user["Id"]:
        raise not_found(call.params["keyId"])
    return key


def _show(key: Document) -> Document:
    return {
        "Id": key["Id"],
        "Purpose": key["Purpose"],
        "UserId": key["UserId"],
        "ApiKey": {"HasValue": True, "Hint": key.get("Hint"), "NewValue": None},
        "Created": key.get("Created"),
        "Expires": key.get("Expires"),
        "Links": links_of("ApiKey", key),
    }
