"""Planned looks at a run that is not finished: the significance that each may use, so that all together keep 5 %.

Looking after every pair and stopping at significance gives 18 to 25 % false alarms; two looks with the corrected
level give 5.2 % (statistics §2.6).
"""

import functools
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy import optimize, special

from octoload import files
from octoload.errors import UsageError

#: Chance of a false claim over all looks together.
ALPHA = 0.05
#: Nodes of the quadrature between two boundaries.
_NODES = 64
_FILE = "looks.json"


class Levels(msgspec.Struct, frozen=True):
    """How sure one look must be, so that a run of several is right in 95 %."""

    #: Significance of a two-sided claim, after Holm; 1 less it is the confidence of every interval.
    claim: float = ALPHA
    #: Significance of a one-sided limit (equivalence, no worse).
    limit: float = ALPHA


class Look(msgspec.Struct, frozen=True):
    """One look at the pairs that were there."""

    #: Valid pairs at the time.
    pairs: int
    #: Unix seconds.
    at: float
    #: Whether the plan asked for it; one that it did not ask for is peeking.
    planned: bool
    #: Significance that this look used.
    level: float
    #: Verdict by primary endpoint, such as "dashboard p50".
    verdicts: dict[str, str]
    #: Whether the run ended here.
    stopped: bool


def levels(looks: Sequence[int]) -> Levels:
    """Give the levels for a run that is looked at when it holds each of these numbers of pairs; none means once."""
    if len(looks) < 2:
        return Levels()
    return Levels(pocock(tuple(looks), ALPHA), pocock(tuple(looks), 2 * ALPHA) / 2)


@functools.lru_cache(maxsize=64)
def pocock(looks: tuple[int, ...], alpha: float) -> float:
    """Two-sided significance, the same at each look, that keeps the chance of any false claim at alpha.

    0.0294 for two looks of equal size, 0.0221 for three (Pocock 1977; statistics §2.6).
    """

    def excess(bound: float) -> float:
        return 1 - _inside(bound, looks) - alpha

    bound = optimize.brentq(excess, 0.5, 10.0, xtol=1e-9)
    return float(2 * special.ndtr(-bound))


def _inside(bound: float, looks: tuple[int, ...]) -> float:
    """Probability that a standardised random walk lies within ±bound at every look.

    The density of the sum at one look, kept inside, is carried to the next (Armitage, McPherson & Rowe 1969).
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edge = bound * math.sqrt(looks[0])
    place, mass = edge * nodes, edge * weights
    density = _normal(place, looks[0])
    for earlier, later in itertools.pairwise(looks):
        edge = bound * math.sqrt(later)
        onward = edge * nodes
        density = _normal(onward[:, None] - place[None, :], later - earlier) @ (density * mass)
        place, mass = onward, edge * weights
    return float(density @ mass)


def _normal(values: Any, variance: float) -> Any:
    return np.exp(-(values**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def read(folder: Path) -> list[Look]:
    """Read the looks that were taken at a run, in their order.

    Raises:
        UsageError: the file is damaged.
    """
    path = folder / _FILE
    if not path.exists():
        return []
    document = files.read_json(path, "looks", 1)
    try:
        return msgspec.convert(document["looks"], list[Look])
    except (KeyError, msgspec.ValidationError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}", "It is part of the evidence: restore it.") from exc


def log(folder: Path, look: Look) -> None:
    """Add a look to those that were taken.

    Raises:
        UsageError: the file is damaged, or the disk is full.
    """
    taken = [*read(folder), look]
    files.write_json(folder / _FILE, "looks", 1, {"looks": msgspec.to_builtins(taken)})
