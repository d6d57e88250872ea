"""The Octopus API client against a tiny server: every way of saying no, or nothing, becomes one clear error."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from octoload.api import Octopus
from octoload.errors import (
    AccessDeniedError,
    BusyError,
    LostAnswerError,
    NotOctopusError,
    OctoloadError,
    RejectedError,
    ServerError,
    UnreachableError,
    UsageError,
)

pytestmark = pytest.mark.integration

KEY = "API-SECRETSECRETSECRET"
ROOT = {"Application": "Octopus Deploy", "Version": "2026.3.1", "InstallationId": "x"}


@dataclass
class Answer:
    """What the server says next; status 0 breaks the connection off."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


class Handler(BaseHTTPRequestHandler):
    """Answers from the server's list, the last one for ever, and keeps what was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.status == 0:  # breaks off
            self.close_connection = True
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  (the names that http.server calls)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked, server.answers = [], [Answer(body=ROOT)]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def octopus(server: ThreadingHTTPServer, waits: list[float]) -> Iterator[Octopus]:
    with Octopus(f"http://127.0.0.1:{server.server_port}", KEY, timeout=5, sleep=waits.append) as octopus:
        yield octopus


def refused(octopus: Octopus, kind: type[OctoloadError]) -> OctoloadError:
    with pytest.raises(kind) as caught:
        octopus.identify()
    assert type(caught.value) is kind
    assert KEY not in f"{caught.value} {caught.value!r} {octopus!r}"
    assert caught.value.cure
    assert "\n" not in caught.value.message
    return caught.value


def said(*errors: str) -> dict[str, object]:
    return {"ErrorMessage": "There was a problem.", "Errors": list(errors)}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(401, said("You must be logged in.")), AccessDeniedError, "You must be logged in."),
        (Answer(401, b"<html>"), AccessDeniedError, "401"),
        (Answer(403, said("ProjectEdit is missing.")), AccessDeniedError, "ProjectEdit is missing."),
        (Answer(400, said("Name is taken.", "So is slug.")), RejectedError, "Name is taken. So is slug."),
        (Answer(404, said("The resource was not found.")), RejectedError, "not found"),
        (Answer(404, b"<html>nginx</html>"), NotOctopusError, "404"),
        (Answer(500, said("Deadlocked.")), RejectedError, "Deadlocked."),
        (Answer(500, b"oops"), RejectedError, "Internal Server Error"),
        (Answer(400, said(f"The key {KEY} is odd.")), RejectedError, "The key <hidden> is odd."),
        (Answer(400, [1, 2]), RejectedError, "400"),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), NotOctopusError, "answers with text/html"),
        (Answer(200, {"Application": "Jenkins"}), NotOctopusError, "no Octopus Server"),
        (Answer(200, [1]), NotOctopusError, "no Octopus Server"),
        (Answer(200, b""), NotOctopusError, "no Octopus Server"),
        (Answer(302, b"", {"Location": "https://u:p@there/login?k=v"}), NotOctopusError, "redirects to https://there/login"),
        (Answer(0), LostAnswerError, "broke off"),
    ],
)  # fmt: skip
def test_an_answer_that_says_no_is_one_clear_error(server, octopus, answer, kind, words):
    """Each refusal has its own error with the server's own words, a cure, and never the key."""
    server.answers = [answer]
    assert words in refused(octopus, kind).message


@pytest.mark.parametrize(("status", "words"), [(429, "limits the rate"), (503, "is not available")])
def test_a_busy_server_is_asked_again_a_few_times(server, octopus, waits, status, words):
    """429 and 503 are asked again, as late as Retry-After says, and given up after five times."""
    server.answers = [Answer(status, said(), {"Retry-After": "7"})]
    error = refused(octopus, BusyError)
    assert words in error.message
    assert error.retry_after == 7
    assert waits == [7.0] * 4
    assert len(server.asked) == 5


def test_a_server_that_was_busy_answers_in_the_end(server, octopus, waits):
    """Without Retry-After the waits double; the answer counts as if it had come at once."""
    server.answers = [Answer(503, b""), Answer(429, said()), Answer(body=ROOT)]
    assert octopus.identify().version == "2026.3.1"
    assert waits == [1.0, 2.0]


def test_a_server_that_wants_an_hour_is_not_waited_for(server, octopus, waits):
    """A Retry-After beyond a minute is told, not slept through."""
    server.answers = [Answer(429, said(), {"Retry-After": "3600"})]
    assert refused(octopus, BusyError).retry_after == 3600
    assert waits == []


def test_nothing_listening_is_unreachable():
    """A refused connection names the address and asks whether the server runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        with Octopus(f"http://127.0.0.1:{taken.getsockname()[1]}", KEY) as octopus:
            assert "refuses connections" in refused(octopus, UnreachableError).message


def test_silence_is_unreachable():
    """A server that takes the connection and says nothing is given up after the time-out."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with Octopus(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY, timeout=0.2) as octopus:
            assert "did not answer GET /api within 0.2 s" in refused(octopus, UnreachableError).message


def test_an_unknown_host_is_unreachable(monkeypatch):
    """A name without an address is told apart from a server that is down (.invalid never has one, RFC 2606)."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Octopus("http://octopus.invalid", KEY) as octopus:
        assert "octopus.invalid" in refused(octopus, UnreachableError).message


@pytest.mark.parametrize(
    "url", ["", "octopus", "ftp://octopus", "http://", "http://[::1", "http://h:99999", "C:\\octopus"]
)
def test_an_address_that_is_none_is_refused(url):
    """What cannot be an address is a mistake of usage, found before anything is sent."""
    with pytest.raises(UsageError, match=r"127\.0\.0\.1"):
        Octopus(url, KEY)


@pytest.mark.parametrize("key", ["", "API-Ä", "API-A\r\nX-Evil: 1", "API A"])
def test_a_key_that_is_none_is_refused(key):
    """A key with characters that a header cannot carry is refused without being shown."""
    with pytest.raises(UsageError) as caught:
        Octopus("http://127.0.0.1", key)
    assert not key or key not in str(caught.value)


def test_secrets_in_the_address_are_not_shown(server):
    """A password in the URL is used and never shown."""
    server.answers = [Answer(400, said("No."))]
    with Octopus(f"http://user:geheim@127.0.0.1:{server.server_port}/api/", KEY) as octopus:
        assert "geheim" not in str(refused(octopus, RejectedError))
        assert "geheim" not in repr(octopus)
    assert server.asked[0][1] == "/api"


def test_every_request_carries_key_and_agent(server, octopus):
    """The server can tell octoload's requests, and its audit events, from others."""
    octopus.post("spaces", {"Name": "x"})
    method, path, headers, body = server.asked[0]
    assert (method, path, json.loads(body)) == ("POST", "/api/spaces", {"Name": "x"})
    assert headers["X-Octopus-ApiKey"] == KEY
    assert headers["User-Agent"].startswith("octoload/")
    assert "load-test" in headers["User-Agent"]


def test_a_space_has_routes_of_its_own(server, octopus):
    """A view of a space prefixes its paths, but leaves absolute ones as they are; lists are joined by commas."""
    view = octopus.space("Spaces-2")
    view.get("projects", ids=["a", "b"], take=1)
    view.get("/api/tasks")
    assert [path for _, path, *_ in server.asked] == ["/api/Spaces-2/projects?ids=a%2Cb&take=1", "/api/tasks"]


def test_pages_are_followed_to_the_last(server, octopus):
    """All items of all pages come, in order; a folder before /api in the server's links does not matter."""
    server.answers = [
        Answer(body={"Items": [{"Id": 1}], "Links": {"Page.Next": "/octopus/api/Spaces-1/projects?skip=1"}}),
        Answer(body={"Items": [{"Id": 2}], "Links": {}}),
    ]
    assert [item["Id"] for item in octopus.space("Spaces-1").pages("projects", take=1)] == [1, 2]
    assert server.asked[1][1] == "/api/Spaces-1/projects?skip=1"


def task(state: str) -> Answer:
    completed = state not in ("Queued", "Executing")
    return Answer(
        body={"Id": "ServerTasks-1", "Name": "Retention", "State": state, "IsCompleted": completed}
        | {"FinishedSuccessfully": state == "Success", "ErrorMessage": "" if state == "Success" else "Out of disk."}
    )  # fmt: skip


def test_a_task_is_waited_for_with_growing_pauses(server, octopus, waits):
    """A task is started, looked at less and less often, and returned when it is complete."""
    server.answers = [task("Queued"), task("Queued"), task("Executing"), task("Executing"), task("Success")]
    steps: list[str] = []
    done = octopus.run_task("Retention", "why", "Spaces-1", progress=lambda _a, _b, label: steps.append(label))
    assert done["State"] == "Success"
    assert waits == sorted(waits)
    assert steps == [f"Retention: {state}" for state in ("Queued", "Executing", "Executing", "Success")]
    assert json.loads(server.asked[0][3])["SpaceId"] == "Spaces-1"


def test_a_task_that_fails_is_an_error(server, octopus):
    """A task that ends otherwise than well is told with the server's reason."""
    server.answers = [task("Failed")]
    with pytest.raises(ServerError, match=r"ended as Failed: Out of disk\."):
        octopus.run_task("Retention", "why", "Spaces-1")


def test_a_task_that_does_not_end_is_an_error(server, octopus):
    """After the deadline the task is told by its state, not waited for any longer."""
    server.answers = [task("Queued")]
    with pytest.raises(ServerError, match="still queued after 0 s"):
        octopus.wait_for_task("ServerTasks-1", 0)


def test_counts_are_told_by_kind(server, octopus):
    """The server's own counts come flat, in octoload's words for kinds."""
    server.answers = [
        Answer(
            body={
                "Global": {"Spaces": 1, "Teams": 9},
                "Infrastructure": {"DeploymentTargets": 2, "Environments": 3, "Tenants": 4},
                "Project": {"Projects": 5, "Releases": 6, "Deployments": 7, "Runbooks": 8},
            }
        )
    ]
    assert octopus.counts() == {
        "space": 1, "environment": 3, "machine": 2, "tenant": 4, "project": 5, "release": 6, "deployment": 7,
        "runbook": 8,
    }  # fmt: skip
