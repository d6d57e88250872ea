"""What a run did to a server and how far it has come, one line each, written before the deed."""

import os
import time
from pathlib import Path
from typing import Any

import msgspec

from octoload.files import disk_error


class Journal:
    """An append-only file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, kind: str, **content: Any) -> None:
        """Append one entry and see it on the disk.

        Raises:
            UsageError: the disk is full or not writable.
        """
        line = msgspec.json.encode({"at": time.time(), "kind": kind, **content}) + b"\n"
        try:
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise disk_error(self.path, exc) from exc

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries; a last line that a crash cut short is left out."""
        if not self.path.exists():
            return []
        entries = []
        for line in self.path.read_bytes().splitlines():
            try:
                entries.append(msgspec.json.decode(line))
            except msgspec.DecodeError:
                break
        return entries

    def has(self, kind: str) -> bool:
        """Whether such an entry was made."""
        return any(entry["kind"] == kind for entry in self.entries())
