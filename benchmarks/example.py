"""The example in README.md and its picture: made from a run of the demonstration, never by hand."""

import argparse
import datetime as dt
import hashlib
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import sync_playwright

from octoload import files
from octoload.errors import OctoloadError, UsageError
from reports import words
from reports.effects import CLAIMS

HOUSE = Path(__file__).parents[1]
README, FACTS, PICTURE = HOUSE / "README.md", HOUSE / "docs" / "example.json", HOUSE / "docs" / "report.png"
BEGIN, END = "<!-- what follows is written by `make example` -->", "<!-- end of what `make example` writes -->"
#: Pixels of the picture: the verdict, the cautions and the first comparison.
WIDTH, HEIGHT = 1100, 1180
COMMAND = "octoload run retention --demo"


class Endpoint(msgspec.Struct, frozen=True):
    """What a run found about one operation and metric; times in seconds."""

    operation: str
    metric: str
    role: str
    baseline: float
    contender: float
    ratio: float
    ci_low: float
    ci_high: float
    verdict: str


class Arm(msgspec.Struct, frozen=True):
    """What an arm's database held when its load began."""

    name: str
    releases: int
    deployments: int
    events: int


class Example(msgspec.Struct, frozen=True):
    """What README.md tells of a run; kept as `octoload.example` version 1, with the picture's fingerprint."""

    sentence: str
    #: Primary endpoints, then controls.
    endpoints: list[Endpoint]
    #: Baseline and contender.
    arms: list[Arm]
    #: Requests in the measured phases of valid trials.
    requests: int
    pairs: int
    #: Measured seconds of a trial.
    seconds: float
    #: Cores of the machine that ran servers and load.
    cores: int
    #: Day of the first trial, UTC.
    day: str
    octoload: str


def main() -> None:
    """Run the demonstration, or take a finished run of it, and write what README.md shows of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", nargs="?", type=Path, help="folder of a finished run (default: a new one, 4 minutes)")
    try:
        publish(options.parse_args().run or demonstrate())
    except OctoloadError as exc:
        sys.exit(f"example: {exc}")


def demonstrate() -> Path:
    """Run the demonstration; return the folder of the run."""
    folder = HOUSE / "runs" / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M%S}-example"
    command = [sys.executable, "-m", "experiments", *COMMAND.split()[1:], "--out", str(folder)]
    done = subprocess.run(command, cwd=HOUSE, check=False)
    if done.returncode:
        raise UsageError(f"the demonstration ended with exit code {done.returncode}", "Nothing was written.")
    return folder


def publish(run: Path) -> None:
    """Write the facts of a run, the block of README.md and the picture.

    Raises:
        UsageError: the run has no valid result, or README.md no place for it.
    """
    example = extract(
        files.read_json(run / "results.json", "results", 1),
        files.read_json(run / "plan.json", "plan", 1),
    )
    text = insert(README.read_text(encoding="utf-8"), block(example))
    photograph(run / "report.html")
    files.write_json(FACTS, "example", 1, {**msgspec.to_builtins(example), "picture": fingerprint(PICTURE)})
    files.write_bytes(README, text.encode())
    print(f"{example.sentence}\nWritten: README.md, docs/example.json, docs/report.png")


def extract(results: dict[str, Any], plan: dict[str, Any]) -> Example:
    """Return what is told of a run.

    Raises:
        UsageError: its result is not valid, or a control has changed.
    """
    if not results["valid"]:
        raise UsageError("the run is not valid", "Run it on a quiet machine: only a valid run is shown.")
    shown = [one for role in ("primary", "control") for one in results["effects"] if one["role"] == role]
    moved = [one for one in shown if one["role"] == "control" and one["verdict"] in CLAIMS]
    if moved:
        raise UsageError(
            f"{moved[0]['operation']}, a control, is {moved[0]['verdict']}: something else has changed too",
            "Run it when the machine is free.",
        )
    trials = [trial for trial in results["trials"] if trial["valid"]]
    requests = sum(one["requests"] for trial in trials for one in trial["operations"].values())
    day = dt.datetime.fromtimestamp(min(trial["started"] for trial in trials), dt.UTC)
    return Example(
        sentence=results["sentence"],
        endpoints=[msgspec.convert(one, Endpoint, strict=False) for one in shown],
        arms=[_arm(name, results["database"][name]["rows"]) for name in (plan["baseline"], plan["contender"])],
        requests=requests,
        pairs=min(one["pairs"] for one in shown),
        seconds=plan["design"]["seconds"],
        cores=results["provenance"]["machine"]["cores"],
        day=f"{day.day} {day:%B %Y}",
        octoload=results["provenance"]["versions"]["octoload"],
    )


def _arm(name: str, rows: dict[str, int]) -> Arm:
    return Arm(name, rows["Release"], rows["Deployment"], rows["Event"])


def block(example: Example) -> str:
    """Return the Markdown that stands between the two marks."""
    before, after = example.arms
    origin = (
        f"{example.requests:,} requests in {example.pairs} pairs of {example.seconds:g} s on {example.cores} cores, "
        f"{example.day}, octoload {example.octoload}. The history had {before.releases:,} releases, "
        f"{before.deployments:,} deployments and {before.events:,} events; retention left {after.releases:,} releases "
        f"and {after.deployments:,} deployments. `make example` runs this again and writes these lines, "
        "[their figures](docs/example.json) and the picture anew."
    )
    lines = [
        BEGIN,
        "![The report of a retention experiment](docs/report.png)",
        "",
        f"> **{example.sentence}**",
        "",
        f"| endpoint | {before.name} | {after.name} | ratio (95 % CI) | verdict |",
        "|---|--:|--:|--:|---|",
        *[_row(endpoint) for endpoint in example.endpoints],
        "",
        textwrap.fill(origin, 120, break_on_hyphens=False),
        END,
    ]
    return "\n".join(lines)


def _row(one: Endpoint) -> str:
    cells = (
        f"{one.operation} {one.metric} ({one.role})",
        words.amount(one.baseline, one.metric),
        words.amount(one.contender, one.metric),
        f"{words.times(one.ratio)} ({words.times(one.ci_low)} to {words.times(one.ci_high)})",
        one.verdict,
    )
    return f"| {' | '.join(cells)} |"


def insert(text: str, new: str) -> str:
    """Return a text with what stands between the marks replaced.

    Raises:
        UsageError: the marks are not there, each once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise UsageError("README.md has no place for the example", f"Put {BEGIN} and {END} into it.")
    head, _, rest = text.partition(BEGIN)
    return head + new + rest.partition(END)[2]


def fingerprint(picture: Path) -> str:
    """Return what tells a picture from any other."""
    return f"sha256:{hashlib.sha256(picture.read_bytes()).hexdigest()}"


def photograph(page: Path) -> None:
    """Write the picture of the top of a report.

    Raises:
        UsageError: there is no report, or no Chromium.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not page.exists() or browser is None:
        raise UsageError(f"{page} or Chromium is missing", "Make the page: octoload report RUN; install Chromium.")
    with sync_playwright() as play, play.chromium.launch(executable_path=browser, args=["--no-sandbox"]) as opened:
        tab = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
