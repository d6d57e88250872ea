"""The page: one self-contained HTML file that says the verdict first and shows everything behind it."""

import base64
import datetime as dt
import functools
import hashlib
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup, escape

from octoload.files import write_bytes
from reports import (
    charts,
    costs,
    courses,
    hosts,
    junit,
    markdown,
    outages,
    plots,
    purges,
    sections,
    tasks,
    validity,
    words,
)
from reports import run as runs
from reports.caps import CapChoice
from reports.charts import Curve, Dot
from reports.effects import Effect
from reports.results import Results, state
from reports.run import Document, Pool, Run, Trial
from reports.scaling import Scaling
from reports.summaries import SHARE, quantile

_HERE = Path(__file__).parent
#: Bytes of a PostgreSQL page, in which the query plan counts its buffers.
_BLOCK = 8192
#: Tables with fewer rows are told in a line when both arms hold the same.
_SMALL = 1000
#: Metrics that are drawn trial by trial, in words.
_DRAWN = {
    "p50": "Median latency",
    "rate": "Tasks a minute",
    "throughput": "Answers a second",
    "sustained": "Capacity",
}


def write(run: Run, results: Results) -> Path:
    """Write `report.html`, `report.md` and `junit.xml` into the folder of a run; return the path of the first.

    Raises:
        UsageError: a file of the run is damaged, or the disk is full.
    """
    write_bytes(run.folder / "report.md", markdown.render(run, results).encode())
    write_bytes(run.folder / "junit.xml", junit.render(run, results))
    path = run.folder / "report.html"
    write_bytes(path, render(run, results).encode())
    return path


def render(run: Run, results: Results) -> str:
    """Compose the page."""
    over_time = courses.prepare(run)
    own = scripts() if over_time else []
    return _template().render(
        course=over_time,
        scripts=own,
        policy=_policy(own),
        run=run,
        plan=run.plan,
        results=results,
        state=state(results),
        headline=_headline(results.sentence) if results.valid else results.sentence,
        doubts=sorted((check for check in results.checks if check.state != "ok"), key=lambda check: check.state),
        sections=sections.prepare(run, results),
        speed_ups=results.scaling.speed_ups if isinstance(results.scaling, Scaling) else [],
        outages=[{"cost": cost, "sentence": outages.sentence(cost)} for cost in results.outages],
        purges=[{"cost": cost, "sentence": purges.sentence(cost)} for cost in results.purges],
        choice=results.caps if isinstance(results.caps, CapChoice) else None,
        bottlenecks=[hosts.bottleneck(results.hosts, arm) for arm in dict.fromkeys(use.arm for use in results.hosts)],
        surroundings=[hosts.around(one) for one in results.surroundings],
        predictions=[costs.sentences(one) for one in results.predictions],
        trial_checks=[
            {"check": check, "states": ", ".join(f"{count} {state}" for state, count in sorted(states.items()))}
            for check, states in validity.worst_of_trials(run.trials)
        ],
        css=_own("page.css") + (_own("vendored/uplot/uPlot.min.css") if over_time else ""),
        when=_when(run),
        requests=_measured(run),
        heroes=[_hero(effect) for effect in results.of("primary")],
        forests=_forests(results.effects),
        curves=_curves(run, _shown(run)),
        orders=[_order(run, effect) for effect in results.of("primary") if effect.metric in _DRAWN],
        rows=_rows(run),
        bytes=_bytes(run),
        plans=_plans(run),
        journal=[_entry(entry) for entry in run.journal],
        provenance=_flat(run.provenance),
        history=_flat(run.manifest.get("history")),
        counts=_flat(run.manifest.get("counts")),
    )


def _own(name: str) -> Markup:
    """Read a file of ours that goes into the page as it is."""
    return Markup((_HERE / name).read_text(encoding="utf-8"))  # noqa: S704  not of a run


def scripts() -> list[Markup]:
    """Return the scripts of the page: uPlot under its licence instead of its address, and what draws with it."""
    library = _own("vendored/uplot/uPlot.iife.min.js").partition("\n")[2]
    return [Markup("/* uPlot. {} */\n{}").format(_own("vendored/uplot/LICENSE"), library), _own("course.js")]


def _policy(own: list[Markup]) -> str:
    """Write the Content-Security-Policy: these scripts by their digests, styles in the page, and nothing else."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in own]
    allowed = "".join(f" 'sha256-{digest}'" for digest in digests)
    return "default-src 'none'; style-src 'unsafe-inline'" + (f"; script-src{allowed}" if allowed else "")


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(_HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "amount": words.amount,
        "capital": words.capital,
        "changed": words.changed_by,
        "duration": words.duration,
        "plain": words.plain,
        "share": words.share,
        "size": words.size,
        "times": words.times,
    }
    return environment.get_template("page.html")


def _measured(run: Run) -> int:
    """Count the requests, or the tasks of drains, behind the page."""
    valid = [trial for trial in run.trials if trial.facts.valid]
    tasks = sum(_worked_off(trial) for trial in valid if trial.facts.slots is not None)
    shown = [trial for trial in valid if trial.facts.arm in (run.plan.baseline, run.plan.contender)]
    return tasks or sum(summary.requests for trial in shown for summary in trial.operations.values())


def _worked_off(trial: Trial) -> int:
    """Count the tasks of a drain; beside a load, what was sent are its requests."""
    return int(trial.facts.tasks["queued"] if trial.facts.tasks else sum(trial.facts.sent.values()))


def _headline(sentence: str) -> Markup:
    """Set each verdict in a line of its own, and what stands in brackets (how sure, from how much) smaller than it."""
    signed = re.sub(r"(?<=\d) x\b", "\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}", sentence)
    smaller = re.sub(r"\(([^()]*)\)\.?", r"<small>(\1)</small>", str(escape(signed)))
    verdicts = smaller.replace("</small> ", "</small></span><span>")
    return Markup(f"<span>{verdicts}</span>")  # noqa: S704  escaped


def _when(run: Run) -> str:
    """Say when the first trial began, in UTC."""
    began = min((trial.facts.started for trial in run.trials), default=None)
    return dt.datetime.fromtimestamp(began, dt.UTC).strftime("%d %B %Y, %H:%M UTC") if began else "not yet run"


def _hero(effect: Effect) -> dict[str, Any]:
    """Prepare a primary endpoint's large figure and its two bars."""
    longest = max(effect.baseline, effect.contender)
    claimed = effect.claimed
    return {
        "effect": effect,
        "tone": charts.TONES[effect.verdict],
        "factor": words.times(max(effect.ratio, 1 / effect.ratio) if claimed else effect.ratio),
        "way": words.way(effect) if claimed else "the baseline's",
        "bars": [100 * effect.baseline / longest, 100 * effect.contender / longest],
    }


def _forests(effects: list[Effect]) -> list[dict[str, Any]]:
    """Group effects by what a ratio means: less time is good, more throughput is good."""
    latency = [effect for effect in effects if not effect.more_is_better]
    throughput = [effect for effect in effects if effect.more_is_better]
    deciding = any(effect.role == "primary" for effect in throughput)
    groups = [("Latency", "faster", "slower", latency, True), ("Throughput", "lower", "higher", throughput, deciding)]
    return [_forest(*group) for group in groups if group[3]]


def _forest(title: str, less: str, more: str, effects: list[Effect], shown: bool) -> dict[str, Any]:  # noqa: FBT001
    scale = charts.ratio_scale(effects)
    rows = [
        {
            "effect": effect,
            "tone": charts.TONES[effect.verdict],
            "picture": charts.interval(effect, scale, _said(effect)),
        }
        for effect in effects
    ]
    return {"title": title, "axis": charts.ratio_axis(scale, less, more), "rows": rows, "open": shown}


def _said(effect: Effect) -> str:
    """Say an interval in words, for those who do not see it."""
    low, high = words.times(effect.ci_low), words.times(effect.ci_high)
    return (
        f"Ratio {words.times(effect.ratio)}, 95 % interval {low} to {high}; "
        f"changes below {words.times(effect.resolves)} times are not visible here; {effect.verdict}."
    )


def _shown(run: Run) -> list[str]:
    """Primary operations that are told from requests, then controls, as far as both arms have requests of them."""
    names = dict.fromkeys([*(endpoint.operation for endpoint in tasks.requested(run.plan)), *run.plan.control])
    asked = [trial for trial in run.trials if not trial.facts.search]
    counts: Counter[tuple[str, str]] = Counter()
    for trial in asked:
        counts.update({(trial.facts.arm, name): summary.requests for name, summary in trial.operations.items()})
    return [name for name in names if all(counts[arm, name] > 1 for arm in (run.plan.baseline, run.plan.contender))]


def _curves(run: Run, operations: list[str]) -> list[dict[str, Any]]:
    """Prepare the latency distributions of operations, pooled over an arm's trials."""
    arms = (run.plan.baseline, run.plan.contender) if operations else ()
    pools = {arm: runs.pooled(run.trials, arm, operations) for arm in arms}
    return [_curve(run, name, {arm: found[name] for arm, found in pools.items()}) for name in operations]


def _curve(run: Run, operation: str, pools: dict[str, Pool]) -> dict[str, Any]:
    curves: list[Curve] = []
    table: list[dict[str, Any]] = []
    for arm, style in ((run.plan.baseline, "baseline"), (run.plan.contender, "contender")):
        pool = pools[arm]
        curves.append(Curve(arm, style, pool.latencies))
        quantiles = {metric: words.duration(quantile(pool.latencies, metric)) for metric in SHARE}
        count = f"{pool.latencies.size:,}"
        table.append({"arm": arm, "style": style, "requests": count, "failed": pool.failures, **quantiles})
    said = "; ".join(
        f"{row['arm']}: half within {row['p50']}, 95 % within {row['p95']} ({row['requests']} requests)"
        for row in table
    )
    title = f"Latency of {words.plain(operation)}"
    return {"operation": operation, "picture": charts.latencies(curves, title, said), "table": table}


def _order(run: Run, effect: Effect) -> dict[str, Any]:
    """Prepare the trials in the order in which they ran."""
    dots = []
    for trial in run.trials:
        facts = trial.facts
        if facts.arm not in (run.plan.baseline, run.plan.contender):
            continue
        summary = trial.operations.get(effect.operation)
        value = summary.value(effect.metric) if summary else None
        left_out = "" if facts.valid else f"; left out: {validity.reason(trial)}"
        label = f"trial {facts.index}, pair {facts.pair}, {facts.arm}: {words.amount(value, effect.metric)}{left_out}"
        dots.append(Dot(facts.index, facts.pair, plots.of_arm(run.plan, facts.arm), value, label))
    what = _DRAWN[effect.metric]
    title = f"{what} of {words.plain(effect.operation)} in each trial"
    said = "; ".join(dot.label for dot in dots)
    unit = functools.partial(words.amount, metric=effect.metric)
    return {"title": title, "picture": charts.trials(dots, title, said, unit)}


def _rows(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Compare row counts by table, largest first; small tables that are the same in both arms stand apart."""
    before, after = (run.database.get(arm, {}).get("rows", {}) for arm in (run.plan.baseline, run.plan.contender))
    largest = max([*before.values(), *after.values(), 1])
    rows = []
    for table in sorted(before.keys() | after.keys(), key=lambda table: (-before.get(table, 0), table)):
        counts = [side.get(table, 0) for side in (before, after)]
        bars = [100 * math.sqrt(count / largest) for count in counts]
        rows.append({"table": table, "before": counts[0], "after": counts[1], "bars": bars})
    same = [row for row in rows if row["before"] == row["after"] < _SMALL]
    return {"shown": [row for row in rows if row not in same], "same": [row for row in same if row["before"]]}


def _bytes(run: Run) -> list[dict[str, Any]]:
    arms = [
        (arm, run.database[arm].get("bytes")) for arm in (run.plan.baseline, run.plan.contender) if arm in run.database
    ]
    return [{"arm": arm, "bytes": octets} for arm, octets in arms if octets]


def _plans(run: Run) -> list[dict[str, Any]]:
    """Prepare the dashboard's query plan of both arms."""
    found = []
    for arm, style in ((run.plan.baseline, "baseline"), (run.plan.contender, "contender")):
        dashboard = run.database.get(arm, {}).get("dashboard")
        if dashboard:
            blocks = dashboard.get("shared_hit", 0) + dashboard.get("shared_read", 0)
            found.append({"arm": arm, "style": style, "blocks": blocks, "touched": blocks * _BLOCK, **dashboard})
    return found


def _entry(entry: Document) -> dict[str, Any]:
    """Prepare one line of the journal."""
    at = entry.get("at")
    clock = dt.datetime.fromtimestamp(at, dt.UTC).strftime("%H:%M:%S") if isinstance(at, int | float) else ""
    rest = {key: value for key, value in entry.items() if key not in {"at", "kind", "what", "where"}}
    return {
        "clock": clock,
        "kind": entry.get("kind", ""),
        "what": entry.get("what", ""),
        "where": entry.get("where", ""),
        "rest": [(words.plain(key), _json(value)) for key, value in rest.items()],
    }


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """List the leaves of a document as (path in words, value)."""
    if isinstance(value, dict):
        inner = [(key, item) for key, item in value.items() if key not in {"format", "version"} or path]
        return [leaf for key, item in inner for leaf in _flat(item, f"{path} {words.plain(str(key))}".strip())]
    if isinstance(value, list):
        return [leaf for number, item in enumerate(value, start=1) for leaf in _flat(item, f"{path} {number}")]
    return [] if value is None else [(path.removesuffix(" bytes"), _leaf(path, value))]


def _leaf(path: str, value: Any) -> str:
    if isinstance(value, bool | str | float):
        return str(value)
    return words.size(value) if path.endswith(" bytes") else f"{value:,}"
