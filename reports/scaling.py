"""What more nodes give: speed-up, efficiency, and the universal scalability law with what it may and may not say.

X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)); kappa = 0 is Amdahl's law; the peak lies at
N* = sqrt((1 - sigma) / kappa) (Gunther, Guerrilla Capacity Planning, ch. 5; statistics §5.1).
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from scipy import optimize

from reports import statistics
from reports.statistics import Floats, Interval, Untold
from reports.words import times

#: Draws of the parametric bootstrap.
DRAWS = 1000
#: Three parameters need more different numbers of nodes than two.
FEWEST_LEVELS = 3
#: A peak is stated only when its upper limit lies below this many times the most nodes that were measured.
REACH = 2
#: Points of the curve that a picture shows.
_CURVE = 25
_SEED = 51


class SpeedUp(msgspec.Struct, frozen=True):
    """What one number of nodes gives, against the smallest number that was measured."""

    nodes: int
    #: X(N) / X(smallest): geometric mean over rounds, with its 95 % interval over rounds (NaN below two rounds).
    ratio: Interval
    #: Speed-up over what as many times the nodes would give; 1 is linear.
    efficiency: float


class CurvePoint(msgspec.Struct, frozen=True):
    """What the fitted law says for a number of nodes, whole or between."""

    nodes: float
    #: Throughput by the law, with its 95 % limits, in the unit of what was measured.
    low: float
    fitted: float
    high: float


class Scaling(msgspec.Struct, frozen=True):
    """The law fitted to rounds that each visited every number of nodes."""

    rounds: int
    speed_ups: list[SpeedUp]
    #: Throughput of one node, in the unit of what was measured.
    one_node: float
    #: Share of work that cannot be shared out (contention), with its 95 % interval.
    sigma: Interval
    #: Cost of every pair of nodes agreeing with each other (coherency), with its 95 % interval.
    kappa: Interval
    #: Nodes beyond which more make it slower; limits may be infinite, and so may the estimate.
    peak: Interval
    #: Most nodes that were measured.
    most: int
    #: Two-sided p of "kappa is 0".
    kappa_p: float
    #: Measured throughput: one list a round, in the order of `speed_ups`.
    measured: list[list[float]]
    #: The law from the least to the most nodes that were measured, and not beyond.
    curve: list[CurvePoint]

    @property
    def peak_stated(self) -> bool:
        """Whether the peak may be named; else only its lower limit may (statistics §5.1)."""
        return self.peak.high < REACH * self.most

    @property
    def kappa_found(self) -> bool:
        """Whether fewer than one draw in twenty is without coherency cost: p < 0.10, two-sided."""
        return self.kappa_p < 0.10


def fit(rounds: Sequence[Mapping[int, float]], seed: int = _SEED) -> Scaling | Untold:
    """Fit the law to throughput by number of nodes, one mapping a round; Untold says why it cannot be fitted.

    The interval comes from draws of fit x exp(s t(0.975, n - 3) / 1.96 z), which turns a percentile interval into one
    of Student's width (statistics §5.1).
    """
    levels = sorted(set.intersection(*(set(values) for values in rounds))) if rounds else []
    fault = _fault(rounds, levels)
    if fault:
        return Untold(fault)
    measured = np.array([[values[level] for level in levels] for values in rounds])
    nodes = np.tile(np.array(levels, dtype=np.float64), len(rounds))
    cost = nodes / measured.ravel()
    a, b, c = _solve(nodes, cost)
    fitted = a + b * (nodes - 1) + c * nodes * (nodes - 1)
    degrees = cost.size - 3
    spread = math.sqrt(float((np.log(cost / fitted) ** 2).sum()) / degrees)
    widened = spread * statistics.t_quantile(0.975, degrees) / 1.96
    noise = np.random.default_rng(seed).normal(0, widened, (DRAWS, cost.size))
    draws = np.array([_solve(nodes, fitted * np.exp(row)) for row in noise])
    sigmas, kappas = draws[:, 1] / draws[:, 0], draws[:, 2] / draws[:, 0]
    return Scaling(
        rounds=len(rounds),
        speed_ups=[_speed_up(measured, levels, column) for column in range(len(levels))],
        one_node=1 / a,
        sigma=_limits(b / a, sigmas),
        kappa=_limits(c / a, kappas),
        peak=_limits(_peak(b / a, c / a), np.array([_peak(*one) for one in zip(sigmas, kappas, strict=True)])),
        most=levels[-1],
        kappa_p=min(1.0, 2 * float((kappas <= 1e-12).mean())),
        measured=measured.tolist(),
        curve=_curve(np.array([a, b, c]), draws, levels),
    )


def _curve(law: Floats, draws: Floats, levels: Sequence[int]) -> list[CurvePoint]:
    """Draw the law between the least and the most nodes, with the limits of the bootstrap."""
    points = []
    for nodes in np.linspace(levels[0], levels[-1], _CURVE).tolist():
        terms = np.array([1.0, nodes - 1, nodes * (nodes - 1)])
        low, high = np.quantile(nodes / (draws @ terms), [0.025, 0.975]).tolist()
        points.append(CurvePoint(nodes, low, nodes / float(law @ terms), high))
    return points


def _fault(rounds: Sequence[Mapping[int, float]], levels: Sequence[int]) -> str:
    values = [value for one in rounds for value in one.values()]
    if not all(math.isfinite(value) and value > 0 for value in values):
        return "a round has a throughput that is no number above 0"
    if len(levels) < FEWEST_LEVELS:
        return f"{len(levels)} numbers of nodes were measured in every round, and the law needs {FEWEST_LEVELS}"
    if len(rounds) * len(levels) <= FEWEST_LEVELS:
        return "one round of three numbers of nodes leaves nothing over to tell the noise by; add rounds"
    return ""


def _solve(nodes: Floats, cost: Floats) -> tuple[float, float, float]:
    """Solve N/X = a + b (N - 1) + c N (N - 1) with nothing negative, weighted by 1/fit^2, in three passes."""
    columns = np.column_stack([np.ones_like(nodes), nodes - 1, nodes * (nodes - 1)])
    weights = 1 / cost
    for _ in range(3):
        found, _residual = optimize.nnls(columns * weights[:, None], cost * weights)
        weights = 1 / np.maximum(columns @ found, 1e-12)
    return float(found[0]), float(found[1]), float(found[2])


def _peak(sigma: float, kappa: float) -> float:
    """N* of the law; infinite without coherency cost, and never below one node."""
    return max(1.0, math.sqrt(max(0.0, 1 - sigma) / kappa)) if kappa > 1e-12 else math.inf


def _limits(estimate: float, draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975], method="inverted_cdf")
    return Interval(estimate, float(low), float(high))


def _speed_up(measured: Floats, levels: Sequence[int], column: int) -> SpeedUp:
    """Compare a number of nodes with the smallest, round by round."""
    ratios = np.log(measured[:, column] / measured[:, 0])
    if ratios.size > 1:
        limits = statistics.paired_t(ratios).interval()
        interval = Interval(math.exp(limits.estimate), math.exp(limits.low), math.exp(limits.high))
    else:
        interval = Interval(math.exp(float(ratios[0])), math.nan, math.nan)
    return SpeedUp(levels[column], interval, interval.estimate * levels[0] / levels[column])


def sentence(found: Scaling | Untold) -> str:
    """Say what more nodes give; the peak only where it may be named."""
    if isinstance(found, Untold):
        return f"How it scales cannot be said: {found.reason}."
    last = found.speed_ups[-1]
    said = (
        f"{found.most} nodes do {times(last.ratio.estimate)} x the work of {found.speed_ups[0].nodes} "
        f"(95 % CI {times(last.ratio.low)} to {times(last.ratio.high)}; {found.rounds} rounds): "
        f"{last.efficiency:.0%} of linear."
    )
    if found.peak_stated:
        peak = found.peak
        return f"{said} The peak lies at {peak.estimate:.1f} nodes ({peak.low:.1f} to {peak.high:.1f})."
    return f"{said} The peak lies at {found.peak.low:.1f} nodes or more; where, these measurements cannot say."
