"""What pages of the portal and clients ask for, and this server has nothing of: empty lists."""

from typing import Any

from standin.web.call import Call
from standin.web.paging import envelope


async def empty_page(call: Call) -> Any:
    """Return a page without items."""
    return envelope("Item", [], 0, call.query.window(), call.path, call.query.filters())


async def empty_array(_call: Call) -> Any:
    """Return an empty array."""
    return []
