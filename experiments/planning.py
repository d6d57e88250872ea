"""The command `octoload plan`: what an experiment will be able to say on this rig, and how long it takes."""

import datetime as dt
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from experiments import provenance
from experiments.experiment import Experiment
from experiments.workload import OPERATIONS, QUEUING, sessions
from octoload.errors import UsageError
from reports import carried, drains, planning, ramp, tasks, words
from reports import rig as rigs
from reports.carried import Carried
from reports.comparison import MACHINE
from reports.plan import Endpoint, Plan
from reports.planning import Outlook
from reports.rig import Rig
from reports.summaries import FEWEST

_NO_RIG = (
    "No A/A of this rig is known, so its noise is not: the table supposes a quiet, a decent and a noisy machine. "
    "Measure it: octoload calibrate {name}"
)


def target(experiment: Experiment) -> str:
    """Name what an experiment measures, as an A/A of it does: `standin`, or the baseline's URL."""
    return experiment.arms[experiment.compare.baseline].url or "standin"


def last_rig(experiment: Experiment, below: Path = Path("runs")) -> Rig | None:
    """Find the newest A/A of this machine and the experiment's target; None when there is none.

    Raises:
        UsageError: a rig.json is damaged.
    """
    machine = provenance.machine()
    known = [rigs.read(path) for path in sorted(below.glob("*/rig.json"))]
    fitting = [
        rig
        for rig in known
        if rig.target == target(experiment) and all(rig.machine.get(fact) == machine[fact] for fact in MACHINE)
    ]
    return max(fitting, key=lambda rig: rig.at, default=None)


def last_carried(experiment: Experiment, mix: dict[str, float], below: Path = Path("runs")) -> Carried | None:
    """Find what the newest search of the same mix on this machine and target has shown; None when there is none.

    Raises:
        UsageError: a capacity.json is damaged.
    """
    machine, standin = provenance.machine(), msgspec.to_builtins(experiment.standin)
    known = [carried.read(path.parent) for path in sorted(below.glob("*/capacity.json"))]
    fitting = [
        one
        for one in known
        if one
        and (one.target, one.standin, one.pollers) == (target(experiment), standin, experiment.workload.pollers)
        and all(one.machine.get(fact) == machine[fact] for fact in MACHINE)
        and carried.same_mix(one.mix, mix)
    ]
    return max(fitting, key=lambda one: one.at, default=None)


def show(experiment: Experiment, plan: Plan, rig: Rig | None, effect: float | None, console: Console) -> int:
    """Print the outlook of an experiment; `effect` is the ratio that it should show, the margin when None.

    Raises:
        UsageError: the effect is no ratio that a test could look for.
    """
    wanted = effect if effect is not None else 1 + plan.margin
    if not 0.001 < wanted < 1000 or wanted == 1:
        raise UsageError(f"--effect is {wanted:g}", "It is a ratio other than 1, such as 1.10 or 0.5.")
    console.print(plan.question, style="bold", markup=False)
    console.print(_design(plan), markup=False)
    console.print(_time(plan, rig), markup=False)
    for endpoint in plan.primary:
        if said := _too_few(experiment, plan, endpoint):
            console.print(f"! {said}", style="yellow", markup=False)
    console.print(_source(plan, rig), markup=False)
    console.print(_table(plan, rig, wanted))
    console.print(
        f"resolves, chance: of {plan.design.pairs} pairs. Pairs: for a power of 80 %; time: to see {_aim(wanted)} and "
        f"to pass a gate. Equivalent: shown within {words.share(plan.margin)} either way when nothing differs; a gate: "
        f"shown to be no worse by {words.share(plan.margin)}. Not known: the A/A has too few pairs of it.",
        style="dim",
        markup=False,
    )
    return 0


def _design(plan: Plan) -> str:
    design = plan.design
    looks = f", looks at {' and '.join(map(str, design.looks))} pairs" if design.looks else ""
    return (
        f"{design.pairs} pairs of {design.seconds:g} s after {design.warm_up:g} s of warm-up, randomised, "
        f"seed {design.seed}{looks}"
    )


def _time(plan: Plan, rig: Rig | None) -> str:
    """Say how long all trials take, and what is not in that time."""
    count = len(plan.trials)
    total = planning.seconds(plan, count, rig.between if rig else 0.0)
    if total is None:
        return f"{count} trials of {plan.size}, as long as the server takes{_confirming(plan)}; filling it comes first"
    if plan.workload.search:
        return f"{count} {plan.size}, about {ramp.USUAL_STEPS} steps each: {words.span(total)}"
    gaps = f", {rig.between:.1f} s between two as in the last A/A" if rig else "; pauses between them come on top"
    return f"{count} trials: {words.span(total)}{gaps}; filling the servers comes first"


def _confirming(plan: Plan) -> str:
    drain = plan.workload.drain
    if not drain or drain.confirm is None:
        return ""
    count = len(drains.SIDES) * len(plan.ordered)
    return f", then {count} open trials of {words.span(drain.confirm)} that confirm the capacities"


def _too_few(experiment: Experiment, plan: Plan, endpoint: Endpoint) -> str:
    """Say when a trial will hold too few requests for a primary quantile (statistics §1.4 step 4)."""
    workload, needed = experiment.workload, FEWEST.get(endpoint.metric, 0)
    counts = sessions(workload, experiment.design.phases(workload))
    expected = sum(count * OPERATIONS[name].count(endpoint.operation) for name, count in counts.items())
    if endpoint.operation in tasks.OPERATIONS:
        expected = workload.drain.tasks if workload.drain else sum(counts[name] for name in QUEUING & counts.keys())
    if expected >= needed or workload.search:
        return ""
    queued = workload.drain and endpoint.operation in tasks.OPERATIONS
    cure = "queue more tasks" if queued else f"measure {plan.design.seconds * needed / max(expected, 1):.0f} s"
    return (
        f"{endpoint.operation} {endpoint.metric} needs {needed} requests in a trial and will get about {expected:.0f}: "
        f"{cure}, or raise its rate."
    )


def _source(plan: Plan, rig: Rig | None) -> str:
    if rig is None:
        return _NO_RIG.format(name=plan.name)
    day = dt.datetime.fromtimestamp(rig.at, dt.UTC).strftime("%d %B %Y")
    said = f"Noise: {rig.comparisons} A/A comparisons of {rig.target}, {day}, trials of {rig.seconds:g} s"
    if rig.seconds < plan.design.seconds:
        said += "; longer trials waver less, so this is the careful side"
    elif rig.seconds > plan.design.seconds:
        said += "; shorter trials waver more, so this is too hopeful"
    return f"{said}; planned with its upper 80 % limit"


def _table(plan: Plan, rig: Rig | None, effect: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("endpoint", no_wrap=True)
    aim = _aim(effect)
    headings = ("sd", "resolves", f"chance of {aim}", f"pairs for {aim}", "for equivalent", "for a gate", "time")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for endpoint in plan.primary:
        for name, sd in _deviations(endpoint, rig):
            table.add_row(f"{endpoint.operation} {endpoint.metric}{name}", *_cells(plan, rig, effect, sd))
    return table


def _aim(effect: float) -> str:
    return f"{words.times(effect)} x"


def _deviations(endpoint: Endpoint, rig: Rig | None) -> list[tuple[str, float | None]]:
    """Deviations to plan an endpoint with: the rig's own, or three that are supposed."""
    noise = rig.of(endpoint.operation, endpoint.metric) if rig else None
    if noise is not None:
        return [("", noise.planning_sd if planning.usable(noise) else None)]
    if rig is not None:
        return [("", None)]
    return [(f", sd {sd:g}", sd) for sd in planning.SUPPOSED]


def _cells(plan: Plan, rig: Rig | None, effect: float, sd: float | None) -> list[str]:
    if sd is None:
        return ["not known", *["-"] * 6]
    seen = planning.outlook(sd, plan.design, effect, plan.margin)
    trials = len(plan.trials) // plan.design.pairs * max(seen.pairs_to_see, seen.pairs_to_pass)
    time = planning.seconds(plan, trials, rig.between if rig else 0.0)
    return [*_figures(seen), words.span(time) if time is not None else "-"]


def _figures(seen: Outlook) -> list[str]:
    return [
        f"{seen.sd:.3f}",
        f"{words.times(seen.resolves)} x",
        f"{seen.power:.0%}",
        str(seen.pairs_to_see),
        str(seen.pairs_to_equal),
        str(seen.pairs_to_pass),
    ]
