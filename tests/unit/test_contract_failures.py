"""What the stand-in answers when something behind it fails: an envelope, and a line in its log."""

import asyncio
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from standin.home import Home
from standin.permissions import IN_SPACE, IN_SYSTEM
from standin.web.app import create_app
from standin.web.call import LARGEST_BODY
from standin.web.rights import Rights
from standin.web.state import NodeState
from standin.web.throttle import SCOPES, Policy
from standin.work import Actor

pytestmark = pytest.mark.unit


class BrokenPool:
    """A database that fails in one way at each call."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def fetchrow(self, *_: Any) -> Any:
        raise self._failure


def ask(failure: Exception, method: str = "GET", path: str = "/api/users/me", body: bytes = b"") -> tuple[int, Any]:
    """Send one request to an application whose database fails; return status and body of the answer."""
    state = NodeState(
        pool=BrokenPool(failure),  # type: ignore[arg-type]
        ids=SimpleNamespace(),  # type: ignore[arg-type]
        node_id="OctopusServerNodes-a",
        node_name="a",
        installation_id="",
        home=Home(Path()),
    )
    state.actors.put("API-X", Actor("Users-1", "admin"))
    state.spaces.put("", "Spaces-1")
    state.rights.put("Users-1", Rights(IN_SYSTEM, IN_SPACE, {}))
    state.policies.put("", {scope.id: Policy() for scope in SCOPES})
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"x-octopus-apikey", b"API-X")],
        "client": None,
    }
    asyncio.run(create_app(state)(scope, receive, send))
    assert (b"octopus-node", b"a") in sent[0]["headers"]
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RuntimeError("a bug"), 500),
        (RecursionError(), 500),
        (ConnectionRefusedError("gone"), 503),
        (asyncpg.ConnectionDoesNotExistError("closed"), 503),
        (asyncpg.TooManyConnectionsError("full"), 503),
        (asyncpg.CharacterNotInRepertoireError("0x00"), 400),
    ],
)
def test_whatever_fails_the_answer_is_an_envelope(
    failure: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is 500, an absent database 503, a value it cannot store 400; none of the server's inside is told."""
    with caplog.at_level(logging.ERROR):
        answered, body = ask(failure)
    assert answered == status
    assert set(body) == {"ErrorMessage", "Errors"}
    assert "a bug" not in json.dumps(body)
    assert bool(caplog.records) == (status >= 500)


def test_a_body_without_end_is_refused() -> None:
    """What is larger than any resource is 413, before it is parsed or kept."""
    status, body = ask(RuntimeError(), "POST", "/api/environments", b"x" * (LARGEST_BODY + 1))
    assert (status, body["ErrorMessage"]) == (413, "The request body is larger than 32 MB.")
