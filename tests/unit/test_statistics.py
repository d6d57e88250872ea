"""The formulas against the specification's tables, published examples, and the laws that they must keep."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports import calibration, power, statistics

pytestmark = pytest.mark.unit

finite = st.floats(-3, 3, allow_nan=False).map(lambda value: round(value, 6))
differences = st.lists(finite, min_size=2, max_size=14)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=8)

#: statistics §2.5: standard deviation -> pairs at a power of 80 % / 90 %, by true ratio.
PAIRS = {
    0.02: [(4, 5), (3, 3), (3, 3), (3, 3), (3, 3)],
    0.05: [(11, 14), (5, 6), (3, 4), (3, 3), (3, 3)],
    0.08: [(24, 31), (8, 10), (4, 5), (3, 3), (3, 3)],
    0.12: [(50, 66), (15, 19), (6, 7), (3, 4), (3, 3)],
    0.20: [(134, 179), (37, 49), (12, 15), (5, 5), (3, 4)],
}
#: The same table: pairs for non-inferiority and for equivalence within 10 % when nothing differs.
PAIRS_FOR_NOTHING = {
    0.02: [(3, 3), (3, 3)],
    0.05: [(4, 5), (5, 5)],
    0.08: [(6, 8), (8, 10)],
    0.12: [(12, 16), (16, 19)],
    0.20: [(29, 40), (40, 50)],  # 49 in the table, which was simulated; the exact power of 49 pairs is 0.8997
}


@pytest.mark.parametrize("sd", PAIRS)
def test_numbers_of_pairs_are_those_of_the_specification(sd: float) -> None:
    """Every cell of the table of pairs comes out: to see a ratio, to show no harm, to show equivalence."""
    ratios = (1.05, 1.10, 1.20, 1.50, 2.0)
    margin = math.log(1.10)
    see, no_worse, alike = (
        power.pairs_to_see,
        power.pairs_for_no_worse,
        power.pairs_for_equivalence,
    )
    assert [tuple(see(sd, math.log(ratio), chance) for chance in (0.8, 0.9)) for ratio in ratios] == PAIRS[sd]
    assert [
        tuple(need(sd, margin, chance) for chance in (0.8, 0.9)) for need in (no_worse, alike)
    ] == PAIRS_FOR_NOTHING[sd]


@pytest.mark.parametrize(
    ("sd", "pairs", "passes"),
    [
        (0.05, 8, (1.00, 0.76, 0.05)),
        (0.08, 8, (0.91, 0.43, 0.05)),
        (0.12, 12, (0.82, 0.35, 0.05)),
        (0.20, 30, (0.82, 0.35, 0.05)),
    ],
)
def test_a_gate_passes_as_often_as_specified(sd: float, pairs: int, passes: tuple[float, ...]) -> None:
    """The power formula gives the specified chances for true ratios of 1, 1.05 and 1.10; simulation confirms it."""
    generator = np.random.default_rng(5)
    for ratio, expected in zip((1.0, 1.05, 1.10), passes, strict=True):
        passing = power.power_of_no_worse(sd, math.log(1.10), math.log(ratio), pairs)
        assert passing == pytest.approx(expected, abs=0.01)
        assert calibration.gate(sd, pairs, ratio, 1000, generator).agrees(passing)


@pytest.mark.parametrize("pairs", [6, 8, 10, 20])
def test_intervals_cover_as_often_as_they_say(pairs: int) -> None:
    """Student's interval covers in 95 %; Wilcoxon's in exactly what its ranks allow, never less than 95 %."""
    student, ranks = calibration.coverage(pairs, 1500, np.random.default_rng(pairs))
    assert student.agrees(0.95)
    assert ranks.share >= 0.95 - 4 * math.sqrt(0.05 * 0.95 / ranks.runs)


def test_holm_keeps_false_alarms_at_the_nominal_rate() -> None:
    """Five primary endpoints without any effect are flagged in at most 5 % of comparisons."""
    alarms = calibration.false_alarms(5, 6, 1500, np.random.default_rng(11))
    assert alarms.share <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / alarms.runs)


def test_what_a_rig_resolves_is_the_specified_formula() -> None:
    """MDE80 of 8 pairs with sd 0.08 is exp((2.3646 + 0.8960) 0.08 / sqrt 8): 1.0966."""
    assert power.smallest_effect(0.08, 8) == pytest.approx(1.0966, abs=1e-4)


def test_six_pairs_plan_with_1_46_times_their_deviation() -> None:
    """The upper 80 % limit of a standard deviation from 6 pairs is 1.46 times it."""
    assert power.planning_sd(1.0, 6) == pytest.approx(1.46, abs=0.005)


@given(differences)
def test_the_paired_test_is_scipys(values: list[float]) -> None:
    """Mean, p and interval agree with scipy's one-sample t test."""
    t = statistics.paired_t(values)
    if t.sd < 1e-6:
        return
    reference = stats.ttest_1samp(values, 0.0)
    interval = reference.confidence_interval()
    assert t.p == pytest.approx(reference.pvalue, abs=1e-9)
    assert (t.interval().low, t.interval().high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(differences, st.floats(-2, 2))
def test_estimates_turn_with_the_arms_and_shift_with_the_data(values: list[float], shift: float) -> None:
    """Swapping the arms inverts every estimate and interval; a common factor moves them by that factor."""
    turned = [-value for value in values]
    moved = [value + shift for value in values]
    for estimate in (lambda d: statistics.paired_t(d).interval(), statistics.hodges_lehmann):
        here, there, further = estimate(values), estimate(turned), estimate(moved)
        assert (there.estimate, there.low, there.high) == pytest.approx(
            (-here.estimate, -here.high, -here.low), abs=1e-9, nan_ok=True
        )
        assert (further.estimate, further.low, further.high) == pytest.approx(
            (here.estimate + shift, here.low + shift, here.high + shift), abs=1e-9, nan_ok=True
        )


@given(differences)
def test_differences_without_any_spread_decide_by_their_mean(values: list[float]) -> None:
    """Equal pairs give p = 1 at zero and p = 0 elsewhere, and never divide by zero."""
    same = statistics.paired_t([values[0]] * 4)
    assert same.p == (1.0 if values[0] == 0 else pytest.approx(0.0))


@pytest.mark.parametrize(("pairs", "rank"), [(5, 0), (6, 1), (8, 4), (10, 9), (15, 26), (20, 53)])
def test_wilcoxon_ranks_are_those_of_the_printed_table(pairs: int, rank: int) -> None:
    """The interval starts at the printed critical value plus one (0, 3, 8, 25, 52 for n = 6, 8, 10, 15, 20)."""
    walsh = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(range(pairs), 2))
    low = statistics.hodges_lehmann(list(range(pairs))).low
    assert math.isnan(low) if rank == 0 else low == walsh[rank - 1]


@given(p_values)
def test_adjusted_p_values_keep_their_order_and_bounds(values: list[float]) -> None:
    """Holm and Benjamini-Hochberg never lower a p, never pass 1, keep the order; Holm is the stricter."""
    holm, q = statistics.holm(values), statistics.false_discovery(values)
    for adjusted in (holm, q):
        assert all(raw <= value + 1e-12 and value <= 1 for raw, value in zip(values, adjusted, strict=True))
        ranked = [adjusted[index] for index in np.argsort(values, kind="stable")]
        assert ranked == sorted(ranked)
    assert all(one >= other - 1e-12 for one, other in zip(holm, q, strict=True))
    assert q == pytest.approx(stats.false_discovery_control(values).tolist())


def test_holm_reproduces_a_published_example() -> None:
    """The p-values 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_order_effect_sees_carry_over_and_nothing_else() -> None:
    """Pairs that differ by their order are flagged; the same differences shuffled over the orders are not."""
    first = [True, True, True, False, False, False]
    assert statistics.order_effect([0.30, 0.32, 0.31, 0.10, 0.11, 0.12], first) < 0.001
    assert statistics.order_effect([0.30, 0.11, 0.20, 0.31, 0.10, 0.21], first) > 0.5
    assert math.isnan(statistics.order_effect([0.1, 0.2, 0.3], [True] * 3))


def test_mix_is_compared_as_chi_square() -> None:
    """Agrees with scipy on a table; arms that asked alike are alike."""
    table = [[120, 60, 20], [100, 75, 25]]
    assert statistics.same_mix(*table) == pytest.approx(stats.chi2_contingency(table).pvalue)
    assert statistics.same_mix([50, 50, 0], [50, 50, 0]) == pytest.approx(1.0)


@pytest.mark.parametrize(("count", "level"), [(50, 0.5), (99, 0.5), (100, 0.9), (200, 0.95), (999, 0.95), (1000, 0.99)])
def test_a_sample_carries_a_quantile_with_ten_values_beyond(count: int, level: float) -> None:
    """The highest quantile that may be judged follows 10 / (1 - p)."""
    assert statistics.carried_quantile(count) == level


@given(st.lists(finite, min_size=1, max_size=9), st.lists(finite, min_size=1, max_size=9))
def test_cliffs_delta_turns_with_the_arms(a: list[float], b: list[float]) -> None:
    """It lies within -1 and 1 and changes sign when the arms are swapped."""
    delta = statistics.cliffs_delta(a, b)
    assert -1 <= delta <= 1
    assert statistics.cliffs_delta(b, a) == pytest.approx(-delta)


def test_a_trend_is_theil_sens() -> None:
    """Agrees with scipy's interval on a noisy line, and holds the true change."""
    generator = np.random.default_rng(3)
    times = np.sort(generator.uniform(0, 9, 120))
    values = 0.2 * times + generator.normal(0, 0.3, 120)
    low, high = statistics.trend(times, values)
    reference = stats.theilslopes(values, times, alpha=0.95)
    length = times[-1] - times[0]
    assert (low, high) == pytest.approx((reference.low_slope * length, reference.high_slope * length), rel=0.01)
    assert low < 0.2 * length < high
