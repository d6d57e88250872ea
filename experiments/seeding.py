"""The commands that put a history into a server and take it out again: seed, check, clean."""

import argparse
import datetime as dt
import os
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.display import Display
from octoload.api import Octopus
from octoload.errors import InterruptedRunError, ServerError, UsageError
from seeders import api, bulk, cleaning, guard, history, plan, situation, stream, survey
from seeders.history import History

_GO_ON = "What was made is kept: the same command goes on from here."
_COLOURS = {"ok": "green", "warn": "yellow", "confirm": "red", "refuse": "red"}
_WORDS = {"ok": "ok", "warn": "warning", "confirm": "REFUSED", "refuse": "REFUSED"}


def add_commands(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to a parser."""
    _add_seed(subs)
    _add_check(subs)
    _add_clean(subs)


def seed(options: argparse.Namespace, console: Console) -> int:
    """Put a history into a server, or write it as a stream."""
    chosen = history.load(history.find(options.history, beside=Path()))
    display = Display(console)
    if options.to:
        with display.step(f"Writing history {chosen.name!r} to {options.to}") as progress:
            footer = bulk.write(chosen, options.to, progress)
        console.print(f"  {footer.fingerprint}\n  Load it with: octoload standin load {options.to} --data standin-data")
        return 0
    with _connect(options) as octopus:
        findings = _look(octopus, chosen, options.test_instance)
        guard.require(findings, octopus.shown_url)
        for finding in findings:
            if finding.state == "warn":
                console.print(f"  [yellow]warning:[/] {finding.message}. {finding.cure}".rstrip())
        try:
            with display.step(f"Seeding {octopus.shown_url}") as progress:
                manifest = api.write(
                    chosen,
                    octopus,
                    options.out,
                    progress,
                    take_over=options.take_over,
                    lift_rate_limits=options.lift_rate_limits,
                )
        except KeyboardInterrupt:
            raise InterruptedRunError("interrupted", _GO_ON) from None
        except ServerError as exc:
            exc.cure = f"{exc.cure}\n  {_GO_ON}".strip()
            raise
    console.print(
        f"{sum(manifest.counts.values()):,} resources. Manifest: {options.out / 'manifest.json'}", markup=False
    )
    return 0


def check(options: argparse.Namespace, console: Console) -> int:
    """Say what a server is, and whether a history may be written to it; nothing is written."""
    chosen = history.load(history.find(options.history, beside=Path()))
    with _connect(options) as octopus:
        findings = _look(octopus, chosen, options.test_instance)
        table = Table("", "what", "found", title=f"{octopus.shown_url}, to be given history {chosen.name!r}")
        for finding in findings:
            words = f"[{_COLOURS[finding.state]}]{_WORDS[finding.state]}[/]"
            table.add_row(
                words, finding.name, f"{finding.message}. {finding.cure}" if finding.cure else finding.message
            )
        console.print(table)
        guard.require(findings, octopus.shown_url)
    return 0


def clean(options: argparse.Namespace, console: Console) -> int:
    """Remove what octoload made; say what is left."""
    mark = history.load(history.find(options.history, beside=Path())).mark if options.history else ""
    with _connect(options) as octopus, Display(console).step(f"Cleaning {octopus.shown_url}") as progress:
        left = cleaning.clean(octopus, options.out, mark, progress, take_over=options.take_over)
    console.print(f"Removed: {', '.join(left.removed) or 'there was nothing'}", markup=False)
    if left.differences:
        differences = ", ".join(f"{count:+,} {kind}" for kind, count in left.differences.items())
        console.print(f"The server's counts differ from those before the seeding: {differences}", markup=False)
    elif left.differences is not None:
        console.print("The server's counts are those before the seeding.")
    if left.events:
        console.print(f"What remains: {left.events:,} events of the audit trail, which nobody can delete.")
    if left.marked:
        console.print(f"LEFT: {', '.join(left.marked)}", markup=False)
    return 5 if left.marked or left.differences else 0


def _look(octopus: Octopus, chosen: History, named: str) -> list[guard.Finding]:
    """Return what is to be said of a server that is to be given a history."""
    drawn = plan.draw(chosen)
    spaces = tuple(record.name for record in drawn.settings if isinstance(record, stream.Space))
    found = situation.read(octopus, dt.datetime.now(dt.UTC))
    missing = Counter(survey.kind_of(type(record)) for record in drawn.settings)
    missing.update(release=chosen.releases * chosen.spaces, deployment=chosen.deployments * chosen.spaces)
    need = guard.Need(spaces, chosen.mark, missing)
    findings = guard.judge(found, need, named)
    if any(finding.state == "refuse" for finding in findings if finding.name == "space"):
        return findings
    missing.subtract(survey.count(octopus, survey.find_ids(octopus, drawn.settings)))
    return guard.judge(found, need, named)


def _connect(options: argparse.Namespace) -> Octopus:
    if not options.url:
        raise UsageError("no server is named", "Name it with --url or OCTOPUS_URL.")
    key = options.api_key or os.environ.get("OCTOPUS_API_KEY", "")
    if not key:
        raise UsageError("there is no API key", "Set OCTOPUS_API_KEY (a key is made in the portal: Profile, API keys).")
    return Octopus(options.url, key)


def _add_seed(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    seeding = subs.add_parser(
        "seed",
        help="fill a test instance with a history",
        description="Put a history into a test instance through its API, or write it as a stream for "
        "`octoload standin load`. Stopped or killed, the same command goes on. The API key is read from "
        "OCTOPUS_API_KEY unless --api-key names another.",
    )
    where = _add_history(seeding)
    where.add_argument("--to", type=Path, metavar="FILE", help="write the stream to this file instead (.jsonl or .gz)")
    _add_folder(seeding)
    seeding.add_argument(
        "--lift-rate-limits", action="store_true", help="switch the server's rate limits off meanwhile, and on again"
    )
    seeding.set_defaults(command=seed)


def _add_check(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    checking = subs.add_parser(
        "check",
        help="see whether a server may be seeded: what it is, allows, and who else uses it",
        description="Reads only. Exit code 0 when `octoload seed` would write, 2 when it would refuse.",
    )
    _add_history(checking)
    checking.set_defaults(command=check)


def _add_clean(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    cleaning_up = subs.add_parser(
        "clean",
        help="remove from a server what octoload made there",
        description="Deletes the spaces that carry octoload's mark, and all that is in them. Events stay: nobody can "
        "delete these. Exit code 5 when anything else is left.",
    )
    cleaning_up.add_argument("--history", metavar="FILE", help="only what was made from this history (default: all)")
    _add_server(cleaning_up)
    _add_folder(cleaning_up)
    cleaning_up.set_defaults(command=clean)


def _add_history(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    parser.add_argument(
        "--history", required=True, metavar="FILE", help="a history file, or a named one (small, team, company, …)"
    )
    parser.add_argument(
        "--this-is-a-test-instance",
        dest="test_instance",
        default="",
        metavar="NAME",
        help="write although it looks like production: the name of one of its nodes",
    )
    return _add_server(parser)


def _add_server(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", default=os.environ.get("OCTOPUS_URL"), help="the test instance (or OCTOPUS_URL)")
    parser.add_argument("--api-key", metavar="KEY", help="API key; better in OCTOPUS_API_KEY, where no one sees it")
    return where


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder for manifest and journal (default: here)"
    )
    parser.add_argument(
        "--take-over", action="store_true", help="go on although another octoload seems to be at work; it must be dead"
    )
