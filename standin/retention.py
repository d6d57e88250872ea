"""Retention's rules, pure: which releases of a channel stay and which go (octopus-facts §1b)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from standin.lifecycles import Phase


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that retention looks at."""

    #: id of the release
    id: str
    #: its version
    version: str
    #: when it was assembled
    assembled: datetime
    #: environment → time of its last deployment there
    deployed: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a release, and why."""

    #: the release
    release: Candidate
    #: it stays
    keep: bool
    #: the reason, as the task log says it
    reason: str


def decide(
    releases: Sequence[Candidate],
    phases: Sequence[Phase],
    shown: Collection[str],
    previous: Collection[str],
    now: datetime,
) -> list[Decision]:
    """Decide about the releases of one project and channel, newest first.

    `shown` are the ids of releases on a dashboard, `previous` those that one of them could be rolled back to: both
    stay and take no place in the counters. A release that was never deployed counts for itself, under the policy of
    the first phase. Any other goes only if every phase that it was deployed to has kept enough; when it stays, it
    counts in all of them.
    """
    kept: dict[str, int] = {}
    decisions = []
    for release in sorted(releases, key=lambda one: one.assembled, reverse=True):
        if release.id in shown:
            decisions.append(Decision(release, keep=True, reason="it is on the dashboard"))
        elif release.id in previous:
            decisions.append(Decision(release, keep=True, reason="the one on the dashboard could be rolled back to it"))
        else:
            decisions.append(_weigh(release, _counters(release, phases), kept, now))
    return decisions


@dataclass(frozen=True, slots=True)
class _Counter:
    name: str
    policy: Mapping[str, Any]
    since: datetime


def _weigh(release: Candidate, counters: Sequence[_Counter], kept: dict[str, int], now: datetime) -> Decision:
    verdicts = [_fits(counter, kept.get(counter.name, 0), now) for counter in counters]
    keep = any(verdicts)
    told = "; ".join(_tell(counter, kept.get(counter.name, 0)) for counter in counters)
    if keep:
        for counter in counters:
            kept[counter.name] = kept.get(counter.name, 0) + 1
    return Decision(release, keep, told)


def _counters(release: Candidate, phases: Sequence[Phase]) -> list[_Counter]:
    """Return what a release counts in: its phases, or the undeployed."""
    if not release.deployed:
        policy = phases[0].policy if phases else {}
        return [_Counter("undeployed", policy, release.assembled)]
    counters = []
    for phase in phases:
        times = [release.deployed[one] for one in phase.environments if one in release.deployed]
        if times:
            counters.append(_Counter(f"phase {phase.name}", phase.policy, max(times)))
    if not counters:  # its environments have left the lifecycle: the last phase's policy is as near as it gets
        policy = phases[-1].policy if phases else {}
        counters.append(_Counter("no phase", policy, max(release.deployed.values())))
    return counters


def _fits(counter: _Counter, kept: int, now: datetime) -> bool:
    quantity = keeps(counter.policy)
    if quantity is None:
        return True
    if counter.policy.get("Unit") == "Days":
        return counter.since >= now - timedelta(days=quantity)
    return kept < quantity


def keeps(policy: Mapping[str, Any]) -> int | None:
    """Return how many items or days a policy keeps; None = for ever (0 means that too; octopus-api §A.4)."""
    quantity = int(policy.get("QuantityToKeep") or 0)
    forever = policy.get("Strategy") in ("Forever", "Default") or policy.get("ShouldKeepForever") or quantity == 0
    return None if forever else quantity


def _tell(counter: _Counter, kept: int) -> str:
    quantity = keeps(counter.policy)
    if quantity is None:
        return f"{counter.name}: everything is kept"
    if counter.policy.get("Unit") == "Days":
        return f"{counter.name}: {quantity} days are kept, last used {counter.since:%Y-%m-%d}"
    return f"{counter.name}: {kept} of {quantity} kept so far"
