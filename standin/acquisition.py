"""Package acquisition: before its steps a deployment copies the packages it needs to where it goes, and hashes them."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from standin.documents import Document
from standin.filestore import PIECE, FileStore
from standin.newspace import builtin_feed_id
from standin.process import MAX_PARALLELISM, Scope
from standin.references import chosen_version, packages_of
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
    conn: Any, process: Document, selected: Iterable[Document], scope: Scope, space: str
) -> tuple[Package, ...]:
    """Return the packages of the built-in feed that a process needs, each once; external feeds are not looked at."""
    selected, found = list(selected), {}
    for one in packages_of(process, scope.channel or None):
        version = chosen_version(one, selected)
        if version and one["FeedId"] in {None, "", "feeds-builtin", builtin_feed_id(space)}:
            name = f"{one['PackageId']}.{version}"
            row = await conn.fetchrow(queries("web/packages")["package"], space, name)
            kept = msgspec.json.decode(row["json"]) if row else {}
            package = Package(one["PackageId"], version, space, kept.get("File", ""), kept.get("Hash", ""))
            found[name.lower()] = package
    return tuple(found.values())


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
    try:
        found = await _copy(store.path(package.space, package.file), [place / package.file for place in places])
    except OSError as exc:
        return f"Package {package.name} cannot be copied: {exc.strerror or exc}."
    return "" if found == package.hash else f"Package {package.name} is not what was pushed: its hash is {found}."


async def _copy(source: Path, targets: Iterable[Path]) -> str:
    """Copy a file to several, a piece at a time; return its SHA-1, hex."""
    digest = hashlib.sha1(usedforsecurity=False)

    def keep(piece: bytes, copies: Iterable[BinaryIO]) -> None:
        digest.update(piece)
        for copy in copies:
            copy.write(piece)

    with contextlib.ExitStack() as opened:
        file = opened.enter_context(source.open("rb"))
        copies = []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            copies.append(opened.enter_context(target.open("wb")))
        while piece := await asyncio.to_thread(file.read, PIECE):
            await asyncio.to_thread(keep, piece, copies)
    return digest.hexdigest()
