"""The section of the page that shows every trial over its time: what was asked, how long it took, tasks and hosts."""

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from reports import course, plots, tasks, telemetry, words
from reports.course import Curve, Flow, Grid
from reports.run import Run, Trial

#: A picture, or a table, as the template takes it.
Part = dict[str, Any]

#: Classes that colour lines, in their order.
_COLOURS = ("contender", "third", "fourth", "baseline", "good", "open")
#: Significant digits, and decimal places, that a picture of a few hundred pixels can show.
_DIGITS, _PLACES = 3, 2


class Line(msgspec.Struct, frozen=True):
    """One line of a panel."""

    name: str
    #: Class that colours it.
    style: str
    #: Value of each bin; None where there is none.
    values: list[float | None]


class Panel(msgspec.Struct, frozen=True):
    """Lines on one axis."""

    title: str
    #: `/s`, `ms`, `tasks`, `%`.
    unit: str
    lines: list[Line]


class Mark(msgspec.Struct, frozen=True):
    """A stretch of a trial that is shaded; seconds from its begin."""

    name: str
    begin: float
    end: float


class Course(msgspec.Struct, frozen=True):
    """A trial as the page's script draws it."""

    #: "Trial 3, keep-all (pair 2)".
    name: str
    #: Seconds of a bin.
    step: float
    marks: list[Mark]
    panels: list[Panel]


@dataclass(frozen=True, slots=True)
class _Course:
    """A trial and what is known of its course."""

    trial: Trial
    bins: Grid
    panels: list[Panel]


def prepare(run: Run) -> Part:
    """Prepare the courses of all trials that count; empty when none has any.

    Raises:
        UsageError: a file of a trial is damaged.
    """
    trials = [trial for trial in run.trials if trial.facts.valid]
    found = [one for trial in trials if (one := _course(trial, len(run.plan.trials))) and one.panels]
    if not found:
        return {}
    wire = [Course(_name(one.trial), one.bins.step, _marks(one), one.panels) for one in found]
    return {
        "names": [one.name for one in wire],
        "asked": any(one.trial.flow for one in found),
        "titles": list(dict.fromkeys(panel.title for one in found for panel in one.panels)),
        "rows": [_row(run, one) for one in found],
        "data": _embedded(wire),
    }


def _embedded(wire: list[Course]) -> Markup:
    """Write courses as JSON that cannot end the element that holds it."""
    text = msgspec.json.encode(wire).decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704  no character of markup is left


def _course(trial: Trial, trials: int) -> _Course | None:
    begin, until = trial.facts.started, trial.facts.measured_until
    if trial.flow is None and until <= begin:
        return None
    bins = trial.flow.grid if trial.flow else course.grid(begin, until, trials)
    panels = [*_requests(trial.flow), *_tasks(trial, bins), *_hosts(trial, bins)]
    return _Course(trial, bins, [panel for panel in panels if any(_known(line) for line in panel.lines)])


def _requests(flow: Flow | None) -> list[Panel]:
    if flow is None:
        return []
    each = 1 / flow.grid.step
    lines = [
        _line("wanted", "baseline", flow.wanted * each),
        _line("answered", "contender", flow.answered * each),
        _line("failed", "bad", flow.failed * each),
    ]
    return [
        Panel("Requests", "/s", lines),
        *[_latency(name, found, flow.grid.step) for name, found in flow.latencies.items()],
    ]


def _latency(operation: str, found: dict[str, Curve], step: float) -> Panel:
    title = f"Latency of {words.plain(operation) or 'all requests together'}"
    lines = [
        _line(name if curve.window == step else f"{name} over {curve.window:g} s", style, 1000 * curve.values)
        for (name, curve), style in zip(found.items(), ("contender", "third"), strict=True)
    ]
    return Panel(title, "ms", lines)


def _tasks(trial: Trial, bins: Grid) -> list[Panel]:
    """Count queued and running tasks, the server's times moved by what its clock is known to be ahead."""
    path = trial.folder / "tasks.parquet"
    if not path.exists():
        return []
    found, ahead = tasks.read(path), _ahead(trial)
    queued, started, completed = (times - ahead for times in (found.queued, found.started, found.completed))
    left = np.where(np.isfinite(started), started, completed)  # a task that was cancelled in the queue never starts
    waiting = course.under_way(bins, queued, left)
    running = course.under_way(bins, started, np.where(np.isfinite(started), completed, np.nan))
    return [Panel("Tasks", "tasks", [_line("queued", "third", waiting), _line("executing", "contender", running)])]


def _ahead(trial: Trial) -> float:
    """Return how many seconds the server's clock is ahead of ours, the middle of what is possible."""
    clocks = trial.facts.clocks.values()
    return sum((clock.low + clock.high) / 2 for clock in clocks) / len(clocks) if clocks else 0.0


def _hosts(trial: Trial, bins: Grid) -> list[Panel]:
    """Show the share of its capacity that each host computed, the busiest first to be kept."""
    lines: list[tuple[str, npt.NDArray[np.float64]]] = []
    for one in telemetry.read(trial.folder / "telemetry.parquet"):
        lines.append((one.host, 100 * course.rate(bins, one.at, one.used) / one.cpus))
        if np.isfinite(one.stolen).any():
            lines.append((f"{one.host}, stolen", 100 * course.rate(bins, one.at, one.stolen) / one.cpus))
    kept = sorted(lines, key=lambda line: -float(np.nan_to_num(line[1]).sum()))[: len(_COLOURS)]
    names = {name for name, _ in kept}
    shown = [(name, values) for name, values in lines if name in names]
    drawn = [_line(name, _COLOURS[place], values) for place, (name, values) in enumerate(shown)]
    return [Panel("CPU", "%", drawn)]


def _line(name: str, style: str, values: npt.NDArray[np.floating[Any]]) -> Line:
    return Line(name, style, [_short(value) for value in values.tolist()])


def _short(value: float) -> float | None:
    """Round for a picture; a whole number is written as one."""
    if not math.isfinite(value):
        return None
    rounded = round(float(f"{value:.{_DIGITS}g}"), _PLACES)
    return int(rounded) if rounded.is_integer() else rounded


def _known(line: Line) -> bool:
    return any(value is not None for value in line.values)


def _name(trial: Trial) -> str:
    return f"Trial {trial.facts.index}, {trial.facts.arm} (pair {trial.facts.pair})"


def _marks(one: _Course) -> list[Mark]:
    """Mark what was not measured, and an outage; each step of a search has a warm-up of its own."""
    facts, begin = one.trial.facts, one.bins.begin
    if facts.search:
        return []
    before = "warm-up" if one.trial.flow else "queueing, no node takes tasks yet"
    marks = [Mark(before, 0.0, round(facts.measured_from - begin, 2))] if facts.measured_from > begin else []
    if facts.outage:
        struck, mended = (round(time - begin, 2) for time in (facts.outage.struck, facts.outage.mended))
        marks.append(Mark(f"outage {facts.outage.node}".strip(), struck, mended))
    loaded, whole = round(facts.measured_until - begin, 2), one.bins.count * one.bins.step
    if whole - loaded > one.bins.step:
        marks.append(Mark("after the load, until its tasks have ended", loaded, whole))
    return marks


def _row(run: Run, one: _Course) -> Part:
    """Say a course in a few numbers: the most of each panel, and when that was."""
    return {
        "trial": one.trial.facts.index,
        "arm": one.trial.facts.arm,
        "style": plots.of_arm(run.plan, one.trial.facts.arm),
        "failed": "-" if one.trial.flow is None else int(one.trial.flow.failed.sum()),
        "cells": {panel.title: _most(panel, one.bins) for panel in one.panels},
    }


def _most(panel: Panel, bins: Grid) -> str:
    """Name the largest value of a panel, its line and its time: "p95 312 ms at 17 s"."""
    known = [
        (value, -place, line.name)
        for line in panel.lines
        for place, value in enumerate(line.values)
        if value is not None
    ]
    value, place, name = max(known)
    amount = words.duration(value / 1000) if panel.unit == "ms" else f"{value:g} {panel.unit}"
    return f"{name.partition(' over ')[0]} {amount.removesuffix(' tasks')} at {-place * bins.step:g} s"
