"""Logging in and out with cookies, access tokens, and how one may log in (octopus-api §B.1)."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any

from standin import events, kinds
from standin.database import key_hash
from standin.documents import Document, get
from standin.passwords import hash_password, is_password
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.endpoints.users import show
from standin.web.identity import cookie, csrf_cookie, identity_cookie
from standin.web.membership import Login
from standin.web.refusals import bad_request
from standin.work import Actor, Work, begin

#: how long a session and an access token hold
SESSION, REMEMBERED, TOKEN = timedelta(days=1), timedelta(days=30), timedelta(hours=1)
#: what a password is held against when there is no such user, so that the answer takes as long
_NOBODY = hash_password("")


async def log_in(call: Call) -> Reply:
    """Open a session for a user and his password; the answer sets its two cookies."""
    sent = await call.read(Login)
    row = await call.state.pool.fetchrow(queries("web/identity")["user_named"], sent.username)
    user = kinds.USER.read(row) if row is not None else None
    kept = (user or {}).get("PasswordHash") or _NOBODY
    right = await asyncio.to_thread(is_password, sent.password, kept)
    if user is None or not right or kept == _NOBODY or not user["IsActive"]:
        await _record(call, events.LOGIN_FAILED, sent.username[:64], user)
        raise bad_request("The username or password is not correct.")
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    lasts = REMEMBERED if sent.remember_me else SESSION
    work = await _record(call, events.LOGIN_SUCCEEDED, user["Username"], user)
    expires = work.now + lasts
    await call.state.pool.execute(
        queries("web/identity")["open_session"], key_hash(token), user["Id"], "cookie", csrf, expires
    )
    age = f"; Max-Age={int(lasts.total_seconds())}" if sent.remember_me else ""
    set_cookies = (
        ("Set-Cookie", f"{identity_cookie(call.state)}={token}; Path=/; HttpOnly; SameSite=Lax{age}"),
        ("Set-Cookie", f"{csrf_cookie(call.state)}={csrf}; Path=/; SameSite=Lax{age}"),
    )
    return Reply(show(user, user["Id"]), headers=set_cookies)


async def log_out(call: Call) -> Reply:
    """Close the session of the cookies that came, and have the client forget them."""
    names = (identity_cookie(call.state), csrf_cookie(call.state))
    token = cookie(call.headers, names[0])
    if token:
        await call.state.pool.execute(queries("web/identity")["close_session"], key_hash(token))
        call.state.forget_people()
    gone = tuple(("Set-Cookie", f"{name}=; Path=/; Max-Age=0") for name in names)
    return Reply({}, headers=gone)


async def create_token(call: Call) -> Any:
    """Return an access token of the user who asks; it holds for an hour."""
    token = secrets.token_urlsafe(48)
    async with call.begin() as work:
        await work.conn.execute(
            queries("web/identity")["open_session"],
            key_hash(token),
            call.actor.user_id,
            "token",
            "",
            work.now + TOKEN,
        )
        user = await get(work.conn, kinds.USER, call.actor.user_id)
        await events.about(
            work, events.CREATED, user, user["Username"], f"Access token of {user['Username']} was created"
        )
    return {"AccessToken": token}


async def providers(_call: Call) -> Any:
    """Return the ways to log in: by name and password."""
    links = {"Authenticate": "/api/users/login"}
    provider = {
        "Name": "Username / Password",
        "IdentityType": "Guest",
        "FormsLoginEnabled": True,
        "FormsUsernameIdentifier": "Username",
        "SupportsGroups": False,
        "Links": links,
    }
    return {
        "AuthenticationProviders": [provider],
        "AnyAuthenticationProvidersSupportGroups": False,
        "AutoLoginEnabled": False,
        "IsAuthenticated": False,
        "Links": {"Self": "/api/authentication", "SignIn": "/api/users/login{?returnUrl}"},
    }


async def group_providers(call: Call) -> Any:
    """Return the ways to log in that know groups of people; a name and a password know none."""
    known = await providers(call)
    return [
        {"Id": one["Name"], "Name": one["Name"], "IsRoleBased": False, "SupportsGroupLookup": True, "LookupUri": None}
        for one in known["AuthenticationProviders"]
        if one["SupportsGroups"]
    ]


async def user_providers(call: Call) -> Any:
    """Return the ways to log in, and whether who asks may change identities of users."""
    known = await providers(call)
    may = call.rights.allow("UserEdit", None)
    links = {"Self": "/api/users/authentication{/userId}"}
    return {
        "AuthenticationProviders": known["AuthenticationProviders"],
        "CanCurrentUserEditIdentitiesForUsers": may,
        "Links": links,
    }


async def _record(call: Call, category: str, username: str, user: Document | None) -> Work:
    """Record that somebody has logged in, or has tried to."""
    identifier = user["Id"] if user else ""
    address = call.actor.ip_address
    actor = Actor(identifier, username, "Session cookie", call.headers.get("user-agent", ""), address)
    verb = "logged in" if category == events.LOGIN_SUCCEEDED else "could not log in"
    related = [identifier] if identifier else []
    references = [(identifier, username)] if identifier else []
    async with begin(call.state.pool, call.state.ids, actor) as work:
        await events.record(work, category, f"{username} {verb}", related, references=references)
    return work
