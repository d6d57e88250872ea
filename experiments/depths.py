"""Depths of history as arms say them: what may be asked, and which arms are filled with which history."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.workload import Fault
from octoload.errors import UsageError
from seeders.history import History

#: No arm is seeded with more than this many times the history.
MOST = 1000.0

_ON_A_REAL_SERVER = (
    "octoload seeds the databases of stand-ins only: give each arm an instance with a history of its own "
    "(octoload seed), and leave `depth` out."
)


def faults(name: str, depth: float, url: str | None) -> Iterator[Fault]:
    """Yield what is wrong with the depth of an arm: how many times the experiment's history it holds."""
    if url:
        yield f"arm {name!r} asks for a depth of history on {url}", _ON_A_REAL_SERVER
    if not 0 < depth <= MOST:
        cure = f"It is a multiple of the history, such as 0.5 or 2, and {MOST:g} at most."
        yield f"arm {name!r} has a depth of {depth:g}", cure


def whole(depth: float | None) -> float:
    """Return the depth of an arm that may say nothing of it: it then holds the history as it is."""
    return 1.0 if depth is None else depth


def shared(depths: Mapping[str, float | None]) -> dict[float, list[str]]:
    """Put together the arms (name -> depth) that hold the same history: depth -> their names, in their order."""
    found: dict[float, list[str]] = {}
    for name, depth in depths.items():
        found.setdefault(whole(depth), []).append(name)
    return found


def check(history: History, depths: Sequence[float]) -> None:
    """See that a history can be had at each depth, and that no two depths are the same history.

    Raises:
        UsageError: it cannot, or two are.
    """
    made: dict[History, float] = {}
    for depth in depths:
        deep = history.at_depth(depth)
        if deep in made:
            raise UsageError(
                f"history {history.name!r} is the same at the depths {made[deep]:g} and {depth:g}: it has "
                f"{deep.releases_per_project} releases a project",
                "Take depths that lie further apart, or a history with more releases.",
            )
        made[deep] = depth
