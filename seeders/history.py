"""A history: what a seeder is asked for, as its YAML file says it."""

import hashlib
import importlib.resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from octoload import yamlfile
from octoload.errors import UsageError
from seeders.scripts import Labour

Amount = Annotated[int, Meta(ge=0, le=1_000_000)]
Some = Annotated[int, Meta(ge=1, le=100_000)]
Spaces = Annotated[int, Meta(ge=1, le=999)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Mean = Annotated[float, Meta(ge=0, le=100_000)]
Steps = Annotated[int, Meta(ge=1, le=200)]
People = Annotated[int, Meta(ge=0, le=1000)]

#: Octopus takes space names of at most 50 characters (octopus-api §A.2); " 999" may follow.
Name = Annotated[str, Meta(max_length=46)]


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings that everything drawn follows from (docs/formats.md)."""

    #: Names the history and its spaces.
    name: Name = ""
    #: Everything drawn follows from it.
    seed: Seed = 1
    #: Spaces, each with its own copy of what follows.
    spaces: Spaces = 1
    #: Environments of a space, in the order of promotion.
    environments: Some = 4
    #: Projects of a space.
    projects: Some = 20
    #: Mean releases of a project; busy projects have more, the long tail less.
    releases_per_project: Amount = 20
    #: Mean deployments of a release.
    deployments_per_release: Mean = 3.0
    #: Deployment targets of a space.
    machines: Amount = 10
    #: Tenants of a space.
    tenants: Amount = 0
    #: Variables of a project.
    variables: Amount = 10
    #: Steps of a process at most; with more than three some run side by side, and some on targets, a few at a time.
    steps: Steps = 3
    #: Channels of a project besides its default one.
    channels: Amount = 0
    #: Tag sets of a space, from each of which a tenant has a tag.
    tag_sets: Amount = 0
    #: Packages of a space, each in three versions; a project deploys one of them.
    packages: Amount = 0
    #: Runbooks of a project.
    runbooks: Amount = 0
    #: Runs of a runbook.
    runs_per_runbook: Amount = 0
    #: Users of the whole server, in teams of eight.
    users: People = 0
    #: Whether releases go from environment to environment; if not, a lifecycle's one phase has all of them, and the
    #: deployments of a release do not wait for one another.
    promotion: bool = True
    #: Days that the oldest release lies back.
    age_days: Some = 365
    #: Share of deployments that fail.
    failure_share: Share = 0.05
    #: MiB that each step of a deployment hashes: work for the CPU of whoever runs it.
    work: Amount = 0
    #: Seconds that it waits besides, as for a service to stop.
    wait: Amount = 0

    @property
    def labour(self) -> Labour:
        """What each step of a deployment does."""
        return Labour(self.work, self.wait)

    @property
    def releases(self) -> int:
        """Releases of all projects of a space."""
        return self.projects * self.releases_per_project

    @property
    def deployments(self) -> int:
        """Deployments of all releases of a space; none without releases."""
        return round(self.releases * self.deployments_per_release)

    @property
    def runs(self) -> int:
        """Runs of all runbooks of a space."""
        return self.projects * self.runbooks * self.runs_per_runbook

    def at_depth(self, depth: float) -> "History":
        """Return it with that many times the releases and runs, over as many times the days: it goes further back.

        Projects, environments and all else that has no time stay as they are.

        Raises:
            UsageError: it would be too large.
        """
        deep = msgspec.structs.replace(
            self,
            releases_per_project=_times(self.releases_per_project, depth),
            runs_per_runbook=_times(self.runs_per_runbook, depth),
            age_days=_times(self.age_days, depth),
        )
        try:
            return msgspec.convert(msgspec.to_builtins(deep), History)
        except msgspec.ValidationError as exc:
            cure = "Take a smaller depth, or a smaller history."
            raise UsageError(f"history {self.name!r} cannot be {depth:g} times as deep: {exc}", cure) from exc

    @property
    def mark(self) -> str:
        """The text in a description by which octoload knows its own: the same settings, the same mark.

        Settings at their defaults do not count, so that those which a later version adds leave it as it is.
        """
        told = {
            field.name: value
            for field in msgspec.structs.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
        digest = hashlib.sha256(msgspec.json.encode(told)).hexdigest()
        return f"octoload:{digest[:16]}"


def _times(amount: int, depth: float) -> int:
    """Multiply an amount; what was there stays there."""
    return max(1, round(amount * depth)) if amount else 0


def load(path: Path) -> History:
    """Read and check a history; one without a name takes its file's.

    Raises:
        UsageError: the file is missing, empty, half-written, has unknown keys or wrong values.
    """
    history = yamlfile.load(path, History)
    if history.name:
        return history
    return msgspec.structs.replace(history, name=path.stem[:46])


def find(name: str, beside: Path) -> Path:
    """Return the file of a history: a path, a file `beside` another, or the name of one that octoload brings.

    Raises:
        UsageError: there is none.
    """
    for path in (Path(name), beside / name):
        if path.is_file():
            return path
    brought = Path(str(importlib.resources.files("seeders"))) / "histories"
    names = {file.stem: file for file in sorted(brought.glob("*.yaml"))}
    if name in names:
        return names[name]
    raise UsageError(
        f"there is no history {name!r}", f"Name a YAML file, or one of those that octoload brings: {', '.join(names)}."
    )
