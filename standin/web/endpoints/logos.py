"""Logos of spaces, projects and tenants: as they were uploaded, or drawn from the name (octopus-api §A.2, §A.7)."""

import base64
import hashlib
import html
from collections.abc import Awaitable, Callable
from typing import Any

from standin import events
from standin.configuration import configuration, put_configuration
from standin.documents import Document
from standin.web.call import Call, Reply
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.spaces import SPACES
from standin.web.endpoints.tenants import TENANTS
from standin.web.refusals import bad_request, too_large
from standin.web.upload import first_file

#: bytes; the largest picture that is kept
LARGEST = 1024 * 1024
#: what a picture begins with → its type
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_DRAWN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><rect width="200" height="200" fill="#%s"/>'
    '<text x="100" y="130" font-family="sans-serif" font-size="90" fill="#fff" text-anchor="middle">%s</text></svg>'
)

Find = Callable[[Any, Call], Awaitable[Document]]


async def read_space_logo(call: Call) -> Reply:
    """Return the logo of a space."""
    return await _read(call, await SPACES.find(call.state.pool, call))


async def modify_space_logo(call: Call) -> Any:
    """Replace the logo of a space."""
    return await _modify(call, await SPACES.find(call.state.pool, call))


async def read_project_logo(call: Call) -> Reply:
    """Return the logo of a project."""
    return await _read(call, await project_of(call))


async def modify_project_logo(call: Call) -> Any:
    """Replace the logo of a project."""
    return await _modify(call, await project_of(call))


async def read_tenant_logo(call: Call) -> Reply:
    """Return the logo of a tenant."""
    return await _read(call, await TENANTS.find(call.state.pool, call))


async def modify_tenant_logo(call: Call) -> Any:
    """Replace the logo of a tenant."""
    return await _modify(call, await TENANTS.find(call.state.pool, call))


async def _read(call: Call, owner: Document) -> Reply:
    kept = await configuration(call.state.pool, f"logo-{owner['Id']}")
    picture = base64.b64decode(kept["Picture"]) if kept else _draw(owner["Name"])
    tag = f'"{hashlib.sha256(picture).hexdigest()[:32]}"'
    if call.headers.get("if-none-match") == tag:
        return Reply(b"", 304, headers=(("ETag", tag),))
    return Reply(picture, media_type=kept.get("MediaType", "image/svg+xml"), headers=(("ETag", tag),))


async def _modify(call: Call, owner: Document) -> Any:
    """Keep a picture that was uploaded.

    Raises:
        Rejected: 400, it is none; 413, it is too large.
    """
    _, pieces = await first_file(call)
    picture = b""
    async for piece in pieces:
        picture += piece
        if len(picture) > LARGEST:
            raise too_large(LARGEST)
    kind = next((name for start, name in _TYPES.items() if picture.startswith(start)), None)
    if kind is None:
        raise bad_request("The logo must be a PNG, JPEG or GIF picture.")
    kept = {"MediaType": kind, "Picture": base64.b64encode(picture).decode()}
    async with call.begin() as work:
        await put_configuration(work.conn, f"logo-{owner['Id']}", kept)
        await events.modified(work, owner, f"Logo of {owner['Name']}")
    return {"Links": {"Self": call.path}}


def _draw(name: str) -> bytes:
    """Return a picture with the first letter of a name, in a colour of its own."""
    colour = hashlib.sha256(name.encode()).hexdigest()[:6]
    return (_DRAWN % (colour, html.escape(name[:1].upper()))).encode()
