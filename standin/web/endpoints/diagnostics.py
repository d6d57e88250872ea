"""What the server says of its own health to people who look after it (octopus-api §A.22)."""

import asyncio
import gc
import io
import logging
import zipfile
import zoneinfo
from collections import deque
from datetime import UTC, datetime
from typing import Any

import msgspec

from standin.documents import Document, time_text
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.endpoints import nodes, system

#: log records of this process that are remembered
MOST = 1000
_CATEGORIES = {"WARNING": "Warning", "ERROR": "Error", "CRITICAL": "Fatal", "DEBUG": "Trace"}


class Recent(logging.Handler):
    """The last log records of this process."""

    def __init__(self) -> None:
        super().__init__()
        self.records: deque[logging.LogRecord] = deque(maxlen=MOST)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a record."""
        self.records.append(record)


RECENT = Recent()


async def recent_logs(call: Call) -> Any:
    """Return what this node has logged lately, newest first."""
    window, detail = call.query.window(), bool(call.query.flag("includedetail"))
    found = list(RECENT.records)[::-1]
    return [_element(record, detail=detail) for record in found[window.skip : window.skip + window.take]]


async def collect_garbage(_call: Call) -> Any:
    """Free what memory can be freed."""
    return {"Collected": await asyncio.to_thread(gc.collect)}


async def timezones(_call: Call) -> Any:
    """Return the time zones that the server knows."""
    names = sorted(zoneinfo.available_timezones()) or ["UTC"]
    return [{"Id": name, "Name": name, "IsLocal": name == "UTC", "Links": {}} for name in names]


async def extensions(_call: Call) -> Any:
    """Return the extensions: this server has none."""
    found: list[Document] = []
    return found


async def system_report(call: Call) -> Reply:
    """Return a zip file with what a supporter asks for first."""
    parts = {
        "server-status.json": await system.status(call),
        "system-info.json": await system.system_info(call),
        "counts.json": await system.counts(call),
        "nodes.json": await nodes.summary(call),
        "logs.json": [_element(record, detail=True) for record in RECENT.records],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, msgspec.json.format(msgspec.json.encode(content)))
    return Reply(buffer.getvalue(), media_type="application/zip")


async def onboarding(call: Call) -> Any:
    """Return what somebody who is new to a space has done already."""
    row = await call.state.pool.fetchrow(queries("web/system")["onboarding"], call.space)
    tasks = [
        {"Name": name, "Category": category, "IsComplete": row[key], "IsEnabled": True, "SortOrder": place}
        for place, (name, category, key) in enumerate(_STEPS)
    ]
    return {"Id": f"onboarding-{call.space}", "Tasks": tasks, "Links": {"Self": call.path}}


_STEPS = (
    ("Create environments", "Infrastructure", "environments"),
    ("Add deployment targets", "Infrastructure", "machines"),
    ("Create a project", "Projects", "projects"),
    ("Push a package", "Library", "packages"),
    ("Create a release", "Deployments", "releases"),
    ("Deploy a release", "Deployments", "deployments"),
)


def _element(record: logging.LogRecord, *, detail: bool) -> Document:
    error = record.exc_info[1] if record.exc_info else None
    return {
        "Category": _CATEGORIES.get(record.levelname, "Info"),
        "OccurredAt": time_text(datetime.fromtimestamp(record.created, UTC)),
        "MessageText": record.getMessage(),
        "Detail": f"{type(error).__name__}: {error}" if detail and error else "",
    }
