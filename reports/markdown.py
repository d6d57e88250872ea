"""The result as a short Markdown text, for a pull request or a chat."""

from collections.abc import Iterable

from reports import costs, outages, purges, words
from reports.effects import Effect
from reports.results import Results
from reports.run import Run


def render(run: Run, results: Results) -> str:
    """Write verdict, effects and cautions; every text from a file is escaped."""
    shown = results.of("primary") + results.of("control")
    lines = [f"## {_safe(run.plan.question)}", "", f"**{_safe(results.sentence)}**", ""]
    if shown:
        lines += ["| endpoint | role | baseline | contender | ratio (95 % CI) | verdict |", "|---|---|--:|--:|--:|---|"]
        lines += [_row(effect) for effect in shown]
        lines += [""]
    beside = [one.sentence for one in results.comparisons]
    beside += [one.sentence for one in results.depths if not one.found]
    beside += [" ".join(costs.sentences(one)) for one in results.predictions]
    beside += [outages.sentence(cost) for cost in results.outages]
    beside += [purges.sentence(cost) for cost in results.purges]
    lines += [line for text in beside for line in (_safe(text), "")]
    if results.warnings:
        lines += ["Before you rely on it:", "", *[f"- {_safe(warning)}" for warning in results.warnings], ""]
    design = run.plan.design
    lines.append(
        f"{len(run.pairs)} of {design.pairs} pairs of {run.plan.size}, randomised (seed {design.seed}), "
        f"{_safe(run.plan.baseline)} against {_safe(run.plan.contender)}. The page with everything: `report.html`."
    )
    return "\n".join(lines) + "\n"


def _row(effect: Effect) -> str:
    interval = f"{words.times(effect.ratio)} ({words.times(effect.ci_low)} to {words.times(effect.ci_high)})"
    return _cells(
        [
            f"{effect.operation} {effect.metric}",
            effect.role,
            words.amount(effect.baseline, effect.metric),
            words.amount(effect.contender, effect.metric),
            interval,
            effect.verdict,
        ]
    )


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_safe(cell) for cell in cells)} |"


def _safe(text: str) -> str:
    """Keep a text from a file from becoming markup."""
    flat = " ".join(text.split())
    for sign in "\\`*_[]<>|":
        flat = flat.replace(sign, f"\\{sign}")
    return flat
