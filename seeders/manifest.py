"""The manifest: what a seeder left on a server, and whether the server's own counts agree."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

import octoload
from octoload import files
from octoload.api import Octopus
from octoload.errors import ServerError
from seeders import plan, survey
from seeders.history import History
from seeders.stream import Footer, Resource

VERSION = 1


class Verified(msgspec.Struct, frozen=True):
    """What `serverstatus/counts` says."""

    #: By how much each kind grew.
    grew: dict[str, int]
    #: Whether that is what the history asked for.
    agrees: bool


class Manifest(msgspec.Struct, frozen=True):
    """What a seeder left (docs/formats.md)."""

    writer: Literal["bulk", "api"]
    #: The server's address, without secrets.
    server: str | None
    history: History
    fingerprint: str
    #: Resources by kind, as the stream has them.
    counts: dict[str, int]
    verified: Verified
    #: Kind → key → id; of releases and deployments their number.
    ids: dict[str, dict[str, str] | int]
    #: Unix seconds.
    started: float
    finished: float
    octoload: str = octoload.__version__

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            UsageError: the folder cannot be written or the disk is full.
        """
        files.write_json(path, "manifest", VERSION, msgspec.to_builtins(self))


def load(path: Path) -> Manifest:
    """Read a manifest that `save` wrote.

    Raises:
        UsageError: it is missing, half-written, of another format or of a newer version.
    """
    return msgspec.convert(files.read_json(path, "manifest", VERSION), Manifest)


def complete(octopus: Octopus, history: History, footer: Footer, started: float | None = None) -> Manifest:
    """Return the manifest of a history that a bulk loader copied into an empty database.

    Args:
        octopus: the server on that database.
        history: what was written.
        footer: what `bulk.write` returned.
        started: when the writing began, in Unix seconds.

    Raises:
        ServerError: the server has not got all of it.
    """
    settings = plan.draw(history).settings
    ids = survey.find_ids(octopus, settings)
    check_ids(octopus, settings, ids)
    after = octopus.counts()
    own = {kind: len(ids.get(kind, {})) for kind in ("space", "user")}
    before = dict.fromkeys(after, 0) | {kind: after[kind] - count for kind, count in own.items() if kind in after}
    verified = verify(before, after, footer.counts, octopus.shown_url)
    return build("bulk", octopus, history, footer, ids=ids, verified=verified, started=started)


def build(
    writer: Literal["bulk", "api"],
    octopus: Octopus,
    history: History,
    footer: Footer,
    *,
    ids: survey.Ids,
    verified: Verified,
    started: float | None,
) -> Manifest:
    """Return the manifest of what is on the server now."""
    now = time.time()
    numbers = {kind: footer.counts.get(kind, 0) for kind in ("release", "deployment", "runbook_run")}
    return Manifest(
        writer=writer,
        server=octopus.shown_url,
        history=history,
        fingerprint=footer.fingerprint,
        counts=footer.counts,
        verified=verified,
        ids={**ids, **numbers},
        started=now if started is None else started,
        finished=now,
    )


def verify(
    before: Mapping[str, int], after: Mapping[str, int], expected: Mapping[str, int], server: str = "the server"
) -> Verified:
    """Hold the growth of a server's counts against what was written; kinds that it does not count are left out.

    Raises:
        ServerError: they differ; the message lists how.
    """
    grew = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    over = {kind: count - expected.get(kind, 0) for kind, count in grew.items()}
    differences = [
        f"{abs(count):,} {kind}(s) too {'many' if count > 0 else 'few'}" for kind, count in over.items() if count
    ]
    if differences:
        raise ServerError(
            f"{server} does not hold what was written: {', '.join(differences)}",
            "Seed a server that nobody else uses meanwhile; seeding again with the API adds what is missing.",
        )
    return Verified(grew, agrees=True)


def check_ids(octopus: Octopus, settings: Sequence[Resource], ids: survey.Ids) -> None:
    """See that every named resource has an id.

    Raises:
        ServerError: some have none.
    """
    missing = [record for record in settings if not _has_id(record, ids)]
    if missing:
        first = msgspec.to_builtins(missing[0])
        raise ServerError(
            f"{octopus.shown_url} lacks {len(missing)} named resources, the first is {first['kind']} {first['name']!r}",
            "Was this history loaded into it, and nothing renamed?",
        )


def _has_id(record: Resource, ids: survey.Ids) -> bool:
    found = ids.get(survey.kind_of(type(record)))
    if found is None:  # processes and variables have no name
        return True
    own = getattr(record, "key", "")
    space = getattr(record, "space", None)
    return (f"{space}/{own}" if space else own) in found
