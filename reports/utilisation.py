"""How much of what its arms can carry a comparison of latencies used: above half it is flagged (statistics §0.6, §2.4).

Near capacity the ratio of two identical arms wavers by a factor of three, and every ratio depends on the load. What an
arm can carry is known from a search; without one the CPU that its servers used says how near they were.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from reports import hosts, tasks
from reports.carried import Carried
from reports.checks import Check
from reports.plan import Plan
from reports.run import Run, Trial
from reports.searches import API
from reports.words import duration, share

#: Share of the weaker arm's capacity up to which latencies are compared.
HALF = 0.50
_NAME = "load level"
_LATENCIES = ("p50", "p95", "p99")
_CURE = (
    " Near capacity latencies waver, and their ratio depends on the load: lower the rates, or compare capacities "
    "(octoload run api-capacity)."
)
_UNKNOWN = "Capacity itself was not measured (octoload run api-capacity)."


def check(run: Run) -> list[Check]:
    """Judge the load of a run that compares latencies of arrivals."""
    if not _compares(run.plan):
        return []
    found = _by_search(run, run.carried) or _by_hosts(run.trials) or _by_cpu(run.trials)
    if found is None:
        return [Check(_NAME, None, HALF, "ok", f"How much of their capacity the arms used is not known. {_UNKNOWN}")]
    most, message = found
    if most > HALF:
        return [Check(_NAME, most, HALF, "warn", message + _CURE)]
    return [Check(_NAME, most, HALF, "ok", message)]


def of_searches(run: Run, target: str, standin: dict[str, Any] | None) -> Carried | None:
    """Reduce a run of searches to what its arms can carry; None when it has none that counts."""
    workload, found = run.plan.workload, dict[str, list[float]]()
    for trial in run.trials:
        summary = trial.operations.get(API)
        if summary and summary.sustained:
            found.setdefault(run.plan.arms[trial.facts.arm], []).append(math.log(summary.sustained))
    if not workload.search or not found:
        return None
    return Carried(
        machine=run.provenance.get("machine", {}),
        target=target,
        standin=standin,
        fingerprint=run.manifest.get("fingerprint", ""),
        mix=workload.mix,
        pollers=workload.pollers,
        at=min(trial.facts.started for trial in run.trials),
        objective=workload.search.objective,
        arms={text: math.exp(fmean(rates)) for text, rates in found.items()},
    )


def _compares(plan: Plan) -> bool:
    """Whether requests arrive on a schedule and the latency of one decides; searches and drains go to the limit."""
    decides = any(endpoint.metric in _LATENCIES for endpoint in tasks.requested(plan))
    return plan.arrives and not (plan.workload.search or plan.workload.drain) and decides


def _by_search(run: Run, known: Carried | None) -> tuple[float, str] | None:
    """Hold the rate against what a search of the same mix on the same data has shown for all arms."""
    texts = {arm: run.plan.arms[arm] for arm in run.plan.ordered}
    if known is None or not set(texts.values()) <= known.arms.keys():
        return None
    if known.fingerprint != run.manifest.get("fingerprint", ""):
        return None
    rate = _rate(run.plan)
    shares = {arm: rate / known.arms[text] for arm, text in texts.items()}
    listed = ", ".join(f"{share(part)} of {arm}'s" for arm, part in shares.items())
    day = dt.datetime.fromtimestamp(known.at, dt.UTC).strftime("%d %B %Y")
    message = (
        f"{rate:.3g} sessions a second were {listed} capacity, as a search of {day} found it (95 % of requests within "
        f"{duration(known.objective)}); caution from {share(HALF)} of the weaker arm's."
    )
    return max(shares.values()), message


def _rate(plan: Plan) -> float:
    """Sessions a second in the mean of the measured phase."""
    stages = plan.workload.stages
    factor = sum(one.seconds * one.factor for one in stages) / sum(one.seconds for one in stages) if stages else 1.0
    return sum(plan.workload.mix.values()) * factor


def _by_hosts(trials: Sequence[Trial]) -> tuple[float, str] | None:
    """Take the busiest simulated host of any arm, in the mean of its trials."""
    uses = hosts.use(trials)
    if not uses:
        return None
    most = max(uses, key=lambda use: use.busy)
    message = (
        f"The busiest host, {most.host} of {most.arm}, was {share(most.busy)} busy in the mean of its trials (caution "
        f"from {share(HALF)}). {_UNKNOWN}"
    )
    return most.busy, message


def _by_cpu(trials: Sequence[Trial]) -> tuple[float, str] | None:
    """Take the CPU that an arm's servers and database used of this machine, or the busiest node of its one CPU."""
    read: dict[str, list[Mapping[str, float]]] = {}
    for trial in trials:
        if trial.facts.valid and trial.facts.server:
            read.setdefault(trial.facts.arm, []).append(trial.facts.server)
    busy = {(arm, name): fmean(one[name] for one in found) for arm, found in read.items() for name in ("busy", "node")}
    if not busy:
        return None
    (arm, name), most = max(busy.items(), key=lambda item: item[1])
    cores = read[arm][-1]["cores"]
    what = f"all {cores} CPUs" if name == "busy" else "the one CPU that a node can use"
    whose = "servers and database" if name == "busy" else "busiest node"
    message = (
        f"The {whose} of {arm} computed on {share(most)} of {what} in the mean of its trials (caution from "
        f"{share(HALF)}). {_UNKNOWN}"
    )
    return most, message
