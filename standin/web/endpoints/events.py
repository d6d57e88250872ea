"""The audit trail: read only, newest first, with the filters of the portal (octopus-api §A.20)."""

import asyncio
import csv
import html
import io
import re
from typing import Any

from standin import archives, events, kinds
from standin.documents import Document, get, time_text
from standin.errors import not_found
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.endpoints.common import across_spaces
from standin.web.eventgroups import CATEGORIES, DOCUMENT_TYPES, GROUPS
from standin.web.filters import count_and_fetch
from standin.web.granted import granted
from standin.web.links import links_of
from standin.web.paging import envelope

_SPECIAL = re.compile("[&<>\"']")
#: the order of lists
NEWEST = "AutoId DESC"
#: columns of a CSV file
COLUMNS = (
    "Id",
    "Occurred",
    "Category",
    "Username",
    "Message",
    "SpaceId",
    "UserAgent",
    "IpAddress",
    "RelatedDocumentIds",
)


async def list_events(call: Call) -> Any:
    """List events, newest first, and how many there are under the same filters; `asCsv` returns a file of the page."""
    window = call.query.window()
    async with call.state.pool.acquire() as conn:
        total, rows = await count_and_fetch(conn, (kinds.EVENT, NEWEST), _filters(call), window)
    items = [show(kinds.EVENT.read(row)) for row in rows]
    if call.query.flag("ascsv"):
        return Reply(_csv(items), media_type="text/csv; charset=utf-8")
    if call.query.flag("excludedifference"):
        items = [{**one, "ChangeDetails": {"DocumentContext": None, "Differences": None}} for one in items]
    return envelope("Event", items, total, window, call.path, call.query.filters())


async def read_event(call: Call) -> Any:
    """Return one event."""
    event = await get(call.state.pool, kinds.EVENT, call.id)
    if call.space_id is not None and event["SpaceId"] != call.space_id:
        raise not_found(call.id)
    return show(call.check(event))


async def list_categories(call: Call) -> Any:
    """Return the categories of events, or those that apply to one kind of thing."""
    wanted = (call.query.text("appliesto") or "").lower()
    return [
        {"Id": key, "Name": name, "Links": None} for key, name in CATEGORIES.items() if key.lower().startswith(wanted)
    ]


async def list_groups(call: Call) -> Any:
    """Return the groups of categories, or those that apply to one kind of thing."""
    wanted = (call.query.text("appliesto") or "").lower()
    return [
        {"Id": key, "Name": name, "EventCategories": listed, "Links": None}
        for key, (name, listed) in GROUPS.items()
        if key.lower().startswith(wanted)
    ]


async def list_document_types(_call: Call) -> Any:
    """Return the types of documents that events tell about."""
    return [{"Id": key, "Name": name} for key, name in DOCUMENT_TYPES.items()]


async def list_archives(call: Call) -> Any:
    """List the files into which old events have been moved, newest first."""
    window = call.query.window()
    found = await asyncio.to_thread(archives.list_archives, call.state.home.archives)
    page = [_archive(one) for one in found[window.skip : window.skip + window.take]]
    return envelope("ArchivedEventFile", page, len(found), window, call.path)


async def delete_archive(call: Call) -> Any:
    """Delete a file of old events that is old enough itself."""
    async with call.begin() as work:
        name = call.params["fileName"]
        gone = await asyncio.to_thread(archives.delete_archive, call.state.home.archives, name, work.now)
        await events.deleted(work, {"Id": name}, f"Event archive {name}")
    return _archive(gone)


async def list_agents(call: Call) -> Any:
    """Return the programs that caused events."""
    rows = await call.state.pool.fetch(queries("web/events")["agents"], call.space_id)
    agents = [row["agent"] for row in rows if row["agent"]]
    return [{"Id": agent, "Name": "Octopus Server task" if agent == "Server" else agent} for agent in agents]


def show(event: Document) -> Document:
    """Return an event as the API shows it."""
    message, references = event["Message"], event.get("MessageReferences") or []
    return {
        "Id": event["Id"],
        "MessageReferences": references,
        "Comments": None,
        "Details": None,
        "ChangeDetails": {"DocumentContext": None, "Differences": None},
        "IpAddress": None,
        "ApiKeyId": None,
        "ApiKeyHint": None,
        **{name: value for name, value in event.items() if name not in ("ProjectId", "EnvironmentId", "TenantId")},
        "MessageHtml": message_html(message, references),
        "Links": links_of("Event", event),
    }


def message_html(message: str, references: list[Document]) -> str:
    """Return a message with a link around each document that it names."""
    # Most messages need no escaping, and escaping is most of the work.
    escape = html.escape if _SPECIAL.search(message) else str
    parts, end = [], 0
    for one in references:
        start, target = one["StartIndex"], one["ReferencedDocumentId"]
        stop = start + one["Length"]
        link = f"<a href='#/{target.partition('-')[0].lower()}/{target}'>{escape(message[start:stop])}</a>"
        parts += [escape(message[end:start]), link]
        end = stop
    return "".join([*parts, escape(message[end:])])


def _filters(call: Call) -> dict[str, Any]:
    query = call.query
    regarding = query.many("regarding")
    return {
        **across_spaces(call),
        **granted(call, kinds.EVENT),
        "ids": query.many("ids"),
        "regarding": list(dict.fromkeys(regarding)) if regarding else None,
        "regarding_any": query.many("regardingany"),
        "categories": _categories(call),
        "projects": query.many("projects"),
        "environments": query.many("environments"),
        "tenants": query.many("tenants"),
        "users": query.many("user", "users"),
        "project_groups": query.many("projectgroups"),
        "agents": query.many("eventagents"),
        "document_types": query.many("documenttypes"),
        "of_tenants_tagged": query.many("tags"),
        "occurred_from": query.time("from"),
        "occurred_to": query.time("to"),
        "from_auto_id": query.number("fromautoid"),
        "to_auto_id": query.number("toautoid"),
    }


def _categories(call: Call) -> list[str] | None:
    """Return the categories asked for by name or by group."""
    groups = call.query.many("eventgroups")
    named = call.query.many("eventcategories", "category")
    if groups is None:
        return named
    return [*(named or ()), *(category for group in groups for category in GROUPS.get(group, ("", []))[1])]


def _csv(items: list[Document]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for item in items:
        values = {**item, "RelatedDocumentIds": " ".join(item["RelatedDocumentIds"])}
        writer.writerow([values.get(name) for name in COLUMNS])
    return file.getvalue()


def _archive(one: archives.Archive) -> Document:
    return {
        "Id": one.name,
        "Name": one.name,
        "CreatedDate": time_text(one.created),
        "ModifiedDate": time_text(one.modified),
        "FileBytes": one.size,
        "Links": {"Self": f"/api/events/archives/{one.name}"},
    }
