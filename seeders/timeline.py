"""One project through the years: releases, their deployments and promotions, and runs, in the order of their times."""

import heapq
import math
from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from seeders import scripts
from seeders.rhythm import Rhythm
from seeders.stream import Deployment, Release, RunbookRun

#: Share of releases that are deployed at all, where there are deployments enough.
_DEPLOYED = 0.92
#: Share of releases that go on to the next environment rather than to the same one again.
_PROMOTED = 0.78
#: Share of new versions that raise the major, and the major or the minor number.
_MAJOR, _MINOR = 0.005, 0.15
#: Median and spread (sigma of the logarithm) of a deployment's minutes; "mostly 20 to 30 min" is a large instance's
#: figure (octopus-facts §6), most are shorter.
_MINUTES, _SPREAD = 4.0, 0.8
#: Share of its environment's time that a busy project may fill; its deployments are quicker where they must be.
_BUSY = 0.25
#: What a wait or a run may take at most of the time that is left: everything ends before the history does.
_OF_THE_REST = 0.2
#: Median working hours until a release goes on.
_NEXT = 3.0
#: Share of releases that go into another channel than the default one, where there is one.
_CHANNELLED = 0.2
#: Median seconds until a release is deployed at first, until a failed deployment is tried again, and in the queue.
_FIRST, _RETRY, _QUEUE = 120.0, 900.0, 4.0


class Quota(msgspec.Struct, frozen=True):
    """What one project gets."""

    space: str
    project: str
    #: Environments in the order of promotion.
    environments: Sequence[str]
    #: Tenants that take this project; deployments to the last environment go to one of them.
    tenants: Sequence[str]
    releases: int
    deployments: int
    failure_share: float
    #: Seconds relative to the end of the history at which the project begins.
    since: float
    #: Whether a release goes from environment to environment, each after a success in the one before.
    promotion: bool = True
    channels: Sequence[str] = ()
    #: Versions of its package, the oldest first.
    packages: Sequence[str] = ()
    runbooks: Sequence[str] = ()
    #: Runs of all of its runbooks.
    runs: int = 0

    @property
    def total(self) -> int:
        """All that happens to it."""
        return self.releases + self.deployments + self.runs


class _Journey:
    """A release on its way through the environments."""

    __slots__ = ("environment", "left", "number", "reached", "release")

    def __init__(self, release: str, left: int) -> None:
        self.release = release
        self.left = left  # deployments still to come
        self.number = 0  # deployments so far
        self.environment = 0  # where the next one goes
        self.reached = 0  # the farthest one


def project(quota: Quota, rhythm: Rhythm, random: Random) -> Iterator[Release | Deployment]:
    """Yield exactly `quota.releases` releases and `quota.deployments` deployments.

    A release goes to the first environment, and on to the next one only after a success (octopus-api §A.4); a failed
    deployment is tried again. One deployment runs at a time in a project and environment (octopus-facts §2.2).
    """
    moments = rhythm.draw(random, quota.releases, quota.since)
    shares = _share_out(quota.deployments, quota.releases, random)
    deployments = _Deployments(quota, rhythm, random)
    version = (1, 0, 0)
    for number, (moment, share) in enumerate(zip(moments, shares, strict=True)):
        yield from deployments.until(moment)
        text = ".".join(map(str, version))
        key = f"{quota.project}-{text}"
        channel = _one_of(quota.channels, random) if quota.channels and random.random() < _CHANNELLED else ""
        package = quota.packages[number * len(quota.packages) // quota.releases] if quota.packages else ""
        yield Release(key, quota.space, quota.project, text, round(moment, 3), channel, package)
        if share:
            deployments.begin(_Journey(key, share), moment)
        version = _next(version, random.random())
    yield from deployments.until(0.0)


def runs(quota: Quota, rhythm: Rhythm, random: Random) -> Iterator[RunbookRun]:
    """Yield exactly `quota.runs` runs of a project's runbooks, in the order of their times."""
    for number, moment in enumerate(rhythm.draw(random, quota.runs, quota.since), 1):
        runbook = _one_of(quota.runbooks, random)
        started = moment + min(_QUEUE, -moment * _OF_THE_REST)
        took = 60 * _MINUTES * math.exp(_SPREAD * random.normalvariate())
        completed = started + min(took, -started * _OF_THE_REST)
        yield RunbookRun(
            f"{runbook}-{number}",
            quota.space,
            runbook,
            quota.project,
            _one_of(quota.environments, random),
            round(moment, 3),
            round(started, 3),
            round(completed, 3),
            "Success",
        )


class _Deployments:
    """The deployments of a project: which come next, and when its environments are free."""

    def __init__(self, quota: Quota, rhythm: Rhythm, random: Random) -> None:
        self._quota = quota
        self._rhythm = rhythm
        self._random = random
        self._minutes = min(_MINUTES, _BUSY * -quota.since / 60 / max(1, quota.deployments))
        self._free = [-math.inf] * len(quota.environments)
        #: (when it is queued, a number that settles ties, whose it is)
        self._coming: list[tuple[float, int, _Journey]] = []
        self._ties = 0

    def begin(self, journey: _Journey, assembled: float) -> None:
        """Let a release set out."""
        self._queue(journey, self._later(assembled, _FIRST))

    def until(self, moment: float) -> Iterator[Deployment]:
        """Yield the deployments that are queued up to a moment."""
        coming = self._coming
        while coming and coming[0][0] <= moment:
            queued, _, journey = heapq.heappop(coming)
            yield self._deploy(journey, queued)

    def _deploy(self, journey: _Journey, queued: float) -> Deployment:
        random, quota, where = self._random, self._quota, journey.environment
        started = max(self._later(queued, _QUEUE), self._free[where])
        completed = self._later(started, 60 * self._minutes, _SPREAD)
        self._free[where] = completed
        failed = random.random() < quota.failure_share
        last = where == len(quota.environments) - 1
        tenants = quota.tenants
        journey.number += 1
        journey.left -= 1
        deployment = Deployment(
            f"{journey.release}-{journey.number}",
            quota.space,
            journey.release,
            quota.project,
            quota.environments[where],
            round(queued, 3),
            round(started, 3),
            round(completed, 3),
            "Failed" if failed else "Success",
            tenants[int(random.random() * len(tenants))] if last and tenants else "",
            scripts.FAIL if failed else "",
        )
        if journey.left and not quota.promotion:
            journey.environment = journey.number % len(quota.environments)
            self._queue(journey, self._later(queued, _FIRST))
        elif journey.left:
            self._go_on(journey, failed)
            self._queue(journey, self._later(completed, _RETRY) if failed else self._next_session(completed))
        return deployment

    def _go_on(self, journey: _Journey, failed: bool) -> None:  # noqa: FBT001  (a fact, not a switch)
        """Choose the environment of a release's next deployment."""
        if failed:
            return
        last = len(self._quota.environments) - 1
        chance = self._random.random()
        if journey.reached < last and chance < _PROMOTED:
            journey.reached += 1
            journey.environment = journey.reached
        else:
            journey.environment = int(self._random.random() * (journey.reached + 1))

    def _queue(self, journey: _Journey, when: float) -> None:
        self._ties += 1
        heapq.heappush(self._coming, (when, self._ties, journey))

    def _later(self, moment: float, median: float, spread: float = 0.6) -> float:
        """Return a moment after another, by a log-normal time, and before the end of the history."""
        drawn = median * math.exp(spread * self._random.normalvariate())
        return moment + min(drawn, -moment * _OF_THE_REST)

    def _next_session(self, moment: float) -> float:
        """Return the moment after another when people go on with a release, before the end of the history."""
        drawn = self._rhythm.after(moment, _NEXT * math.exp(self._random.normalvariate()))
        return min(drawn, moment - moment * _OF_THE_REST)


def _share_out(total: int, releases: int, random: Random) -> Iterator[int]:
    """Yield how many deployments each release gets; most get one or more, few get many, all together exactly `total`.

    The mean of what is left steers each draw, so that the last release takes what remains without being unlike others.
    """
    for left in range(releases, 1, -1):
        drawn = min(total, _amount(total / left, random))
        total -= drawn
        yield drawn
    if releases:
        yield total


def _one_of(keys: Sequence[str], random: Random) -> str:
    return keys[int(random.random() * len(keys))]


def _amount(mean: float, random: Random) -> int:
    """Return none or a geometric number, of a mean."""
    deployed = min(_DEPLOYED, mean)
    if random.random() >= deployed:
        return 0
    more = mean / deployed - 1
    return 1 if more <= 0 else 1 + int(math.log(1 - random.random()) / math.log(more / (1 + more)))


def _next(version: tuple[int, int, int], chance: float) -> tuple[int, int, int]:
    """Return the version after this one."""
    major, minor, patch = version
    if chance < _MAJOR:
        return major + 1, 0, 0
    if chance < _MINOR:
        return major, minor + 1, 0
    return major, minor, patch + 1
