"""What a client needs to know before it creates a release: the next version, and the packages to choose (§A.9)."""

from datetime import UTC, datetime
from typing import Any

from standin import kinds
from standin.documents import Document, find, get, get_many
from standin.masks import next_version
from standin.references import packages_of
from standin.spaces import default_channel_of
from standin.statements import queries
from standin.web.call import Call
from standin.web.endpoints.common import referenced
from standin.web.endpoints.processes import owned_process
from standin.web.endpoints.projects import project_of
from standin.web.resources import CHANNEL


async def read_template(call: Call) -> Any:
    """Return the template of a deployment process."""
    process = await owned_process(call, call.state.pool)
    return await _template(call, await get(call.state.pool, kinds.PROJECT, process["ProjectId"]), process)


async def read_template_of_project(call: Call) -> Any:
    """Return the template of a project's deployment process."""
    project = await project_of(call)
    return await _template(call, project, await get(call.state.pool, kinds.PROCESS, project["DeploymentProcessId"]))


async def next_version_of(conn: Any, project: Document, channel: str | None) -> str:
    """Return the version that the next release of a project has when nobody names one."""
    rows = await conn.fetch(queries("web/processes")["last_releases"], project["Id"], channel)
    last = next((row["version"] for row in rows if row["place"] == "project"), None)
    in_channel = next((row["version"] for row in rows if row["place"] == "channel"), None)
    strategy = project.get("VersioningStrategy") or {}
    return next_version(last, strategy.get("Template"), datetime.now(UTC), in_channel)


async def _template(call: Call, project: Document, process: Document) -> Document:
    pool, wanted = call.state.pool, call.query.text("channel")
    if wanted is None:
        channel = str((await default_channel_of(pool, project["Id"]))["Id"])
    else:
        channel = await referenced(pool, CHANNEL, wanted, call.space)
    packages = list(packages_of(process, channel))
    feeds = await get_many(pool, kinds.FEED, {one["FeedId"] for one in packages if one["FeedId"]})
    releases = await find(pool, kinds.RELEASE, ProjectId=project["Id"]) if packages else []
    last = releases[-1] if releases else {}
    donor = (project.get("VersioningStrategy") or {}).get("DonorPackage") or {}
    rows = await pool.fetch(queries("web/processes")["last_releases"], project["Id"], channel)
    return {
        "DeploymentProcessId": process["Id"],
        "LastReleaseVersion": next((row["version"] for row in rows if row["place"] == "project"), None),
        "NextVersionIncrement": None if donor else await next_version_of(pool, project, channel),
        "VersioningPackageStepName": donor.get("DeploymentAction"),
        "VersioningPackageReferenceName": donor.get("PackageReference"),
        "Packages": [_package(one, feeds, last.get("SelectedPackages") or []) for one in packages],
        "GitResources": [],
        "Links": {"Self": call.path},
    }


def _package(one: Document, feeds: dict[str, Document], selected: list[Document]) -> Document:
    feed = feeds.get(one["FeedId"] or "", {}).get("Name")
    name = one["Name"] or ""
    before = [
        chosen.get("Version")
        for chosen in selected
        if (chosen.get("ActionName") or chosen.get("StepName")) == one["ActionName"]
        and (chosen.get("PackageReferenceName") or "") == name
    ]
    return {
        "ActionName": one["ActionName"],
        "StepName": one["ActionName"],
        "PackageId": one["PackageId"],
        "NuGetPackageId": one["PackageId"],
        "PackageReferenceName": name,
        "FeedId": one["FeedId"],
        "NuGetFeedId": one["FeedId"],
        "FeedName": feed,
        "NuGetFeedName": feed,
        "ProjectName": None,
        "IsResolvable": "#{" not in f"{one['PackageId']}{one['FeedId']}",
        "FixedVersion": one.get("Version"),
        "VersionSelectedLastRelease": next(iter(before), None),
    }
