"""Claims: one process at a time at work in a folder, by a lock that ends with its process however that ends."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from octoload.errors import UsageError
from octoload.files import disk_error

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock of a file, made if missing, while the block runs.

    Raises:
        UsageError: another process holds it, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as exc:
        raise disk_error(path, exc) from exc
    with file:
        if not _lock(file):
            file.seek(0)
            owner = file.read(20).decode("ascii", "replace").strip() or "another"
            raise UsageError(f"{path.parent} is in use by process {owner}", "Wait for it, or choose another --out.")
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        yield


def _lock(file: BinaryIO) -> bool:
    """Take the lock of an open file; it is given free when the file is closed, by whatever end of the process."""
    try:
        if sys.platform == "win32":
            file.seek(1000)  # what is locked cannot be read there, and the owner's number is to be
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
