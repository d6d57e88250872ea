"""Package acquisition: before its steps a deployment copies the packages it needs to where it goes, and hashes them."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin.documents import Document
from standin.filestore import PIECE, FileStore
from standin.kinds import PACKAGE
from standin.process import MAX_PARALLELISM, Scope, applies
from standin.references import chosen_version, is_builtin, packages_of
from standin.statements import queries
from standin.tasklog import TaskLog


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a package that a deployment needs from the built-in feed."""

    #: its id
    package: str
    #: its version
    version: str
    #: its space
    space: str
    #: name of its file in the space's folder; "" when the feed has no such package
    file: str = ""
    #: SHA-1 of the file, hex
    hash: str = ""

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f"{self.package} version {self.version}"


async def needed(
    conn: Any, process: Document, frozen: Document, scope: Scope, skipped: Collection[str] = ()
) -> tuple[Package, ...]:
    """Return the packages that the steps need which run there; `frozen` is the release or the snapshot."""
    steps = [
        {**step, "Actions": [one for one in step.get("Actions") or () if applies(one, scope, skipped)]}
        for step in process["Steps"]
    ]
    return await from_feed(conn, {"Steps": steps}, scope.channel or None, frozen)


async def from_feed(conn: Any, process: Document, channel: str | None, frozen: Document) -> tuple[Package, ...]:
    """Return the packages of the built-in feed that a process needs, each once; external feeds are not looked at."""
    selected, space, found = frozen.get("SelectedPackages") or (), frozen["SpaceId"], {}
    for one in packages_of(process, channel):
        version = chosen_version(one, selected)
        if version and is_builtin(one, space):
            name = f"{one['PackageId']}.{version}"
            kept = await find_package(conn, space, name) or {}
            found[name.lower()] = Package(one["PackageId"], version, space, kept.get("File", ""), kept.get("Hash", ""))
    return tuple(found.values())


async def find_package(conn: Any, space: str, name: str) -> Document | None:
    """Return a package of a space's built-in feed by its id and version, `Acme.1.0.0`; None where there is none."""
    row = await conn.fetchrow(queries("acquisition")["package"], space, name)
    return PACKAGE.read(row) if row else None


async def acquire(packages: Sequence[Package], log: TaskLog, store: FileStore, places: Sequence[Path]) -> bool:
    """Copy packages into folders, ten at once; False when one is missing or is not what was pushed."""
    element, window = log.open("", "Acquire packages"), asyncio.Semaphore(MAX_PARALLELISM)

    async def acquire_one(package: Package) -> bool:
        async with window:
            problem = await _acquire(package, store, places)
        words = f"Package {package.name} was copied to {len(places)} place{'s' if len(places) > 1 else ''}."
        log.write(element, problem or words, "Fatal" if problem else "Info")
        return not problem

    whole = all(await asyncio.gather(*(acquire_one(one) for one in packages)))
    log.close(element, "Success" if whole else "Failed")
    return whole


async def _acquire(package: Package, store: FileStore, places: Sequence[Path]) -> str:
    """Copy a package; return what is wrong with it, or ""."""
    if not package.file:
        return f"The built-in feed has no package {package.name}."
    stop = threading.Event()
    try:
        targets = [place / package.file for place in places]
        found = await asyncio.to_thread(_copy, store.path(package.space, package.file), targets, stop)
    except OSError as exc:
        return f"Package {package.name} cannot be copied: {exc.strerror or exc}."
    finally:
        stop.set()  # a thread cannot be cancelled as its task can
    return "" if found == package.hash else f"Package {package.name} is not what was pushed: its hash is {found}."


def _copy(source: Path, targets: Iterable[Path], stop: threading.Event) -> str:
    """Copy a file to several, a piece at a time, until its end or a stop; return its SHA-1, hex."""
    digest = hashlib.sha1(usedforsecurity=False)
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(source.open("rb"))
        copies = []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            copies.append(opened.enter_context(target.open("wb")))
        while not stop.is_set() and (piece := file.read(PIECE)):
            digest.update(piece)
            for copy in copies:
                copy.write(piece)
    return digest.hexdigest()
