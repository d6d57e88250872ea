"""A/A calibration: the same arm under two names, to see how often this machine cries wolf."""

import time
from pathlib import Path

import msgspec

from experiments.display import Display
from experiments.experiment import Arm, Compare, Design, Experiment, load
from experiments.plan import Generator
from experiments.runner import Run
from octoload import files
from reports import results

#: Sessions a second: at least 50 requests of each page in a trial of ten seconds, so that each gives a median to judge.
MIX = {"dashboard": 5.1, "audit-search": 5.1, "task-list": 5.1, "project-page": 6.0}


def run(folder: Path, times: int, seconds: float, display: Display) -> int:
    """Compare two clones of one database `times` times; return 0 when at most one metric in ten is flagged.

    The nominal rate is one in twenty; randomised pairs keep it (statistics §2.2).
    """
    source = Path(__file__).with_name("retention.yaml")
    flagged, judged = [], 0
    first: Run | None = None
    for number in range(1, times + 1):
        place = folder / f"{number:02d}"
        place.mkdir(parents=True, exist_ok=True)
        the_run = Run(alike(load(source), number, seconds), source, place, display, Generator())
        if first is None:
            first = the_run
            first.open()
        else:
            the_run.borrow(first)
        try:
            the_run.measure()
        except BaseException:
            first.close()
            raise
        found = results.build(place, time.time())
        latencies = [effect for effect in found.effects if effect.metric != "throughput"]  # arrivals are set: no news
        judged += len(latencies)
        flagged += [
            f"{number:02d} {one.operation} {one.metric}: {one.ratio:.2f} ({one.ci_low:.2f} to {one.ci_high:.2f})"
            for one in latencies
            if not one.ci_low <= 1 <= one.ci_high
        ]
    assert first is not None
    first.close()
    first.clear()
    share = len(flagged) / judged if judged else 1.0
    display.say(f"A/A: {len(flagged)} of {judged} metrics flagged ({share:.1%}); nominal 5 %, allowed 10 %")
    for name in flagged:
        display.say(f"  {name}")
    files.write_json(
        folder / "calibration.json", "calibration", 1, {"judged": judged, "flagged": flagged, "share": share}
    )
    return 0 if share <= 0.10 else 1


def alike(experiment: Experiment, number: int, seconds: float) -> Experiment:
    """Return the experiment with both arms alike and an order of its own."""
    return msgspec.structs.replace(
        experiment,
        name="calibration",
        question="How often does this machine see a difference where there is none?",
        compare=Compare("one", "same"),
        arms={"one": Arm(subject="the same"), "same": Arm(subject="the same")},
        workload=msgspec.structs.replace(experiment.workload, mix=MIX),
        design=Design(pairs=6, seconds=seconds, warm_up=2.0, seed=number, demonstration=True),
    )
