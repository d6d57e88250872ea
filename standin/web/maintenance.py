"""Maintenance mode: who may still change something while the server is read-only (octopus-api §A.22)."""

from typing import Literal

from standin.configuration import configuration
from standin.errors import Rejected
from standin.web.models import Resource
from standin.web.rights import Rights
from standin.web.state import NodeState

#: Id of the mode, in Configuration.
SETTING = "maintenance"
READ_ONLY = "The server is in maintenance mode: only administrators can change anything. Please try again later."
_HARMLESS = {"GET", "HEAD", "OPTIONS"}


class Maintenance(Resource, frozen=True, kw_only=True):
    """Whether the server is read-only but for administrators."""

    is_in_maintenance_mode: bool = False


class Performance(Resource, frozen=True, kw_only=True):
    """How the portal draws dashboards."""

    default_dashboard_render_mode: Literal["VirtualizeColumns", "VirtualizeRowsAndColumns"] = "VirtualizeColumns"


async def is_read_only(state: NodeState) -> bool:
    """Say whether the server is in maintenance mode; another node may have entered it a second ago."""
    known = state.maintenance.get("")
    if known is None:
        known = bool((await configuration(state.pool, SETTING)).get("IsInMaintenanceMode"))
        state.maintenance.put("", known)
    return known


async def guard(state: NodeState, method: str, rights: Rights) -> None:
    """Refuse a change while the server is in maintenance mode.

    Raises:
        Rejected: 503, whoever asks is no administrator.
    """
    if method in _HARMLESS or "AdministerSystem" in rights.system:
        return
    if await is_read_only(state):
        raise Rejected(503, READ_ONLY)
