"""Packages of the built-in feed: pushed in one piece however large, listed, fetched, deleted (octopus-api §A.13)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from standin import events, kinds
from standin.acquisition import find_package
from standin.documents import Document, delete, insert, time_text, update
from standin.errors import Rejected, not_found
from standin.filestore import Stored
from standin.newspace import builtin_feed_id
from standin.statements import queries
from standin.versions import PackageName, parse_file_name, sort_key
from standin.web.call import Call, Reply
from standin.web.endpoints.builds import builds_of, show_build
from standin.web.endpoints.common import overwrite_mode
from standin.web.links import links_of
from standin.web.refusals import bad_request
from standin.web.resources import PACKAGE, fetch_page
from standin.web.upload import first_file
from standin.work import Work

#: begins with the words that the tests of the official TypeScript client look for
EXISTS = (
    "A package with the same name and version already exists. To proceed anyway, specify an overwriteMode of "
    "OverwriteExisting or IgnoreIfExists."
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What became of a push."""

    #: the package
    package: Document
    #: a file that belongs to no package any longer, or ""
    stale: str
    #: the file that was sent is the package's now
    taken: bool


async def push_package(call: Call) -> Reply:
    """Take a package: 201, or 200 where one with its id and version is there and is to stay."""
    mode = overwrite_mode(call)
    name, chunks = await first_file(call)
    package = parse_file_name(name)
    existing = await find_package(call.state.pool, call.space, f"{package.package}.{package.version}")
    if existing is not None and mode != "OverwriteExisting":
        await _read_away(chunks)
        if mode == "FailIfExists":
            raise Rejected(409, EXISTS, [EXISTS])
        return Reply(await _shown(call, existing))
    stored = await call.state.home.packages.write(call.space, package.extension, chunks)
    try:
        kept = await _keep(call, package, stored, mode)
    except BaseException:
        await call.state.home.packages.forget(call.space, stored.file)
        raise
    if kept.stale:
        await call.state.home.packages.forget(call.space, kept.stale)
    return Reply(await _shown(call, kept.package), 201 if kept.taken else 200)


async def list_packages(call: Call) -> Any:
    """List packages by id, the newest version of each first."""
    query = call.query
    package, part = query.text("nugetpackageid") or query.text("packageid"), query.text("filter")
    if package and part:
        raise bad_request("nuGetPackageId and filter cannot both be given.")
    filters = {
        "space": call.space,
        "package": package,
        "partial_package": part,
        "latest_package": query.flag("latest") or None,
    }
    page = await fetch_page(call, PACKAGE, filters, lambda document: document)
    builds = await builds_of(call.state.pool, call.space, [one["Name"] for one in page["Items"]])
    notes = query.flag("includenotes") is not False
    page["Items"] = [show_package(one, builds.get(one["Name"].lower()), notes=notes) for one in page["Items"]]
    return page


async def read_package(call: Call) -> Any:
    """Return one package."""
    return await _shown(call, await _package_of(call))


async def download_package(call: Call) -> Reply:
    """Return the file of a package."""
    package = await _package_of(call)
    return Reply(call.state.home.packages.path(call.space, package["File"]), media_type="application/octet-stream")


async def delete_package(call: Call) -> Any:
    """Delete one package."""
    async with call.begin() as work:
        package = await _package_of(call, work.conn)
        await _delete(work, package)
    await call.state.home.packages.forget(call.space, package["File"])
    return show_package(package, None)


async def delete_packages(call: Call) -> Any:
    """Delete several packages; those that are not there are passed over."""
    wanted = call.query.many("ids")
    if not wanted:
        raise bad_request("The ids of the packages to delete must be given: ids.")
    gone = []
    async with call.begin() as work:
        for identifier in wanted:
            package = await find_package(work.conn, call.space, _name(identifier))
            if package is not None:
                await _delete(work, package)
                gone.append(package)
    for package in gone:
        await call.state.home.packages.forget(call.space, package["File"])
    return {}


async def package_notes(call: Call) -> Any:
    """Return the release notes of packages, asked for as `id:version` or `id.version`."""
    found = []
    for wanted in call.query.many("packageids") or []:
        package = await find_package(call.state.pool, call.space, _name(wanted).replace(":", "."))
        found.append(_notes(wanted, package, call.space))
    return {"Packages": found}


async def delta_signature(call: Call) -> Any:
    """Offer no signature: a client then sends the whole package (§A.13)."""
    raise not_found(f"{call.params['packageId']}.{call.params['version']}")


async def push_delta(_call: Call) -> Any:
    """Refuse a delta: no signature was offered that it could follow."""
    raise bad_request("This server takes whole packages only; push the package to packages/raw.")


def show_package(package: Document, build: Document | None, *, notes: bool = True) -> Document:
    """Return a package as the API shows it; `build` is what a build server has told of it."""
    feed = builtin_feed_id(package["SpaceId"])
    document = {
        "Id": f"packages-{package['Name']}",
        "SpaceId": package["SpaceId"],
        "PackageId": package["PackageId"],
        "Version": package["Version"],
        "NuGetPackageId": package["PackageId"],
        "NuGetFeedId": feed,
        "FeedId": feed,
        "Title": package["PackageId"],
        "Summary": "",
        "Description": "",
        "Published": package["Published"],
        "ReleaseNotes": package.get("ReleaseNotes") if notes else None,
        "FileExtension": package["FileExtension"],
        "PackageSizeBytes": package["PackageSizeBytes"],
        "Hash": package["Hash"],
        "PackageVersionBuildInformation": show_build(build) if build else None,
    }
    return {**document, "Links": links_of("PackageFromBuiltInFeed", document)}


async def _keep(call: Call, package: PackageName, stored: Stored, mode: str) -> _Kept:
    """Keep a stored file as a package.

    Raises:
        Rejected: 400, the file is empty; 409, another push of the same package was quicker.
    """
    if not stored.size:
        raise bad_request("The uploaded package file had length equal to 0. Please check the file and try again.")
    name = f"{package.package}.{package.version}"
    async with call.begin() as work:
        await work.conn.execute(queries("web/packages")["lock"], call.space, name)
        before = await find_package(work.conn, call.space, name)
        if before is not None and mode != "OverwriteExisting":
            if mode == "FailIfExists":
                raise Rejected(409, EXISTS, [EXISTS])
            return _Kept(before, stored.file, taken=False)
        document = {
            "Id": before["Id"] if before else await work.keys.next(kinds.PACKAGE),
            "SpaceId": call.space,
            "Name": name,
            "PackageId": package.package,
            "Version": package.version,
            "SortVersion": sort_key(package.version),
            "PackageSizeBytes": stored.size,
            "Published": time_text(work.now),
            "FileExtension": package.extension,
            "Hash": stored.hash,
            "File": stored.file,
        }
        await (update if before else insert)(work.conn, kinds.PACKAGE, document)
        await (events.modified if before else events.created)(work, _event_subject(document), _label(document))
    return _Kept(document, before["File"] if before else "", taken=True)


async def _read_away(chunks: AsyncIterator[bytes]) -> None:
    """Read a file to its end: a client listens to the answer only when it has sent everything."""
    async for _ in chunks:
        pass


async def _delete(work: Work, package: Document) -> None:
    await delete(work.conn, kinds.PACKAGE, package["Id"])
    await events.deleted(work, _event_subject(package), _label(package))


async def _shown(call: Call, package: Document) -> Document:
    builds = await builds_of(call.state.pool, call.space, [package["Name"]])
    return show_package(package, builds.get(package["Name"].lower()))


async def _package_of(call: Call, conn: Any = None) -> Document:
    package = await find_package(conn or call.state.pool, call.space, _name(call.id))
    if package is None:
        raise not_found(call.id)
    return package


def _name(identifier: str) -> str:
    """Return a package's id and version as its name: `packages-Acme.1.0.0` → `Acme.1.0.0`."""
    return identifier[9:] if identifier.lower().startswith("packages-") else identifier


def _event_subject(package: Document) -> Document:
    return {"Id": f"packages-{package['Name']}", "SpaceId": package["SpaceId"]}


def _label(package: Document) -> str:
    return f"Package {package['PackageId']} version {package['Version']}"


def _notes(wanted: str, package: Document | None, space: str) -> Document:
    identifier, _, version = wanted.partition(":")
    return {
        "PackageId": package["PackageId"] if package else identifier,
        "Version": package["Version"] if package else version,
        "FeedId": builtin_feed_id(space),
        "Notes": {
            "Succeeded": package is not None,
            "Notes": package.get("ReleaseNotes") if package else None,
            "FailureReason": None if package else "There is no such package.",
        },
    }
