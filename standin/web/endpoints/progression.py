"""How releases move through a lifecycle: of one release, and of a project's newest (octopus-api §A.15, §A.19)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin import kinds
from standin.documents import Document, find, get, get_many
from standin.lifecycles import Phase, is_complete, open_environments, phases_of
from standin.statements import queries
from standin.web.call import Call
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.releases import release_of
from standin.web.items import show_item
from standin.web.refusals import bad_request
from standin.web.resources import CHANNEL, DEPLOYMENT, RELEASE
from standin.web.tasks import show as show_task


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a channel's releases."""

    #: the channel
    channel: Document
    #: its lifecycle, or its project's
    lifecycle: Document
    #: the phases of that lifecycle
    phases: list[Phase]


async def read_project_progression(call: Call) -> Any:
    """Return a project's newest releases and those that are deployed somewhere, each with its deployments."""
    count = call.query.number("releasehistorycount", 3) or 0
    if not 1 <= count <= 100:
        raise bad_request("'releaseHistoryCount' must be between 1 and 100.")
    async with call.state.pool.acquire() as conn:
        project = await project_of(call, conn)
        listed = [row["id"] for row in await conn.fetch(queries("web/progression")["releases"], project["Id"], count)]
        releases = await get_many(conn, kinds.RELEASE, listed)
        items = await conn.fetch(queries("web/progression")["items"], project["Id"], listed)
        environments = await conn.fetch(queries("web/progression")["environments"], project["SpaceId"])
        ways = await _ways(conn, project, [row["id"] for row in environments])
    deployed: dict[str, list[Document]] = {}
    for row in items:
        deployed.setdefault(row["releaseid"], []).append(show_item(row, project["SpaceId"]))
    newest = sorted(releases.values(), key=lambda one: (one["Assembled"], len(one["Id"]), one["Id"]), reverse=True)
    names = {row["id"]: row["name"] for row in environments}
    return {
        "Id": f"progression-{project['Id']}",
        **_environments(ways.values(), names),
        "Releases": [_release(one, deployed.get(one["Id"], ()), ways[one["ChannelId"]]) for one in newest],
        "Links": {"Self": call.path},
    }


async def read_release_progression(call: Call) -> Any:
    """Return how far a release has come through the phases of its lifecycle, and where it may go next."""
    release = await release_of(call)
    async with call.state.pool.acquire() as conn:
        way = await way_of(conn, release)
        rows = await conn.fetch(queries("web/releases")["deployments_with_tasks"], release["Id"])
        deployed = await get_many(conn, kinds.DEPLOYMENT, [row["id"] for row in rows])
        ran = await get_many(conn, kinds.TASK, [row["taskid"] for row in rows])
    pairs: dict[str, list[Document]] = {}
    for row in rows:
        pair = {"Task": show_task(ran[row["taskid"]]), "Deployment": DEPLOYMENT.show(deployed[row["id"]])}
        pairs.setdefault(row["environmentid"], []).append(pair)
    succeeded = {row["environmentid"] for row in rows if row["state"] == "Success"}
    opened = open_environments(way.phases, succeeded)
    return {
        "Id": f"progression-{release['Id']}",
        "Phases": [_phase(way, number, pairs, succeeded, opened) for number in range(len(way.phases))],
        "NextDeployments": _next(release, opened, succeeded),
        "NextDeploymentsMinimumRequired": 0,
        "Links": {"Self": call.path},
    }


async def _ways(conn: Any, project: Document, environments: Sequence[str]) -> dict[str, Way]:
    """Return the way of each channel of a project."""
    channels = await find(conn, kinds.CHANNEL, ProjectId=project["Id"])
    wanted = {channel["LifecycleId"] or project["LifecycleId"] for channel in channels}
    lifecycles = await get_many(conn, kinds.LIFECYCLE, wanted)
    ways = {}
    for channel in channels:
        lifecycle = lifecycles[channel["LifecycleId"] or project["LifecycleId"]]
        ways[channel["Id"]] = Way(channel, lifecycle, phases_of(lifecycle, environments))
    return ways


async def way_of(conn: Any, release: Document) -> Way:
    """Return the way of a release."""
    project = await get(conn, kinds.PROJECT, release["ProjectId"])
    environments = await conn.fetch(queries("web/progression")["environments"], release["SpaceId"])
    return (await _ways(conn, project, [row["id"] for row in environments]))[release["ChannelId"]]


def _environments(ways: Collection[Way], names: Mapping[str, str]) -> Document:
    """Return the environments of a project: all of them, by channel, and by lifecycle."""

    def named(way: Way) -> list[Document]:
        return [{"Id": one, "Name": names[one]} for phase in way.phases for one in phase.environments if one in names]

    used = {item["Id"] for way in ways for item in named(way)}
    return {
        "Environments": [{"Id": one, "Name": name} for one, name in names.items() if one in used],
        "ChannelEnvironments": {way.channel["Id"]: named(way) for way in ways},
        "LifecycleEnvironments": {way.lifecycle["Id"]: named(way) for way in ways},
    }


def _release(release: Document, items: Sequence[Document], way: Way) -> Document:
    """Return a release of a project's progression."""
    deployments: dict[str, list[Document]] = {}
    for item in items:
        deployments.setdefault(item["EnvironmentId"], []).append(item)
    succeeded = {item["EnvironmentId"] for item in items if item["State"] == "Success"}
    opened = open_environments(way.phases, succeeded)
    return {
        "Release": RELEASE.show(release),
        "Channel": CHANNEL.show(way.channel),
        "Deployments": deployments,
        "NextDeployments": _next(release, opened, succeeded),
        "HasUnresolvedDefect": bool(release.get("HasUnresolvedDefect")),
        "ReleaseRetentionPeriod": _policy(way, deployments),
        "TentacleRetentionPeriod": way.lifecycle.get("TentacleRetentionPolicy"),
    }


def _next(release: Document, opened: Sequence[str], succeeded: Collection[str]) -> list[str]:
    """Return where a release may go next; with an unresolved defect, nowhere."""
    return [] if release.get("HasUnresolvedDefect") else [one for one in opened if one not in succeeded]


def _policy(way: Way, deployments: Collection[str]) -> Document | None:
    """Return the policy that a release is under: that of the last phase it has reached, else of the first."""
    reached = [phase for phase in way.phases if any(one in deployments for one in phase.environments)]
    return (reached[-1] if reached else way.phases[0]).policy if way.phases else None


def _phase(
    way: Way,
    number: int,
    pairs: Mapping[str, list[Document]],
    succeeded: Collection[str],
    opened: Collection[str],
) -> Document:
    """Return a phase of a release's way: complete, under way, or still to come."""
    phase = way.phases[number]
    sources = way.lifecycle.get("Phases")
    automatic = sources[number].get("AutomaticDeploymentTargets") or [] if sources else []
    blocked = not any(environment in opened for environment in phase.environments)
    return {
        "Id": phase.id,
        "Name": phase.name,
        "Blocked": blocked,
        "Progress": "Complete" if is_complete(phase, succeeded) else "Pending" if blocked else "Current",
        "Deployments": [pair for environment in phase.environments for pair in pairs.get(environment, ())],
        "AutomaticDeploymentTargets": automatic,
        "OptionalDeploymentTargets": [one for one in phase.environments if one not in automatic],
        "MinimumEnvironmentsBeforePromotion": phase.minimum,
        "IsOptionalPhase": phase.optional,
    }
