"""The checks of one trial: whether the generator, its schedule and its counts were right, whatever the latencies say.

A trial that fails one is INVALID, never "slow" (statistics §6).
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from octoload import backlog
from octoload.backlog import BUSY, LONG_WAIT
from reports import plan as plans
from reports import summaries, tasks
from reports.plan import Endpoint, Plan
from reports.statistics import carried_quantile, trend
from reports.summaries import FEWEST, Samples

State = Literal["ok", "warn", "invalid"]

#: An endpoint's own error rate is judged from this many requests up: below, one failure breaks the limit.
FEWEST_FOR_ERRORS = 100
#: Seconds by which a worker's clock may move within a trial: those of statistics §6 for any clock, and as a caution the
#: 10 ms that a schedule may be late.
CLOCK_MOVES, CLOCK_CAUTION = 0.100, 0.010
#: Seconds between which a clock's offset should be known (statistics §6).
CLOCK_WIDTH = 0.050
#: What bounds a clock loosely.
DATE = "Date header"


class Check(msgspec.Struct, frozen=True):
    """One doubt, put and answered."""

    #: What was looked at.
    name: str
    #: What was found; None when it is no number.
    value: float | None
    #: The limit that it was held against; None when there is none.
    limit: float | None
    state: State
    #: What it says, with the number and the limit, and what to do when it is not ok.
    message: str


def check_trial(facts: dict[str, Any], requests: Path, plan: dict[str, Any]) -> list[Check]:
    """Check a trial that has just ended.

    Args:
        facts: what `trial.json` will hold, without `checks` and `valid`.
        requests: its `requests.parquet`.
        plan: the run's `plan.json`.

    Raises:
        UsageError: the file of requests is missing or damaged.
    """
    samples = summaries.read(requests)
    generator, decided = facts["generator"], plans.parse(plan)
    deciding = _deciding_latency(samples, decided)
    steady = decided.workload.steady and facts.get("arm") not in decided.courses
    return [
        *backwards(float(facts["measured_until"]) - float(facts["measured_from"]), samples),
        recorded(facts, samples),
        _arrived(facts, samples),
        _offered(facts),
        _errors(samples, expected="errors" in decided.meant.get(str(facts.get("arm")), [])),
        _throttled(facts),
        *[_carried(samples, endpoint) for endpoint in tasks.requested(decided) if endpoint.metric in FEWEST],
        _lag(samples.on_schedule(decided.paced), deciding, float(generator["cpu"])),
        _read_delay(generator, deciding),
        *[check for name in (decided.deciding if steady else ()) for check in _steadiness(samples, name)],
        _backlog(generator),
        generator_cpu(generator),
        steal(generator),
        _pause(generator),
        *_worker_clocks(generator),
        *_server_clocks(facts.get("clocks", {})),
    ]


def worst(checks: list[Check]) -> State:
    """Give the gravest state among them."""
    states = {check.state for check in checks}
    return "invalid" if "invalid" in states else "warn" if "warn" in states else "ok"


def graded(value: float, warn: float, invalid: float) -> State:
    """Hold a value of which less is better against two limits."""
    return "invalid" if value > invalid else "warn" if value > warn else "ok"


def backwards(seconds: float, samples: Samples) -> list[Check]:
    """Find a clock that ran backwards in a measured phase of so many seconds: no time can be told from its stamps."""
    early = int(np.count_nonzero(samples.latency <= 0))
    if not early and seconds > 0:
        return []
    what = f"{early} requests end before they were due" if early else "The measured phase ends before it begins"
    message = f"{what}: this clock ran backwards. Let the time service settle, and run it again."
    return [Check("generator's clock", early, 0, "invalid", message)]


def recorded(facts: Mapping[str, Any], samples: Samples | None = None) -> Check:
    """Hold what the workers recorded against what Locust counted, and against the rows of the file where it is one."""
    counts = [int(facts["recorded"]), int(facts["counted"]), *([samples.recorded] if samples else [])]
    lost = max(counts) - min(counts)
    message = f"{counts[0]} requests recorded by the workers, {counts[1]} counted by Locust"
    message += f", {counts[2]} in the file." if samples else "."
    if lost:
        message += " Samples were lost: nothing can be said about latency. Repeat the trial."
    return Check("recorded", lost, 0, "invalid" if lost else "ok", message)


def _arrived(facts: Mapping[str, Any], samples: Samples) -> Check:
    """Compare what was sent with the rows of the measured phase, operation by operation."""
    rows, sent = samples.counts, facts["sent"]
    off = {name: rows.get(name, 0) - sent.get(name, 0) for name in sorted(rows.keys() | sent.keys())}
    wrong = [f"{name} ({sent.get(name, 0)} sent, {rows.get(name, 0)} recorded)" for name, gap in off.items() if gap]
    if wrong:
        message = (
            f"Not every request of the measured phase has its answer on file: {', '.join(wrong)}. Repeat the trial."
        )
        return Check("sent", float(sum(map(abs, off.values()))), 0, "invalid", message)
    return Check("sent", 0, 0, "ok", f"All {sum(rows.values())} requests of the measured phase are on file.")


def _offered(facts: Mapping[str, Any]) -> Check:
    """Hold what was sent against the schedule; more than planned is a later step of a session, not a surplus."""
    planned, sent = facts["planned"], facts["sent"]
    total = sum(planned.values())
    share = sum(min(sent.get(name, 0), count) for name, count in planned.items()) / total if total else 1.0
    state: State = "invalid" if share < 0.98 else "warn" if share < 0.995 else "ok"
    message = f"{share:.1%} of the {total} planned arrivals were sent (at least 98 % must be)."
    if state != "ok":
        message += " The generator could not keep its schedule: lower the rates, or give it more slots or processes."
    return Check("offered", share, 0.98, state, message)


def _errors(samples: Samples, *, expected: bool = False) -> Check:
    """Judge failures over all requests, and over each endpoint that holds enough of them.

    Where the arm is meant to bring them, their absence is the caution.
    """
    rates = {"all requests": (int(samples.failed.sum()), samples.failed.size)}
    for name in samples.counts:
        failed = samples.of(name).failed
        if failed.size >= FEWEST_FOR_ERRORS:
            rates[name] = (int(failed.sum()), failed.size)
    name, (failures, count) = max(rates.items(), key=lambda item: item[1][0] / max(item[1][1], 1))
    share = failures / count if count else 1.0
    if expected and count:
        message = f"{failures} of {count} ({name}) failed: {share:.2%} (the arm is meant to make requests fail)."
        message += "" if failures else " None did: see in journal.jsonl what was done to the server."
        return Check("errors", share, None, "ok" if failures else "warn", message)
    state = graded(share, 0.001, 0.01)
    message = f"{failures} of {count} ({name}) failed: {share:.2%} (at most 1 % may)."
    if state != "ok":
        message += (
            " Look at the server's log and the column `error` of requests.parquet; lower the load if it is overload."
        )
    return Check("errors", share, 0.01, state, message)


def _throttled(facts: Mapping[str, Any]) -> Check:
    """Count what a rate limit turned away (octopus-api §B.5): such an answer is quick, and says nothing of the server.

    Caution from the first one; too many are errors as well.
    """
    count, wait = int(facts.get("throttled", 0)), float(facts.get("retry_after", 0.0))
    message = f"{count} requests were turned away by a rate limit (HTTP 429)."
    if count:
        message += f" The longest wait it asked for was {wait:g} s." if wait else ""
        message += " Give several API keys of different users, raise the limit, or lower the rates."
    return Check("throttled", count, 0, "warn" if count else "ok", message)


def _carried(samples: Samples, endpoint: Endpoint) -> Check:
    operation, metric = endpoint.operation, endpoint.metric
    count = samples.counts.get(operation, 0)
    enough = count >= FEWEST[metric]
    message = f"{count} requests for {operation} {metric} ({FEWEST[metric]} needed)."
    if not enough:
        message += " This trial says nothing about it: measure longer or raise its rate."
    name = f"requests: {operation} {metric}"
    return Check(name, count, FEWEST[metric], "ok" if enough else "warn", message)


def _deciding_latency(samples: Samples, plan: Plan) -> float:
    """Median latency of the fastest primary operation in seconds: what lag must be small against."""
    names = {endpoint.operation for endpoint in plan.primary} & samples.counts.keys()
    medians = [float(np.median(samples.of(name).latency)) for name in sorted(names)]
    return min(medians, default=0.0)


def _lag(samples: Samples, deciding: float, cpu: float) -> Check:
    """Judge the schedule's lag at the highest quantile that the sample carries; the maximum of few is only luck."""
    if samples.lag.size == 0:
        return Check("schedule lag", None, None, "invalid", "No request was measured. Lengthen the trial.")
    level = carried_quantile(samples.lag.size)
    lag = float(np.quantile(samples.lag, level))
    limit, caution = max(0.010, 0.10 * deciding), max(0.005, 0.05 * deciding)
    state = graded(lag, caution, limit)
    message = (
        f"Requests left {lag * 1000:.1f} ms late at p{level * 100:.0f}, the highest quantile that {samples.lag.size} "
        f"requests carry (limit {limit * 1000:.1f} ms: 10 ms or a tenth of the deciding median)."
    )
    if state != "ok" and cpu < 0.60:
        message += " The generator had CPU to spare: its slots waited for the server. Lower the rates, or add slots."
    elif state != "ok":
        message += " Free a core for the generator, run it on another machine, or lower the rates."
    return Check("schedule lag", lag, limit, state, message)


def _backlog(generator: Mapping[str, Any]) -> Check:
    """Say when arrivals waited for a slot, and whose fault that was; the wait is part of their latency."""
    wait, cpu = float(generator.get("longest_wait", 0.0)), float(generator["cpu"])
    message = f"Arrivals waited up to {wait:.2f} s for a free slot (caution from {LONG_WAIT:g} s)."
    cause = backlog.cause(wait, cpu)
    if cause == "generator":
        message += " The generator is saturated: use more Locust processes."
    elif cause == "server":
        message += " The server is saturated, not the generator: lower the rates, or give more slots."
    return Check("backlog", wait, LONG_WAIT, "ok" if cause == "none" else "warn", message)


def _read_delay(generator: Mapping[str, Any], deciding: float) -> Check:
    """Judge how long answers lay in the kernel before they were read: that part of latency is the generator's own.

    It is the event loop's lag of statistics §6 as the answers met it, with the limits of the schedule's lag.
    """
    delay, count = generator.get("read_delay_p99"), int(generator.get("read_delays", 0))
    if delay is None:
        message = "How late answers were read is not known: this system's kernel stamps no receives (Linux' does)."
        return Check("read delay", None, None, "ok", message)
    limit, caution = max(0.010, 0.10 * deciding), max(0.005, 0.05 * deciding)
    state = graded(delay, caution, limit)
    message = (
        f"Answers were read up to {delay * 1000:.2f} ms after they had arrived (p99 of {count} sampled by the kernel's "
        f"clock; limit {limit * 1000:.1f} ms)."
    )
    if state != "ok":
        message += " That is the generator's own lateness: free a core for it, use more processes, or lower the rates."
    return Check("read delay", delay, limit, state, message)


def _steadiness(samples: Samples, operation: str) -> list[Check]:
    """Look for latency that rises or falls within the trial: a queue that builds up, or a warm-up that is too short.

    Caution only (statistics §6: the trend's interval excludes ±10 %). It is fitted to the medians of ten slices,
    because neighbours in a queue are not independent.
    """
    own = samples.of(operation)
    if own.latency.size < FEWEST["p50"]:
        return []
    slices = np.array_split(np.argsort(own.intended, kind="stable"), 10)
    times = np.array([np.median(own.intended[part]) for part in slices])
    medians = np.array([np.median(own.latency[part]) for part in slices])
    low, high = (math.exp(limit) for limit in trend(times, np.log(np.maximum(medians, 1e-6))))
    state: State = "warn" if low > 1.10 or high < 1 / 1.10 else "ok"
    message = f"The latency of {operation} changes by {low:.2f} to {high:.2f} x within the trial (caution beyond 10 %)."
    if low > 1.10:
        message += " The server cannot keep up: lower the rates to half of what the slower arm can do."
    elif state == "warn":
        message += " The warm-up is too short: lengthen it."
    return [Check(f"steadiness: {operation}", low if low > 1 else high, 1.10, state, message)]


def generator_cpu(generator: Mapping[str, Any]) -> Check:
    """Judge the CPU time of the busiest generator process."""
    cpu = float(generator["cpu"])
    state = graded(cpu, 0.60, BUSY)
    message = f"The busiest generator process used {cpu:.0%} of a core (limit {BUSY:.0%}, caution from 60 %)."
    if state != "ok":
        message += " Use more Locust processes or lower the rates."
    return Check("generator CPU", cpu, BUSY, state, message)


def steal(facts: Mapping[str, Any]) -> Check:
    """Judge the CPU time that the hypervisor took away, `steal` of what a generator or a drain says of itself."""
    taken = float(facts.get("steal") or 0.0)
    state = graded(taken, 0.01, 0.05)
    message = f"The host took {taken:.1%} of this machine's CPU time (limit 5 %, caution from 1 %)."
    if state != "ok":
        message += " Run at a quieter time or on a machine of your own."
    return Check("steal", taken, 0.05, state, message)


def _pause(generator: Mapping[str, Any]) -> Check:
    """Warn only: a pause that mattered shows in the lag."""
    pause = float(generator.get("gc_pause") or 0.0)
    message = f"The generator's longest garbage collection took {pause * 1000:.1f} ms (caution from 5 ms)."
    if pause > 0.005:
        message += " Its tail latencies may be the generator's own: use more processes."
    return Check("garbage collection", pause, 0.005, "warn" if pause > 0.005 else "ok", message)


def _worker_clocks(generator: Mapping[str, Any]) -> list[Check]:
    """Judge how well the clocks of several workers were known, and whether they stayed where they were.

    The schedule was started, and all times were corrected, by the offset measured before the trial.
    """
    clocks = [worker["clock"] for worker in generator.get("workers", [])]
    if len(clocks) < 2:
        return []
    doubt = max(float(clock["uncertainty"]) for clock in clocks)
    moves = [clock["moved"] for clock in clocks]
    moved = max((max(0.0, abs(move) - 2 * doubt) for move in moves if move is not None), default=0.0)
    state = graded(moved, CLOCK_CAUTION, CLOCK_MOVES)
    message = (
        f"The clocks of {len(clocks)} workers were known to ±{doubt * 1000:.1f} ms (caution from "
        f"±{CLOCK_WIDTH * 500:.0f} ms) and moved by {moved * 1000:.1f} ms beyond that (limit {CLOCK_MOVES * 1000:.0f} "
        f"ms, caution from {CLOCK_CAUTION * 1000:.0f} ms)."
    )
    if state != "ok":
        message += " Let NTP slew the workers' clocks, not step them."
    elif 2 * doubt > CLOCK_WIDTH:
        state, message = "warn", message + " Put the workers nearer to the master."
    elif None in moves:
        state, message = "warn", message + " One did not answer after the trial: see its log."
    return [Check("worker clocks", moved, CLOCK_MOVES, state, message)]


def _server_clocks(clocks: Mapping[str, Any]) -> list[Check]:
    """Judge what is known of the servers' clocks against ours (statistics §6).

    Nothing that compares latencies rests on them; times of tasks do. A clock that only the Date header bounds is known
    to a second at best, which is said and no fault of the trial.
    """
    if not clocks:
        return []
    widths = {node: float(clock["high"]) - float(clock["low"]) for node, clock in clocks.items()}
    close = [node for node, clock in clocks.items() if clock["by"] != DATE]
    widest = max((widths[node] for node in close), default=None)
    apart = max(float(clock["low"]) for clock in clocks.values()) - min(
        float(clock["high"]) for clock in clocks.values()
    )
    message = "; ".join(_clock_words(node, clock) for node, clock in clocks.items()) + "."
    state: State = "ok"
    if min(widths.values()) < 0:
        state, message = "invalid", message + " No clock does both: it was set within the trial. Let NTP slew it."
    elif apart > CLOCK_MOVES:
        state, message = "warn", message + f" They are {apart * 1000:.0f} ms apart at least: let NTP keep them."
    elif widest is not None and widest > CLOCK_WIDTH:
        state, message = "warn", message + " Times of tasks are not comparable with ours to 50 ms: create more."
    return [Check("server clock", widest, CLOCK_WIDTH, state, message)]


def _clock_words(node: str, clock: Mapping[str, Any]) -> str:
    low, high = float(clock["low"]), float(clock["high"])
    return (
        f"The clock of {node or 'the server'} minus ours is {low * 1000:+,.1f} to {high * 1000:+,.1f} ms by "
        f"{clock['calls']} {'answers with a ' if clock['by'] == DATE else ''}{clock['by']}"
    )
