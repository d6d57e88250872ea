"""Releases: made by two routes, listed, looked at on their way through the lifecycle, deleted (octopus-api §A.15)."""

from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, find, get, lock, time_text, update
from standin.errors import not_found
from standin.history import create_release as create_with_snapshots
from standin.history import library_snapshots, snapshot
from standin.statements import queries
from standin.versions import VERSION
from standin.web import commands
from standin.web.call import Call, Reply, created
from standin.web.differences import differences
from standin.web.endpoints.common import referenced
from standin.web.endpoints.projects import project_of
from standin.web.endpoints.releasepackages import Chosen, Found, missing_packages
from standin.web.endpoints.templates import next_version_of
from standin.web.refusals import bad_request
from standin.web.removal import forget_logs, remove_releases
from standin.web.resources import CHANNEL, PROJECT, RELEASE, fetch_one, fetch_page
from standin.work import Work


async def list_releases(call: Call) -> Any:
    """List a space's releases, newest first."""
    return await fetch_page(call, RELEASE, _filters(call))


async def releases_of_project(call: Call) -> Any:
    """List the releases of a project, newest first."""
    project = await project_of(call)
    return await fetch_page(call, RELEASE, _filters(call, project=project["Id"]))


async def releases_of_channel(call: Call) -> Any:
    """List the releases of a channel, newest first."""
    channel = call.check(await fetch_one(call.state.pool, CHANNEL, call.id, call.space))
    return await fetch_page(call, RELEASE, _filters(call, channel=channel["Id"]))


async def read_release(call: Call) -> Any:
    """Return one release."""
    return RELEASE.show(await release_of(call))


async def read_release_of_project(call: Call) -> Any:
    """Return the release of a project that has a version."""
    project = await project_of(call)
    async with call.state.pool.acquire() as conn:
        return RELEASE.show(await release_by_version(conn, project["Id"], call.params["version"]))


async def create_release(call: Call) -> Reply:
    """Create a release of a project."""
    sent = await call.read(commands.CreateRelease)
    members = msgspec.to_builtins(sent)
    del members["ProjectId"], members["Version"]
    ignore = sent.ignore_channel_rules or bool(call.query.flag("ignorechannelrules"))
    members["IgnoreChannelRules"] = ignore
    select = Chosen(members["SelectedPackages"], ignore_rules=ignore)
    async with call.begin() as work:
        project = await referenced(work.conn, PROJECT, sent.project_id, call.space)
        call.check({"SpaceId": call.space, "ProjectId": project})
        release = await create_with_snapshots(work, project, checked(sent.version), members, select)
    return created(RELEASE.show(release))


async def create_release_v1(call: Call) -> Reply:
    """Create a release by the names of its project and channel; without a version, the next one."""
    sent = await call.read(commands.CreateReleaseV1)
    async with call.begin() as work:
        project = await referenced(work.conn, PROJECT, sent.project_name, call.space)
        call.check({"SpaceId": call.space, "ProjectId": project})
        version = sent.release_version or await _next_version(work, project)
        found = await work.conn.fetchrow(queries("web/releases")["by_version"], project, version)
        if found and sent.ignore_if_already_exists:
            return created({"ReleaseId": found["id"], "ReleaseVersion": found["version"]})
        members = {
            "ChannelId": await _channel(work, project, sent.channel_name),
            "ReleaseNotes": sent.release_notes,
            "IgnoreChannelRules": sent.ignore_channel_rules,
            "CustomFields": sent.custom_fields,
        }
        release = await create_with_snapshots(work, project, checked(version), members, Found(sent))
    return created({"ReleaseId": release["Id"], "ReleaseVersion": release["Version"]})


async def modify_release(call: Call) -> Any:
    """Change the version, the notes or the channel of a release."""
    sent = await call.read(commands.ModifyRelease)
    async with call.begin() as work:
        # Locked, as what a defect or fresh variables have changed meanwhile must stay.
        current = await lock(work.conn, kinds.RELEASE, (await release_of(call, work.conn))["Id"])
        release = {
            **current,
            **msgspec.to_builtins(sent),
            "Version": checked(sent.version),
            "ChannelId": await _channel(work, current["ProjectId"], sent.channel_id) or current["ChannelId"],
            "LastModifiedOn": time_text(work.now),
            "LastModifiedBy": work.actor.username,
        }
        await update(work.conn, kinds.RELEASE, release)
        await events.modified(work, release, f"Release {release['Version']}", differences(current, release))
    return RELEASE.show(release)


async def refresh_variables(call: Call) -> Any:
    """Take the variables of a release's project and its library sets as they are now."""
    async with call.begin() as work:
        return RELEASE.show(await with_fresh_variables(work, await release_of(call, work.conn)))


async def list_missing_packages(call: Call) -> Any:
    """Return the packages that a release needs and the built-in feed has not."""
    release = await release_of(call)
    async with call.state.pool.acquire() as conn:
        return {"Packages": await missing_packages(conn, release)}


async def with_fresh_variables(work: Work, release: Document) -> Document:
    """Freeze the variables of a release's project anew; return the release with them."""
    release = await lock(work.conn, kinds.RELEASE, release["Id"])
    project = await get(work.conn, kinds.PROJECT, release["ProjectId"])
    changed = {
        **release,
        "ProjectVariableSetSnapshotId": await snapshot(work, kinds.VARIABLE_SET, project["VariableSetId"]),
        "LibraryVariableSetSnapshotIds": await library_snapshots(work, project),
        "LastModifiedOn": time_text(work.now),
        "LastModifiedBy": work.actor.username,
    }
    await update(work.conn, kinds.RELEASE, changed)
    await events.modified(work, changed, f"Release {changed['Version']}", differences(release, changed))
    return changed


async def delete_release(call: Call) -> Any:
    """Delete a release with its deployments, their tasks and logs."""
    async with call.begin() as work:
        release = await release_of(call, work.conn)
        tasks = await remove_releases(work, await get(work.conn, kinds.PROJECT, release["ProjectId"]), [release])
    await forget_logs(call.state.home.task_logs, tasks)
    return RELEASE.show(release)


async def release_of(call: Call, conn: Any = None) -> Document:
    """Return the release that the path names."""
    release = await get(conn or call.state.pool, kinds.RELEASE, call.id)
    if release["SpaceId"] != call.space:
        raise not_found(call.id)
    return call.check(release)


async def release_by_version(conn: Any, project: str, version: str) -> Document:
    """Return the release of a project that has a version.

    Raises:
        Rejected: 404, the project has no such release.
    """
    row = await conn.fetchrow(queries("web/releases")["by_version"], project, version)
    if row is None:
        raise not_found(version)
    return kinds.RELEASE.read(row)


def checked(version: str) -> str:
    """Return a version without blanks around it.

    Raises:
        Rejected: 400, it is no version.
    """
    trimmed = version.strip()
    if len(trimmed) > 349 or not VERSION.fullmatch(trimmed):
        raise bad_request(
            f"The release number '{trimmed[:100]}' does not appear to be a valid semantic version number. "
            "It has one to four numbers with dots between them, such as 1.4.2 or 1.4.2-beta.1."
        )
    return trimmed


def _filters(call: Call, **owner: str) -> dict[str, Any]:
    query = call.query
    return {"space": call.space, "ids": query.many("ids"), **owner, "partial_version": query.text("searchbyversion")}


async def _next_version(work: Work, project: str) -> str:
    return await next_version_of(work.conn, await get(work.conn, kinds.PROJECT, project), None)


async def _channel(work: Work, project: str, name: str | None) -> str | None:
    """Return the id of a project's channel named by id or name; None where none is named."""
    if not name:
        return None
    for channel in await find(work.conn, kinds.CHANNEL, ProjectId=project):
        if name.lower() in (channel["Id"].lower(), channel["Name"].lower(), channel["Slug"].lower()):
            return str(channel["Id"])
    raise bad_request(f"The project has no channel '{name[:200]}'.")
