"""The guard: whether a history may be written to a server, and what stands against it; pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from octoload.errors import UsageError
from seeders.situation import RECENT, Situation

#: Spaces came with 2019.1.
_OLDEST = (2019, 1)
#: Kind of a history → what a licence calls it (octopus-api §A.22).
_LICENSED = {"project": "projects", "tenant": "tenants", "machine": "machines", "space": "spaces", "user": "users"}
#: Requests that a release and a deployment cost, with the looks at its task.
_REQUESTS = 1.2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a server."""

    name: str
    #: `refuse` stands against writing; what `confirm` says, the instance's name overrules; `warn` does not.
    state: Literal["ok", "warn", "confirm", "refuse"]
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What a history asks of a server."""

    #: Names of its spaces, and the mark by which they are known as its own.
    spaces: tuple[str, ...]
    mark: str
    #: Resources by kind that are still to be made.
    missing: Mapping[str, int]


def judge(found: Situation, need: Need, named: str = "") -> list[Finding]:
    """Return all that is to be said of a server, in the order of the table.

    Args:
        found: the server.
        need: what is to be written to it.
        named: the name that somebody gave the instance, to say that it is one for tests.
    """
    findings = [
        _version(found),
        _permission(found, need),
        _space(found, need),
        _maintenance(found),
        _nodes(found, need),
        *_licence(found, need),
        _rate(found, need),
        _clone(found),
        _triggers(found),
        _activity(found),
    ]
    return [_confirmed(finding, found, named) for finding in findings]


def require(findings: list[Finding], url: str) -> None:
    """See that nothing stands against writing.

    Raises:
        UsageError: something does; the message lists all of it.
    """
    against = [finding for finding in findings if finding.state in ("refuse", "confirm")]
    if against:
        cures = dict.fromkeys(finding.cure for finding in against)
        raise UsageError(f"{url} is not written to: {'; '.join(one.message for one in against)}", " ".join(cures))


def _version(found: Situation) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", found.version)[:2])
    if numbers and (0, 0) < numbers < _OLDEST:
        return Finding("version", "refuse", f"version {found.version} has no spaces", "Take 2019.1 or newer.")
    return Finding("version", "ok", f"version {found.version or 'unknown'}")


def _permission(found: Situation, need: Need) -> Finding:
    if found.may_create is None:
        return Finding("permissions", "warn", "what the key's user may do cannot be seen")
    if not found.may_create and need.missing.get("space"):
        return Finding(
            "permissions", "refuse", "the key's user may not create spaces", "Use the key of an administrator."
        )
    return Finding(
        "permissions", "ok", "the key's user may create spaces" if found.may_create else "no space is to be made"
    )


def _space(found: Situation, need: Need) -> Finding:
    named = {name.lower() for name in need.spaces}
    there = [space for space in found.spaces if space.name.lower() in named]
    for space in there:
        if need.mark not in space.description:
            made = "another history" if "octoload:" in space.description else "somebody else"
            return Finding(
                "space",
                "refuse",
                f"the space {space.name!r} is there already, made by {made}",
                "Give the history another name: octoload writes into spaces of its own only.",
            )
    what = f"{len(there)} of {len(need.spaces)} are there, made from this history" if there else "to be made"
    return Finding("space", "ok", f"spaces: {what}")


def _maintenance(found: Situation) -> Finding:
    if found.maintenance:
        return Finding(
            "maintenance", "refuse", "it is in maintenance mode and takes no changes", "End it: Configuration."
        )
    return Finding("maintenance", "ok", "not in maintenance mode")


def _nodes(found: Situation, need: Need) -> Finding:
    if found.nodes is None:
        return Finding("nodes", "warn", "its nodes cannot be seen")
    working = [node for node in found.nodes if node.works and node.cap]
    tasks = sum(node.cap for node in working)
    if not tasks and (need.missing.get("deployment") or need.missing.get("runbook_run")):
        return Finding(
            "nodes", "refuse", "no node takes tasks: deployments would never run", "End the drain, or raise the cap."
        )
    return Finding("nodes", "ok", f"{len(working)} of {len(found.nodes)} nodes take {tasks} tasks at once")


def _licence(found: Situation, need: Need) -> Iterator[Finding]:
    if found.licensed is None:
        yield Finding("licence", "warn", "its licence cannot be seen")
        return
    over = [
        f"{need.missing[kind]:,} {name} where it allows {max(0, found.licensed[name]):,} more"
        for kind, name in _LICENSED.items()
        if need.missing.get(kind, 0) > max(0, found.licensed.get(name, need.missing.get(kind, 0)))
    ]
    if over:
        yield Finding(
            "licence",
            "refuse",
            f"its licence is too small: {', '.join(over)}",
            "Ask for less, or use a licence for tests: over its limits Octopus stops releases and deployments.",
        )
    elif not found.compliant:
        yield Finding("licence", "refuse", "its licence is exceeded already", "Octopus stops releases and deployments.")
    else:
        yield Finding("licence", "ok", "its licence is large enough")


def _rate(found: Situation, need: Need) -> Finding:
    if not found.rate_limits:
        return Finding("rate limits", "ok", "no rate limit for keys" if found.rate_limits == [] else "none seen")
    slowest = min(limit.requests_per_minute for limit in found.rate_limits)
    minutes = sum(need.missing.values()) * _REQUESTS / max(1, slowest)
    return Finding(
        "rate limits",
        "warn",
        f"{slowest} requests a minute are allowed: this takes {minutes:,.0f} minutes at least",
        "With --lift-rate-limits they are off meanwhile, and put back at the end.",
    )


def _clone(found: Situation) -> Finding:
    if found.clone:
        return Finding(
            "clone",
            "warn",
            "it is a copy of another instance, with whatever that one has: targets, triggers, subscriptions",
            "Disable them first: Octopus' guide to a test instance says how.",
        )
    return Finding("clone", "ok", "no copy of another instance")


def _triggers(found: Situation) -> Finding:
    count = (found.triggers or 0) + (found.subscriptions or 0)
    if not count:
        return Finding("triggers", "ok", "no triggers and subscriptions are enabled")
    said = f"{found.triggers or 0} triggers and {found.subscriptions or 0} subscriptions of others are enabled"
    if found.clone:
        return Finding("triggers", "confirm", f"{said}, on a copy of another instance", _name_it(found))
    return Finding("triggers", "warn", said, "Disable what must not answer to a load test.")


def _activity(found: Situation) -> Finding:
    if found.deployments is None or found.people is None:
        return Finding("activity", "confirm", "whether others use it cannot be seen", _name_it(found))
    if found.deployments or found.people:
        return Finding(
            "activity",
            "confirm",
            f"it looks like production: in {RECENT} days {found.deployments} deployments that are not octoload's, "
            f"logins of {found.people} other people",
            _name_it(found),
        )
    return Finding("activity", "ok", f"nobody else has deployed or logged in for {RECENT} days")


def _confirmed(finding: Finding, found: Situation, named: str) -> Finding:
    """Let a name that is the instance's own overrule what has to be confirmed."""
    if finding.state != "confirm" or not named:
        return finding
    if named.lower() in names(found):
        return Finding(finding.name, "warn", f"{finding.message} (named as a test instance)")
    return Finding(finding.name, "refuse", f"{finding.message}; and {named!r} is not its name", finding.cure)


def names(found: Situation) -> list[str]:
    """Return the names that an instance goes by, in lower case: those of its nodes."""
    return [node.name.lower() for node in found.nodes or ()]


def _name_it(found: Situation) -> str:
    name = found.nodes[0].name if found.nodes else "NAME"
    return f"If it is for tests, say so by its node's name: --this-is-a-test-instance {name}"
