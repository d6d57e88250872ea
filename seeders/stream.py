"""The stream of resources: its records, one JSON line each, as docs/formats.md lists them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal, Protocol

import msgspec

from seeders.history import History

FORMAT = "octoload.history"
VERSION = 1

#: Lines encoded and hashed at a time: large enough to be quick, small enough to stay in the processor's cache.
_LINES = 1000


class Line(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag=str.lower, gc=False):
    """One line; `kind` says which. Members at their default are left out."""


class Header(Line, frozen=True):
    """The first line."""

    history: History
    #: When the history ends, in Unix seconds; all other times are seconds before it, and negative.
    until: float
    format: str
    version: int


class Space(Line, frozen=True):
    """A space."""

    key: str
    name: str
    description: str


class User(Line, frozen=True):
    """A user of the whole server."""

    key: str
    name: str
    username: str


class Team(Line, frozen=True):
    """A team of the whole server; its description carries the mark."""

    key: str
    name: str
    description: str
    users: list[str]


class Environment(Line, frozen=True):
    """A deployment environment."""

    key: str
    space: str
    name: str
    sort_order: int


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
    keep: int


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
    description: str


class TagSet(Line, frozen=True, tag="tag_set"):
    """A set of tags for tenants."""

    key: str
    space: str
    name: str
    tags: list[str]


class Package(Line, frozen=True):
    """A package in the built-in feed, in a version."""

    key: str
    space: str
    name: str
    version: str
    #: Its content before it is packed.
    bytes: int


class Channel(Line, frozen=True):
    """A channel of a project besides its default one."""

    key: str
    space: str
    project: str
    name: str


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """A script step of a process."""

    name: str
    syntax: Literal["Bash", "PowerShell"]
    script: str
    #: Whether it starts together with the step before.
    parallel: bool = False
    #: Whose targets it runs on; without any, it runs on the server.
    role: str = ""
    #: Targets at a time; 0 is all.
    window: int = 0
    #: Name of the package that it refers to.
    package: str = ""


class Process(Line, frozen=True):
    """The deployment process of a project."""

    project: str
    space: str
    steps: list[Step]


class Variable(msgspec.Struct, frozen=True, omit_defaults=True):
    """A variable; without environments it holds in all of them."""

    name: str
    value: str
    environments: list[str] = []


class Variables(Line, frozen=True):
    """The variables of a project."""

    project: str
    space: str
    variables: list[Variable]


class Runbook(Line, frozen=True):
    """A runbook of a project, published."""

    key: str
    space: str
    project: str
    name: str
    steps: list[Step]


class Tenant(Line, frozen=True):
    """A tenant, with the environments it takes of each of its projects, and its tags (`set/tag`)."""

    key: str
    space: str
    name: str
    projects: dict[str, list[str]]
    tags: list[str] = []


class Release(Line, frozen=True):
    """A release."""

    key: str
    space: str
    project: str
    version: str
    #: Seconds relative to the end of the history.
    assembled: float
    channel: str = ""
    #: Version of the package that its process refers to.
    package: str = ""


class Deployment(Line, frozen=True):
    """A deployment and how its task went; times are seconds relative to the end of the history."""

    key: str
    space: str
    release: str
    project: str
    environment: str
    queued: float
    started: float
    completed: float
    outcome: Literal["Success", "Failed"]
    tenant: str = ""
    comments: str = ""


class RunbookRun(Line, frozen=True, tag="runbook_run"):
    """A run of a runbook and how its task went; times are seconds relative to the end of the history."""

    key: str
    space: str
    runbook: str
    project: str
    environment: str
    queued: float
    started: float
    completed: float
    outcome: Literal["Success", "Failed"]


class Footer(Line, frozen=True):
    """The last line: how many resources of each kind, and the fingerprint of the lines that hold them."""

    counts: dict[str, int]
    fingerprint: str


Resource = (
    User
    | Team
    | Space
    | Environment
    | Lifecycle
    | ProjectGroup
    | Machine
    | Project
    | Process
    | Variables
    | Channel
    | Runbook
    | TagSet
    | Package
    | Tenant
    | Release
    | Deployment
    | RunbookRun
)
#: Resources with a time.
Timed = Release | Deployment | RunbookRun

#: Told how many of how many are done, and of what.
Progress = Callable[[int, int, str], None]

_encoder = msgspec.json.Encoder()


class Plan(Protocol):
    """Resources in their order, and how many they are."""

    @property
    def total(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[Resource]:
        """Yield them."""
        ...


def encode(line: Line) -> bytes:
    """Return one line with its end."""
    return _encoder.encode(line) + b"\n"


def write(plan: Plan, put: Callable[[bytes], object] | None = None, progress: Progress | None = None) -> Footer:
    """Write all lines between header and footer; return the footer.

    Args:
        plan: the resources, and how many they are.
        put: takes blocks of whole lines; without it the lines are counted and hashed only.
        progress: told (done, total, label) after each block.
    """
    hasher = hashlib.sha256()
    kinds: Counter[type[Line]] = Counter()
    iterator, total = iter(plan), plan.total
    while block := list(islice(iterator, _LINES)):
        lines = _encoder.encode_lines(block)
        hasher.update(lines)
        if put:
            put(lines)
        kinds.update(map(type, block))
        if progress:
            progress(kinds.total(), total, "resources")
    counts = {str(kind.__struct_config__.tag): count for kind, count in kinds.items()}
    return Footer(counts, f"sha256:{hasher.hexdigest()}")
