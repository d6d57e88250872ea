"""Pictures of measured points and fitted lines: SVG by hand, stretched by percentages like those in `charts`."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from markupsafe import Markup, escape

from reports.charts import HEIGHT, LogScale, level, round_numbers, stretched, svg, text, upright
from reports.plan import Plan
from reports.words import amount

#: How a series is drawn: points, a line, steps from point to point, or an area between two lines.
Kind = Literal["dots", "line", "steps", "band"]
#: Classes that colour and shape arms in their order; further arms take turns with the last three.
STYLES = ("baseline", "contender", "third", "fourth", "fifth")
#: Pixels below the axis at which its name stands.
_NAME = 38
#: Points of a series at most; more are thinned, for a picture is no wider than a thousand pixels.
MOST_POINTS = 600

#: x, y; of a band x, low, high.
Point = tuple[float, ...]


class Scale(Protocol):
    """Places values on an axis, as percent of its length."""

    def at(self, value: float) -> float:
        """Place a value."""
        ...


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Values on an even axis, as percent of its width."""

    #: Value at 0 %.
    low: float
    #: Value at 100 %.
    high: float

    def at(self, value: float) -> float:
        """Place a value; what lies outside is put at the edge."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 2)


@dataclass(frozen=True, slots=True)
class Series:
    """One set of points."""

    #: What a pointer shows.
    name: str
    #: Class that colours it.
    style: str
    kind: Kind
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: how values are placed, which are named, and what they are."""

    name: str
    scale: Scale
    #: Value -> its label.
    labels: dict[float, str]


def even(name: str, low: float, high: float, unit: str = "", *, whole: bool = False) -> Axis:
    """Make an even axis with round labels; `whole` names whole numbers only."""
    span = max(high - low, 1e-12)
    step = 10.0 ** math.floor(math.log10(span / 4))
    step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
    step = max(1.0, round(step)) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    return Axis(name, LinearScale(low, low + span), {value: _number(value) + unit for value in values})


def logarithmic(name: str, low: float, high: float, unit: str = "") -> Axis:
    """Make a logarithmic axis with round labels."""
    scale = LogScale(low, high)
    return Axis(name, scale, {value: _number(value) + unit for value in scale.ticks(round_numbers(scale), long=True)})


def times(metric: str, values: Sequence[float]) -> Axis:
    """Make a logarithmic axis for values of a metric, labelled in its units."""
    axis = logarithmic(metric, min(values) / 1.2, max(values) * 1.2)
    return Axis(axis.name, axis.scale, {value: amount(value, metric) for value in axis.labels})


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def draw(series: Sequence[Series], x: Axis, y: Axis, title: str, description: str) -> Markup:
    """Draw series in their order, so that later ones lie above; the page puts the numbers in a table beside them."""
    parts = [level(HEIGHT * (1 - y.scale.at(value) / 100), label) for value, label in y.labels.items()]
    parts += [upright(x.scale.at(value), label) for value, label in x.labels.items()]
    parts += stretched([_shape(one, x.scale, y.scale) for one in series if one.kind != "dots"])
    parts += [_dot(one, x.scale, y.scale, point) for one in series if one.kind == "dots" for point in one.points]
    parts.append(text(50, HEIGHT + _NAME, x.name, "middle", "name"))
    return svg(HEIGHT, title, description, parts)


def of_arm(plan: Plan, arm: str) -> str:
    """Give the class that colours an arm."""
    place = plan.ordered.index(arm)
    return STYLES[place] if place < len(STYLES) else STYLES[2 + (place - 2) % 3]


def thinned(points: Sequence[Point]) -> list[Point]:
    """Keep at most as many points as a picture can show, the last one always."""
    if len(points) <= MOST_POINTS:
        return list(points)
    stride = math.ceil(len(points) / MOST_POINTS)
    return [*points[:-1:stride], points[-1]]


def _shape(one: Series, x: Scale, y: Scale) -> str:
    """Draw a line or an area in a box of 100 by 100 that the page stretches."""
    points = list(one.points)
    if one.kind == "steps":
        corners = [point for left, right in itertools.pairwise(points) for point in (left, (right[0], left[1]))]
        points = [*corners, *points[-1:]]
    tip, edge = f"<title>{escape(one.name)}</title>", [f"{x.at(p[0])},{100 - y.at(p[1]):.2f}" for p in points]
    if one.kind == "band":
        edge += [f"{x.at(p[0])},{100 - y.at(p[2]):.2f}" for p in reversed(points)]
        return f'<polygon class="band {one.style}" points="{" ".join(edge)}">{tip}</polygon>'
    line = f'<polyline class="curve {one.style}" points="{" ".join(edge)}" vector-effect="non-scaling-stroke">'
    return f"{line}{tip}</polyline>"


def _dot(one: Series, x: Scale, y: Scale, point: Point) -> str:
    down = HEIGHT * (1 - y.at(point[1]) / 100)
    tip = f"<title>{escape(one.name)}</title>"
    return f'<circle class="dot {one.style}" cx="{x.at(point[0])}%" cy="{down:g}" r="4.5">{tip}</circle>'
