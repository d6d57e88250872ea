"""The length of the server's task queue while a trial goes on, for the screen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from experiments.aside import Aside, Rest
from octoload import serverqueue
from octoload.api import Octopus
from octoload.errors import ServerError

#: Seconds between two looks: each is a request to the server under load, on every arm alike.
EVERY = 5.0
#: Seconds that the server gets for an answer.
TIMEOUT = 5.0


@contextmanager
def watched(url: str, key: str) -> Iterator[Callable[[], int | None]]:
    """Look at a server's queue now and then; yield what returns how many tasks wait, None where that is not known."""
    seen: list[int | None] = [None]

    def look(rest: Rest) -> None:
        with Octopus(url, key, TIMEOUT, rest) as octopus:
            while True:
                try:
                    seen[0] = serverqueue.length(octopus)
                except ServerError:  # the trial's own requests tell of a server that fails
                    seen[0] = None
                rest(EVERY)

    with Aside(look):
        yield lambda: seen[0]


def describe(event: dict[str, Any], warm_up: float, waiting: int | None) -> str:
    """Say in words how a load goes.

    Args:
        event: the engine's progress.
        warm_up: how long it warms up, in seconds.
        waiting: tasks that wait on the server; None where that is not known.
    """
    facts = [
        f"{event['sent']:,} requests",
        f"{event['rate']:,.0f}/s",
        *(["warming up"] if event["elapsed"] < warm_up else []),
        *([f"p95 so far {event['p95'] * 1000:,.0f} ms"] if event["p95"] is not None else []),
        *([f"{waiting:,} tasks queued"] if waiting is not None else []),
        *([f"{event['waiting']:,} wait for a slot"] if event["waiting"] else []),
        *([f"{event['failures']:,} failed"] if event["failures"] else []),
    ]
    return ", ".join(facts)
