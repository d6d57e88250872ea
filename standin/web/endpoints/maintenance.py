"""Maintenance mode, in which the server is read-only but for administrators, and the portal's settings (§A.22)."""

from typing import Any

import msgspec

from standin import events
from standin.configuration import configuration, put_configuration
from standin.web.call import Call
from standin.web.maintenance import SETTING, Maintenance, Performance

PERFORMANCE = "performance"


async def read_maintenance(call: Call) -> Any:
    """Say whether the server is in maintenance mode."""
    return _show(SETTING, Maintenance, await configuration(call.state.pool, SETTING))


async def modify_maintenance(call: Call) -> Any:
    """Enter maintenance mode, or leave it."""
    sent = await call.read(Maintenance)
    members = await _put(call, SETTING, sent, "Maintenance configuration")
    call.state.maintenance.clear()
    return _show(SETTING, Maintenance, members)


async def read_performance(call: Call) -> Any:
    """Return how the portal draws dashboards."""
    return _show(PERFORMANCE, Performance, await configuration(call.state.pool, PERFORMANCE))


async def modify_performance(call: Call) -> Any:
    """Say how the portal draws dashboards."""
    sent = await call.read(Performance)
    return _show(PERFORMANCE, Performance, await _put(call, PERFORMANCE, sent, "Performance configuration"))


async def _put(call: Call, identifier: str, sent: Maintenance | Performance, label: str) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(sent)
    async with call.begin() as work:
        await put_configuration(work.conn, identifier, members)
        await events.modified(work, {"Id": identifier}, label)
    return members


def _show(identifier: str, record: type[Maintenance] | type[Performance], kept: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = msgspec.to_builtins(record())
    return {"Id": identifier, **defaults, **kept, "Links": {"Self": f"/api/{identifier}configuration"}}
