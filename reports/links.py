"""What a run says about pages that are slow while something else runs: its trials that are long enough, each by itself.

Only a trial of half an hour and more can tell (statistics §7): its tasks must have run several separate times.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from reports import correlation, summaries, tasks
from reports.correlation import SLICE, EventCurve, Link
from reports.run import Run, Trial
from reports.statistics import Floats, Untold
from reports.tasks import Tasks

#: Fewest slices that a trial must have: shifts of five minutes and more, 99 of them (reports.correlation).
LEAST_SLICES = round(2 * correlation.LEAST_SHIFT / SLICE) + correlation.FEWEST_SHIFTS - 1


class LinkResult(msgspec.Struct, frozen=True):
    """One endpoint and one kind of task in one trial."""

    trial: int
    arm: str
    #: Operation whose median latency in each slice of ten seconds was looked at.
    operation: str
    #: Kind of the tasks, such as `Retention`, or the id of their project.
    suspect: str
    #: What was found; None where nothing can be.
    link: Link | None
    #: Why not; empty where something was.
    reason: str
    #: Mean latency around the begin of its episodes; None where there are too few.
    around: EventCurve | None


def of_run(run: Run) -> list[LinkResult]:
    """Test every kind of task and every project against each primary operation, in each trial that is long enough."""
    found = []
    for trial in run.trials:
        seconds = trial.facts.measured_until - trial.facts.measured_from
        if trial.operations and seconds >= LEAST_SLICES * SLICE and (trial.folder / "tasks.parquet").exists():
            found += _of_trial(trial, run.plan.deciding)
    return found


def _of_trial(trial: Trial, operations: Sequence[str]) -> list[LinkResult]:
    path = trial.folder / "requests.parquet"
    if not path.exists():
        return []
    own, facts = summaries.read(path), trial.facts
    slices = int((facts.measured_until - facts.measured_from) / SLICE)
    place = ((own.intended - facts.measured_from) / SLICE).astype(np.int64)
    rate = np.bincount(np.clip(place, 0, slices), minlength=slices + 1)[:slices].astype(np.float64)
    held = rate[:, None] if np.ptp(rate) > 0 else np.empty((slices, 0))
    groups = _suspects(tasks.read(trial.folder / "tasks.parquet"), facts.measured_from, slices)
    found = []
    for operation in operations:
        asked = own.of(operation)
        y = _latency(((asked.intended - facts.measured_from) / SLICE).astype(np.int64), asked.latency, slices)
        for suspects in groups:
            tested = correlation.link_all(y, suspects, held)
            found += [
                _result(trial, operation, name, tested[name], correlation.around(y, x)) for name, x in suspects.items()
            ]
    return found


def _result(
    trial: Trial, operation: str, suspect: str, found: Link | Untold, around: EventCurve | Untold
) -> LinkResult:
    link, reason = (None, found.reason) if isinstance(found, Untold) else (found, "")
    curve = None if isinstance(around, Untold) or link is None else around
    return LinkResult(trial.facts.index, trial.facts.arm, operation, suspect, link, reason, curve)


def _latency(place: npt.NDArray[np.int64], latency: Floats, slices: int) -> Floats:
    """Logarithm of the median latency in each slice; NaN where nothing was asked."""
    order = np.argsort(place, kind="stable")
    parts = np.split(latency[order], np.searchsorted(place[order], np.arange(1, slices)))
    return np.array([np.log(np.median(part)) if part.size else np.nan for part in parts[:slices]])


def _suspects(whole: Tasks, begin: float, slices: int) -> list[dict[str, Floats]]:
    """Count running tasks in each slice: once by kind, and once by project where there are several."""
    ran = np.isfinite(whole.started)
    ends = np.where(np.isfinite(whole.completed), whole.completed, begin + slices * SLICE)
    found = []
    for group in (whole.kind, whole.project):
        names = sorted(set(group[ran].tolist()) - {""})
        counts = {
            name: correlation.running(whole.started[ran & (group == name)], ends[ran & (group == name)], begin, slices)
            for name in names
        }
        found.append(counts)
    return [found[0], found[1] if len(found[1]) > 1 else {}]
