"""The commands `octoload compare` and `octoload trend`: results of several runs side by side."""

import datetime as dt
import math
from pathlib import Path

from rich.console import Console
from rich.table import Table

from octoload.errors import UsageError
from reports import comparison, trend, words
from reports.comparison import Finished, Shift
from reports.effects import Effect


def show(first: Path, second: Path, console: Console) -> int:
    """Print how the effects of two runs differ.

    Raises:
        UsageError: they must not be compared, or one is not finished, INVALID or damaged.
    """
    runs = comparison.read(first), comparison.read(second)
    shifts = comparison.compare(*runs)
    for shift in (shift for shift in shifts if shift.role == "primary"):
        console.print(_sentence(shift), style="bold", markup=False)
    console.print(_table(shifts))
    for note in comparison.notes(*runs):
        console.print(f"! They differ in {note}", style="yellow", markup=False)
    console.print(
        "level: the baseline's own change between the runs. It is not tested: an hour may do that.", style="dim"
    )
    return 0


def _sentence(shift: Shift) -> str:
    what, change = f"{words.plain(shift.operation)} {shift.metric}", shift.change
    limits = f"95 % CI {words.times(change.low)} to {words.times(change.high)}, p = {shift.p_adjusted:.2g}"
    effects = f"{words.times(shift.first)} x then, {words.times(shift.second)} x now"
    if shift.shown:
        return f"The effect on {what} has changed by {words.times(change.estimate)} x ({effects}; {limits})."
    return f"No change of the effect on {what} is shown ({effects}; {limits})."


def _table(shifts: list[Shift]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("endpoint", no_wrap=True)
    table.add_column("role")
    for heading in ("first", "second", "change", "95 % CI", "level"):
        table.add_column(heading, justify="right", no_wrap=True)
    for shift in shifts:
        change = shift.change
        table.add_row(
            f"{shift.operation} {shift.metric}",
            shift.role,
            *(words.times(value) for value in (shift.first, shift.second, change.estimate)),
            f"{words.times(change.low)} to {words.times(change.high)}",
            words.times(shift.level),
        )
    return table


def show_trend(folder: Path, experiment: str | None, console: Console) -> int:
    """Print the primary effects of all comparable runs below a folder, and where they changed.

    Raises:
        UsageError: there is no finished run, or none of that experiment.
    """
    runs, skipped = _read(folder)
    runs = [run for run in runs if experiment in {None, run.facts["experiment"]}]
    if not runs:
        raise UsageError(f"{folder} holds no finished run{f' of {experiment!r}' if experiment else ''}", _hint(skipped))
    kept, unlike = comparison.comparable(runs)
    for effect in [effect for effect in kept[-1].effects if effect.role == "primary"]:
        _print_series(kept, effect, console)
    for run, why in unlike:
        skipped.append(f"{run.name} is of another kind ({why[0]}{', …' if len(why) > 1 else ''})")
    for text in skipped:
        console.print(f"! left out: {text}", style="yellow", markup=False)
    return 0


def _hint(skipped: list[str]) -> str:
    return f"Left out: {'; '.join(skipped[:3])}." if skipped else "Name the folder that holds the folders of runs."


def _read(folder: Path) -> tuple[list[Finished], list[str]]:
    """Read the finished runs below a folder in the order of their time, and say what was left out."""
    runs, skipped = [], []
    for path in sorted(folder.glob("*/plan.json")):
        try:
            runs.append(comparison.read(path.parent))
        except UsageError as exc:
            skipped.append(exc.message)
    return sorted(runs, key=lambda run: run.at), skipped


def _print_series(runs: list[Finished], wanted: Effect, console: Console) -> None:
    """Print one endpoint over time; a line below says where its level changes, and by how much."""
    points = [
        (run, effect)
        for run in runs
        for effect in run.effects
        if (effect.operation, effect.metric) == (wanted.operation, wanted.metric)
    ]
    marks = {change.index: change for change in trend.changes([math.log(effect.ratio) for _, effect in points])}
    title = f"{words.plain(wanted.operation)} {wanted.metric}, {len(points)} runs"
    table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
    # Names are broken where a line is too short for all; figures never are.
    table.add_column("run", overflow="fold")
    table.add_column("began", no_wrap=True)
    for heading in ("baseline", "contender", "ratio", "95 % CI"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run, effect in points:
        table.add_row(*_cells(run, effect))
    console.print(table)
    for number, change in marks.items():
        text = f"{points[number][0].name}: from here {words.times(change.factor)} x (p = {change.p:.2g})"
        console.print(text, style="bold yellow", markup=False)


def _cells(run: Finished, effect: Effect) -> list[str]:
    return [
        run.name,
        dt.datetime.fromtimestamp(run.at, dt.UTC).strftime("%Y-%m-%d %H:%M"),
        words.amount(effect.baseline, effect.metric),
        words.amount(effect.contender, effect.metric),
        words.times(effect.ratio),
        f"{words.times(effect.ci_low)} to {words.times(effect.ci_high)}",
    ]
