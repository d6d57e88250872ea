"""The parts of the page that only some runs have: capacity, scaling, depth, and the task queue."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from reports import capacities, confirmations, correlation, plots, queues, scaling, words
from reports.correlation import EventCurve
from reports.depth import DepthResult
from reports.links import LinkResult
from reports.plots import Point, Series
from reports.queues import Queue
from reports.results import Results
from reports.run import Run
from reports.scaling import Scaling
from reports.statistics import Untold

#: Suspects below this q are drawn.
SHOWN = 0.20

#: A picture, or a table, as the template takes it.
Part = dict[str, Any]


def prepare(run: Run, results: Results) -> Part:
    """Prepare all parts; one that a run does not have is empty."""
    return {
        "arms": [(arm, plots.of_arm(run.plan, arm)) for arm in run.plan.ordered],
        "searches": capacities.searches(run),
        "capacities": capacities.drained(run),
        "confirmations": [confirmations.sentence(one) for one in results.confirmations],
        "scaling": _scaling(results),
        "depths": [_depth(one) for one in results.depths],
        "queue": _queue(run),
        "links": _links(run, results),
    }


def _scaling(results: Results) -> Part:
    """Show throughput against nodes: each round, the fitted law with its limits, and what linear would be."""
    found = results.scaling
    if found is None:
        return {}
    if not isinstance(found, Scaling):
        return {"sentence": scaling.sentence(found), "picture": "", "facts": []}
    nodes = [one.nodes for one in found.speed_ups]
    points: list[Point] = [(at, value) for one in found.measured for at, value in zip(nodes, one, strict=True)]
    first = found.curve[0]
    linear: list[Point] = [(nodes[0], first.fitted), (nodes[-1], first.fitted * nodes[-1] / nodes[0])]
    top = max(*(value for _, value in points), linear[-1][1], *(one.high for one in found.curve))
    series = [
        Series("95 % limits of the law", "contender", "band", [(one.nodes, one.low, one.high) for one in found.curve]),
        Series("linear", "limit", "line", linear),
        Series("the fitted law", "contender", "line", [(one.nodes, one.fitted) for one in found.curve]),
        *[Series(f"{value:.3g} a minute at {at} nodes", "contender", "dots", [(at, value)]) for at, value in points],
    ]
    x = plots.even("nodes", nodes[0] - 0.3, nodes[-1] + 0.3, whole=True)
    y = plots.even("tasks a minute", 0, top * 1.05)
    sentence = scaling.sentence(found)
    return {
        "sentence": sentence,
        "picture": plots.draw(series, x, y, "Throughput by number of nodes", sentence),
        "facts": _law(found),
    }


def _law(found: Scaling) -> list[tuple[str, str]]:
    """Say the law's numbers with their limits; what the measurements cannot tell is a limit only."""
    sigma, kappa = found.sigma, found.kappa
    coherency = f"{kappa.estimate:.3g} ({kappa.low:.3g} to {kappa.high:.3g})"
    peak = f"{found.peak.low:.1f} or more"
    if found.peak_stated:
        peak = f"{found.peak.estimate:.1f} ({found.peak.low:.1f} to {found.peak.high:.1f})"
    return [
        ("one node", f"{found.one_node:.3g} a minute"),
        ("contention (sigma)", f"{sigma.estimate:.3g} ({sigma.low:.3g} to {sigma.high:.3g})"),
        ("coherency (kappa)", coherency if found.kappa_found else f"not shown; below {kappa.high:.3g}"),
        ("peak, nodes", peak),
        ("rounds", str(found.rounds)),
    ]


def _depth(one: DepthResult) -> Part:
    """Show a page's answer to the depth of history, round by round."""
    what, sentence = one.what, one.sentence
    points: list[Point] = [(float(at), value) for found in one.rounds for at, value in found.items()]
    if not points:
        return {"what": what, "sentence": sentence, "picture": "", "rounds": []}
    shown = [(max(at, 1.0), value) for at, value in points]
    x = plots.logarithmic(
        "deployments in the database", min(at for at, _ in shown) / 1.3, max(at for at, _ in shown) * 1.3
    )
    y = plots.times(one.metric, [value for _, value in shown])
    series = [
        Series(f"round {number}", "contender", "line", [(max(float(at), 1.0), value) for at, value in found.items()])
        for number, found in enumerate(one.rounds, start=1)
    ]
    series += [
        Series(f"{words.amount(value, one.metric)} at {at:,.0f}", "contender", "dots", [(at, value)])
        for at, value in shown
    ]
    rows = [{at: words.amount(value, one.metric) for at, value in found.items()} for found in one.rounds]
    return {
        "what": what,
        "sentence": sentence,
        "picture": plots.draw(series, x, y, f"Depth response of {what}", sentence),
        "rounds": rows,
    }


def _queue(run: Run) -> Part:
    """Show what waited and ran over time in one drain of each arm, and what each node did."""
    found = queues.of_run(run)
    if not found:
        return {}
    last = max(queue.running[-1][0] for queue in found)
    return {
        "arms": [(queue.arm, plots.of_arm(run.plan, queue.arm)) for queue in found],
        "pictures": [
            _levels(run, found, "waiting", "Tasks that wait", last),
            _levels(run, found, "running", "Tasks that run", last),
        ],
        "table": [_row(run, queue) for queue in found],
        "nodes": [
            {
                "arm": queue.arm,
                "style": plots.of_arm(run.plan, queue.arm),
                "node": node,
                "run": words.duration(node.run),
            }
            for queue in found
            for node in queue.nodes
        ],
        "doubts": [f"{queue.arm}: {queue.doubt}" for queue in found if queue.doubt],
    }


def _levels(run: Run, found: Sequence[Queue], which: str, title: str, last: float) -> Part:
    series = [
        Series(queue.arm, plots.of_arm(run.plan, queue.arm), "steps", plots.thinned(getattr(queue, which)))
        for queue in found
    ]
    most = max(count for one in series for _, count in one.points)
    x = plots.even("seconds from the first start", 0, last * 1.02, " s")
    y = plots.even("tasks", 0, max(1, most) * 1.05, whole=True)
    said = "; ".join(f"{one.name}: {max(count for _, count in one.points):.0f} at most" for one in series)
    return {"title": title, "picture": plots.draw(series, x, y, title, said)}


def _row(run: Run, queue: Queue) -> Part:
    return {
        "arm": queue.arm,
        "style": plots.of_arm(run.plan, queue.arm),
        "trial": queue.trial,
        "tasks": queue.tasks,
        "slots": queue.slots or "-",
        "arrivals": "all at once" if queue.arrivals is None else f"{queue.arrivals:.3g} /min",
        "wait": words.duration(float(queue.waits.mean())),
        "wait95": words.duration(float(np.quantile(queue.waits, 0.95))),
        "run": words.duration(float(queue.runs.mean())),
        "run95": words.duration(float(np.quantile(queue.runs, 0.95))),
        "running": f"{queue.mean_running:.1f} ({queue.most_running} at most)",
    }


def _links(run: Run, results: Results) -> Part:
    """Say of each suspect whether pages are slow while it runs, with a picture of those that can be tested."""
    found = sorted(results.links, key=lambda one: one.link.p if one.link else 2.0)
    drawn = [one for one in found if one.around and one.link and one.link.q < SHOWN]
    rows = [{"one": one, "style": plots.of_arm(run.plan, one.arm), "sentence": _linked(one)} for one in found]
    if not rows:
        return {}
    return {
        "rows": rows,
        "pictures": [_around(one, one.around, plots.of_arm(run.plan, one.arm)) for one in drawn[:4] if one.around],
    }


def _linked(one: LinkResult) -> str:
    return correlation.sentence(one.link or Untold(one.reason), f"{words.plain(one.operation)} p50", one.suspect)


def _around(one: LinkResult, curve: EventCurve, own: str) -> Part:
    """Draw the mean latency around the begin of a suspect's episodes, with one standard error to either side."""
    errors = [0.0 if math.isnan(error) else error for error in curve.errors]  # of one episode there is none
    points = list(zip(curve.offsets, curve.factors, errors, strict=True))
    band: list[Point] = [(at, factor * math.exp(-error), factor * math.exp(error)) for at, factor, error in points]
    low, high = min(0.9, *(point[1] for point in band)), max(1.1, *(point[2] for point in band))
    series = [
        Series("one standard error", own, "band", band),
        Series("as before", "limit", "line", [(curve.offsets[0], 1.0), (curve.offsets[-1], 1.0)]),
        Series(words.plain(one.operation), own, "line", [(at, factor) for at, factor, _ in points]),
    ]
    x = plots.even("seconds from the begin of an episode", curve.offsets[0], curve.offsets[-1], " s")
    what = f"{words.plain(one.operation)} p50 around {one.suspect}"
    title = f"{what}, trial {one.trial}, {one.arm} ({curve.episodes} episodes)"
    picture = plots.draw(series, x, plots.even("factor", low, high, "x"), title, _linked(one))
    return {"title": words.capital(title), "picture": picture}
