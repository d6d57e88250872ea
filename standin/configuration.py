"""Settings of the instance, each a document of the table Configuration."""

from typing import Any

import msgspec

from standin.documents import encode
from standin.statements import queries


async def configuration(conn: Any, identifier: str) -> dict[str, Any]:
    """Return a document of Configuration, empty when there is none."""
    found = await conn.fetchval(queries("database")["configuration"], identifier)
    members: dict[str, Any] = msgspec.json.decode(found) if found else {}
    return members


async def put_configuration(conn: Any, identifier: str, members: dict[str, Any]) -> None:
    """Store a document of Configuration."""
    await conn.execute(queries("database")["put_configuration"], identifier, encode(members))
