"""Scaling and depth: known laws are found, and a peak that was not measured is not named."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from reports import depth, scaling
from reports.depth import Depth
from reports.scaling import Scaling
from reports.statistics import Untold

pytestmark = pytest.mark.unit


def rounds(
    sigma: float, kappa: float, nodes: Sequence[int], count: int, noise: float, generator: np.random.Generator
) -> list[dict[int, float]]:
    """Throughput that follows the law, with noise on each value."""
    law = {n: 100 * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) for n in nodes}
    return [{n: x * math.exp(generator.normal(0, noise)) for n, x in law.items()} for _ in range(count)]


def fitted(*law: float, nodes: Sequence[int], count: int, noise: float, seed: int) -> Scaling:
    found = scaling.fit(rounds(law[0], law[1], nodes, count, noise, np.random.default_rng(seed)))
    assert isinstance(found, Scaling)
    return found


def test_a_law_without_noise_is_found_exactly() -> None:
    """Sigma 0.05 and kappa 0.01 come back, with the peak at sqrt(0.95 / 0.01) = 9.75 nodes and S(4) = 3.15."""
    found = fitted(0.05, 0.01, nodes=range(1, 9), count=3, noise=1e-9, seed=1)
    assert (found.sigma.estimate, found.kappa.estimate) == pytest.approx((0.05, 0.01), rel=1e-4)
    assert found.peak.estimate == pytest.approx(9.747, rel=1e-3)
    assert found.one_node == pytest.approx(100, rel=1e-4)
    four = next(one for one in found.speed_ups if one.nodes == 4)
    assert (four.ratio.estimate, four.efficiency) == pytest.approx((4 / 1.27, 1 / 1.27), rel=1e-4)
    assert found.peak_stated
    assert "The peak lies at 9.7 nodes (" in scaling.sentence(found)


@pytest.mark.parametrize(
    ("law", "most", "count", "noise", "least_found", "most_stated"),
    [
        ((0.05, 0.01), 4, 6, 0.02, 0.30, 0.09),
        ((0.10, 0.05), 4, 3, 0.02, 0.90, 1.00),
        ((0.10, 0.00), 4, 3, 0.05, 0.00, 0.00),
    ],
)
def test_no_peak_is_named_that_was_not_measured(
    law: tuple[float, float], most: int, count: int, noise: float, least_found: float, most_stated: float
) -> None:
    """A peak at 9.7 measured up to 4 is almost never named and always bounded; one at 4.2 is; Amdahl has none."""
    runs = [fitted(*law, nodes=range(1, most + 1), count=count, noise=noise, seed=seed) for seed in range(12)]
    assert np.mean([one.kappa_found for one in runs]) >= least_found
    assert np.mean([one.peak_stated for one in runs]) <= most_stated
    true = math.sqrt((1 - law[0]) / law[1]) if law[1] else math.inf
    covered = np.mean([one.peak.low <= true <= one.peak.high for one in runs])
    assert covered >= 0.95 - 4 * math.sqrt(0.05 * 0.95 / 12)
    if law[1] == 0:
        assert np.mean([one.kappa_found for one in runs]) <= 0.25
        assert all("or more; where, these measurements cannot say" in scaling.sentence(one) for one in runs)


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [{1: 10.0, 2: 19.0}],
        [{1: 10.0, 2: 19.0, 3: 27.0}],
        [{1: 10.0, 2: 19.0, 3: math.nan}] * 3,
        [{1: 10.0, 2: 0.0, 3: 20.0}] * 3,
        [{1: 10.0, 2: 19.0, 3: 27.0}, {1: 10.0, 2: 19.0}],
    ],
)
def test_too_little_scaling_data_gives_a_statement(bad: list[dict[int, float]]) -> None:
    """Nothing, two sizes, one round of three, no number, no throughput, unlike rounds: a reason and no number."""
    found = scaling.fit(bad)
    assert isinstance(found, Untold)
    assert scaling.sentence(found).startswith("How it scales cannot be said: ")


def test_the_same_rounds_give_the_same_fit() -> None:
    """The bootstrap has a seed of its own."""
    data = rounds(0.05, 0.02, (1, 2, 3, 4), 3, 0.03, np.random.default_rng(2))
    assert scaling.fit(data) == scaling.fit(data)


def test_doubling_the_history_is_found_with_its_interval() -> None:
    """A page that slows by 1.6 per doubling, with 5 % noise over 6 rounds of 5 depths: covered in 95 % of 200 runs."""
    generator, power, held = np.random.default_rng(6), math.log2(1.6), 0
    levels = [1e3, 4e3, 16e3, 64e3, 256e3]
    for _ in range(200):
        measured = [{d: 0.01 * d**power * math.exp(generator.normal(0, 0.05)) for d in levels} for _ in range(6)]
        found = depth.respond(measured)
        assert isinstance(found, Depth)
        held += found.doubling.low <= 1.6 <= found.doubling.high
        assert found.doubling.estimate == pytest.approx(1.6, rel=0.05)
    assert abs(held / 200 - 0.95) < 4 * math.sqrt(0.05 * 0.95 / 200)
    said = depth.sentence(found, "dashboard p95")
    assert said.startswith("Doubling the history multiplies dashboard p95 by 1.")
    assert said.endswith("6 rounds, 1,000 to 256,000 deployments).")


def test_a_bent_response_is_said() -> None:
    """Flat up to a depth and steep beyond: the average slope comes with a caution."""
    generator = np.random.default_rng(8)
    bent = [{d: (1 + (d / 3e4) ** 2) * math.exp(generator.normal(0, 0.02)) for d in (1e3, 1e4, 1e5)} for _ in range(5)]
    assert "not even" in depth.sentence(depth.respond(bent), "dashboard p95")


def test_an_empty_history_is_a_depth() -> None:
    """With a depth of 0 the axis is ln(1 + D / D0), D0 the smallest other one."""
    levels = [0.0, 1e3, 3e3, 7e3]
    measured = [{d: 0.1 * (1 + d / 1e3) ** 0.5 * factor for d in levels} for factor in (0.9, 1.0, 1.1)]
    found = depth.respond(measured)
    assert isinstance(found, Depth)
    assert found.doubling.estimate == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [{1.0: 1.0, 2.0: 1.1, 4.0: 1.2}],
        [{1.0: 1.0, 2.0: 1.1}] * 3,
        [{1.0: 1.0, 2.0: math.nan, 4.0: 1.2}] * 3,
    ],
)
def test_too_little_depth_gives_a_statement(bad: list[dict[float, float]]) -> None:
    """No round, one round, two depths, a value that is none: a reason and no number."""
    found = depth.respond(bad)
    assert isinstance(found, Untold)
    assert "cannot be said" in depth.sentence(found, "dashboard p95")
