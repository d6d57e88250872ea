"""The task queue of an Octopus Server at one moment: how many tasks wait and run, on which nodes."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from octoload.api import Octopus
from octoload.errors import AccessDeniedError, NotOctopusError

#: States of tasks that wait, and of tasks that a node is at (octopus-api §A.14).
QUEUED, EXECUTING = "Queued", "Executing,Cancelling"
#: How often the oldest task is looked for while the queue shrinks under one's hands.
_TRIES = 3


class Node(msgspec.Struct, frozen=True):
    """A node of the server, as its cluster's summary has it (octopus-api §A.21)."""

    name: str
    #: Tasks that it may run at once.
    cap: int
    #: Tasks that it runs.
    running: int
    #: Whether it takes no new tasks (maintenance mode).
    drained: bool
    offline: bool


class ServerQueue(msgspec.Struct, frozen=True):
    """What waits and what runs on the whole server, in all spaces that the key may see."""

    queued: int
    executing: int
    #: Seconds that the oldest queued task has waited, by the server's clock; None when none waits.
    oldest_wait: float | None
    nodes: list[Node]
    #: Why the nodes are not known; empty when they are.
    unseen: str = ""


def length(octopus: Octopus) -> int:
    """Return how many tasks wait: one request.

    Raises:
        ServerError: the server does not say.
    """
    with _understood(octopus):
        return int(octopus.get("/api/tasks", states=QUEUED, take=1)["TotalResults"])


def look(octopus: Octopus) -> ServerQueue:
    """Return the queue as it is now: three requests, and one more where several tasks wait.

    Raises:
        ServerError: the server does not say.
    """
    clock: list[float] = []
    octopus.listen(lambda _sent, _received, headers: clock.append(_now(headers)))
    with _understood(octopus):
        queued, oldest = _queued(octopus)
        executing = int(octopus.get("/api/tasks", states=EXECUTING, take=1)["TotalResults"])
        nodes, unseen = _nodes(octopus)
        return ServerQueue(queued, executing, _wait(oldest, clock[-1]), nodes, unseen)


def _queued(octopus: Octopus) -> tuple[int, list[dict[str, Any]]]:
    """Return how many tasks wait, and the oldest of them: the last of the list, which is newest first."""
    page = octopus.get("/api/tasks", states=QUEUED, take=1)
    for _ in range(_TRIES):
        queued = int(page["TotalResults"])
        if queued <= 1:
            break
        page = octopus.get("/api/tasks", states=QUEUED, take=1, skip=queued - 1)
        if page["Items"]:
            break
    return int(page["TotalResults"]), page["Items"]


@contextmanager
def _understood(octopus: Octopus) -> Iterator[None]:
    """Turn a document that lacks what it should have into an error with a cure."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as exc:
        raise NotOctopusError(
            f"{octopus.shown_url} tells its task queue in a form that octoload does not know ({exc!r})",
            "Is it an Octopus Server of a version that octoload supports?",
        ) from exc


def _nodes(octopus: Octopus) -> tuple[list[Node], str]:
    """Return the nodes by name, or why this key may not see them."""
    try:
        summary = octopus.get("/api/octopusservernodes/summary")
    except AccessDeniedError as exc:
        return [], exc.message
    nodes = [_node(node) for node in summary["Nodes"]]
    return sorted(nodes, key=lambda node: node.name), ""


def _node(found: dict[str, Any]) -> Node:
    return Node(
        str(found["Name"]),
        int(found["MaxConcurrentTasks"]),
        int(found["RunningTaskCount"]),
        bool(found["IsInMaintenanceMode"]),
        bool(found.get("IsOffline")),
    )


def _wait(oldest: list[dict[str, Any]], now: float) -> float | None:
    """Return for how long the oldest has waited; what is scheduled for later has not waited yet."""
    since = [datetime.fromisoformat(task["QueueTime"]).timestamp() for task in oldest]
    return max(0.0, now - since[0]) if since else None


def _now(headers: Mapping[str, str]) -> float:
    """Return the server's time, to the second; our own where it does not say."""
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()
