"""The checks of a whole run: what makes its result void, and what a reader must know before believing it."""

import math
from collections import Counter
from collections.abc import Sequence

from reports import arms, hosts, looks, statistics, steadiness, utilisation
from reports.checks import CLOCK_MOVES, Check, State, graded
from reports.effects import Effect, ErrorRate, Pair
from reports.looks import ALPHA
from reports.plan import LEAST_PAIRS, WANTED_PAIRS
from reports.rig import resolves
from reports.run import Clock, Run, Trial
from reports.tasks import OPERATIONS
from reports.words import changed_by, share, times

#: A control that moves by more than this share says that something else changed too.
CONTROL_MOVES = 0.15


def check_run(run: Run, effects: Sequence[Effect], errors: Sequence[ErrorRate]) -> list[Check]:
    """Put every doubt about a run; `effects` and `errors` are its own."""
    pairs = run.pairs
    primary = [effect for effect in effects if effect.role == "primary"]
    return [
        *_labels(run),
        _pairs(run, pairs),
        _looks(run),
        *_endpoints(run, effects),
        _dropped(run.trials),
        _cautions(run.trials),
        *_clock(run.trials),
        _mix(run, pairs),
        *arms.failures(run, errors),
        *steadiness.check(run),
        *[_order(effect, pairs) for effect in primary if effect.pairs == len(pairs)],
        *[_agreement(effect) for effect in primary if effect.hl_low is not None],
        *[_resolution(effect, run) for effect in primary],
        *_bias(run),
        *[_control(effect) for effect in effects if effect.role == "control"],
        *arms.rows(run),
        *_clocks(run.trials),
        *hosts.check(run),
        *utilisation.check(run),
    ]


def _labels(run: Run) -> list[Check]:
    """Say what kind of run this is; these are no faults and never go away by measuring better."""
    design, server, labels = run.plan.design, run.plan.server, []
    if design.demonstration:
        message = (
            f"A demonstration: {design.pairs} pairs of {run.plan.size} show how the tool works. "
            "Run the full design before you decide anything."
        )
        labels.append(Check("demonstration", None, None, "warn", message))
    if server.simulated:
        message = "A simulated server: these are not Octopus' numbers. Measure your own instance before you decide."
        if server.time_scale != 1:
            message += f" Its timers run {server.time_scale:g} times faster than Octopus'."
        labels.append(Check("simulated server", server.time_scale, None, "warn", message))
    return labels


def _pairs(run: Run, pairs: Sequence[Pair]) -> Check:
    count, planned = len(pairs), run.plan.design.pairs
    state: State = "invalid" if count < LEAST_PAIRS else "warn" if count < WANTED_PAIRS else "ok"
    message = f"{count} of {planned} planned pairs are valid ({WANTED_PAIRS} are wanted, {LEAST_PAIRS} are the least)."
    faults = Counter(reason(trial) for trial in run.trials if not trial.facts.valid)
    if faults:
        message += f" Left out: {', '.join(f'{number} trials for {name}' for name, number in faults.most_common(3))}."
    if not run.ended:
        message += f" {len(run.plan.trials) - len(run.trials)} trials were not run: go on with octoload run --resume."
        state = "invalid" if state == "invalid" else "warn"
    elif state != "ok":
        message += " Cure that first." if faults else " Add pairs."
    return Check("pairs", count, WANTED_PAIRS, state, message)


def _looks(run: Run) -> Check:
    """Say how often the result was looked at before its end: stopping at a fine moment makes false alarms."""
    unplanned = [look for look in run.looks if not look.planned]
    level = looks.levels(run.plan.design.looks).claim
    message = f"The plan allows {max(1, len(run.plan.design.looks))} looks, each with a significance of {level:.3g}."
    ending = next((look for look in run.looks if look.stopped), None)
    if ending:
        message += f" The one at {ending.pairs} pairs settled the primary endpoints and ended the run."
    if unplanned:
        message += (
            f" Reports were made {len(unplanned)} times before the end (at {unplanned[-1].pairs} pairs the last time): "
            "going on or stopping because of what they showed gives up to 25 % false alarms. Let it run to its end."
        )
    return Check("looks", len(unplanned), 0, "warn" if unplanned else "ok", message)


def _endpoints(run: Run, effects: Sequence[Effect]) -> list[Check]:
    """Demand that every primary endpoint was carried by enough pairs."""
    carried = {(effect.operation, effect.metric): effect.pairs for effect in effects}
    whole, checks = len(run.pairs), []
    for endpoint in run.plan.primary:
        count = carried.get((endpoint.operation, endpoint.metric), 0)
        if count < whole or whole == 0:
            state: State = "invalid" if count < 4 else "warn"
            message = (
                f"{endpoint.operation} {endpoint.metric} has enough requests in {count} of {whole} valid pairs "
                "(at least 4 needed). Measure longer, or raise its rate."
            )
            checks.append(Check(f"endpoint: {endpoint.operation} {endpoint.metric}", count, 4, state, message))
    return checks


def _dropped(trials: Sequence[Trial]) -> Check:
    """List what was left out: only ever for what the checks say, never for a latency."""
    dropped = [trial for trial in trials if not trial.facts.valid]
    reasons = [f"trial {trial.facts.index} ({trial.facts.arm}: {reason(trial)})" for trial in dropped]
    repeated = sum(trial.facts.attempt > 1 for trial in trials)
    message = f"{len(dropped)} trials left out" + (f": {'; '.join(reasons)}." if reasons else ".")
    message += f" {repeated} were repeated." if repeated else ""
    return Check("trials left out", len(dropped), 0, "warn" if dropped else "ok", message)


def _cautions(trials: Sequence[Trial]) -> Check:
    """Sum up the doubts about trials that count."""
    valid = [trial for trial in trials if trial.facts.valid]
    doubts = Counter(check.name for trial in valid for check in trial.facts.checks if check.state == "warn")
    named = ", ".join(f"{name} in {count}" for name, count in doubts.most_common())
    if not doubts:
        return Check("cautions in trials", 0, 0, "ok", f"None in {len(valid)} valid trials.")
    message = f"Of {len(valid)} valid trials: {named}. The list of trials shows which; what to do stands in trial.json."
    return Check("cautions in trials", doubts.total(), 0, "warn", message)


def worst_of_trials(trials: Sequence[Trial]) -> list[tuple[Check, Counter[State]]]:
    """Return for each check of a trial the worst that was found, and in how many trials it came out how."""
    found: dict[str, list[Check]] = {}
    for trial in trials:
        for check in trial.facts.checks:
            found.setdefault(check.name, []).append(check)
    return [(max(checks, key=_badness), Counter(check.state for check in checks)) for checks in found.values()]


def _badness(check: Check) -> tuple[int, float]:
    value = check.value or 0.0
    # Of most values more is worse; of what must be reached, less is.
    less_is_worse = check.name.startswith(("offered", "requests"))
    return ("ok", "warn", "invalid").index(check.state), -value if less_is_worse else value


def _clock(trials: Sequence[Trial]) -> list[Check]:
    """Say when the schedule was coarse: without the kernel's timers, waits end at whole milliseconds."""
    kinds = {trial.facts.generator.get("schedule") for trial in trials} - {None}
    if "timer" in kinds:
        message = (
            "The schedule is 1 ms coarse: this generator's system has no timerfd. Requests leave up to 1 ms late, in "
            "both arms alike, and that is part of their latency. Drive the load from Linux where a millisecond counts."
        )
        return [Check("schedule clock", 0.001, 0.001, "warn", message)]
    return [Check("schedule clock", 0.0, 0.001, "ok", "The schedule is kept by timerfd, to 0.1 ms.")] if kinds else []


def reason(trial: Trial) -> str:
    """Name the checks that made a trial invalid."""
    return ", ".join(check.name for check in trial.facts.checks if check.state == "invalid") or "marked invalid"


def _mix(run: Run, pairs: Sequence[Pair]) -> Check:
    """Demand the same mix of operations in both arms (statistics §6); a slower server gets fewer polls, as in life."""
    counts = [_counts(pairs, side, run.plan.closed) for side in ("baseline", "contender")]
    names = sorted(counts[0].keys() | counts[1].keys())
    totals = [max(1, sum(count.values())) for count in counts]
    gaps = {name: abs(counts[0][name] / totals[0] - counts[1][name] / totals[1]) for name in names}
    deciding = {endpoint.operation for endpoint in run.plan.primary}
    widest = max((gaps.get(name, 0.0) for name in deciding), default=0.0)
    p = statistics.same_mix([counts[0][name] for name in names], [counts[1][name] for name in names])
    unlike = p < 0.001
    state: State = "invalid" if unlike and widest > 0.02 else "warn" if unlike else "ok"
    message = (
        f"The share of the deciding operations differs by {widest * 100:.1f} percentage points between the arms "
        f"(limit 2), chi-square p = {p:.2g} (limit 0.001)."
    )
    if state != "ok":
        message += " The arms were not asked the same: look at sessions that broke off, and repeat."
    return Check("mix", widest, 0.02, state, message)


def _counts(pairs: Sequence[Pair], side: str, closed: Sequence[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for pair in pairs:
        operations = getattr(pair, side).operations
        total.update({name: summary.requests for name, summary in operations.items() if name not in closed})
    # How many tasks there were follows from the requests; of a drain alone there is nothing else to compare.
    asked = Counter({name: count for name, count in total.items() if name not in OPERATIONS})
    return asked or total


def _order(effect: Effect, pairs: Sequence[Pair]) -> Check:
    p = statistics.order_effect(effect.log_ratios, [pair.baseline_first for pair in pairs])
    name = f"order: {effect.operation} {effect.metric}"
    if math.isnan(p):
        return Check(name, None, 0.05, "warn", "All pairs ran in one order, so drift cannot be told. Add pairs.")
    state: State = "warn" if p < ALPHA else "ok"
    message = f"Pairs with the baseline first against the others: p = {p:.2g} (limit 0.05)."
    if state == "warn":
        message += " Carry-over or drift suspected: lengthen the warm-up and the pause between trials."
    return Check(name, p, 0.05, state, message)


def _agreement(effect: Effect) -> Check:
    """Compare Student's and Wilcoxon's answers to "is the ratio 1?"."""
    assert effect.hl_low is not None
    assert effect.hl_high is not None
    agree = (effect.ci_low <= 1 <= effect.ci_high) == (effect.hl_low <= 1 <= effect.hl_high)
    message = (
        f"Student's interval is {times(effect.ci_low)} to {times(effect.ci_high)}, Wilcoxon's {times(effect.hl_low)} "
        f"to {times(effect.hl_high)}: they {'agree' if agree else 'disagree'} about 1."
    )
    if not agree:
        message += " One pair weighs too much: look at the trials in their order, and add pairs."
    return Check(f"agreement: {effect.operation} {effect.metric}", None, None, "ok" if agree else "warn", message)


def _resolution(effect: Effect, run: Run) -> Check:
    margin = run.plan.margin
    state: State = "warn" if effect.resolves > 1 + margin else "ok"
    message = (
        f"{effect.pairs} pairs on this rig show changes of {effect.operation} {effect.metric} from "
        f"{times(effect.resolves)} x up (wanted: from {1 + margin:.2f} x up)."
    )
    noise = run.rig.of(effect.operation, effect.metric) if run.rig else None
    if noise is not None:
        message += f" Its last A/A promised {times(resolves(noise, effect.pairs))} x."
    if state == "warn":
        message += " Smaller changes cannot be seen: add pairs, measure longer, or find a quieter machine."
    return Check(f"resolution: {effect.operation} {effect.metric}", effect.resolves, 1 + margin, state, message)


def _bias(run: Run) -> list[Check]:
    """Distrust a rig that told an arm from itself: void where that is half the margin (statistics §6)."""
    if run.rig is None:
        return []
    checks = []
    for endpoint in run.plan.primary:
        noise = run.rig.of(endpoint.operation, endpoint.metric)
        if noise is None:
            continue
        found, large = noise.p_adjusted < ALPHA, abs(math.log(noise.bias)) > math.log1p(run.plan.margin) / 2
        state: State = "invalid" if found and large else "warn" if found else "ok"
        message = (
            f"In the rig's last A/A ({noise.pairs} pairs) {endpoint.operation} {endpoint.metric} differed from itself "
            f"by {times(noise.bias)} x (p = {noise.p_adjusted:.2g} after Holm)."
        )
        if found:
            message += " The rig favours one side: see what differs between the arms, and repeat octoload calibrate."
        checks.append(Check(f"A/A: {endpoint.operation} {endpoint.metric}", noise.bias, 1.0, state, message))
    return checks


def _control(effect: Effect) -> Check:
    """Warn when something moved that the change should leave alone."""
    moved = max(effect.ratio, 1 / effect.ratio) - 1
    sure = not effect.ci_low <= 1 <= effect.ci_high
    state = graded(moved, CONTROL_MOVES, float("inf")) if sure else "ok"
    message = (
        f"The control {effect.operation} {effect.metric} is {changed_by(effect)} (95 % CI of the ratio "
        f"{times(effect.ci_low)} to {times(effect.ci_high)}; caution beyond {share(CONTROL_MOVES)})."
    )
    if state != "ok":
        message += (
            " Part of the effect is not what the change does to its own pages: less contention for the same machine, "
            "or another difference between the arms. Look for one."
        )
    return Check(f"control: {effect.operation} {effect.metric}", effect.ratio, 1 + CONTROL_MOVES, state, message)


def _clocks(trials: Sequence[Trial]) -> list[Check]:
    """Demand that no server's clock went away from ours in the course of the run (statistics §6)."""
    found: dict[tuple[str, str], list[Clock]] = {}
    for trial in trials:
        for node, clock in trial.facts.clocks.items() if trial.facts.valid else ():
            found.setdefault((trial.facts.arm, node), []).append(clock)
    moved = {
        place: max(clock.low for clock in clocks) - min(clock.high for clock in clocks)
        for place, clocks in found.items()
    }
    if not moved:
        return []
    (arm, node), most = max(moved.items(), key=lambda item: item[1])
    most = max(most, 0.0)
    state = graded(most, CLOCK_MOVES / 2, CLOCK_MOVES)
    message = (
        f"Against ours, the clocks of {len(moved)} server nodes moved by {most * 1000:.0f} ms at least from trial to "
        f"trial (limit {CLOCK_MOVES * 1000:.0f} ms)."
    )
    if state != "ok":
        message += f" It is {node or 'the server'} of {arm}: let NTP keep its clock and this machine's."
    return [Check("clocks", most, CLOCK_MOVES, state, message)]
