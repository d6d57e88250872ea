"""What of several documents of a space is the default one."""

from typing import Any

from standin import kinds
from standin.documents import Document, find, update
from standin.work import Work


async def keep_one_default(work: Work, kind: Any, document: Document) -> None:
    """Take it from all others that they are the default of their space."""
    for other in await find(work.conn, kind, SpaceId=document["SpaceId"], IsDefault=True):
        if other["Id"] != document["Id"]:
            await update(work.conn, kind, {**other, "IsDefault": False})


async def default_policy(work: Work, space: str | None) -> str:
    """Return the id of the machine policy of what names none."""
    found = await find(work.conn, kinds.MACHINE_POLICY, SpaceId=space, IsDefault=True)
    return str(found[0]["Id"]) if found else ""
