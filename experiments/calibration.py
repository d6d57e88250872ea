"""A/A calibration: the same arm under two names, to see how much this rig wavers and how often it cries wolf."""

import time
from pathlib import Path

import msgspec
from scipy import stats

from experiments import planning
from experiments.display import Display
from experiments.experiment import Arm, Compare, Design, Experiment, Objectives
from experiments.plan import Generator
from experiments.runner import Run
from experiments.workload import shrunk
from octoload import files
from octoload.errors import InvalidRunError
from reports import aa, results, words
from reports import rig as rigs
from reports import run as runs
from reports.looks import ALPHA
from reports.results import Results
from reports.rig import Rig

#: Sessions a second: at least 50 requests of each page in a trial of ten seconds, so that each gives a median to judge.
MIX = {"dashboard": 5.1, "audit-search": 5.1, "task-list": 5.1, "project-page": 6.0}
#: Pairs of one comparison (statistics §0.5).
PAIRS = 6
#: How seldom a sound rig may be called unsound.
_SELDOM = 0.02


def run(folder: Path, experiment: Experiment, source: Path, times: int, display: Display) -> int:
    """Compare an arm with itself `times` times and say what that shows (`conclude`); trials that are there are kept.

    Args:
        folder: where the runs go.
        experiment: one whose arms are alike (`alike`).
        source: the experiment's file.
        times: comparisons.
        display: where progress is shown.
    """
    first, *others = [_comparison(folder, experiment, number, source, display) for number in range(1, times + 1)]
    if any(one.left() for one in (first, *others)):
        try:
            first.open()
            first.measure()
            for another in others:
                another.borrow(first)
                another.measure()
        finally:
            first.close()
    first.clear()
    return conclude(folder, times, planning.target(experiment), display)


def _comparison(folder: Path, experiment: Experiment, number: int, source: Path, display: Display) -> Run:
    place = comparison_folder(folder, number)
    place.mkdir(parents=True, exist_ok=True)
    return Run(numbered(experiment, number), source, place, display, Generator())


def comparison_folder(folder: Path, number: int) -> Path:
    """Return where a comparison of a calibration lies, the first one being 1."""
    return folder / f"{number:02d}"


def unfinished(name: str) -> list[Path]:
    """Return the folders of a name below `runs/` that hold a calibration without its conclusion, the oldest first."""
    begun = [comparison_folder(folder, 1) / "plan.json" for folder in sorted(Path("runs").glob(f"*-{name}"))]
    folders = [plan.parents[1] for plan in begun if plan.exists()]
    return [folder for folder in folders if not (folder / "calibration.json").exists()]


def conclude(folder: Path, times: int, target: str, display: Display) -> int:
    """Keep what the comparisons of a folder show of the rig as `rig.json`, and their alarms as `calibration.json`.

    An INVALID comparison tells nothing: it is named and not counted. Returns 0 unless more of the others raise an alarm
    than the nominal one in twenty explains. Raises `InvalidRunError` when all are INVALID.

    Args:
        folder: holds the runs `01`, `02`, ...
        times: how many there are.
        target: what was measured, as `planning.target` names it.
        display: where it is said.
    """
    found = {number: results.build(comparison_folder(folder, number), time.time()) for number in range(1, times + 1)}
    valid = {number: one for number, one in found.items() if one.valid}
    for number in sorted(found.keys() - valid.keys()):
        display.say(f"Comparison {number:02d} is not counted: {found[number].sentence}")
    if not valid:
        raise InvalidRunError(
            f"all {times} comparisons are INVALID",
            f"Their folders in {folder} say why. Run it at a quieter time or on a machine of your own.",
        )
    rig = aa.summarise([runs.read(comparison_folder(folder, number)) for number in valid], target)
    rigs.write(folder, rig)
    return _judge(folder, valid, times, rig, display)


def _judge(folder: Path, found: dict[int, Results], times: int, rig: Rig, display: Display) -> int:
    """Say what was flagged in the valid comparisons and what the rig resolves; return the exit code."""
    alarms = [number for number, one in found.items() if any(e.claimed for e in one.of("primary"))]
    allowed = allowed_alarms(len(found))
    latencies = [(number, e) for number, one in found.items() for e in one.effects if not e.more_is_better]
    flagged = [
        f"{number:02d} {one.operation} {one.metric}: {one.ratio:.2f} ({one.ci_low:.2f} to {one.ci_high:.2f})"
        for number, one in latencies
        if not one.ci_low <= 1 <= one.ci_high
    ]
    display.say(
        f"A/A: a primary endpoint raised an alarm in {len(alarms)} of {len(found)} comparisons (nominal 5 %, allowed "
        f"{allowed}); of all latencies {len(flagged)} of {len(latencies)} intervals exclude 1"
    )
    for name in flagged:
        display.say(f"  {name}")
    for noise in rig.endpoints:
        display.say(
            f"  {noise.operation} {noise.metric}: a pair wavers by {noise.sd:.3f}, {PAIRS} pairs resolve "
            f"{words.times(rigs.resolves(noise, PAIRS))} x, bias {words.times(noise.bias)} x (p {noise.p_adjusted:.2g})"
        )
    content = {"comparisons": len(found), "invalid": times - len(found), "alarms": alarms, "allowed": allowed}
    content |= {"flagged": flagged, "judged": len(latencies)}
    files.write_json(folder / "calibration.json", "calibration", 3, content)
    return 0 if len(alarms) <= allowed else 1


def allowed_alarms(comparisons: int) -> int:
    """How many comparisons may raise an alarm: more come by chance, at 5 % each, in less than one case of fifty."""
    return int(stats.binom.ppf(1 - _SELDOM, comparisons, ALPHA))


def alike(experiment: Experiment, seconds: float | None, url: str | None = None) -> Experiment:
    """Return an experiment with its baseline under two names; everything else as it is.

    Args:
        experiment: what to compare with itself.
        seconds: measured seconds of a trial; None keeps the experiment's own.
        url: an instance to compare with itself instead.
    """
    arm = experiment.arms[experiment.compare.baseline]
    arm = Arm(subject="the same", url=url) if url else msgspec.structs.replace(arm, subject="the same")
    design, workload = msgspec.structs.replace(experiment.design, pairs=PAIRS, looks=[]), experiment.workload
    if seconds is not None:
        workload = shrunk(workload, seconds / design.seconds)
        design = msgspec.structs.replace(design, seconds=seconds)
    return msgspec.structs.replace(
        experiment,
        name="calibration",
        question="How often does this machine see a difference where there is none?",
        compare=Compare("one", "same"),
        arms={"one": arm, "same": arm},
        design=design,
        workload=workload,
        standin=None if url else experiment.standin,
        history=None if url else experiment.history,
    )


def quick(experiment: Experiment) -> Experiment:
    """Return an experiment with short trials that only read: four pages, each often enough for a median."""
    return msgspec.structs.replace(
        experiment,
        workload=msgspec.structs.replace(experiment.workload, mix=MIX, stages=[], pollers={}, trace=""),
        objectives=Objectives(primary=["dashboard p50"]),
        design=Design(seconds=10.0, warm_up=2.0, demonstration=True),
    )


def numbered(experiment: Experiment, number: int) -> Experiment:
    """Give each comparison an order and arrivals of its own."""
    return msgspec.structs.replace(experiment, design=msgspec.structs.replace(experiment.design, seed=number))
