"""The check of the warm-up over all trials: where each arm becomes steady, and what that does to the ratio."""

import math

import numpy as np

from reports import statistics, warmup
from reports.checks import Check, State
from reports.looks import ALPHA
from reports.run import Run
from reports.statistics import Floats
from reports.warmup import WarmUp
from reports.words import plain, share


def check(run: Run) -> list[Check]:
    """Check every primary operation; a workload with stages or a trace is not meant to be steady and is left out."""
    if not run.plan.workload.steady:
        return []
    return [found for name in run.plan.deciding if (found := _check(run, name)) is not None]


def _check(run: Run, operation: str) -> Check | None:
    """Judge one operation.

    In short noisy trials the cut alone is a poor witness: with nothing to find, MSER-5 ends at its limit in 3 to 10 %
    of arms (docs/calibration.md). So a cut beyond the warm-up is a caution only when it moves the ratio, and the run
    is void only when there is no steady part and the ratio without the first half differs by more than half the
    margin. A warm-up that both arms share cancels in the ratio (statistics §1.4 step 5).
    """
    design = run.plan.design
    length = design.warm_up + design.seconds
    arms = [_of(run, arm, operation) for arm in (run.plan.baseline, run.plan.contender)]
    found = [cut for slices in arms if (cut := warmup.of_arm(slices, length)) is not None]
    if len(found) < 2:
        return None
    latest, steady = max(one.seconds for one in found), all(one.steady for one in found)
    p, moved = _moves(run, operation, latest)
    state: State = "ok"
    if p < ALPHA and (latest > design.warm_up or not steady):
        state = "invalid" if not steady and abs(moved) > math.log1p(run.plan.margin) / 2 else "warn"
    return Check(f"warm-up: {operation}", latest, design.warm_up, state, _message(run, operation, found, moved, state))


def _message(run: Run, operation: str, found: list[WarmUp], moved: float, state: State) -> str:
    design, cut = run.plan.design, max(one.seconds for one in found)
    trials = sum(one.trials for one in found)
    message, change = f"Over {trials} trials {plain(operation)}", share(math.expm1(moved))
    if not all(one.steady for one in found):
        message += f" has no steady part that MSER-5 can find; without the first half the ratio differs by {change}."
    elif cut > design.warm_up:
        message += f" is steady from {cut:.0f} s on (MSER-5) and {design.warm_up:g} s are left out; leaving out more "
        message += f"changes the ratio by {change}."
    else:
        message += f" is steady from {cut:.0f} s on (MSER-5), within the {design.warm_up:g} s that are left out."
    if state != "ok":
        message += " The arms do not settle alike: lengthen design.warm_up and design.seconds, or lower the rates."
    return message


def _of(run: Run, arm: str, operation: str) -> list[Floats]:
    trials = [trial for trial in run.trials if trial.facts.valid and trial.facts.arm == arm]
    return [trial.slices[operation] for trial in trials if operation in trial.slices]


def _moves(run: Run, operation: str, cut: float) -> tuple[float, float]:
    """How the mean log-ratio of pairs moves when all before `cut` is left out as well: (p, change)."""
    design = run.plan.design
    slices = {trial.facts.index: trial.slices.get(operation) for trial in run.trials}
    changes = []
    for pair in run.pairs:
        a, b = slices.get(pair.baseline.index), slices.get(pair.contender.index)
        if a is not None and b is not None:
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
