"""Changes to a server as a whole: noted before they are made, and put back however the work ends."""

import contextlib
from collections.abc import Iterator

from octoload.api import Octopus
from octoload.errors import OctoloadError
from seeders.journal import Journal


@contextlib.contextmanager
def put_back(octopus: Octopus, notes: Journal) -> Iterator[None]:
    """Put back at the end whatever the journal says is changed, by this process or by one that was killed.

    Raises:
        ServerError: the server refuses; the journal keeps what is still to be put back.
    """
    try:
        yield
    except BaseException:
        with contextlib.suppress(OctoloadError):  # what ended the work says more, and the journal keeps the rest
            restore(octopus, notes)
        raise
    restore(octopus, notes)


@contextlib.contextmanager
def rate_limits_lifted(octopus: Octopus, notes: Journal) -> Iterator[None]:
    """Switch the rate limiting policies of keys off while the block runs (octopus-api §B.5).

    Raises:
        ServerError: the server has none, or does not let this key's user change them.
    """
    with put_back(octopus, notes):
        for policy in octopus.get("/api/ratelimitingpolicies")["Items"]:
            if policy["IsEnabled"] and policy.get("ScopeType") != "Unauthenticated":
                path = f"/api/ratelimitingpolicies/{policy['Id']}"
                notes.changes(path, policy)
                octopus.put(path, {**policy, "IsEnabled": False})
        yield


def restore(octopus: Octopus, notes: Journal) -> None:
    """Put back what the journal says is changed."""
    for path, was in list(notes.changed.items()):
        octopus.put(path, was)
        notes.put_back(path)
