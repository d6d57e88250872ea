"""The stream of a history as docs/formats.md describes it: read block by block, checked to its last line."""

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from standin.errors import UsageError

FORMAT = "octoload.history"
VERSION = 1
#: Bytes read at a time.
BLOCK = 1 << 19
#: A line longer than this is no line of a history, bytes.
LONGEST = 1 << 26


class Line(msgspec.Struct, frozen=True, tag_field="kind", tag=str.lower, gc=False):
    """A line; `kind` says which."""


class Settings(msgspec.Struct, frozen=True):
    """What the loader needs of the history's settings."""

    name: str = ""
    age_days: float = 365.0


class Header(msgspec.Struct, frozen=True, tag_field="kind", tag="header"):
    """The first line."""

    format: str
    version: int
    #: when the history ends, Unix seconds
    until: float
    history: Settings = Settings()


class Footer(msgspec.Struct, frozen=True, tag_field="kind", tag="footer"):
    """The last line."""

    counts: dict[str, int]
    fingerprint: str


class Space(Line, frozen=True):
    """A space."""

    key: str
    name: str
    description: str = ""


class Environment(Line, frozen=True):
    """A deployment environment."""

    key: str
    space: str
    name: str
    sort_order: int = 0


class Phase(msgspec.Struct, frozen=True):
    """A phase of a lifecycle."""

    name: str
    environments: list[str]


class Lifecycle(Line, frozen=True):
    """A lifecycle; `keep` releases stay in a phase, 0 means for ever."""

    key: str
    space: str
    name: str
    phases: list[Phase]
    keep: int = 0


class ProjectGroup(Line, frozen=True, tag="project_group"):
    """A project group."""

    key: str
    space: str
    name: str


class Machine(Line, frozen=True):
    """A deployment target."""

    key: str
    space: str
    name: str
    environments: list[str]
    roles: list[str]


class Project(Line, frozen=True):
    """A project."""

    key: str
    space: str
    name: str
    group: str
    lifecycle: str
    description: str = ""


class Step(msgspec.Struct, frozen=True):
    """A script step: on the server, or on the targets of a role, `window` at a time (0: all)."""

    name: str
    syntax: str
    script: str
    parallel: bool = False
    role: str = ""
    window: int = 0


class Process(Line, frozen=True):
    """The process of a project."""

    project: str
    space: str
    steps: list[Step]


class Variable(msgspec.Struct, frozen=True):
    """A variable; without environments it holds in all of them."""

    name: str
    value: str
    environments: tuple[str, ...] = ()


class Variables(Line, frozen=True):
    """The variables of a project."""

    project: str
    space: str
    variables: list[Variable]


class Runbook(Line, frozen=True):
    """A runbook of a project, published as it is."""

    key: str
    space: str
    project: str
    name: str
    steps: list[Step]


class Tenant(Line, frozen=True):
    """A tenant with the environments it takes of each project."""

    key: str
    space: str
    name: str
    projects: dict[str, list[str]]


class Release(Line, frozen=True):
    """A release."""

    key: str
    space: str
    project: str
    version: str
    #: seconds before the history's end, negative
    assembled: float


class Deployment(Line, frozen=True):
    """A deployment and how it went; times are seconds before the history's end, negative."""

    key: str
    space: str
    release: str
    project: str
    environment: str
    queued: float
    started: float
    completed: float
    outcome: str
    tenant: str = ""
    comments: str = ""


Setting = Environment | Lifecycle | ProjectGroup | Machine | Project | Process | Variables | Tenant
Resource = Space | Setting | Runbook | Release | Deployment


class History:
    """A file with a history; iterating yields blocks of resources, and raises at its end what is wrong with it."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its first line.

        Raises:
            UsageError: it is missing, no history, or of a newer version.
        """
        self._path = path
        try:
            # Closed by `close`: a history is read long after it is opened.
            self._file: Any = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115
            first = self._file.readline(LONGEST)
        except (OSError, EOFError, zlib.error) as exc:
            raise self._unreadable(exc) from exc
        self.header = self._header(first)
        self.counts: Counter[str] = Counter()
        self._hash = hashlib.sha256()
        self._line = 1

    def __iter__(self) -> Iterator[list[Resource]]:
        """Yield blocks of resources in their order.

        Raises:
            UsageError: a line cannot be read, the file is half-written, or its fingerprint or counts are wrong.
        """
        rest = b""
        while block := self._read():
            data = rest + block
            # All but the last whole line: that may be the footer, which is no resource.
            cut = data.rfind(b"\n", 0, data.rfind(b"\n")) + 1
            rest = data[cut:]
            if len(rest) > LONGEST:
                raise UsageError(f"{self._path} has a line of more than {LONGEST} bytes", "It is no octoload.history.")
            if cut:
                yield self._decode(data[:cut])
        self._check_footer(rest)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _decode(self, lines: bytes) -> list[Resource]:
        try:
            resources: list[Resource] = _decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._point_out(lines)
            raise
        self._hash.update(lines)
        self._line += len(resources)
        self.counts.update(resource.__struct_config__.tag for resource in resources)  # type: ignore[misc]
        return resources

    def _point_out(self, lines: bytes) -> None:
        """Raise the error of the first line that cannot be read."""
        for number, line in enumerate(lines.splitlines(), start=self._line + 1):
            try:
                _decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                raise UsageError(
                    f"{self._path}, line {number}: {exc}", "It is no octoload.history, or damaged; write it again."
                ) from exc

    def _check_footer(self, last: bytes) -> None:
        try:
            footer = msgspec.json.decode(last, type=Footer)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise UsageError(f"{self._path} has no footer: it is half-written", "Write it again.") from exc
        fingerprint = f"sha256:{self._hash.hexdigest()}"
        if footer.fingerprint != fingerprint or footer.counts != dict(self.counts):
            raise UsageError(
                f"{self._path} is damaged: its lines are not those that its fingerprint was taken of", "Write it again."
            )

    def _header(self, line: bytes) -> Header:
        try:
            header = msgspec.json.decode(line, type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise UsageError(f"{self._path} is no {FORMAT} file", "Name a file that octoload seeded.") from exc
        if header.format != FORMAT or header.version > VERSION:
            raise UsageError(
                f"{self._path} is {header.format} version {header.version}; this stand-in reads {FORMAT} {VERSION}",
                "Load it with a newer octoload.",
            )
        return header

    def _read(self) -> bytes:
        try:
            block: bytes = self._file.read(BLOCK)
        except (OSError, EOFError, zlib.error) as exc:
            raise self._unreadable(exc) from exc
        return block

    def _unreadable(self, exc: BaseException) -> UsageError:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        return UsageError(f"{self._path} cannot be read: {reason}", "Is it the right file, and whole?")


_decoder = msgspec.json.Decoder(Resource)
