"""The commands that seed, check and clean, run in the process of a test or in one of their own."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from experiments import cli
from octoload.errors import OctoloadError
from seeders.history import History
from tests.octopus_server import Document, user
from tests.octopus_server import Octopus as Server
from tests.rude_proxy import Change, RudeProxy

HISTORY = History(
    name="Guarded", environments=2, projects=2, releases_per_project=2, deployments_per_release=1.0, machines=2,
    tenants=2, variables=2, age_days=7,
)  # fmt: skip


def items(*events: dict) -> Any:
    """Change a page so that it has these items."""
    return lambda page: {**page, "Items": list(events), "TotalResults": len(events)}


#: What nobody but octoload has used.
QUIET = {"/api/events": items()}


def command(*words: str, key: str, folder: Path) -> tuple[int, str]:
    """Run a command in this process; return its exit code and what it said."""
    options = cli.parser().parse_args([*words, "--api-key", key, *given(words[0], folder, HISTORY)])
    with (folder / "said.txt").open("a") as said:
        console = Console(record=True, width=200, file=said)
        return options.command(options, console), console.export_text()


def program(*words: str, folder: Path, history: History = HISTORY) -> list[str]:
    """Return a command as a program of its own, which takes the key from its environment."""
    return [sys.executable, "-m", "experiments", *words, *given(words[0], folder, history)]


def given(action: str, folder: Path, history: History) -> list[str]:
    """Write a history; return the options that name it and the folder."""
    file = folder / "history.yaml"
    file.write_bytes(msgspec.yaml.encode(history))
    return ["--history", str(file), *([] if action == "check" else ["--out", str(folder)])]


def turned_away(
    kind: type[OctoloadError], url: str, *words: str, key: str, folder: Path, changes: dict[str, Change | int]
) -> str:
    """Hold that check and seed refuse a server in the same words and without one write; return the words."""
    with RudeProxy(url, changes=changes) as proxy:
        check, seed = (
            refused(kind, action, "--url", proxy.url, *words, key=key, folder=folder) for action in ("check", "seed")
        )
    assert check == seed
    assert not writes(proxy)
    return check


def refused(kind: type[OctoloadError], *words: str, key: str, folder: Path) -> str:
    with pytest.raises(kind) as caught:
        command(*words, key=key, folder=folder)
    return caught.value.message


def writes(proxy: RudeProxy) -> list[str]:
    return [asked for asked in proxy.passed if not asked.startswith("GET ")]


@contextlib.contextmanager
def somebody(server: Server, name: str, **members: object) -> Iterator[Document]:
    """Have a user on the server, who is gone at the end."""
    made = user(server, f"guard.{name}", **members)
    try:
        yield made
    finally:
        server.delete(f"/users/{made['Id']}")
