"""What the last A/A of a rig says: how much each endpoint wavers, and whether the harness itself leans to one side."""

from pathlib import Path
from typing import Any

import msgspec

from octoload import files
from octoload.errors import UsageError
from reports import power

_FILE = "rig.json"


class Noise(msgspec.Struct, frozen=True):
    """One metric of one operation, compared with itself."""

    operation: str
    #: `p50`, `p95`, `p99` or `throughput`.
    metric: str
    #: Standard deviation of the log-ratio of a pair, pooled over comparisons.
    sd: float
    #: Degrees of freedom of `sd`.
    degrees: int
    #: Pairs in all comparisons.
    pairs: int
    #: Geometric mean of all ratios: the harness's own bias; 1 is none.
    bias: float
    #: Two-sided p of "the bias is 1", after Holm over all endpoints.
    p_adjusted: float

    @property
    def planning_sd(self) -> float:
        """Upper 80 % limit of `sd`, for planning (statistics §1.4 step 1)."""
        return power.planning_sd(self.sd, self.degrees + 1)


class Rig(msgspec.Struct, frozen=True):
    """`rig.json`: what a comparison of an arm with itself has shown."""

    #: Facts of the machine that drove the load (provenance).
    machine: dict[str, Any]
    #: `standin`, or the URL of the instance.
    target: str
    #: Unix seconds at which the last comparison began.
    at: float
    comparisons: int
    #: Measured seconds of a trial.
    seconds: float
    #: Sessions a second by scenario.
    mix: dict[str, float]
    #: Seconds from the end of one trial's load to the begin of the next.
    between: float
    endpoints: list[Noise]

    def of(self, operation: str, metric: str) -> Noise | None:
        """Look an endpoint up; None when the A/A did not carry it."""
        return next((one for one in self.endpoints if (one.operation, one.metric) == (operation, metric)), None)


def resolves(noise: Noise, pairs: int) -> float:
    """Smallest ratio above 1 that so many pairs show on this rig with a power of 80 %."""
    return power.smallest_effect(noise.sd, pairs)


def write(folder: Path, rig: Rig) -> Path:
    """Write `rig.json` into a folder and return its path.

    Raises:
        UsageError: the disk is full.
    """
    files.write_json(folder / _FILE, "rig", 1, msgspec.to_builtins(rig))
    return folder / _FILE


def read(path: Path) -> Rig:
    """Read a `rig.json`, or the one in a folder.

    Raises:
        UsageError: it is missing or damaged.
    """
    path = path / _FILE if path.is_dir() else path
    try:
        return msgspec.convert(files.read_json(path, "rig", 1), Rig)
    except msgspec.ValidationError as exc:
        raise UsageError(f"{path}: {exc}", "Make it anew: octoload calibrate.") from exc
