"""Files that clients send, packages and artifacts: written as they come in, read back, taken away."""

import asyncio
import contextlib
import hashlib
import shutil
import uuid
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from standin.errors import Rejected

#: Bytes that are gathered before they are written: enough for a thread to be worth it, few enough to stay small.
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it was written."""

    #: its name in its space's folder
    file: str
    #: bytes
    size: int
    #: SHA-1, hex
    hash: str


@dataclass(frozen=True, slots=True)
class FileStore:
    """A folder with one folder a space; the names of its files are the server's own."""

    #: the folder of all spaces
    folder: Path

    def path(self, space: str, file: str) -> Path:
        """Return where a stored file lies."""
        return self.folder / space / file

    async def write(self, space: str, extension: str, chunks: AsyncIterable[bytes]) -> Stored:
        """Write a file as its bytes come, hashing them on the way; nothing is left of one that breaks off.

        Raises:
            Rejected: 507, the folder cannot take it.
        """
        path = self.path(space, f"{uuid.uuid4().hex}{extension}")
        try:
            size, digest = await _write(path, chunks)
        except BaseException as exc:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            if isinstance(exc, OSError):
                raise Rejected(507, f"The file cannot be stored: {exc.strerror or exc}.") from exc
            raise
        return Stored(path.name, size, digest)

    async def forget(self, space: str, file: str) -> None:
        """Delete a file; one that somebody still reads on Windows stays, and nothing refers to it any longer."""
        with contextlib.suppress(PermissionError):
            await asyncio.to_thread(self.path(space, file).unlink, missing_ok=True)

    async def forget_space(self, space: str) -> None:
        """Delete all files of a space."""
        await asyncio.to_thread(shutil.rmtree, self.folder / space, ignore_errors=True)


async def _write(path: Path, chunks: AsyncIterable[bytes]) -> tuple[int, str]:
    """Write chunks to a new file; return its bytes and their SHA-1."""
    digest, size, waiting = hashlib.sha1(usedforsecurity=False), 0, bytearray()

    def flush(file: BinaryIO, piece: bytes) -> None:
        file.write(piece)
        digest.update(piece)

    file = await asyncio.to_thread(_create, path)
    try:
        async for chunk in chunks:
            waiting += chunk
            size += len(chunk)
            if len(waiting) >= PIECE:
                await asyncio.to_thread(flush, file, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(flush, file, bytes(waiting))
    finally:
        await asyncio.to_thread(file.close)
    return size, digest.hexdigest()


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")
