"""The check of the warm-up over all trials: where each arm becomes steady, and what that does to the ratio."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports import statistics, warmup
from reports.checks import Check, State
from reports.looks import ALPHA
from reports.plan import Design
from reports.run import Run
from reports.statistics import Floats
from reports.words import plain, share


@dataclass(frozen=True, slots=True)
class Finding:
    """What the slices of all pairs say about one operation."""

    #: Seconds from the begin of load until both arms are steady.
    cut: float
    #: Whether both have a steady part.
    steady: bool
    #: What leaving out all before the cut does to the mean log-ratio.
    moved: float
    state: State


def check(run: Run) -> list[Check]:
    """Check every primary operation; with stages, a trace, outages or purges its latency is not meant to be steady."""
    if not run.plan.workload.steady or run.plan.courses:
        return []
    return [found for name in run.plan.deciding if (found := _check(run, name)) is not None]


def _check(run: Run, operation: str) -> Check | None:
    slices = {trial.facts.index: trial.slices[operation] for trial in run.trials if operation in trial.slices}
    pairs = [
        (slices[pair.baseline.index], slices[pair.contender.index])
        for pair in run.pairs
        if pair.baseline.index in slices and pair.contender.index in slices
    ]
    found = judge(pairs, run.plan.design, run.plan.margin)
    if found is None:
        return None
    warm_up = run.plan.design.warm_up
    return Check(
        f"warm-up: {operation}", found.cut, warm_up, found.state, _message(found, operation, len(pairs), warm_up)
    )


def judge(pairs: Sequence[tuple[Floats, Floats]], design: Design, margin: float) -> Finding | None:
    """Judge the slices of (baseline, contender) in each pair; None when they hold too little.

    In short noisy trials the cut alone is a poor witness: with nothing to find, MSER-5 ends at its limit in 2 to 10 %
    of arms (docs/calibration.md). So a cut beyond the warm-up is a caution only when it moves the ratio, and the run
    is void only when there is no steady part and the ratio without the first half differs by more than half the
    margin. A warm-up that both arms share cancels in the ratio (statistics §1.4 step 5).
    """
    length = design.warm_up + design.seconds
    arms = [warmup.of_arm([pair[side] for pair in pairs], length) for side in (0, 1)]
    found = [arm for arm in arms if arm is not None]
    if len(found) < 2:
        return None
    cut, steady = max(arm.seconds for arm in found), all(arm.steady for arm in found)
    p, moved = _moves(pairs, design, cut)
    state: State = "ok"
    if p < ALPHA and (cut > design.warm_up or not steady):
        state = "invalid" if not steady and abs(moved) > math.log1p(margin) / 2 else "warn"
    return Finding(cut, steady, moved, state)


def _moves(pairs: Sequence[tuple[Floats, Floats]], design: Design, cut: float) -> tuple[float, float]:
    """How the mean log-ratio of pairs moves when all before `cut` is left out as well: (p, change)."""
    changes = []
    for a, b in pairs:
        seconds = np.arange(a.size) * (design.warm_up + design.seconds) / a.size
        ratio = b - a
        known = np.isfinite(ratio)
        now, then = known & (seconds >= design.warm_up), known & (seconds >= max(cut, design.warm_up))
        if then.any():
            changes.append(float(ratio[then].mean() - ratio[now].mean()))
    if len(changes) < 2:
        return 1.0, 0.0
    test = statistics.paired_t(changes)
    return test.p, test.mean


def _message(found: Finding, operation: str, pairs: int, warm_up: float) -> str:
    message, change = f"Over {pairs} pairs {plain(operation)}", share(math.expm1(found.moved))
    if not found.steady:
        message += f" has no steady part that MSER-5 can find; without the first half the ratio differs by {change}."
    elif found.cut > warm_up:
        message += f" is steady from {found.cut:.0f} s on (MSER-5) and {warm_up:g} s are left out; leaving out more "
        message += f"changes the ratio by {change}."
    else:
        message += f" is steady from {found.cut:.0f} s on (MSER-5), within the {warm_up:g} s that are left out."
    if found.state != "ok":
        message += " The arms do not settle alike: lengthen design.warm_up and design.seconds, or lower the rates."
    return message
