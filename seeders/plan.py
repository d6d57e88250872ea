"""A history turned into its stream of resources: deterministic, in bounded memory, skewed like life."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from seeders import scripts, timeline
from seeders.history import History
from seeders.names import Names
from seeders.rhythm import Rhythm
from seeders.stream import (
    Channel,
    Environment,
    Lifecycle,
    Machine,
    Package,
    Phase,
    Process,
    Project,
    ProjectGroup,
    Release,
    Resource,
    Runbook,
    Space,
    Step,
    TagSet,
    Team,
    Tenant,
    Timed,
    User,
    Variable,
    Variables,
)

#: The exponent of Zipf's law over projects, flattened at the top: one in fifty makes about an eighth of all releases.
_ZIPF, _FLAT = 0.9, 1.0
#: Projects of a project group.
_GROUP = 8
#: One in so many projects is sold to tenants.
_TENANTED = 3
_STEPS = ("Prepare", "Deploy", "Check")
#: The step that refers to the project's package; targets at a time of a rolling step.
PACKAGED, _WINDOW = "Deploy", 2
#: Versions of a package and their bytes; users of a team.
_VERSIONS, _BYTES, _TEAM = ("1.0.0", "1.1.0", "2.0.0"), 20_000, 8
#: A stream's Bash runs wherever Octopus' own container does; the API writer turns it into PowerShell on Windows.
_SYNTAX: Literal["Bash"] = "Bash"
#: Share of variables that hold in one environment only, and of the projects on sale that a tenant takes.
_SCOPED, _TAKEN = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Life:
    """The releases and deployments of one project, drawn when asked for."""

    quota: timeline.Quota
    rhythm: Rhythm
    seed: str

    def __iter__(self) -> Iterator[Timed]:
        own = timeline.project(self.quota, self.rhythm, Random(self.seed))
        if not self.quota.runs:
            return own
        runs = timeline.runs(self.quota, self.rhythm, Random(f"{self.seed}/runs"))
        return heapq.merge(own, runs, key=moment)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a history asks for."""

    #: Resources of all spaces without a time, each after what it refers to.
    settings: Sequence[Resource]
    #: Projects of all spaces.
    lives: Sequence[Life]

    @property
    def total(self) -> int:
        """Resources in the stream."""
        return len(self.settings) + sum(life.quota.total for life in self.lives)

    def __iter__(self) -> Iterator[Resource]:
        """Yield all resources, releases and deployments of all projects in the order of their times."""
        yield from self.settings
        timed = [_timed(index, life) for index, life in enumerate(self.lives)]
        for _, _, record in heapq.merge(*timed):
            yield record


def draw(history: History) -> Plan:
    """Draw the plan of a history; the same history gives the same plan."""
    rhythm = Rhythm(history.age_days)
    spaces = [_Space(history, number) for number in range(1, history.spaces + 1)]
    settings = [*_people(history), *(resource for space in spaces for resource in space.draw_settings())]
    return Plan(settings, [life for space in spaces for life in space.draw_lives(rhythm)])


def moment(record: Timed) -> float:
    """Return when something happens, in seconds relative to the end of the history."""
    return record.assembled if isinstance(record, Release) else record.queued


def _timed(index: int, life: Life) -> Iterator[tuple[float, int, Timed]]:
    """Yield a project's records with their times; the project's place settles ties before records are compared."""
    for record in life:
        yield moment(record), index, record


def _people(history: History) -> Iterator[Resource]:
    """Yield users of the whole server and their teams; what they are called by carries the mark."""
    names, mark = Names(f"{history.seed}/people"), history.mark
    users = [f"u{number}" for number in range(1, history.users + 1)]
    for key in users:
        yield User(key, names.person(), f"{mark.replace(':', '-')}-{key}")
    for number, start in enumerate(range(0, len(users), _TEAM), 1):
        yield Team(f"tm{number}", f"{history.name} {number}".strip(), mark, users[start : start + _TEAM])


class _Space:
    """One space while it is drawn: settings first, then the lives of its projects."""

    def __init__(self, history: History, number: int) -> None:
        self._history = history
        self._number = number
        self._seed = f"{history.seed}/{number}"
        self._random = Random(self._seed)
        self._names = Names(self._seed)
        self._key = f"s{number}"
        self._environments = [f"e{order}" for order in range(1, history.environments + 1)]
        self._projects = [f"p{order}" for order in range(1, history.projects + 1)]
        self._tenants: list[Tenant] = []
        self._tag_sets: list[TagSet] = []
        self._packages: list[str] = []

    def draw_settings(self) -> Iterator[Resource]:
        """Yield all that has no time, each after what it refers to."""
        history, key = self._history, self._key
        title = history.name or "history"
        yield Space(key, title if self._number == 1 else f"{title} {self._number}", history.mark)
        yield from self._promotion()
        yield from self._machines()
        yield from self._library()
        for order, project in enumerate(self._projects):
            group = f"g{order // _GROUP + 1}"
            if order % _GROUP == 0:
                yield ProjectGroup(group, key, self._names.group(order // _GROUP))
            yield from self._project(project, group)
        self._tenants = list(self._draw_tenants())
        yield from self._tenants

    def draw_lives(self, rhythm: Rhythm) -> Iterator[Life]:
        """Share releases and deployments out over the projects, few of them busy, and let each one live."""
        history, random = self._history, self._random
        weights = [1 / (rank + 1 + _FLAT) ** _ZIPF for rank in range(history.projects)]
        random.shuffle(weights)
        releases = apportion(history.releases, weights)
        deployments = apportion(history.deployments, releases)
        for key, own, deployed in zip(self._projects, releases, deployments, strict=True):
            takers = [tenant.key for tenant in self._tenants if key in tenant.projects]
            # The busiest project is as old as the history; others came later, never in its last third.
            age = 1.0 if own == max(releases) else 1 - random.random() * 2 / 3
            quota = timeline.Quota(
                space=self._key,
                project=key,
                environments=self._environments,
                tenants=takers,
                releases=own,
                deployments=deployed,
                failure_share=history.failure_share,
                since=rhythm.start * age,
                promotion=history.promotion,
                channels=[channel.key for channel in self._channels(key)],
                packages=_VERSIONS if self._packages else (),
                runbooks=[f"{key}-b{number}" for number in range(1, history.runbooks + 1)],
                runs=history.runbooks * history.runs_per_runbook,
            )
            yield Life(quota, rhythm, f"{self._seed}/{key}")

    def _promotion(self) -> Iterator[Resource]:
        """Yield the environments, and a lifecycle with a phase for each that keeps releases for ever."""
        phases = []
        for order, key in enumerate(self._environments):
            name = self._names.environment(order, len(self._environments))
            yield Environment(key, self._key, name, order)
            phases.append(Phase(name, [key]))
        if not self._history.promotion:
            phases = [Phase("All", list(self._environments))]
        yield Lifecycle("l1", self._key, "Promotion", phases, keep=0)

    def _machines(self) -> Iterator[Machine]:
        """Yield deployment targets; the later an environment, the more it has."""
        weights = range(1, len(self._environments) + 1)
        for number in range(1, self._history.machines + 1):
            role = self._names.role()
            where = self._random.choices(self._environments, weights)
            yield Machine(f"m{number}", self._key, self._names.machine(role), where, [role])

    def _project(self, key: str, group: str) -> Iterator[Resource]:
        """Yield a project, its process of one to three steps, and its variables."""
        names, space = self._names, self._key
        yield Project(key, space, names.project(), group, "l1", f"Looked after by {names.person()}.")
        yield Process(key, space, self._steps(1 + int(self._random.random() * self._history.steps), self._package(key)))
        if self._history.variables:
            yield Variables(key, space, [self._variable(index) for index in range(self._history.variables)])

        yield from self._channels(key)
        for number in range(1, self._history.runbooks + 1):
            yield Runbook(f"{key}-b{number}", space, key, names.runbook(number - 1), self._steps(1, ""))

    def _library(self) -> Iterator[TagSet | Package]:
        """Yield tag sets and packages."""
        for index in range(self._history.tag_sets):
            self._tag_sets.append(TagSet(f"ts{index + 1}", self._key, *self._names.tag_set(index)))
        yield from self._tag_sets
        for index in range(self._history.packages):
            name = self._names.package().replace(" ", "")
            self._packages.append(name)
            for version in _VERSIONS:
                yield Package(f"k{index + 1}-{version}", self._key, name, version, _BYTES)

    def _channels(self, project: str) -> Iterator[Channel]:
        for index in range(self._history.channels):
            yield Channel(f"{project}-c{index + 1}", self._key, project, self._names.channel(index))

    def _package(self, project: str) -> str:
        """Return the package that a project deploys, or nothing."""
        return self._packages[int(project[1:]) % len(self._packages)] if self._packages else ""

    def _steps(self, count: int, package: str) -> list[Step]:
        """Return the steps of a process: of more than three, some run side by side and some on targets in turns."""
        names = [*_STEPS, *(f"Step {number}" for number in range(len(_STEPS) + 1, count + 1))][:count]
        if package and count == 1:
            names = [PACKAGED]
        rich = self._history.steps > len(_STEPS)
        return [
            Step(
                name,
                _SYNTAX,
                scripts.script(_SYNTAX, self._history.labour),
                parallel=rich and index % 4 == 3,
                role=self._names.any_role(index) if rich and index % 4 == 2 else "",
                window=_WINDOW if rich and index % 4 == 2 else 0,
                package=package if name == PACKAGED else "",
            )
            for index, name in enumerate(names)
        ]

    def _variable(self, index: int) -> Variable:
        """Return a variable; some hold in one environment only."""
        names = self._names
        scope = [self._any(self._environments)] if self._random.random() < _SCOPED else []
        return Variable(names.variable(index), f"{names.word()}-{names.word()}", scope)

    def _draw_tenants(self) -> Iterator[Tenant]:
        """Yield tenants; each takes about half of the projects that are sold, in the last environment."""
        sold, where = self._projects[::_TENANTED], self._environments[-1:]
        for number in range(1, self._history.tenants + 1):
            taken = [key for key in sold if self._random.random() < _TAKEN] or sold[:1]
            tags = [f"{one.name}/{one.tags[number % len(one.tags)]}" for one in self._tag_sets]
            yield Tenant(f"t{number}", self._key, self._names.tenant(), dict.fromkeys(taken, where), tags)

    def _any(self, keys: Sequence[str]) -> str:
        return keys[int(self._random.random() * len(keys))]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split a number into whole parts that follow weights and add up exactly: the method of largest remainders."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [int(share) for share in exact]
    by_rest = sorted(range(len(weights)), key=lambda index: parts[index] - exact[index])
    for index in by_rest[: total - sum(parts)]:
        parts[index] += 1
    return parts
