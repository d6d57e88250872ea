"""Pictures as SVG by hand: they need no script, print sharply, and stretch because positions are percentages.

Every picture carries a title and a description; the page puts its numbers in a table beside it.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from reports.effects import Effect
from reports.statistics import Floats
from reports.words import duration

#: Factors that may be named on the axis of ratios.
_FACTORS = (1.02, 1.05, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
#: Verdict -> how a mark is coloured.
TONES = {
    "better": "good",
    "slightly better": "good",
    "worse": "bad",
    "slightly worse": "bad",
    "equivalent": "same",
    "no worse": "same",
    "inconclusive": "open",
}
#: Share of the axis that two tick labels keep apart, in percent: short ones or on an upright axis, and long ones.
_APART, _FAR_APART = 13.0, 20.0
#: Pixels of a picture from its top to its axis.
HEIGHT = 200


@dataclass(frozen=True, slots=True)
class LogScale:
    """Values on a logarithmic axis, as percent of its width."""

    #: Value at 0 %.
    low: float
    #: Value at 100 %.
    high: float

    def at(self, value: float) -> float:
        """Place a value; what lies outside is put at the edge."""
        place = 100 * math.log(value / self.low) / math.log(self.high / self.low)
        return round(min(100.0, max(0.0, place)), 2)

    def ticks(self, candidates: Iterable[float], *, long: bool = False) -> list[float]:
        """Choose, in the order given, candidates that lie on the axis and keep apart; `long` labels further."""
        chosen: list[float] = []
        apart = _FAR_APART if long else _APART
        for value in candidates:
            if self.low <= value <= self.high and all(abs(self.at(value) - self.at(one)) >= apart for one in chosen):
                chosen.append(value)
        return sorted(chosen)


@dataclass(frozen=True, slots=True)
class Curve:
    """The latencies of one arm."""

    #: Name of the arm.
    name: str
    #: Class that colours it: `baseline` or `contender`.
    style: str
    #: Latencies in seconds, sorted.
    latencies: Floats


@dataclass(frozen=True, slots=True)
class Dot:
    """One trial in the picture of trials."""

    index: int
    pair: int
    #: Class that colours and shapes it: `baseline`, `contender`, `third`, `fourth` or `fifth`.
    style: str
    #: What is shown of it; None when the trial does not count.
    value: float | None
    #: What a pointer shows.
    label: str


def ratio_scale(effects: Sequence[Effect]) -> LogScale:
    """Fit an axis of ratios to intervals; 1 is always on it."""
    low = min([0.8, *(min(effect.ci_low, 1 / effect.resolves) for effect in effects)])
    high = max([1.25, *(max(effect.ci_high, effect.resolves) for effect in effects)])
    return LogScale(max(low / 1.06, 1e-3), min(high * 1.06, 1e3))


def ratio_axis(scale: LogScale, less: str, more: str) -> Markup:
    """Draw the axis above the intervals; `less` and `more` name its directions."""
    candidates = [1.0, *(value for factor in reversed(_FACTORS) for value in (1 / factor, factor))]
    parts = [
        text(scale.at(value), 34, "same" if value == 1 else f"{max(value, 1 / value):.4g}x", "middle")
        for value in scale.ticks(candidates)
    ]
    parts += [text(0, 12, f"← {less}", "start", "way"), text(100, 12, f"{more} →", "end", "way")]
    return svg(40, f"Axis from {less} to {more}", "Logarithmic; equal factors are equally far from 'same'.", parts)


def interval(effect: Effect, scale: LogScale, sentence: str) -> Markup:
    """Draw one effect: its interval, its estimate, and the band of changes that this rig cannot see."""
    middle, tone = 17, TONES[effect.verdict]
    left, right = scale.at(1 / effect.resolves), scale.at(effect.resolves)
    low, high = scale.at(effect.ci_low), scale.at(effect.ci_high)
    parts = [
        f'<rect class="unseen" x="{left}%" width="{right - left:.2f}%" y="1" height="32" rx="3"/>',
        f'<line class="one" x1="{scale.at(1)}%" x2="{scale.at(1)}%" y1="-2" y2="36"/>',
        f'<line class="ci {tone}" x1="{low}%" x2="{high}%" y1="{middle}" y2="{middle}"/>',
        *[f'<line class="cap {tone}" x1="{x}%" x2="{x}%" y1="{middle - 6}" y2="{middle + 6}"/>' for x in (low, high)],
        f'<circle class="estimate {tone}" cx="{scale.at(effect.ratio)}%" cy="{middle}" r="6"/>',
    ]
    return svg(34, f"{effect.operation} {effect.metric}", sentence, parts)


def latencies(curves: Sequence[Curve], title: str, description: str) -> Markup:
    """Draw the share of requests answered within a time, for each arm, on a logarithmic time axis."""
    ends = [np.quantile(curve.latencies, (0.002, 0.998)) for curve in curves]
    scale = LogScale(max(min(low for low, _ in ends) / 1.1, 1e-6), max(high for _, high in ends) * 1.1)
    parts = [
        *[upright(scale.at(tick), duration(tick)) for tick in scale.ticks(round_numbers(scale), long=True)],
        *[level(HEIGHT * (1 - percent / 100), f"{percent} %") for percent in (0, 50, 95)],
        *stretched([_path(curve, scale) for curve in curves]),
    ]
    for curve in curves:
        for share in (0.50, 0.95):
            x = scale.at(float(np.quantile(curve.latencies, share)))
            parts.append(f'<circle class="knot {curve.style}" cx="{x}%" cy="{HEIGHT * (1 - share):g}" r="4"/>')
    return svg(HEIGHT, title, description, parts)


def trials(dots: Sequence[Dot], title: str, description: str, unit: Callable[[float], str]) -> Markup:
    """Draw each trial's value in the order in which they ran, `unit` writes it; the two of a pair are joined."""
    values = [dot.value for dot in dots if dot.value]
    scale = LogScale(min(values) / 1.15, max(values) * 1.15)
    width = 100 / len(dots)
    place = {dot.index: round((number + 0.5) * width, 2) for number, dot in enumerate(dots)}
    parts = [level(_down(scale, tick), unit(tick)) for tick in scale.ticks(round_numbers(scale))]
    for left, right in itertools.pairwise(dots):
        if left.pair == right.pair and left.value and right.value:
            ends = [(place[dot.index], _down(scale, dot.value or 1)) for dot in (left, right)]
            parts.append('<line class="pair" x1="{}%" y1="{:g}" x2="{}%" y2="{:g}"/>'.format(*ends[0], *ends[1]))
    for dot in dots:
        y = _down(scale, dot.value) if dot.value else HEIGHT / 2
        parts.append(_mark(dot, place[dot.index], y))
        parts.append(text(place[dot.index], HEIGHT + 18, str(dot.index), "middle"))
    return svg(HEIGHT, title, description, parts)


def _down(scale: LogScale, value: float) -> float:
    """Place a value on the upright axis, in pixels from the top."""
    return HEIGHT * (1 - scale.at(value) / 100)


#: Class -> outline of a mark around its middle, in pixels; a circle is drawn where there is none.
_OUTLINES = {
    "contender": "-6,-6 6,-6 6,6 -6,6",
    "third": "0,-7 7,6 -7,6",
    "fourth": "0,-8 8,0 0,8 -8,0",
    "fifth": "0,7 7,-6 -7,-6",
}


def _mark(dot: Dot, x: float, y: float) -> str:
    """Draw a trial in the shape of its arm, or a cross when it does not count."""
    tip = f"<title>{escape(dot.label)}</title>"
    if dot.value is None:
        return f'<g>{tip}<text class="out" x="{x}%" y="{y:g}" dy="0.35em" text-anchor="middle">x</text></g>'
    if dot.style not in _OUTLINES:
        return f'<circle class="dot {dot.style}" cx="{x}%" cy="{y:g}" r="6">{tip}</circle>'
    return (
        f'<svg class="dot" x="{x}%" y="{y:g}" width="1" height="1">'
        f'<polygon class="{dot.style}" points="{_OUTLINES[dot.style]}">{tip}</polygon></svg>'
    )


def _path(curve: Curve, scale: LogScale) -> str:
    """Draw a distribution in a box of 100 by 100 that the page stretches."""
    levels = np.linspace(0.002, 0.998, min(240, max(2, curve.latencies.size)))
    points = zip(np.quantile(curve.latencies, levels), levels, strict=True)
    steps = " ".join(f"{scale.at(float(value))},{100 - 100 * level:.2f}" for value, level in points)
    return f'<polyline class="curve {curve.style}" points="{steps}" vector-effect="non-scaling-stroke"/>'


def stretched(parts: Sequence[str]) -> list[str]:
    """Put shapes into a box of 100 by 100 that is stretched over the picture; nothing in it may have a width."""
    return [f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="{HEIGHT}">', *parts, "</svg>"]


def upright(x: float, label: str) -> str:
    """Draw a line of the grid from top to bottom with its label below: `x` in percent."""
    line = f'<line class="grid" x1="{x}%" x2="{x}%" y1="0" y2="{HEIGHT}"/>'
    return line + text(x, HEIGHT + 18, label, "middle")


def level(y: float, label: str) -> str:
    """Draw a line of the grid from side to side with its label at the left: `y` in pixels."""
    line = f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
    return f'{line}<text x="-8" y="{y:g}" dy="0.35em" text-anchor="end">{escape(label)}</text>'


def round_numbers(scale: LogScale) -> list[float]:
    """Give values that may be named on an axis, best first: decades, then 2 and 5, and finer ones."""
    decades = range(math.floor(math.log10(scale.low)) - 1, math.ceil(math.log10(scale.high)) + 1)
    return [step * 10.0**decade for step in (1, 2, 5, 3, 7, 1.5, 4, 1.2, 6, 8, 9) for decade in decades]


def text(x: float, y: float, label: str, anchor: str, style: str = "tick") -> str:
    """Write a label: `x` in percent, `y` in pixels."""
    return f'<text class="{style}" x="{x}%" y="{y}" text-anchor="{anchor}">{escape(label)}</text>'


def svg(height: int, title: str, description: str, parts: Sequence[str]) -> Markup:
    """Put a picture together; everything in `parts` is escaped already."""
    name = escape(title)
    head = f'<svg class="plot" role="img" width="100%" height="{height}" aria-label="{name}: {escape(description)}">'
    return Markup("".join([head, f"<title>{name}</title><desc>{escape(description)}</desc>", *parts, "</svg>"]))  # noqa: S704  escaped
