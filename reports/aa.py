"""A/A runs reduced to what they say about their rig: the deviation and the bias of each endpoint."""

import math
from collections.abc import Sequence

import numpy as np

from octoload.errors import UsageError
from reports import statistics
from reports.effects import compare
from reports.rig import Noise, Rig
from reports.run import Run


def summarise(runs: Sequence[Run], target: str) -> Rig:
    """Gather what A/A runs of one rig say.

    Raises:
        UsageError: no run has two valid pairs.
    """
    compared = [(run, _log_ratios(run)) for run in runs]
    ratios: dict[tuple[str, str], list[list[float]]] = {}
    for _, endpoints in compared:
        for endpoint, values in endpoints.items():
            ratios.setdefault(endpoint, []).append(values)
    if not ratios:
        raise UsageError("no comparison has two valid pairs", "See what made the trials invalid, and repeat.")
    tests = {endpoint: statistics.paired_t(np.concatenate(groups)) for endpoint, groups in ratios.items()}
    adjusted = statistics.holm([test.p for test in tests.values()])
    noises = [
        Noise(*endpoint, *_pooled(ratios[endpoint]), tests[endpoint].pairs, math.exp(tests[endpoint].mean), p)
        for endpoint, p in zip(tests, adjusted, strict=True)
    ]
    last = runs[-1]
    return Rig(
        machine=runs[0].provenance.get("machine", {}),
        target=target,
        at=last.trials[0].facts.started,
        comparisons=len(runs),
        seconds=last.plan.design.seconds,
        mix=last.plan.workload.mix,
        between=_between(last),
        endpoints=noises,
    )


def _log_ratios(run: Run) -> dict[tuple[str, str], list[float]]:
    return {(effect.operation, effect.metric): effect.log_ratios for effect in compare(run.pairs, run.plan)}


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Pool the variance within comparisons: (standard deviation, degrees of freedom)."""
    degrees = sum(len(group) - 1 for group in groups)
    squares = sum(float(np.var(group)) * len(group) for group in groups)
    return math.sqrt(squares / degrees), degrees


def _between(run: Run) -> float:
    """Seconds that pass between the loads of two trials."""
    starts = [trial.facts.started for trial in run.trials]
    if len(starts) < 2:
        return 0.0
    gap = (starts[-1] - starts[0]) / (len(starts) - 1)
    return max(0.0, gap - run.plan.design.warm_up - run.plan.design.seconds)
