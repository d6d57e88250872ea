"""What a purge cost while it went on: how long Retention ran, what it deleted, and what pages and deployments felt."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from reports import outages, summaries, tasks
from reports.outages import Spread
from reports.plan import Plan
from reports.run import Purge, PurgeStep, Trial
from reports.statistics import Floats
from reports.summaries import quantile
from reports.words import duration, plain


class StepCost(msgspec.Struct, frozen=True):
    """One step of a purge over the trials of an arm; times in seconds by the server's clock."""

    #: What each phase keeps from then on.
    keep: int
    #: Releases that are gone after it.
    releases: Spread
    #: From the queueing of its Retention task to its start, and from there to its end.
    waited: Spread
    ran: Spread


class Felt(msgspec.Struct, frozen=True):
    """One operation before the purge and while a Retention task ran, all trials of an arm together; in seconds."""

    operation: str
    #: Requests, or deployments.
    count_before: int
    count_during: int
    #: None where there are too few for the quantile.
    p50_before: float | None
    p50_during: float | None
    p95_before: float | None
    p95_during: float | None
    #: The longest of all; None when there were none.
    longest_before: float | None
    longest_during: float | None


class PurgeCost(msgspec.Struct, frozen=True):
    """What the purges of one arm cost."""

    arm: str
    trials: int
    #: `Items` or `Days`.
    unit: str
    steps: list[StepCost]
    #: Seconds in which a Retention task ran, all steps of a trial together.
    ran: Spread
    #: Releases that a trial deleted.
    releases: Spread
    #: Table -> rows fewer after a trial than before, net of what its load added; the largest first.
    rows: dict[str, Spread]
    #: The primary operations, and the deployments' queue wait where tasks were followed.
    felt: list[Felt]


@dataclass(frozen=True, slots=True)
class _Events:
    """Requests, or deployments: when each was wanted, in Unix seconds, and the seconds that it took."""

    at: Floats
    took: Floats


def costs(trials: Sequence[Trial], plan: Plan) -> list[PurgeCost]:
    """Reduce the valid trials of each arm that purges.

    Raises:
        UsageError: a file of a trial is damaged.
    """
    found: dict[str, list[tuple[Trial, Purge]]] = {}
    for trial in trials:
        if trial.facts.valid and trial.facts.purge:
            found.setdefault(trial.facts.arm, []).append((trial, trial.facts.purge))
    operations = list(dict.fromkeys(endpoint.operation for endpoint in tasks.requested(plan)))
    return [_cost(arm, cases, operations) for arm, cases in sorted(found.items())]


def _cost(arm: str, cases: Sequence[tuple[Trial, Purge]], operations: Sequence[str]) -> PurgeCost:
    purges = [purge for _, purge in cases]
    return PurgeCost(
        arm=arm,
        trials=len(cases),
        unit=purges[0].unit,
        steps=[_step(steps) for steps in zip(*(purge.steps for purge in purges), strict=True)],
        ran=outages.spread([sum(step.ran for step in purge.steps) for purge in purges]),
        releases=outages.spread([float(sum(step.releases for step in purge.steps)) for purge in purges]),
        rows=_rows([purge.rows for purge in purges]),
        felt=_all_felt(cases, operations),
    )


def _step(steps: Sequence[PurgeStep]) -> StepCost:
    return StepCost(
        keep=steps[0].keep,
        releases=outages.spread([float(step.releases) for step in steps]),
        waited=outages.spread([step.started - step.queued for step in steps]),
        ran=outages.spread([step.ran for step in steps]),
    )


def _rows(found: Sequence[dict[str, int]]) -> dict[str, Spread]:
    tables = {table for rows in found for table in rows}
    spreads = {table: outages.spread([float(rows.get(table, 0)) for rows in found]) for table in tables}
    return dict(sorted(spreads.items(), key=lambda item: (-item[1].median, item[0])))


def _all_felt(cases: Sequence[tuple[Trial, Purge]], operations: Sequence[str]) -> list[Felt]:
    """Put together what each operation of all trials took before the first step and while one was under way."""
    before: dict[str, list[Floats]] = {}
    during: dict[str, list[Floats]] = {}
    for trial, purge in cases:
        for name, events in _events(trial, operations).items():
            early, within = _sides(events, purge.steps)
            before.setdefault(name, []).append(early)
            during.setdefault(name, []).append(within)
    return [_felt(name, np.concatenate(before[name]), np.concatenate(during[name])) for name in before]


def _sides(events: _Events, steps: Sequence[PurgeStep]) -> tuple[Floats, Floats]:
    """Return what was taken before the first step, and while a Retention task ran."""
    within = np.zeros(events.at.shape, dtype=bool)
    for step in steps:
        within |= (events.at >= step.started) & (events.at <= step.completed)
    return events.took[events.at < steps[0].queued], events.took[within]


def _events(trial: Trial, operations: Sequence[str]) -> dict[str, _Events]:
    samples = summaries.read(trial.folder / "requests.parquet")
    found = {name: _Events((own := samples.of(name)).intended, own.latency) for name in operations}
    if not trial.facts.tasks:
        return found
    rows = tasks.read(trial.folder / "tasks.parquet")
    started = (rows.kind == "Deploy") & ~np.isnan(rows.started)
    return {**found, tasks.WAIT: _Events(rows.queued[started], (rows.started - rows.queued)[started])}


def _felt(name: str, before: Floats, during: Floats) -> Felt:
    return Felt(
        operation=name,
        count_before=before.size,
        count_during=during.size,
        p50_before=quantile(before, "p50"),
        p50_during=quantile(during, "p50"),
        p95_before=quantile(before, "p95"),
        p95_during=quantile(during, "p95"),
        longest_before=float(before.max()) if before.size else None,
        longest_during=float(during.max()) if during.size else None,
    )


def sentence(cost: PurgeCost) -> str:
    """Say what an arm's purges cost, each figure as a median with its range."""
    number = len(cost.steps)
    way = f"{number} steps" if number > 1 else "one step"
    last = cost.steps[-1]
    told = f"Purging to {last.keep} {cost.unit.lower()} in {way} ({cost.arm}; {cost.trials} trials): "
    told += f"{cost.releases.median:,.0f} releases deleted in {outages.seconds(cost.ran)} of Retention"
    if number > 1:
        longest = max(cost.steps, key=lambda step: step.ran.median)
        told += f", {outages.seconds(longest.ran)} of it in the longest step"
    felt = [words for one in cost.felt if (words := _in_words(one))]
    return f"{told}; while it ran, {', '.join(felt)}." if felt else f"{told}."


def _in_words(felt: Felt) -> str:
    """Say how an operation fared at the highest quantile that both sides carry; nothing when neither does."""
    sides = {"p95": (felt.p95_before, felt.p95_during), "p50": (felt.p50_before, felt.p50_during)}
    for metric, (before, during) in sides.items():
        if before is not None and during is not None:
            return f"the {plain(felt.operation)} had a {metric} of {duration(during)} ({duration(before)} before)"
    return ""
