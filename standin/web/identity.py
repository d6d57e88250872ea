"""Who asks, and in which space: by key, token or cookie, looked up once and then remembered for a while."""

from collections.abc import Mapping
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from standin.database import key_hash
from standin.errors import not_found
from standin.statements import queries
from standin.web.query import Query
from standin.web.refusals import forged, not_logged_in
from standin.web.state import NodeState
from standin.work import Actor

#: methods that change nothing, for which a cookie is enough
_HARMLESS = {"GET", "HEAD", "OPTIONS"}


async def identify(
    state: NodeState, method: str, headers: Mapping[str, str], query: Query, address: str | None
) -> Actor:
    """Return who sent the key in the header or the query, the bearer token, or the cookies (octopus-api §B.1).

    Raises:
        Rejected: 401, there is none of them, or nobody has it; 403, cookies without their CSRF token.
    """
    if key := _key(headers, query):
        known = state.actors.get(key) or await _look_up(state, key)
    elif token := cookie(headers, identity_cookie(state)):
        known = await _of_session(state, token, method, headers)
    else:
        raise not_logged_in()
    return replace(known, user_agent=headers.get("user-agent", ""), ip_address=address)


def identity_cookie(state: NodeState) -> str:
    """Return the name of the cookie by which a user is known."""
    return f"OctopusIdentificationToken_{state.installation_id}"


def csrf_cookie(state: NodeState) -> str:
    """Return the name of the cookie whose value a change must repeat in a header."""
    return f"Octopus-Csrf-Token_{state.installation_id}"


def cookie(headers: Mapping[str, str], name: str) -> str | None:
    """Return the value of a cookie, or None where it was not sent."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found is not None else None


def _key(headers: Mapping[str, str], query: Query) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-octopus-apikey") or headers.get("x-nuget-apikey") or bearer or query.text("apikey") or ""


async def _look_up(state: NodeState, key: str) -> Actor:
    """Find the user of an API key, or of an access token."""
    row = await state.pool.fetchrow(queries("web/identity")["user_of_key"], key_hash(key))
    if row is not None:
        actor = Actor(
            row["id"],
            row["username"],
            established_with="API key",
            api_key_id=row["key_id"],
            api_key_hint=row["hint"],
            is_service=bool(row["service"]),
        )
    else:
        row = await state.pool.fetchrow(queries("web/identity")["user_of_session"], key_hash(key), "token")
        if row is None:
            raise not_logged_in()
        actor = Actor(row["id"], row["username"], established_with="Access token", is_service=bool(row["service"]))
    state.actors.put(key, actor)
    return actor


async def _of_session(state: NodeState, token: str, method: str, headers: Mapping[str, str]) -> Actor:
    """Find the user who logged in; a change needs the CSRF token of his session."""
    known = state.sessions.get(token)
    if known is None:
        row = await state.pool.fetchrow(queries("web/identity")["user_of_session"], key_hash(token), "cookie")
        if row is None:
            raise not_logged_in()
        known = (Actor(row["id"], row["username"], established_with="Session cookie"), row["csrftoken"])
        state.sessions.put(token, known)
    actor, csrf = known
    if method not in _HARMLESS and headers.get("x-octopus-csrf-token") != csrf:
        raise forged()
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
