"""The result of a run: effects, checks, the verdict in words and the exit code; written as `results.json`."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from octoload import files
from reports import caps, confirmations, costs, depth, hosts, links, looks, outages, purges, scaling, validity, words
from reports import run as runs
from reports.caps import CapChoice
from reports.checks import Check, worst
from reports.confirmations import Confirmation
from reports.costs import Prediction
from reports.depth import DepthResult
from reports.effects import Effect, ErrorRate, Role, compare, compare_errors, primary_p
from reports.hosts import HostUse, Surroundings
from reports.links import LinkResult
from reports.looks import Look
from reports.outages import Cost
from reports.purges import PurgeCost
from reports.run import Document, Run, Trial
from reports.scaling import Scaling, fit
from reports.statistics import Untold
from reports.summaries import Summary
from reports.tasks import DRAIN

#: A gate passes only when the error rate's upper limit stays below this share (statistics §2.9).
ERROR_MARGIN = 0.005

PASSED, FAILED, INVALID, UNDECIDED = 0, 1, 3, 4


class TrialResult(msgspec.Struct, frozen=True):
    """One trial as the result lists it."""

    #: Position in the run, from 1.
    index: int
    pair: int
    arm: str
    attempt: int
    #: Unix seconds.
    started: float
    valid: bool
    #: Names of the checks that did not pass.
    doubts: list[str]
    #: Block values by operation; empty when it is not valid.
    operations: dict[str, Summary]


class Comparison(msgspec.Struct, frozen=True):
    """A further arm against the baseline."""

    arm: str
    #: The verdict in words.
    sentence: str
    #: Primary endpoints, adjusted together with those of all other contenders.
    effects: list[Effect]


class Results(msgspec.Struct, frozen=True):
    """`results.json` (docs/formats.md)."""

    name: str
    question: str
    #: The verdict in words.
    sentence: str
    #: Whether the measurement may be believed.
    valid: bool
    #: What a reader must know: messages of the checks that are not ok.
    warnings: list[str]
    effects: list[Effect]
    error_rates: list[ErrorRate]
    checks: list[Check]
    trials: list[TrialResult]
    #: Arm -> `database.json`.
    database: dict[str, Document]
    provenance: Document
    #: Further arms of the same rounds.
    comparisons: list[Comparison]
    #: What more nodes give, where arms differ in them; why that cannot be told, or None where nothing was asked.
    scaling: Scaling | Untold | None
    #: What the depth of history does to the primary endpoints, where arms hold three depths or more.
    depths: list[DepthResult]
    #: Whether pages are slow while something else runs, in trials that are long enough to tell.
    links: list[LinkResult]
    #: What open trials made of the arms' task capacities.
    confirmations: list[Confirmation]
    #: What hosts used in each arm.
    hosts: list[HostUse]
    #: What held them to their capacity, steal and distance in each arm.
    surroundings: list[Surroundings]
    #: What CPU cost predicts of arms that differ from the baseline in where the database lies.
    predictions: list[Prediction]
    #: Which task cap to set, where arms differ in it; why that cannot be told, or None where nothing was asked.
    caps: CapChoice | Untold | None
    #: What the outages of each arm cost.
    outages: list[Cost]
    #: What the purges of each arm cost while they went on.
    purges: list[PurgeCost]
    #: 0 finished or gate passed, 1 gate failed, 3 INVALID, 4 gate undecided (design §7).
    exit_code: int

    def of(self, role: Role) -> list[Effect]:
        """Effects of one role."""
        return [effect for effect in self.effects if effect.role == role]


def build(folder: Path, at: float = 0.0) -> Results:
    """Reduce a run's folder to its result and write `results.json` into it; `at` is the time in Unix seconds.

    Raises:
        UsageError: the folder is no run, a file in it is damaged, or the disk is full.
    """
    return finish(runs.read(folder), at)[1]


def finish(run: Run, at: float = 0.0) -> tuple[Run, Results]:
    """Reduce a run that was read to its result and write `results.json`; return both.

    A report on a run that has not ended is a look that nobody planned, and is logged as such.

    Raises:
        UsageError: the disk is full.
    """
    if run.trials and not run.ended:
        looks.log(run.folder, _look(run, reduce(run), at, planned=False))
        run = replace(run, looks=looks.read(run.folder))
    results = reduce(run)
    files.write_json(run.folder / "results.json", "results", 1, _finite(msgspec.to_builtins(results)))
    return run, results


def look(run: Path, at: float) -> Look:
    """Take a planned look at an unfinished run and log it; it ends the run when every primary endpoint is settled.

    Raises:
        UsageError: the folder is no run, a file in it is damaged, or the disk is full.
    """
    read = runs.read(run)
    taken = _look(read, reduce(read), at, planned=True)
    looks.log(run, taken)
    return taken


def _look(run: Run, results: Results, at: float, *, planned: bool) -> Look:
    verdicts = {f"{effect.operation} {effect.metric}": effect.verdict for effect in results.of("primary")}
    settled = len(verdicts) == len(run.plan.primary) and "inconclusive" not in verdicts.values()
    level = looks.levels(run.plan.design.looks).claim
    stopped = planned and results.valid and settled and results.exit_code != UNDECIDED
    return Look(len(run.pairs), at, planned, level, dict(verdicts), stopped)


def reduce(run: Run) -> Results:
    """Compute the result of a run that was read."""
    pairs = run.pairs
    effects, errors = compare(pairs, run.plan, _beside(run, run.plan.contender)), compare_errors(pairs)
    confirmed = confirmations.of_run(run)
    checks = [*validity.check_run(run, effects, errors), *confirmations.check(confirmed)]
    primary = [effect for effect in effects if effect.role == "primary"]
    faults = [check.message for check in checks if check.state == "invalid"]
    recommended = None if faults else caps.recommend(run)
    comparisons = [] if faults else [_comparison(run, arm) for arm in run.plan.also]
    depths = [] if faults else depth.of_run(run)
    return Results(
        name=run.plan.name,
        question=run.plan.question,
        sentence=words.invalid_sentence(faults) if faults else _sentence(run, primary, recommended, depths),
        valid=not faults,
        warnings=[check.message for check in checks if check.state != "ok"],
        effects=effects,
        error_rates=errors,
        checks=checks,
        trials=[_trial(trial) for trial in run.trials],
        database=run.database,
        provenance=run.provenance,
        comparisons=comparisons,
        scaling=None if faults else _scaling(run),
        depths=depths,
        links=[] if faults else links.of_run(run),
        confirmations=confirmed,
        hosts=hosts.use(run.trials),
        surroundings=hosts.surroundings(run.trials),
        predictions=[] if faults else _predictions(run, [primary, *(one.effects for one in comparisons)]),
        caps=recommended,
        outages=outages.costs(run.trials),
        purges=purges.costs(run.trials, run.plan),
        exit_code=exit_code(run, effects, errors, valid=not faults),
    )


def _sentence(
    run: Run, primary: list[Effect], recommended: CapChoice | Untold | None, depths: list[DepthResult]
) -> str:
    """Say the verdict; where arms differ in their task cap, the recommendation first: it is what was asked for.

    Where they hold histories of several depths, what was asked for is what doubling it does, and not one of them.
    """
    if told := [one.sentence for one in depths if one.found]:
        return " ".join(told)
    verdict = words.sentence(run.plan, primary)
    return f"{caps.sentence(recommended)} {verdict}" if recommended else verdict


def _beside(run: Run, arm: str) -> list[float]:
    """p-values of the primary endpoints of all contenders but one."""
    others = [name for name in run.plan.contenders if name != arm]
    return [p for name in others for p in primary_p(run.pairs_with(name), run.plan)]


def _comparison(run: Run, arm: str) -> Comparison:
    plan = msgspec.structs.replace(run.plan, contender=arm, subject=run.plan.also[arm])
    effects = [effect for effect in compare(run.pairs_with(arm), plan, _beside(run, arm)) if effect.role == "primary"]
    return Comparison(arm, words.sentence(plan, effects), effects)


def _predictions(run: Run, effects: list[list[Effect]]) -> list[Prediction]:
    """Predict throughput from CPU cost for all contenders; measured is what the throughput's primary endpoint says."""
    served = [next((one for one in found if one.metric == "throughput"), None) for found in effects]
    return costs.predict(run.trials, run.plan.baseline, dict(zip(run.plan.contenders, served, strict=True)))


def _scaling(run: Run) -> Scaling | Untold | None:
    """Fit the scalability law to the drains of arms that differ in their nodes."""
    rates: dict[int, dict[int, float]] = {}
    for trial in run.trials:
        nodes, drain = run.plan.nodes.get(trial.facts.arm), trial.operations.get(DRAIN)
        if nodes and drain and drain.rate:
            rates.setdefault(trial.facts.pair, {})[nodes] = drain.rate
    levels = {nodes for found in rates.values() for nodes in found}
    return fit([found for found in rates.values() if set(found) == levels]) if len(levels) > 1 else None


def exit_code(run: Run, effects: list[Effect], errors: list[ErrorRate], *, valid: bool) -> int:
    """Turn a run's outcome into the exit code of design §7; only a gate turns a verdict into one.

    A gate passes when every primary endpoint is shown to be no worse and to fail no more often (statistics §2.9).
    """
    if not valid:
        return INVALID
    if not run.plan.gate:
        return PASSED
    primary = [effect for effect in effects if effect.role == "primary"]
    verdicts = {effect.verdict for effect in primary}
    deciding = {effect.operation for effect in primary}
    failing = [rate for rate in errors if rate.operation in deciding and rate.upper >= ERROR_MARGIN]
    if verdicts & {"worse", "slightly worse"} or any(rate.difference >= ERROR_MARGIN for rate in failing):
        return FAILED
    return UNDECIDED if failing or "inconclusive" in verdicts else PASSED


def _trial(trial: Trial) -> TrialResult:
    facts = trial.facts
    return TrialResult(
        index=facts.index,
        pair=facts.pair,
        arm=facts.arm,
        attempt=facts.attempt,
        started=facts.started,
        valid=facts.valid,
        doubts=[check.name for check in facts.checks if check.state != "ok"],
        operations=trial.operations,
    )


def _finite(value: Any) -> Any:
    """Replace what JSON cannot say (NaN, infinity) by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def console(results: Results) -> RenderableType:
    """Lay the result out for a terminal: doubts first, then the sentence, and below it the effects."""
    colours = {"ok": "green", "warn": "yellow", "invalid": "red"}
    parts: list[RenderableType] = [
        Text.assemble(("! ", f"bold {colours[check.state]}"), check.message)
        for check in results.checks
        if check.state != "ok"
    ]
    parts += [Text(), Text(results.sentence, style="bold" if results.valid else "bold red")]
    parts += [Text(one.sentence, style="bold") for one in results.comparisons]
    parts += [Text(one.sentence) for one in results.depths if not one.found]
    parts += [Text(scaling.sentence(results.scaling))] if results.scaling else []
    arms = dict.fromkeys(use.arm for use in results.hosts)
    parts += [Text(f"Hosts, {hosts.bottleneck(results.hosts, arm)}.") for arm in arms]
    parts += [Text(line) for one in results.predictions for line in costs.sentences(one)]
    parts += [Text(outages.sentence(cost)) for cost in results.outages]
    parts += [Text(purges.sentence(cost)) for cost in results.purges]
    shown = results.of("primary") + results.of("control")
    return Group(Text(), *parts, Text(), *([_table(shown)] if shown else []))


def _table(effects: list[Effect]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("endpoint", no_wrap=True)
    table.add_column("role")
    for heading in ("baseline", "contender", "ratio", "95 % CI"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for effect in effects:
        table.add_row(
            f"{effect.operation} {effect.metric}",
            effect.role,
            words.amount(effect.baseline, effect.metric),
            words.amount(effect.contender, effect.metric),
            words.times(effect.ratio),
            f"{words.times(effect.ci_low)} to {words.times(effect.ci_high)}",
            Text(effect.verdict, style=_COLOURS.get(effect.verdict, "")),
        )
    return table


_COLOURS = {"better": "green", "slightly better": "green", "worse": "red", "slightly worse": "red"}


def state(results: Results) -> str:
    """Give the gravest state of the run's checks: `ok`, `warn` or `invalid`."""
    return worst(results.checks)
