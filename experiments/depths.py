"""Depths of history as arms say them: what may be asked, and which arms are filled with which history."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from experiments.workload import Fault
from octoload.errors import UsageError
from seeders.history import History

#: No arm is seeded with more than this many times the history.
MOST = 1000.0

_ON_A_REAL_SERVER = (
    "octoload seeds the databases of stand-ins only: give each arm an instance with a history of its own "
    "(octoload seed), and leave `depth` out."
)


class Holding(Protocol):
    """What an arm says of the data that it holds."""

    @property
    def depth(self) -> float | None:
        """How many times the experiment's history it holds."""

    @property
    def retention(self) -> object:
        """What cuts it."""

    @property
    def changes(self) -> Sequence[str]:
        """What it is meant to change."""

    @property
    def url(self) -> str | None:
        """The real instance that it is."""


def faults(arms: Mapping[str, Holding], baseline: str, *, shared: bool) -> Iterator[Fault]:
    """Yield what is wrong with the depths of arms and what they say of rows; `shared`: one server has them all."""
    deep = {name: arm.depth for name, arm in arms.items() if arm.depth is not None}
    if deep and (shared or any(arm.retention for arm in arms.values())):
        cure = "Each depth is a database of its own: make two experiments of them."
        yield "some arms differ in depth, and some switch or strike nodes or cut history", cure
    for name, depth in deep.items():
        if arms[name].url:
            yield f"arm {name!r} asks for a depth of history on {arms[name].url}", _ON_A_REAL_SERVER
        if not 0 < depth <= MOST:
            cure = f"It is a multiple of the history, such as 0.5 or 2, and {MOST:g} at most."
            yield f"arm {name!r} has a depth of {depth:g}", cure
    if baseline in arms:
        yield from _meaning_faults(arms, baseline)


def _meaning_faults(arms: Mapping[str, Holding], baseline: str) -> Iterator[Fault]:
    """Yield where what arms say of their rows is not what they hold."""
    if "rows" in arms[baseline].changes:
        yield f"the baseline {baseline!r} is meant to change rows", "Put `changes: [rows]` on the arms held against it."
    held = {name: (whole(arm.depth), arm.retention) for name, arm in arms.items()}
    for name, arm in arms.items():
        if arm.url or name == baseline:
            continue
        if held[name] == held[baseline] and "rows" in arm.changes:
            cure = "Give it a `depth` or a `retention` of its own, or leave `rows` out of `changes`."
            yield f"arm {name!r} is meant to change rows, and holds what the baseline holds", cure
        if held[name][0] != held[baseline][0] and "rows" not in arm.changes:
            cure = "Add `changes: [rows]` to it: that its rows differ is then demanded, and no fault."
            yield f"arm {name!r} has another depth of history than the baseline, and does not say so", cure


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
