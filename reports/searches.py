"""A search for the API's capacity as reports see it: its steps, what they show, and the checks that it must pass."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from reports import ramp
from reports.checks import Check, generator_cpu, recorded, steal
from reports.ramp import RampTrial
from reports.statistics import Untold
from reports.summaries import Samples, Summary, quantiles

#: The operation under which reports show what a search found.
API = "api"


def reduce(samples: Samples, rate: float, objective: float, until: float) -> RampTrial:
    """Reduce a step to what the search needs of it.

    Args:
        samples: its measured requests; latency counts from the intended time.
        rate: sessions a second that arrived.
        objective: seconds that 95 % of requests must stay below.
        until: Unix seconds at which it ended; what was answered later was not served in time.
    """
    count = int(samples.failed.size)
    late = samples.failed | ~(samples.latency <= objective)
    served = ~samples.failed & (samples.done <= until + objective)
    failed, kept = (float(np.mean(part)) if count else 0.0 for part in (samples.failed, served))
    p50, p95, _ = quantiles(samples.latency)
    return RampTrial(rate, count, int(late.sum()), failed, kept, p50, p95)


def summarise(steps: Sequence[RampTrial]) -> dict[str, Summary]:
    """Reduce a search to its block value; failures are those of the steps that held, for overload is the method."""
    found = ramp.capacity(steps)
    held = [step for step in steps if not step.failed]
    requests, failures = sum(step.requests for step in held), round(sum(step.errors * step.requests for step in held))
    sustained = None if isinstance(found, Untold) else found.per_second
    share = failures / requests if requests else 0.0
    return {API: Summary(requests, failures, None, None, None, None, share, sustained=sustained)}


def check_search(facts: Mapping[str, Any]) -> list[Check]:
    """Check a search that has just ended; `facts` are what `trial.json` will hold, without `checks` and `valid`."""
    return [recorded(facts), _found(facts), generator_cpu(facts["generator"]), steal(facts["generator"])]


def _found(facts: Mapping[str, Any]) -> Check:
    steps = [msgspec.convert(step, RampTrial) for step in facts["search"]]
    broken_off = ramp.next_rate(steps, 1.0)
    found = broken_off if isinstance(broken_off, Untold) else ramp.capacity(steps)
    if isinstance(found, Untold):
        message = f"{len(steps)} steps found no capacity: {found.reason} (workload.search.guess)."
        return Check("search", None, None, "invalid", message)
    message = f"{len(steps)} steps found a capacity of {found.per_second:.3g} sessions a second."
    return Check("search", found.per_second, None, "ok", message)
