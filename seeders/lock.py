"""The lock of a space: a project group by whose name, which is unique, two seeders on one space refuse each other."""

import contextlib
import platform
from collections.abc import AsyncIterator

from octoload.errors import OctoloadError, UsageError
from octoload.flight import Document, Flight

#: Nothing else on a server is called so.
NAME = "octoload is at work here"


@contextlib.asynccontextmanager
async def hold(flight: Flight, space: str, token: str, *, take_over: bool = False) -> AsyncIterator[None]:
    """Hold the lock of a space while the block runs.

    A seeder that was killed leaves it; with the same token it is taken up again.

    Args:
        flight: the server.
        space: the space's id.
        token: names the seeding, whichever process is at it.
        take_over: whether to take it from another seeding, which somebody knows to be dead.

    Raises:
        UsageError: another seeding holds it.
    """
    groups = f"/api/{space}/projectgroups"
    group = await _find(flight, groups)
    if group is not None and take_over and token not in group["Description"]:
        await flight.delete(f"{groups}/{group['Id']}")
        group = None
    if group is None:
        group = await _make(flight, groups, token)
    if token not in group["Description"]:
        raise UsageError(
            f"{flight.shown_url}, space {space}: {group['Description'].partition(' (')[0]} is at work here",
            "Wait for it; when it is dead, seed again in its folder, or take over with --take-over.",
        )
    try:
        yield
    finally:
        with contextlib.suppress(OctoloadError):  # what ended the block says more; the next one takes it up
            await flight.delete(f"{groups}/{group['Id']}")


async def _make(flight: Flight, groups: str, token: str) -> Document:
    body = {"Name": NAME, "Description": f"octoload on {platform.node() or 'a machine'} ({token})"}
    return await flight.create(groups, body, lambda: _find(flight, groups))


async def _find(flight: Flight, groups: str) -> Document | None:
    async for item in flight.pages(groups, partialName=NAME):
        if item["Name"] == NAME:
            return item
    return None
