"""Effects in words: the sentence of a verdict, and numbers as people read them."""

import math
import re
from collections.abc import Sequence

from reports.effects import Effect
from reports.plan import Plan

#: Metrics that are an amount, not a speed: how a sentence names them.
_AMOUNTS = {"throughput": "throughput", "capacity": "capacity", "sustained": "capacity"}


def sentence(plan: Plan, primary: Sequence[Effect]) -> str:
    """Say what the primary endpoints decided; one sentence each (the template of statistics §2.9)."""
    return " ".join(_verdict(plan, effect) for effect in primary)


def invalid_sentence(messages: Sequence[str]) -> str:
    """Say that there is no verdict, and why."""
    others = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return f"INVALID: the measurement cannot answer the question. {messages[0]}{others}"


def _verdict(plan: Plan, effect: Effect) -> str:
    """Say one verdict: whom it is about, how much, how sure."""
    subject, page, margin = capital(plan.subject), f"the {plain(effect.operation)}", share(plan.margin)
    ratio = f"its {effect.metric} is {times(effect.ratio)} x the baseline's"
    match effect.verdict:
        case "better" | "worse":
            claim = f"{subject} makes {page} {_gain(effect)}"
        case "slightly better" | "slightly worse":
            claim = f"{subject} makes {page} {_gain(effect)}, which is not beyond the margin of {margin}"
        case "equivalent":
            claim = f"{subject} makes no difference to {page} that matters: {ratio}, within the margin of {margin}"
        case "no worse":
            claim = f"{subject} does not make {page} {_harm(effect)} by {margin} or more; whether it gains is not shown"
        case "inconclusive":
            claim = (
                f"It is not settled what {plan.subject} does to {page}: {ratio}, and about {effect.more_pairs} more "
                f"pairs are needed to see a change of {margin}"
            )
    return f"{claim} ({_evidence(plan, effect)})."


def _evidence(plan: Plan, effect: Effect) -> str:
    """Say which number, how sure, from how much, of what server (the template of statistics §2.9).

    Both intervals are those of the number that was said.
    """
    turned = effect.ratio < 1 and effect.claimed
    low, high = (1 / effect.ci_high, 1 / effect.ci_low) if turned else (effect.ci_low, effect.ci_high)
    server = "simulated server" if plan.server.simulated else "Octopus Server"
    second = ""
    if effect.hl_low is not None and effect.hl_high is not None:
        hl = [effect.hl, effect.hl_low, effect.hl_high]
        hl = [1 / hl[0], 1 / hl[2], 1 / hl[1]] if turned else hl
        second = f"; Hodges-Lehmann {times(hl[0])}, {times(hl[1])} to {times(hl[2])}"
    return (
        f"{effect.metric}, 95 % CI {times(low)} to {times(high)}{second}; {effect.pairs} pairs, randomised; "
        f"this rig resolves {times(effect.resolves)} x; {server}"
    )


def _gain(effect: Effect) -> str:
    return f"{times(max(effect.ratio, 1 / effect.ratio))} x {way(effect)}"


def way(effect: Effect) -> str:
    """Name the direction of an effect."""
    if effect.metric in _AMOUNTS:
        return f"{'higher' if effect.ratio > 1 else 'lower'} in {_AMOUNTS[effect.metric]}"
    return "slower" if (effect.ratio > 1) != effect.more_is_better else "faster"


def _harm(effect: Effect) -> str:
    return f"lower in {_AMOUNTS[effect.metric]}" if effect.metric in _AMOUNTS else "slower"


def changed_by(effect: Effect) -> str:
    """Say a ratio as a change: "3 % faster", "1.8 x slower", "unchanged"."""
    factor = max(effect.ratio, 1 / effect.ratio)
    if factor < 1.005:
        return "unchanged"
    return _gain(effect) if factor >= 1.5 else f"{share(factor - 1)} {way(effect)}"


def times(factor: float) -> str:
    """Write a factor with about two significant digits: 0.085, 0.16, 1.04, 6.4, 23."""
    if not 0.001 <= factor < 1000:
        return "<0.001" if factor < 1 else ">1000"
    if factor < 0.1:
        return f"{factor:.2g}"
    return f"{factor:.2f}" if factor < 2 else f"{factor:.1f}" if factor < 9.95 else f"{factor:.0f}"


def share(value: float) -> str:
    """Write a share as a percentage."""
    return f"{value * 100:.3g} %"


def duration(seconds: float | None) -> str:
    """Write a latency in the unit that suits it."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} µs"
    return f"{seconds:.3g} s"


def span(seconds: float) -> str:
    """Write a length of time as one plans it: 40 s, 12 min, 2 h 45 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def amount(value: float | None, metric: str) -> str:
    """Write a metric's value with its unit."""
    if value is None:
        return "-"
    units = {"throughput": "/s", "rate": "/min", "capacity": "/h", "sustained": "/s"}
    if metric not in units:
        return duration(value)
    return f"{value:,.0f} {units[metric]}" if value >= 999.5 else f"{value:.3g} {units[metric]}"


def size(octets: float) -> str:
    """Write a size in bytes."""
    power = min(3, int(math.log(max(octets, 1), 1024)))
    value = octets / 1024**power
    return f"{value:.{1 if power and value < 100 else 0}f} {('bytes', 'KiB', 'MiB', 'GiB')[power]}"


def plain(name: str) -> str:
    """Turn a name into words."""
    return re.sub(r"[-_]+", " ", name)


def capital(text: str) -> str:
    """Begin with a capital letter and change nothing else."""
    return text[:1].upper() + text[1:]
