"""Defects: reported on a release, which goes no further until they are resolved (octopus-api §A.15)."""

from typing import Annotated, Any

from msgspec import Meta

from standin import events, kinds
from standin.documents import Document, find, insert, lock, update
from standin.web.call import Call
from standin.web.endpoints.releases import release_of
from standin.web.models import Resource
from standin.web.refusals import bad_request
from standin.web.resources import DEFECT, RELEASE, fetch_page
from standin.work import Work


class SentDefect(Resource, frozen=True, kw_only=True):
    """A defect as clients report it."""

    description: Annotated[str, Meta(min_length=1, max_length=10_000)]


async def list_defects(call: Call) -> Any:
    """List the defects of a release, newest first."""
    release = await release_of(call)
    return await fetch_page(call, DEFECT, {"space": call.space, "release": release["Id"]})


async def report_defect(call: Call) -> Any:
    """Report a defect; a release has one unresolved one at most."""
    sent = await call.read(SentDefect)
    async with call.begin() as work:
        release = await _lock_release(call, work)
        if release.get("HasUnresolvedDefect"):
            raise bad_request("The release has an unresolved defect already.")
        defect: Document = {
            "Id": await work.keys.next(kinds.DEFECT),
            "SpaceId": call.space,
            "ReleaseId": release["Id"],
            "Created": work.now,
            "Status": "Unresolved",
            "Description": sent.description,
        }
        await insert(work.conn, kinds.DEFECT, defect)
        await _mark(work, release, unresolved=True)
        await events.created(work, {**defect, "ProjectId": release["ProjectId"]}, f"Defect of {_name(release)}")
    return DEFECT.show(defect)


async def resolve_defect(call: Call) -> Any:
    """Resolve the defect of a release."""
    async with call.begin() as work:
        release = await _lock_release(call, work)
        found = await find(work.conn, kinds.DEFECT, ReleaseId=release["Id"], Status="Unresolved")
        if not found:
            raise bad_request("The release has no unresolved defect.")
        defect = {**found[0], "Status": "Resolved"}
        await update(work.conn, kinds.DEFECT, defect)
        await _mark(work, release, unresolved=False)
        await events.modified(work, {**defect, "ProjectId": release["ProjectId"]}, f"Defect of {_name(release)}")
    return DEFECT.show(defect)


async def _lock_release(call: Call, work: Work) -> Document:
    return await lock(work.conn, kinds.RELEASE, (await release_of(call, work.conn))["Id"])


async def _mark(work: Work, release: Document, *, unresolved: bool) -> None:
    await update(work.conn, kinds.RELEASE, {**release, "HasUnresolvedDefect": unresolved})


def _name(release: Document) -> str:
    return RELEASE.title({**release, "Name": release["Version"]})
