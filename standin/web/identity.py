"""Who asks, and in which space: keys and space names, looked up once and then remembered for a while."""

from collections.abc import Mapping
from dataclasses import replace

from standin.database import key_hash
from standin.errors import not_found
from standin.statements import queries
from standin.web.query import Query
from standin.web.refusals import not_logged_in
from standin.web.state import NodeState
from standin.work import Actor


async def identify(state: NodeState, headers: Mapping[str, str], query: Query, address: str | None) -> Actor:
    """Return who sent the key in the header, the query or the bearer token (§B.1).

    Raises:
        Rejected: 401, there is no key, or nobody has it.
    """
    key = _key(headers, query)
    if not key:
        raise not_logged_in()
    known = state.actors.get(key) or await _look_up(state, key)
    return replace(known, user_agent=headers.get("user-agent", ""), ip_address=address)


def _key(headers: Mapping[str, str], query: Query) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-octopus-apikey") or headers.get("x-nuget-apikey") or bearer or query.text("apikey") or ""


async def _look_up(state: NodeState, key: str) -> Actor:
    row = await state.pool.fetchrow(queries("web/identity")["user_of_key"], key_hash(key))
    if row is None:
        raise not_logged_in()
    actor = Actor(row["id"], row["username"], established_with="API key")
    state.actors.put(key, actor)
    return actor


async def find_space(state: NodeState, name: str | None) -> str:
    """Return the id of a space named by id or slug; without a name, of the default space.

    Raises:
        Rejected: 404, there is no such space, or no default space.
    """
    wanted = (name or "").lower()
    known = state.spaces.get(wanted)
    if known is None:
        known = await state.pool.fetchval(queries("web/identity")["space"], wanted)
        if known is None:
            raise not_found(name or "the default space")
        state.spaces.put(wanted, known)
    return known
