"""The journal of a seeding: what the server was like before, and what was asked of it and cannot be asked twice."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from octoload.errors import UsageError
from octoload.files import disk_error, write_bytes

FORMAT = "octoload.seeding"
VERSION = 1
NAME = "seeding.jsonl"


class Start(msgspec.Struct, frozen=True):
    """The first line: whose journal it is, and what the server was like before the first write."""

    #: The mark of the history.
    history: str
    #: The server's `InstallationId`.
    server: str
    #: Resources by kind on the whole server, and of this history.
    before: dict[str, int]
    held: dict[str, int]
    #: Unix seconds.
    started: float
    #: Names this seeding on the server.
    token: str
    format: str = FORMAT
    version: int = VERSION


class Journal:
    """An append-only file of JSON lines, written before the deed; a line that a kill cut short is as if not written.

    What the server can tell by itself is not in it: names and versions are unique there. Deployments are not, so it is
    noted when one was last asked for.
    """

    def __init__(self, path: Path, start: Start) -> None:
        self.start = start
        self._path = path
        #: Project → deployments asked for so far, and when the last one was, Unix seconds.
        self._asked: dict[str, tuple[int, float]] = {}
        self._done: set[str] = set()
        self._slowest = 0.0
        #: Path of a document of the whole server that is changed → what it was.
        self.changed: dict[str, Any] = {}
        #: Whether nothing is left to do.
        self.finished = False

    @classmethod
    def begin(cls, folder: Path, start: Start) -> Self:
        """Begin a new journal in place of an older one."""
        write_bytes(folder / NAME, msgspec.json.encode(start) + b"\n")
        return cls(folder / NAME, start)

    @classmethod
    def resume(cls, folder: Path, history: str, server: str) -> Self | None:
        """Return the journal of an unfinished seeding of this history, None when there is nothing to go on with.

        Raises:
            UsageError: the folder has the unfinished journal of another seeding, or one that cannot be read.
        """
        journal = cls.read(folder / NAME)
        if journal is None or journal.finished:
            return None
        if (journal.start.history, journal.start.server) != (history, server):
            raise UsageError(
                f"{folder / NAME} is of an unfinished seeding of another history or server",
                "Finish or clean that one, or choose another --out.",
            )
        return journal

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the journal in a file, cut back to its last whole line; None when there is none.

        Raises:
            UsageError: it cannot be read, or is of a newer octoload.
        """
        try:
            with path.open("r+b") as file:
                journal = cls(path, _first(path, file.readline()))
                end = file.tell()
                for line, length in _whole_lines(file):
                    journal._take_up(line)
                    end += length
                file.truncate(end)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise disk_error(path, exc) from exc
        return journal

    def asks(self, project: str, number: int) -> None:
        """Note that the deployment of a project with this number, from 1, is asked for now."""
        self._asked[project] = number, time.time()
        self._note({"asks": project, "number": number, "at": self._asked[project][1]})

    def asked(self, project: str) -> tuple[int, float]:
        """Return how many deployments of a project were asked for, and when the last one was, in Unix seconds."""
        return self._asked.get(project, (0, 0.0))

    def done(self, project: str) -> None:
        """Note that a project is complete."""
        self._done.add(project)
        self._note({"done": project})

    def is_done(self, project: str) -> bool:
        """Whether a project is complete."""
        return project in self._done

    def slowest(self, seconds: float) -> float:
        """Return the slowest answer of all, in seconds; one that is much slower than those before is noted."""
        if seconds > 2 * self._slowest:
            self._slowest = seconds
            self._note({"slowest": seconds})
        return self._slowest

    def changes(self, path: str, was: Any) -> None:
        """Note that a document of the whole server is about to be changed, and what it was."""
        self.changed.setdefault(path, was)
        self._note({"changes": path, "was": was})

    def put_back(self, path: str) -> None:
        """Note that a document is again what it was."""
        self.changed.pop(path, None)
        self._note({"put_back": path})

    def discard(self) -> None:
        """Delete it: nothing was written."""
        self._path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Note that all is done: the next seeding starts afresh."""
        self._note({"finished": time.time()})

    def _note(self, line: dict[str, Any]) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
        except OSError as exc:
            raise disk_error(self._path, exc) from exc

    def _take_up(self, line: dict[str, Any]) -> None:
        match line:
            case {"asks": str(project), "number": int(number), "at": float(at)}:
                self._asked[project] = number, at
            case {"done": str(project)}:
                self._done.add(project)
            case {"slowest": float(seconds)}:
                self._slowest = seconds
            case {"changes": str(path), "was": was}:
                self.changed.setdefault(path, was)
            case {"put_back": str(path)}:
                self.changed.pop(path, None)
            case {"finished": _}:
                self.finished = True


def new_token() -> str:
    """Return a name for a seeding that no other has."""
    return secrets.token_hex(8)


def _first(path: Path, line: bytes) -> Start:
    cure = "It is not of this octoload; choose another --out."
    try:
        start = msgspec.json.decode(line, type=Start)
    except msgspec.DecodeError as exc:
        raise UsageError(f"{path} cannot be read: {exc}", cure) from exc
    if start.format != FORMAT or start.version > VERSION:
        raise UsageError(f"{path} is {start.format} version {start.version}, not {FORMAT} {VERSION}", cure)
    return start


def _whole_lines(file: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each line that is whole with its length in bytes."""
    for line in file:
        try:
            content = msgspec.json.decode(line) if line.endswith(b"\n") else None
        except msgspec.DecodeError:
            content = None
        if not isinstance(content, dict):
            return
        yield content, len(line)
