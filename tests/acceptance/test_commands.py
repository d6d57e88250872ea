"""Commands given badly: one clear message, the right exit code, no traceback."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance


@pytest.fixture
def answering() -> Iterator[Callable[[int, str], str]]:
    """Return a function that starts a server which gives every request one answer, and its URL."""
    servers: list[HTTPServer] = []

    def start(status: int, body: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refused(command: Any, code: int, *words: str) -> None:
    """A command ends with this code and a short message that has these words."""
    got, said = command.finish(120)
    assert got == code, said
    assert "Traceback" not in said
    for word in words:
        assert word in said
    assert "API-SECRET" not in said


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "nothing-there.yaml"], "nothing-there"),
        (["run", "retension"], "'retention'"),
        (["run", "retention", "--resume"], "--resume"),
        (["run", "retention", "--processes", "0"], "--processes"),
        (["run", "retention", "--workers", "2"], "OCTOLOAD_KEY"),
        (["run", "retention", "--bind", "127.0.0.1:5557"], "--workers"),
        (["worker", "--master", "host:port"], "--master"),
        (["worker", "--master", "nowhere.invalid"], "nowhere.invalid"),
        (["report", "nowhere"], "plan.json"),
        (["seed", "--history", "small"], "--url"),
        (["seed", "--history", "smal", "--to", "x.jsonl"], "small"),
        (["calibrate", "--times", "0"], "--times"),
        (["calibrate", "--resume", "--out", "nothing-there"], "--resume"),
        (["standin", "--port", "many"], "port"),
        (["standin", "load", "nothing.jsonl", "--data", "d"], "nothing.jsonl"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_words_are_usage_errors(octoload: Callable[..., Any], arguments: list[str], word: str) -> None:
    """What a user typed wrongly ends with exit code 2 and names the word."""
    refused(octoload(*arguments), 2, word)


def test_a_port_that_refuses(octoload: Callable[..., Any]) -> None:
    """An address where nobody listens is a server failure that says so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        refused(octoload("seed", "--history", "small", "--url", url, "--api-key", "API-SECRET"), 5, url)


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, "<html>hello</html>", "Octopus"),
        (200, '{"hello": "world"}', "Octopus"),
        (401, '{"ErrorMessage": "no"}', "401"),
        (403, '{"ErrorMessage": "no"}', "403"),
        (429, '{"ErrorMessage": "slow down"}', "429"),
        (503, "starting", "503"),
    ],
)
def test_servers_that_are_no_use(
    octoload: Callable[..., Any], answering: Callable[[int, str], str], status: int, body: str, word: str
) -> None:
    """A server that is no Octopus, denies access or is busy is named with the reason."""
    url = answering(status, body)
    refused(octoload("seed", "--history", "small", "--url", url, "--api-key", "API-SECRET"), 5, word, url)


def test_a_run_refuses_a_folder_that_holds_one(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """A finished or unfinished run is never overwritten."""
    (tmp_path / "plan.json").write_text('{"format": "octoload.plan", "version": 1}')
    refused(octoload("run", "retention", "--out", str(tmp_path)), 2, "--resume")


def test_a_folder_that_cannot_be_written(octoload: Callable[..., Any]) -> None:
    """A place where nothing can be written is named, with the cure."""
    refused(octoload("run", "retention", "--out", "/proc/nowhere/run"), 2, "/proc/nowhere", "--out")
