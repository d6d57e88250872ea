"""The commands that seed, check and clean, run in the process of a test."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from experiments import cli
from octoload.errors import OctoloadError
from seeders.history import History
from tests.rude_proxy import RudeProxy

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
    file = folder / "history.yaml"
    file.write_bytes(msgspec.yaml.encode(HISTORY))
    history = ["--history", str(file)]
    out = [] if words[0] == "check" else ["--out", str(folder)]
    options = cli.parser().parse_args([*words, "--api-key", key, *history, *out])
    with (folder / "said.txt").open("a") as said:
        console = Console(record=True, width=200, file=said)
        return options.command(options, console), console.export_text()


def refused(kind: type[OctoloadError], *words: str, key: str, folder: Path) -> str:
    with pytest.raises(kind) as caught:
        command(*words, key=key, folder=folder)
    return caught.value.message


def writes(proxy: RudeProxy) -> list[str]:
    return [asked for asked in proxy.passed if not asked.startswith("GET ")]
