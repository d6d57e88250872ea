"""What a search has shown that the arms of a rig can carry, kept for the runs after it as `capacity.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from octoload import files
from octoload.errors import UsageError

_FILE = "capacity.json"
#: Mixes whose shares differ by no more than this in all are one mix.
SAME_MIX = 0.05


class Carried(msgspec.Struct, frozen=True):
    """`capacity.json`: sessions a second that each arm of a search could carry."""

    #: Facts of the machine that drove the load (provenance).
    machine: dict[str, Any]
    #: `standin`, or the URL of the baseline.
    target: str
    #: Settings of the stand-in; None for a real server.
    standin: dict[str, Any] | None
    #: Fingerprint of the history; empty where nobody seeded.
    fingerprint: str
    #: Sessions a second by scenario: only their shares matter.
    mix: dict[str, float]
    #: Closed loops beside them.
    pollers: dict[str, int]
    #: Unix seconds at which the first search began.
    at: float
    #: Seconds that 95 % of requests had to stay below.
    objective: float
    #: What an arm is, in words -> sessions a second that it carried, the geometric mean of its searches.
    arms: dict[str, float]


def same_mix(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two mixes ask for the same in all but their rates: half the sum of what their shares differ by."""
    totals = sum(one.values()), sum(other.values())
    if not all(totals):
        return False
    apart = sum(
        abs(one.get(name, 0) / totals[0] - other.get(name, 0) / totals[1]) for name in one.keys() | other.keys()
    )
    return apart / 2 <= SAME_MIX


def write(folder: Path, found: Carried) -> None:
    """Write `capacity.json` into a folder.

    Raises:
        UsageError: the disk is full.
    """
    files.write_json(folder / _FILE, "capacity", 1, msgspec.to_builtins(found))


def read(folder: Path) -> Carried | None:
    """Read the `capacity.json` in a folder; None when there is none.

    Raises:
        UsageError: it is damaged.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        return msgspec.convert(files.read_json(path, "capacity", 1), Carried)
    except msgspec.ValidationError as exc:
        raise UsageError(f"{path}: {exc}", "Delete it, or search anew: octoload run api-capacity.") from exc
