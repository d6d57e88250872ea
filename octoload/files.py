"""Files that octoload leaves: JSON with a format name and version, written whole or not at all."""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from octoload.errors import UsageError

_encoder = msgspec.json.Encoder(enc_hook=str, order=None)


def write_json(path: Path, format_name: str, version: int, content: dict[str, Any]) -> None:
    """Write `content` under its format name and version, replacing `path` in one step.

    Raises:
        UsageError: the folder cannot be written or the disk is full; an older file stays as it was.
    """
    document = {"format": f"octoload.{format_name}", "version": version, **content}
    write_bytes(path, msgspec.json.format(_encoder.encode(document), indent=2) + b"\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise disk_error(path, exc) from exc


def read_json(path: Path, format_name: str, newest: int) -> dict[str, Any]:
    """Read a file that `write_json` wrote.

    Raises:
        UsageError: it is missing, half-written, of another format or of a newer version.
    """
    try:
        document = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError as exc:
        raise UsageError(f"{path} is missing", "Is this the folder of a run?") from exc
    except (OSError, msgspec.DecodeError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}", "It may be half-written; make it again.") from exc
    if not isinstance(document, dict) or document.get("format") != f"octoload.{format_name}":
        raise UsageError(f"{path} is no octoload.{format_name} file", "Name another file.")
    version = document.get("version")
    if not isinstance(version, int) or version > newest:
        raise UsageError(
            f"{path} has version {version} of its format, this octoload knows up to {newest}",
            "Read it with the octoload that wrote it, or a newer one.",
        )
    return document


def disk_error(path: Path, exc: OSError) -> UsageError:
    """Say what the operating system refused, where, and what to do."""
    return UsageError(
        f"cannot write {path}: {exc.strerror or exc}",
        "Free some space or choose another folder with --out; what was finished is kept.",
    )
