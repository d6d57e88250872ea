"""Build information: what build servers tell of packages, whether or not these are in the built-in feed (§A.13)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, delete, get, insert, time_text, update
from standin.errors import Rejected, not_found
from standin.statements import queries
from standin.versions import check_package_id, check_version, sort_key
from standin.web import library
from standin.web.call import Call
from standin.web.endpoints.common import overwrite_mode
from standin.web.links import links_of
from standin.web.refusals import bad_request
from standin.web.resources import BUILD_INFORMATION, fetch_page
from standin.work import Work

#: begins with the words that the tests of the official TypeScript client look for
EXISTS = (
    "Metadata for the specified Package ID and version already exists. To proceed anyway, specify an overwriteMode of "
    "OverwriteExisting or IgnoreIfExists."
)


async def list_builds(call: Call) -> Any:
    """List build information by package, the newest version of each first."""
    query = call.query
    package, part = query.text("packageid"), query.text("filter")
    if package and part:
        raise bad_request("packageId and filter cannot both be given.")
    latest = query.flag("latest") or None
    filters = {"space": call.space, "package": package, "partial_package": part, "latest_build": latest}
    return await fetch_page(call, BUILD_INFORMATION, filters, show_build)


async def read_build(call: Call) -> Any:
    """Return the build information of one version of a package."""
    return show_build(await _build_of(call, call.state.pool))


async def push_build(call: Call) -> Any:
    """Keep what a build server tells of a version of a package."""
    mode, sent = overwrite_mode(call), await call.read(library.BuildInformation)
    name = f"{check_package_id(sent.package_id)}.{check_version(sent.version)}"
    async with call.begin() as work:
        await work.conn.execute(queries("web/packages")["lock"], f"build/{call.space}", name)
        row = await work.conn.fetchrow(queries("web/packages")["build"], call.space, name)
        if row is not None and mode == "FailIfExists":
            raise Rejected(409, EXISTS, [EXISTS])
        if row is not None and mode == "IgnoreIfExists":
            return show_build(kinds.BUILD_INFORMATION.read(row))
        return show_build(await _keep(work, call.space, sent, row["id"] if row else None))


async def delete_build(call: Call) -> Any:
    """Delete the build information of one version of a package."""
    async with call.begin() as work:
        build = await _build_of(call, work.conn)
        await _delete(work, build)
    return show_build(build)


async def delete_builds(call: Call) -> Any:
    """Delete the build information of several packages; what is not there is passed over."""
    wanted = call.query.many("ids")
    if not wanted:
        raise bad_request("The ids of the build information to delete must be given: ids.")
    async with call.begin() as work:
        for identifier in wanted:
            for build in await _find(work.conn, call.space, identifier):
                await _delete(work, build)
    return {}


async def builds_of(conn: Any, space: str, names: Sequence[str]) -> dict[str, Document]:
    """Return what is known of packages, by `id.version` in lower case."""
    if not names:
        return {}
    rows = await conn.fetch(queries("web/packages")["builds"], space, [name.lower() for name in names])
    return {row["name"].lower(): kinds.BUILD_INFORMATION.read(row) for row in rows}


def show_build(build: Document) -> Document:
    """Return build information as the API shows it."""
    hidden = ("Name", "SortVersion")
    document = {name: value for name, value in build.items() if name not in hidden}
    return {
        **document,
        "IssueTrackerName": None,
        "WorkItems": [],
        "IncompleteDataWarning": None,
        "Links": links_of("BuildInformation", document),
    }


async def _keep(work: Work, space: str, sent: library.BuildInformation, identifier: str | None) -> Document:
    document = {
        **msgspec.to_builtins(sent.octopus_build_information),
        "Id": identifier or await work.keys.next(kinds.BUILD_INFORMATION),
        "SpaceId": space,
        "Name": f"{sent.package_id}.{sent.version}",
        "PackageId": sent.package_id,
        "Version": sent.version,
        "SortVersion": sort_key(sent.version),
        "Created": time_text(work.now),
    }
    await (update if identifier else insert)(work.conn, kinds.BUILD_INFORMATION, document)
    await (events.modified if identifier else events.created)(work, document, _label(document))
    return document


async def _delete(work: Work, build: Document) -> None:
    await delete(work.conn, kinds.BUILD_INFORMATION, build["Id"])
    await events.deleted(work, build, _label(build))


async def _build_of(call: Call, conn: Any) -> Document:
    found = await _find(conn, call.space, call.id)
    if not found:
        raise not_found(call.id)
    return found[0]


async def _find(conn: Any, space: str, identifier: str) -> list[Document]:
    try:
        build = await get(conn, kinds.BUILD_INFORMATION, identifier)
    except Rejected:
        return []
    return [build] if build["SpaceId"] == space else []


def _label(build: Document) -> str:
    return f"Build information for {build['PackageId']} version {build['Version']}"
