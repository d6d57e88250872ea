"""What all arms of a run must have in common, and what each is meant to differ in: their rows, and their failures.

What an arm declares (`changes` in an experiment) is demanded of it; what it does not declare is a fault.
"""

from collections.abc import Mapping, Sequence

from reports import statistics
from reports.checks import Check, State
from reports.effects import ErrorRate, compare_errors
from reports.looks import ALPHA
from reports.run import Document, Run
from reports.words import share

#: Tables that differ by no more than this share, or this many rows, hold the same data (statistics §6).
SAME_SHARE, SAME_ROWS = 0.01, 10
#: Tables that retention leaves alone (octopus-facts §1b).
_KEPT = ("Event", "EventRelatedDocument", "DeploymentHistory")


def rows(run: Run) -> list[Check]:
    """Compare the tables of all arms: equal, unless an arm is meant to change them; then demand that it did."""
    held, plan = run.database, run.plan
    if plan.baseline not in held:
        return []
    arms = [arm for arm in plan.contenders if arm in held]
    meant = [arm for arm in arms if "rows" in plan.meant_in(arm)]
    alike = [arm for arm in arms if arm not in meant]
    return [*[_other_rows(run, arm) for arm in meant], *([_same_rows(run, alike)] if alike else [])]


def _other_rows(run: Run, arm: str) -> Check:
    """Demand that an arm's rows differ, and its history where it was seeded by itself."""
    before, after = run.database[run.plan.baseline], run.database[arm]
    unlike = _unlike(before, after)
    lost = _lost(before, after) if run.plan.cut(arm) else []
    twin = _fingerprint(run, arm) == _fingerprint(run, run.plan.baseline) != ""
    message = f"{arm} is meant to change rows; tables that differ: {', '.join(unlike[:5]) or 'none'}."
    if not unlike and run.plan.cut(arm):
        message += " It did nothing: see journal.jsonl and the server's task log."
    elif not unlike:
        message += f" It holds what {run.plan.baseline} holds: see arms/{arm}/database.json."
    if lost:
        message += f" {', '.join(lost)} must not lose rows: the change did more than it is meant to."
    if twin:
        message += f" Its history has the fingerprint of that of {run.plan.baseline}: it was seeded alike."
    state: State = "ok" if unlike and not lost and not twin else "invalid"
    return Check(_named(run, "rows", arm), len(unlike), 1, state, message)


def _same_rows(run: Run, arms: Sequence[str]) -> Check:
    base = run.plan.baseline
    unlike = {arm: found for arm in arms if (found := _unlike(run.database[base], run.database[arm]))}
    named = "; ".join(f"{', '.join(found[:5])} of {arm}" for arm, found in unlike.items()) or "none"
    strange = [arm for arm in arms if _fingerprint(run, arm) != _fingerprint(run, base)]
    message = f"All arms must hold the data of {base} (±1 %); tables that differ: {named}."
    if unlike:
        message += " Restore all from one backup."
    if strange:
        message += f" {', '.join(strange)} holds a history with another fingerprint."
    return Check("rows", len(unlike), 0, "invalid" if unlike or strange else "ok", message)


def _fingerprint(run: Run, arm: str) -> str:
    """Return the fingerprint of the history that an arm was seeded with by itself; empty when all share one."""
    return str(run.histories.get(arm, {}).get("fingerprint", ""))


def _lost(baseline: Document, contender: Document) -> list[str]:
    """Tables that a cut of history must leave alone and that have fewer rows all the same."""
    before, after = baseline.get("rows", {}), contender.get("rows", {})
    return [table for table in _KEPT if after.get(table, 0) < before.get(table, 0)]


def _unlike(baseline: Document, contender: Document) -> list[str]:
    """Tables whose row counts differ by more than the tolerance."""
    before: Mapping[str, int] = baseline.get("rows", {})
    after: Mapping[str, int] = contender.get("rows", {})
    return [
        table
        for table in sorted(before.keys() | after.keys())
        if abs(before.get(table, 0) - after.get(table, 0))
        > max(SAME_ROWS, SAME_SHARE * max(before.get(table, 0), after.get(table, 0)))
    ]


def failures(run: Run, errors: Sequence[ErrorRate]) -> list[Check]:
    """Judge the failures of each contender against the baseline; `errors` are those of the first.

    An arm that fails is not compared with one that answers: failing is often fast (statistics §6). Where one is meant
    to bring failures the check is turned round and demands them.
    """
    found = {arm: errors if arm == run.plan.contender else _compared(run, arm) for arm in run.plan.contenders}
    turned = {arm: failing for arm in found if found[arm] and (failing := _failing(run, arm))}
    checks = [_meant_errors(run, arm, failing, found[arm]) for arm, failing in turned.items()]
    rates = [(arm, rate) for arm in found if arm not in turned for rate in found[arm]]
    for (arm, rate), p in zip(rates, statistics.holm([rate.p for _, rate in rates]), strict=True):
        if p < ALPHA and abs(rate.difference) > 0.001:
            message = (
                f"{rate.operation} fails in {rate.baseline:.2%} of the requests of {run.plan.baseline} and in "
                f"{rate.contender:.2%} of those of {arm} (p = {p:.2g}). Find out why before comparing their latencies."
            )
            name = _named(run, f"errors: {rate.operation}", arm)
            checks.append(Check(name, rate.difference, 0, "invalid", message))
    return checks


def _compared(run: Run, arm: str) -> list[ErrorRate]:
    return compare_errors(run.pairs_with(arm))


def _failing(run: Run, arm: str) -> list[str]:
    """Return which of the baseline and an arm are meant to fail."""
    return [name for name in (run.plan.baseline, arm) if "errors" in run.plan.meant.get(name, [])]


def _meant_errors(run: Run, arm: str, failing: Sequence[str], errors: Sequence[ErrorRate]) -> Check:
    """Demand that more requests fail in the one that is meant to fail; where both are, that requests fail in both."""
    shares = [(rate.baseline, rate.contender) for rate in errors]
    if len(failing) > 1:
        most, sure = min(max(side) for side in zip(*shares, strict=True)), True
    else:
        sign = 1 if failing == [arm] else -1
        most = max(sign * rate.difference for rate in errors)
        adjusted = statistics.holm([rate.p for rate in errors])
        sure = any(p < ALPHA and sign * one.difference > 0 for one, p in zip(errors, adjusted, strict=True))
    message = f"{' and '.join(failing)}: requests are meant to fail, "
    if most <= 0:
        message += "and did not, or no more than in the other arm. See in journal.jsonl what was done to the server."
    else:
        more = "" if len(failing) > 1 else "more "
        message += f"and up to {share(most)} {more}of an operation's did" + ("." if sure else ", which may be chance.")
    state: State = "invalid" if most <= 0 else "ok" if sure else "warn"
    return Check(_named(run, "errors as meant", arm), most, 0, state, message)


def _named(run: Run, name: str, arm: str) -> str:
    """Name a check of a further arm after it; that of the first contender needs no addition."""
    return name if arm == run.plan.contender else f"{name}, {arm}"
