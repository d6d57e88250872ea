"""Feeds: the built-in one, which holds packages, and external ones, kept but never asked (octopus-api §A.13)."""

from collections.abc import Sequence
from typing import Any

from standin import kinds, versions
from standin.documents import Document
from standin.newspace import builtin_feed_id
from standin.statements import queries
from standin.web import library
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.paging import envelope
from standin.web.refusals import bad_request
from standin.web.resources import FEED, fetch_one
from standin.work import Work


class Feeds(Collection):
    """Feeds; the built-in one can neither be made nor deleted."""

    def filters(self, call: Call) -> Filters:
        """Return what lists are filtered by."""
        return {**named(call), "feed_types": call.query.many("feedtype")}

    async def check(self, _work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Return what is kept of secrets; a feed stays of its type."""
        if current is None and model.feed_type == "BuiltIn":
            raise bad_request("A space has one built-in feed; another one cannot be created.")
        kept = current or {"FeedType": model.feed_type}
        return {"FeedType": kept["FeedType"], **_secrets(model, kept)}

    async def release(self, _work: Work, document: Document) -> None:
        """Refuse to delete the built-in feed."""
        if document["FeedType"] == "BuiltIn":
            raise bad_request("The built-in feed cannot be deleted.")

    async def find(self, conn: Any, call: Call) -> Document:
        """Return the feed that the path names; `feeds-builtin` is each space's own."""
        name = builtin_feed_id(call.space) if call.id.lower() == "feeds-builtin" else call.id
        return await fetch_one(conn, FEED, name, call.space)


FEEDS = Feeds(FEED)


async def feed_stats(call: Call) -> Any:
    """Count the packages of the built-in feed."""
    total = await call.state.pool.fetchval(queries("web/packages")["count"], call.space)
    return {"Id": "feeds-stats", "TotalPackages": total, "Links": {"Self": call.path}}


async def list_versions(call: Call) -> Any:
    """List the versions that a feed has of a package, newest first."""
    package = call.query.text("packageid")
    if not package:
        raise bad_request("The id of a package must be given: packageId.")
    feed, window = await FEEDS.find(call.state.pool, call), call.query.window()
    rows = await _rows(call, feed, "versions", package)
    found = [_version(row, feed) for row in rows if _wanted(call, row["version"])]
    page = found[window.skip : window.skip + window.take]
    return envelope("PackageVersion", page, len(found), window, call.path, call.query.filters())


async def search_packages(call: Call) -> Any:
    """List the packages of a feed whose id has a term in it."""
    feed, window = await FEEDS.find(call.state.pool, call), call.query.window()
    found = [_description(row, feed) for row in await _rows(call, feed, "search", call.query.text("term") or "")]
    page = found[window.skip : window.skip + window.take]
    return envelope("PackageDescription", page, len(found), window, call.path, call.query.filters())


async def _rows(call: Call, feed: Document, query: str, value: str) -> Sequence[Any]:
    if feed["FeedType"] != "BuiltIn":
        return ()
    rows: Sequence[Any] = await call.state.pool.fetch(queries("web/packages")[query], call.space, value)
    return rows


def _wanted(call: Call, version: str) -> bool:
    query = call.query
    limits, tag, part = query.text("versionrange"), query.text("prereleasetag"), query.text("filter")
    return (
        (limits is None or versions.in_range(version, limits))
        and (tag is None or versions.matches_tag(versions.prerelease_tag(version), tag))
        and (part is None or part.lower() in version.lower())
        and (query.flag("includeprerelease") is not False or not versions.is_prerelease(version))
    )


def _version(row: Any, feed: Document) -> Document:
    package = kinds.PACKAGE.read(row)
    return {
        "Id": f"packages-{package['Name']}",
        "PackageId": package["PackageId"],
        "Version": package["Version"],
        "FeedId": feed["Id"],
        "Published": package["Published"],
        "SizeBytes": package["PackageSizeBytes"],
        "Title": package["PackageId"],
        "ReleaseNotes": package.get("ReleaseNotes"),
        "Links": {"Self": f"/api/{feed['SpaceId']}/packages/packages-{package['Name']}"},
    }


def _description(row: Any, feed: Document) -> Document:
    return {
        "Id": row["packageid"],
        "Name": row["packageid"],
        "FeedId": feed["Id"],
        "Description": "",
        "LatestVersion": row["version"],
        "Links": {},
    }


def _secrets(model: library.Feed, current: Document) -> Document:
    """Return what is kept of secrets: whether there is one. Nobody here would use it."""
    sent = {"Password": model.password, "SecretKey": model.secret_key}
    return {name: _secret(value, current.get(name)) for name, value in sent.items()}


def _secret(sent: Any, current: Any) -> Document:
    kept = bool(current and current["HasValue"])
    if isinstance(sent, dict):
        folded = {str(name).lower(): value for name, value in sent.items()}
        kept = bool(folded["newvalue"]) if folded.get("newvalue") is not None else kept and folded.get("hasvalue", kept)
    elif isinstance(sent, str):
        kept = bool(sent)
    return {"HasValue": kept, "NewValue": None, "Hint": None}
