"""The part of the page on how much a server can carry: searches for a rate, and drains of a queue."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from reports import drains, plots, queueing, ramp, tasks, words
from reports.drains import Capacity
from reports.plots import Point, Series, of_arm
from reports.ramp import ApiCapacity, RampTrial
from reports.run import Run, Trial

#: A picture, or a table, as the template takes it.
Part = dict[str, Any]


def searches(run: Run) -> Part:
    """Show every step of every search: the share of requests that came too late against the rate."""
    wanted, found = (
        run.plan.workload.search,
        [trial for trial in run.trials if trial.facts.valid and trial.facts.search],
    )
    if not found or wanted is None:
        return {}
    table = [_search(run, trial) for trial in found]
    rates = [step.rate for trial in found for step in trial.facts.search]
    low, high = min(rates) / 1.1, max(rates) * 1.1
    x, y = plots.logarithmic("sessions a second", low, high), plots.logarithmic("late", 0.03, 100, " %")
    said = "; ".join(f"trial {row['trial']}, {row['arm']}: {row['capacity']}" for row in table)
    limit = Series("5 % late", "limit", "line", [(low, 100 * ramp.OVER), (high, 100 * ramp.OVER)])
    return {
        "objective": words.duration(wanted.objective),
        "picture": plots.draw(
            [limit, *[one for row in table for one in row["series"]]], x, y, "Late requests by rate", said
        ),
        "table": table,
        "knee": _knee(run, found, wanted.objective),
    }


def _knee(run: Run, found: Sequence[Trial], objective: float) -> Markup | None:
    """Draw latency against what was served: where points turn up, more load is answered later and not more often.

    A step of which nothing was served has no place on it.
    """
    steps = [(trial, step) for trial in found for step in trial.facts.search]
    tried = [(trial, step.rate * step.served, step.p95) for trial, step in steps if step.p95 and step.served]
    if not tried:
        return None
    rates, times = [rate for _, rate, _ in tried], [objective, *(p95 for _, _, p95 in tried)]
    low, high = min(rates) / 1.1, max(rates) * 1.1
    x, y = plots.logarithmic("sessions served a second", low, high), plots.times("p95", times)
    series = [Series("the objective", "limit", "line", [(low, objective), (high, objective)])]
    for trial in found:
        own: list[Point] = [(rate, p95) for one, rate, p95 in tried if one is trial]
        name = f"trial {trial.facts.index}, {trial.facts.arm}"
        series.append(Series(name, of_arm(run.plan, trial.facts.arm), "dots", own))
    said = "; ".join(
        f"{arm}: p95 {words.duration(min(all_p95))} to {words.duration(max(all_p95))}"
        for arm in run.plan.ordered
        if (all_p95 := [p95 for one, _, p95 in tried if one.facts.arm == arm])
    )
    return plots.draw(series, x, y, "Latency (p95) by throughput", said)


def _search(run: Run, trial: Trial) -> Part:
    steps, own = trial.facts.search, of_arm(run.plan, trial.facts.arm)
    found = ramp.capacity(steps)
    name = f"trial {trial.facts.index}, {trial.facts.arm}"
    series = [Series(f"{name}, step at {step.rate:.3g}/s", own, "dots", [(step.rate, _late(step))]) for step in steps]
    if isinstance(found, ApiCapacity):
        series.insert(0, Series(name, own, "line", _fitted(found, [step.rate for step in steps])))
    return {
        "trial": trial.facts.index,
        "arm": trial.facts.arm,
        "style": own,
        "capacity": f"{found.per_second:.3g} /s" if isinstance(found, ApiCapacity) else f"not told: {found.reason}",
        "slope": f"{found.slope:.3g}" if isinstance(found, ApiCapacity) else "-",
        "steps": steps,
        "series": series,
    }


def _late(step: RampTrial) -> float:
    """Percent that came late, as the fit sees it: never quite none, never quite all."""
    return 100 * (step.over + 0.5) / (step.requests + 1)


def _fitted(found: ApiCapacity, rates: Sequence[float]) -> list[Point]:
    """Draw the logit line of a fit over the rates that were tried."""
    middle = math.log(ramp.OVER / (1 - ramp.OVER))
    grid = np.geomspace(min(rates), max(rates), 60).tolist()
    logits = [middle + found.slope * math.log(rate / found.per_second) for rate in grid]
    return [(rate, 100 / (1 + math.exp(-logit))) for rate, logit in zip(grid, logits, strict=True)]


def drained(run: Run) -> list[Part]:
    """Tell each drain's rate and capacity, with what the textbook's formula makes of it."""
    drain, rows = run.plan.workload.drain, []
    for trial in run.trials:
        if drain and trial.facts.valid and trial.facts.slots:
            whole = tasks.read(trial.folder / "tasks.parquet")
            found = tasks.capacity(whole, tasks.drain(whole, trial.facts.slots), drain.objective)
            rows.append(_capacity(run, trial, whole.run, found))
    return rows


def _capacity(run: Run, trial: Trial, services: Any, found: Any) -> Part:
    slots, facts = trial.facts.slots or 0, trial.facts
    rate = trial.operations[tasks.DRAIN].rate if tasks.DRAIN in trial.operations else None
    row = {
        "trial": facts.index,
        "arm": facts.arm,
        "style": of_arm(run.plan, facts.arm),
        "slots": slots,
        "rate": words.amount(rate, "rate"),
        "run": words.duration(float(services.mean())) if services.size else "-",
        "cv": f"{services.std(ddof=1) / services.mean():.2f}" if services.size > 1 else "-",
        "sentence": drains.sentence(found),
    }
    if not isinstance(found, Capacity):
        return {**row, "capacity": "-", "used": "-", "textbook": "-"}
    line = queueing.allen_cunneen(found.per_hour / 3600, services, slots)
    used, capacity = words.share(found.utilisation), words.amount(found.per_hour, "capacity")
    return {**row, "capacity": capacity, "used": used, "textbook": words.duration(line.p95)}
