"""The bulk writer: a history as a file, for a loader that copies it into an empty database."""

import contextlib
import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from octoload.errors import UsageError
from octoload.files import disk_error
from seeders import plan, stream
from seeders.history import History
from seeders.rhythm import end_of_last_week

#: Settings of what a server makes by itself only, or keeps in files.
_API_ONLY = ("channels", "tag_sets", "packages", "runs_per_runbook", "users")


def write(
    history: History, path: Path, progress: stream.Progress | None = None, until: float | None = None
) -> stream.Footer:
    """Write the stream of a history, gzipped when the name ends in `.gz`; return its counts and fingerprint.

    Args:
        history: what is asked for.
        path: the file; it appears when it is complete, and an older one stays until then.
        progress: told (done, total, label) after each thousand resources.
        until: when the history ends, in Unix seconds; the last midnight from Sunday to Monday when left out.

    Raises:
        UsageError: the history has what no loader takes, the folder cannot be written or the disk is full; nothing
            half-written is left.
    """
    asked = [name for name in _API_ONLY if getattr(history, name)]
    if asked:
        raise UsageError(
            f"history {history.name!r} has {' and '.join(asked)}, which the stand-in's loader does not take",
            "Put it in through the API: octoload seed --url …",
        )
    ended = end_of_last_week(time.time()) if until is None else until
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open(temporary, zipped=path.suffix == ".gz") as file:
            file.write(stream.encode(stream.Header(history, ended, stream.FORMAT, stream.VERSION)))
            footer = stream.write(plan.draw(history), file.write, progress)
            file.write(stream.encode(footer))
        temporary.replace(path)
    except OSError as exc:
        raise disk_error(path, exc) from exc
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return footer


@contextlib.contextmanager
def _open(path: Path, *, zipped: bool) -> Iterator[BinaryIO]:
    """Open a file for writing; what was written is on the disk when the block ends."""
    with path.open("wb", buffering=1 << 20) as file:
        if zipped:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=1, mtime=0) as packed:
                yield packed  # type: ignore[misc]  # a GzipFile writes as a file does
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())
