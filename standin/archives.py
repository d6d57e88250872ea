"""Archived events: what is older than an instance keeps moves to files, one a day (octopus-facts §1b)."""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from standin.documents import encode
from standin.errors import Rejected, not_found
from standin.kinds import EVENT
from standin.statements import queries

_NAME = re.compile(r"EventArchive-(\d{4}-\d{2}-\d{2})\.jsonl", re.ASCII)
#: Days that an archive must be old before it can be deleted.
YOUNGEST = 30


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of events."""

    #: its name
    name: str
    #: when it was made and last written to
    created: datetime
    modified: datetime
    #: bytes
    size: int


async def archive_events(pool: Any, folder: Path, before: datetime) -> int:
    """Move the events of all whole days before a time to files; return how many.

    Each day is one transaction; its file is written before the rows go, so that a crash loses none, and a day that is
    archived again adds only what its file does not hold.
    """
    moved = 0
    last = before.astimezone(UTC).date()
    for row in await pool.fetch(queries("archives")["days"], datetime(last.year, last.month, last.day, tzinfo=UTC)):
        moved += await _archive_day(pool, folder, row["day"])
    return moved


def list_archives(folder: Path) -> list[Archive]:
    """Return the archives, newest day first."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    return [_archive(path) for path in sorted(found, key=lambda path: path.name, reverse=True)]


def delete_archive(folder: Path, name: str, now: datetime) -> Archive:
    """Delete an archive.

    Raises:
        Rejected: 404, there is none such; 400, it is too young.
    """
    named = _NAME.fullmatch(name)
    path = folder / name if named else None
    if named is None or path is None or not path.is_file():
        raise not_found(name)
    if (now.date() - date.fromisoformat(named[1])).days < YOUNGEST:
        raise Rejected(400, f"An archive can be deleted when it is {YOUNGEST} days old.")
    archive = _archive(path)
    path.unlink()
    return archive


async def _archive_day(pool: Any, folder: Path, day: date) -> int:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    async with pool.acquire() as conn, conn.transaction():
        rows = await conn.fetch(queries("archives")["events"], begin, begin + timedelta(days=1))
        lines = {row["id"]: encode(EVENT.read(row)) for row in rows}
        await asyncio.to_thread(_write, folder / f"EventArchive-{day.isoformat()}.jsonl", lines)
        numbers = [row["autoid"] for row in rows]
        await conn.execute(queries("archives")["forget_related"], numbers)
        await conn.execute(queries("archives")["forget"], numbers)
    return len(rows)


def _write(path: Path, lines: dict[str, str]) -> None:
    """Add lines to a file, those that it does not hold yet; the file is replaced in one go."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    held = path.read_text("utf-8") if path.exists() else ""
    fresh = [line for identifier, line in lines.items() if f'"Id":"{identifier}"' not in held]
    part = path.with_suffix(".part")
    part.write_text(held + "".join(f"{line}\n" for line in fresh), "utf-8")
    part.replace(path)


def _archive(path: Path) -> Archive:
    status = path.stat()
    made, changed = (datetime.fromtimestamp(one, UTC) for one in (status.st_ctime, status.st_mtime))
    return Archive(path.name, min(made, changed), changed, status.st_size)
