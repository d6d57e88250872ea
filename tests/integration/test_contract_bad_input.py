"""Whatever a client sends, the stand-in answers with an envelope and goes on; nothing of it reaches the database."""

import contextlib
import itertools
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standin.web.routes import ROUTES
from tests.contract import is_empty
from tests.integration.test_contract_texts import SQL
from tests.octopus_server import Octopus, StandIn

pytestmark = pytest.mark.integration

#: values that fit no member, or only a few of them
WRONG = ({}, [], "x", 12, -1, True, 1e308, "9" * 400, [[[]]], {"HasValue": "x"}, "\ud7ff\U0001f419", 2**62)
WRONG_SEGMENTS = (
    "x",
    "..",
    "%00",
    "%2e%2e%2f",
    "Projects-" + "9" * 400,
    "a%0d%0aSet-Cookie:%20x=y",
    "'%20OR%201=1--",
    "🐙",
    "a%0A%0Db",
)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of what the stand-in says that it serves."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def healthy(server: Octopus) -> None:
    """Hold that the server goes on: it answers, and all of its tables are there."""
    assert server.get("/users/me")["Username"] == "admin"
    assert server.get("/serverstatus/counts")["Project"]["Releases"] >= 0


def refused(answer: Any, sent: Any) -> None:
    """Hold that an answer says no as the contract does."""
    assert 400 <= answer.status_code < 500, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {sent!r}"
    )
    assert set(answer.json()) == {"ErrorMessage", "Errors"}, answer.text
    assert answer.json()["ErrorMessage"]


@pytest.mark.proves("B.4 bad input is refused with the envelope, and the server goes on")
def test_values_of_the_wrong_type_are_refused_everywhere(server: Octopus, space: Octopus) -> None:
    """Each member of each body in the OpenAPI document, with values that do not fit: never a fault (5xx)."""
    document = server.get("/swagger.json")
    schemas, wrong = document["components"]["schemas"], itertools.cycle(WRONG)
    sent = 0
    for method, path, operation in operations(document):
        reference = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        members = schemas.get(reference.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
        # What concerns the whole server is left alone: these tests share it.
        if "{spaceId}" not in path:
            continue
        address = path.replace("{spaceId}", space.home[1:]).replace("{id}", "Nothing-1")
        for member in members:
            value = next(wrong)
            answer = server.http.request(method, address, json={"Name": "x", member: value})
            assert answer.status_code < 500, f"{method} {address} {member}={value!r}: {answer.text}"
            sent += 1
    assert sent > 300
    healthy(server)


def test_bodies_that_are_no_objects_are_refused_everywhere(server: Octopus, space: Octopus) -> None:
    """A list, a text, a number, nothing, half an object, and what calls itself XML, for each operation with a body."""
    document = server.get("/swagger.json")
    bodies: list[tuple[bytes, str]] = [
        *(
            (body, "application/json")
            for body in (b"[1]", b'"x"', b"7", b"", b'{"Name": ', b"\xff\xfe", b"nul", b'{"Name":"a\\u0000"}')
        ),
        *((b'{"Name": "x"}', kind) for kind in ("application/xml", "text/plain", "multipart/form-data; boundary=x")),
    ]
    chosen = itertools.cycle(bodies)
    count = 0
    for method, path, operation in operations(document):
        if "requestBody" not in operation or "{spaceId}" not in path or "sortorder" in path:
            continue
        address = path.replace("{spaceId}", space.home[1:]).replace("{id}", "Nothing-1")
        for body, kind in (next(chosen), next(chosen)):
            answer = server.http.request(method, address, content=body, headers={"Content-Type": kind})
            refused(answer, body)
            count += 1
    assert count > 60
    healthy(server)


@pytest.mark.parametrize("segment", WRONG_SEGMENTS)
def test_segments_that_name_nothing_are_refused_everywhere(server: Octopus, space: Octopus, segment: str) -> None:
    """Unknown ids, ways out of a folder, ends of lines, SQL: no fault of any route that reads, no header of theirs."""
    for method, path, _ in operations(server.get("/swagger.json")):
        if method != "GET" or "{" not in path.replace("{spaceId}", "") or path.endswith("{name}/logs"):
            continue
        address = re.sub(r"{\w+}", segment, path.replace("{spaceId}", space.home[1:]))
        answer = server.http.get(address)
        assert answer.status_code < 500, f"{address}: {answer.text}"
        assert answer.status_code < 400 or set(answer.json()) == {"ErrorMessage", "Errors"}, f"{address}: {answer.text}"
        assert "set-cookie" not in answer.headers
    healthy(server)


def test_ids_that_nobody_has_are_refused_everywhere(server: Octopus, space: Octopus) -> None:
    """Each route of a document in a space, whatever its method, with an id of the right form: 4xx and the envelope.

    What is answered with an empty list whatever there is, is left out.
    """
    empty = {f"/api/{{spaceId}}/{route.path}" for route in ROUTES if is_empty(route)}
    answered = []
    for method, path, operation in operations(server.get("/swagger.json")):
        if path in empty or "{spaceId}" not in path or path.count("{") == 1:
            continue
        kind = path.split("/")[3].capitalize()
        address = re.sub(r"{\w+}", f"{kind}-999999999", path.replace("{spaceId}", space.home[1:]))
        sent = {"json": {"Name": "x", "Version": 1}} if "requestBody" in operation else {}
        answer = server.http.request(method, address, **sent)
        if answer.status_code < 400:
            answered.append(f"{method} {path}")
        else:
            refused(answer, sent)
    assert not answered, answered
    healthy(server)


def test_queries_that_make_no_sense_are_refused(server: Octopus, space: Octopus) -> None:
    """Negative and huge pages, words for numbers and dates; SQL in a filter finds nothing, a header stays a text."""
    document = server.get("/swagger.json")
    for method, path, operation in operations(document):
        names = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
        if method != "GET" or "take" not in names or "{id}" in path or "retentionType" in names:
            continue
        address = path.replace("{spaceId}", space.home[1:])
        for query in ({"take": -1}, {"skip": 2**31}, {"take": "many"}, {"TAKE": "1.5"}, {"skip": "9" * 30}):
            refused(server.http.get(address, params=query), query)
        for name in names:
            answer = server.http.get(address, params={name: SQL})
            assert answer.status_code < 500, f"{address}?{name}: {answer.text}"
            if answer.status_code == 200 and name in {"ids", "partialName", "name"}:
                assert answer.json()["TotalResults"] == 0, f"{address}?{name}"
            injected = server.http.get(address, params={name: "x\r\nSet-Cookie: a=b\r\n\r\n<html>"})
            assert injected.status_code < 500, f"{address}?{name}: {injected.text}"
            assert "set-cookie" not in injected.headers, f"{address}?{name}"
        assert server.http.get(address, params={"take": 2**31 - 1, "skip": 2**31 - 1}).status_code == 200
    healthy(server)


TEXTS: list[tuple[str, dict[str, Any]]] = [
    ("environments", {"Name": SQL[:50], "Description": SQL}),
    ("lifecycles", {"Name": SQL, "Description": SQL, "Phases": [{"Name": SQL, "OptionalDeploymentTargets": []}]}),
    ("projectgroups", {"Name": SQL, "Description": SQL}),
    ("tenants", {"Name": SQL, "Description": SQL}),
    ("tagsets", {"Name": SQL, "Description": SQL, "Tags": [{"Name": SQL, "Description": SQL}]}),
    ("workerpools", {"Name": SQL, "Description": SQL}),
    ("libraryvariablesets", {"Name": SQL, "Description": SQL, "Templates": [{"Name": SQL, "HelpText": SQL}]}),
    ("accounts", {"Name": SQL, "AccountType": "UsernamePassword", "Username": SQL, "Description": SQL}),
]


@pytest.mark.parametrize(("path", "body"), TEXTS, ids=lambda value: value if isinstance(value, str) else "")
def test_sql_in_a_text_is_a_text(space: Octopus, server: Octopus, path: str, body: dict[str, Any]) -> None:
    """It comes back letter by letter, is found by itself, and harms nothing."""
    made = space.post(f"/{path}", body)
    assert made["Name"] == body["Name"]
    assert made["Description"] == made.get("Username", SQL) == SQL
    found = space.get(f"/{path}", partialName=body["Name"].upper())
    assert [one["Id"] for one in found["Items"]] == [made["Id"]]
    space.put(f"/{path}/{made['Id']}", made)
    assert space.post(f"/{path}", body, status=400)["Errors"]
    space.delete(f"/{path}/{made['Id']}")
    healthy(server)


def test_a_body_of_any_size_is_refused_while_it_comes(server: Octopus, standin: StandIn) -> None:
    """34 MB of JSON, 50 MB of YAML and members nested without end: a refusal, and the next request is served."""
    big = b'{"Name": "' + b"x" * (34 * 2**20) + b'"}'
    refused(server.http.post("/api/environments", content=big, headers={"Content-Type": "application/json"}), "34 MB")
    yaml = server.http.post(
        "/api/environments", content=b"a: b\n" * (10 * 2**20), headers={"Content-Type": "text/yaml"}
    )
    assert yaml.status_code == 415
    nested = server.http.post("/api/environments", content=b'{"ExtensionSettings":' * 50_000)
    refused(nested, "nested")
    healthy(server)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/users/me HTTP/1.1\r\nHost: x\r\nX-Octopus-ApiKey: API-\x00\x01\r\n\r\n",
        b"GET /api/users/me HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b; " * 2000 + b"\r\n\r\n",
        b"GET /api/users/me HTTP/1.1\r\nHost: x\r\nCookie: \xff\xfe=;;=\r\nAuthorization: Bearer \xff\r\n\r\n",
        b"POST /api/environments HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /api/environments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"BREW /api HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/%zz%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/projects?%ff=%zz&=&& HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET " + b"/x" * 40_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_hardly_http_is_refused(server: Octopus, standin: StandIn, head: bytes) -> None:
    """Control characters, huge headers, broken lengths, another protocol: a 4xx or a closed connection, never a 5xx."""
    status = b""
    address = ("127.0.0.1", int(standin.url.rpartition(":")[2]))
    # A server that closes before it has read all resets the connection.
    with socket.create_connection(address, timeout=10) as peer, contextlib.suppress(ConnectionError):
        peer.sendall(head)
        peer.shutdown(socket.SHUT_WR)
        status = peer.recv(65536).partition(b"\r\n")[0]
    assert not status or status.split()[1].startswith(b"4"), status
    healthy(server)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_json_in_an_open_member_comes_back_or_is_refused(server: Octopus, value: Any) -> None:
    """What the contract does not look into is kept as it is, or refused as a whole."""
    body = json.dumps({"Name": "Any JSON", "ExtensionSettings": [value]})
    answer = server.http.post("/api/environments", content=body, headers={"Content-Type": "application/json"})
    if answer.status_code == 201:
        made = answer.json()
        try:
            assert server.get(f"/environments/{made['Id']}")["ExtensionSettings"] == [value]
        finally:
            server.delete(f"/environments/{made['Id']}")
    else:
        refused(answer, value)
