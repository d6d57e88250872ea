"""docs/calibration.md from the runs that were made: the latest of each cell as a table, and the list of all."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

HEAD = """\
# Calibration: what the statistics of octoload do when the truth is known

Each figure comes from simulated experiments whose truth is known, put through the same functions as a report, or, where
the heading says so, from whole experiments on the running stand-in. "±" is the Monte-Carlo standard error. "Specified"
is what an earlier, independent simulation gave, or what is demanded. Where something is demanded, "holds" means within
two Monte-Carlo standard errors, or what was counted; with this many figures a few must lie outside by chance. Seeds are
in `benchmarks/calibration/seeds.py` and were fixed before the first run; every run made since is listed at the end.
Make it again: `python -m benchmarks.calibration` (about two and a half hours on two cores).

Three machines: *quiet* wavers by 2 % slowly (600 s) and 3 % faster (30 s), *typical* by 8 % and 8 % with bursts of
x1.5, *noisy* by 20 % and 15 % with bursts of x2.5. An experiment has 8 pairs of blocks of 120 s with 10 requests a
second of each of two pages that share the machine's noise; each block begins with a restart.
"""

#: (cell, case, figure) -> what is known about a figure that lies outside.
NOTES = {
    (
        "alarms",
        "noisy, p99",
        "paired t, p < 0.05",
    ): "The cell `alarms-again` repeats it with a seed of its own and five times as many experiments.",
    ("paired-drains", "5 pairs of 100 tasks, CV 1, lists of their own", "coverage of x1.2"): "On the safe side: the "
    "interval holds the truth more often than it says. Experiments of octoload use the same list in both arms.",
}
#: Cell -> what a reader should know of figures that nothing demands and that differ from the specification.
REMARKS = {
    "endpoints": "The specification's simulation had endpoints that waver more than a standard deviation of 0.08; its "
    "powers are the least, not the aim.",
    "scaling": "Coherency is found less often here than specified in three of the seven cases, and a peak is stated "
    "less often in one: the intervals are widened to Student's, which costs power and gives the coverage.",
    "queue-formula": "With run times of a CV of 2 the formula is off by up to 50 %: it stays a plausibility line.",
    "api-capacity": "Searches with trials of 120 s waver more than specified (6.2 against 4.2 %); 59 of 60 lie within "
    "12 %.",
}


def render(runs: Sequence[Mapping[str, Any]], cells: Mapping[str, Callable[..., Any]]) -> str:
    """Compose the page."""
    latest = {run["cell"]: run for run in runs if "lost" not in run}
    parts = [HEAD, _outside({name: latest[name] for name in cells if name in latest})]
    for name, function in cells.items():
        if name in latest:
            title = (function.__doc__ or name).splitlines()[0].rstrip(".")
            remark = f"\n{REMARKS[name]}\n" if name in REMARKS else ""
            parts.append(f"## {title}\n\n{_table(latest[name])}\n{remark}")
    missing = [name for name in cells if name not in latest]
    if missing:
        parts.append(f"Not yet run: {', '.join(missing)}.\n")
    parts.append(f"## All runs that were made\n\n{_runs(runs)}")
    return "\n".join(parts)


def _outside(latest: Mapping[str, Mapping[str, Any]]) -> str:
    """List what does not hold, beside how much of that chance alone would give."""
    judged = [(name, row) for name, run in latest.items() for row in run["rows"] if row["holds"] is not None]
    wrong = [(name, row) for name, row in judged if not row["holds"]]
    lines = [
        "## What does not hold\n",
        f"Of {len(judged)} figures of which something is demanded, {len(wrong)} lie outside two Monte-Carlo standard",
        f"errors; by chance up to {0.0455 * len(judged):.0f} would, if every truth lay just at what is demanded.\n",
    ]
    for name, row in wrong:
        value = (
            f"{100 * row['value']:.1f} ± {100 * row['error']:.1f} % of {row['runs']:,} (demanded: {row['specified']})"
        )
        lines.append(f"- {row['case']}, {row['what']}: {value}. {NOTES.get((name, row['case'], row['what']), '')}")
    return "\n".join(lines) + "\n"


def _table(run: Mapping[str, Any]) -> str:
    lines = ["| case | figure | found | n | specified | |", "|---|---|--:|--:|---|---|"]
    for row in run["rows"]:
        verdict = {None: "", True: "holds", False: "**does not hold**"}[row["holds"]]
        scale = 100 if row["unit"] == "%" else 1
        digits = 1 if scale > 1 else 2
        value = f"{scale * row['value']:.{digits}f} ± {scale * row['error']:.{digits}f} {row['unit']}"
        lines.append(f"| {row['case']} | {row['what']} | {value} | {row['runs']:,} | {row['specified']} | {verdict} |")
    return "\n".join(lines)


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| when (UTC) | cell | seed | seconds | figures | digest of the figures |", "|---|---|--:|--:|--:|---|"]
    for run in runs:
        if "lost" in run:
            lines.append(
                f"| {run['at'].replace('+00:00', '')} | {run['cell']} | {run['seed']} | - | - | {run['lost']} |"
            )
            continue
        digest = hashlib.sha256(json.dumps(run["rows"]).encode()).hexdigest()[:12]
        when = run["at"].replace("+00:00", "")
        lines.append(f"| {when} | {run['cell']} | {run['seed']} | {run['seconds']} | {len(run['rows'])} | `{digest}` |")
    return "\n".join(lines) + "\n"
