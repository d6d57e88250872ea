"""The situation of a server before anything is written to it: what it is, what it allows, and who else uses it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from octoload.access import AGENT
from octoload.api import Octopus
from octoload.errors import AccessDeniedError, NotOctopusError, RejectedError

#: Days that count as recent.
RECENT = 7
#: Events looked at, of so many spaces at a time; more of them are as telling as these.
_EVENTS, _SPACES = 500, 50
#: Categories that say who uses a server (octopus-api §A.20).
_DEPLOYED = ("DeploymentQueued", "RunbookRunQueued")
_LOGIN = "LoginSucceeded"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster."""

    name: str
    #: Tasks at once.
    cap: int
    #: Whether it is online and takes tasks.
    works: bool


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rate limiting policy that is in force."""

    id: str
    requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Space:
    """A space as the list of them shows it."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What a server says; None where it does not tell, or not to this key's user."""

    url: str
    version: str
    maintenance: bool | None
    clone: bool | None
    nodes: Sequence[Node] | None
    #: Kind, as the licence calls it in lower case → how many more it allows; kinds without a limit are left out.
    licensed: dict[str, int] | None
    compliant: bool
    rate_limits: Sequence[RateLimit] | None
    spaces: Sequence[Space]
    #: Whether the key's user may create spaces.
    may_create: bool | None
    #: Deployments and runbook runs of the last days that octoload did not ask for.
    deployments: int | None
    #: People other than the key's user who logged in within the last days.
    people: int | None
    #: Enabled in spaces that are not octoload's.
    triggers: int | None
    subscriptions: int | None


def read(octopus: Octopus, now: dt.datetime) -> Situation:
    """Read the situation of a server; nothing is written.

    Raises:
        AccessDeniedError: the key is not accepted at all.
        NotOctopusError: something else answers.
        ServerError: the server fails.
    """
    version = octopus.identify().version
    me = octopus.get("/api/users/me")["Id"]
    spaces = [Space(one["Id"], one["Name"], one.get("Description") or "") for one in octopus.get("/api/spaces/all")]
    status = _ask(octopus, "/api/serverstatus") or {}
    licence = _ask(octopus, "/api/licenses/licenses-current-status") or {}
    others = [space.id for space in spaces if "octoload:" not in space.description]
    events = _recent_events(octopus, now, others)
    return Situation(
        url=octopus.shown_url,
        version=version,
        maintenance=status.get("IsInMaintenanceMode"),
        clone=status.get("IsPotentialClone"),
        nodes=_nodes(_ask(octopus, "/api/octopusservernodes/summary")),
        licensed=_licensed(licence.get("Limits")),
        compliant=licence.get("IsCompliant", True),
        rate_limits=_rate_limits(_ask(octopus, "/api/ratelimitingpolicies")),
        spaces=spaces,
        may_create=_may_create(_ask(octopus, f"/api/users/{me}/permissions")),
        deployments=None if events is None else sum(one["Category"] in _DEPLOYED for one in events),
        people=None if events is None else len({one["UserId"] for one in events if one["Category"] == _LOGIN} - {me}),
        triggers=_enabled(octopus, "projecttriggers", others),
        subscriptions=_enabled(octopus, "subscriptions", others),
    )


def _ask(octopus: Octopus, path: str, **query: Any) -> Any:
    """Return a document, or None when this version has none or this user may not see it."""
    try:
        return octopus.get(path, **query)
    except (AccessDeniedError, NotOctopusError):
        return None
    except RejectedError as exc:
        if exc.status == 404:
            return None
        raise


def _nodes(summary: Any) -> Sequence[Node] | None:
    if not summary:
        return None
    return [
        Node(
            one["Name"],
            one.get("MaxConcurrentTasks") or 0,
            not one.get("IsInMaintenanceMode") and not one.get("IsOffline"),
        )
        for one in summary["Nodes"]
    ]


def _licensed(limits: Any) -> dict[str, int] | None:
    if limits is None:
        return None
    limited = [one for one in limits if not one.get("IsUnlimited")]
    return {one["Name"].lower(): one["EffectiveLimit"] - one.get("CurrentUsage", 0) for one in limited}


def _rate_limits(page: Any) -> Sequence[RateLimit] | None:
    """Return the policies that hold for users with keys and limit rather than watch (octopus-api §B.5)."""
    if page is None:
        return None
    return [
        RateLimit(one["Id"], one["RequestsPerMinute"])
        for one in page["Items"]
        if one.get("IsEnabled") and not one.get("AuditMode") and one.get("ScopeType") != "Unauthenticated"
    ]


def _may_create(permissions: Any) -> bool | None:
    """Return whether the user may create spaces: a system permission, which administrators have (octopus-api §A.1)."""
    system = (permissions or {}).get("SystemPermissions")
    return None if system is None else bool({"SpaceCreate", "AdministerSystem"} & set(system))


def _recent_events(octopus: Octopus, now: dt.datetime, spaces: Sequence[str]) -> list[dict[str, Any]] | None:
    """Return deployments and logins of the last days in some spaces that are not octoload's own."""
    since, events = (now - dt.timedelta(days=RECENT)).isoformat(timespec="seconds"), []
    for start in range(0, len(spaces), _SPACES):
        page = _ask(
            octopus,
            "/api/events",
            eventCategories=[*_DEPLOYED, _LOGIN],
            **{"from": since},
            spaces=list(spaces[start : start + _SPACES]),
            includeSystem=str(start == 0).lower(),
            take=_EVENTS,
            excludeDifference="true",
        )
        if page is None:
            return None
        events += page["Items"]
    ours = AGENT.partition("/")[0] + "/"
    return [one for one in events if not (one.get("UserAgent") or "").startswith(ours)]


def _enabled(octopus: Octopus, path: str, spaces: Iterable[str]) -> int | None:
    """Return how many of a list's resources are enabled in some spaces."""
    pages = [_ask(octopus, f"/api/{space}/{path}", take=1000) for space in spaces]
    known = [page for page in pages if page is not None]
    if pages and not known:
        return None
    return sum(not item.get("IsDisabled") for page in known for item in page["Items"])
