"""Effects and verdicts: the seven words, their direction, and the laws that ratios keep."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folder import plan

from reports import plan as plans
from reports.effects import Block, Effect, Pair, compare, compare_errors, judge, more_pairs, primary_p
from reports.statistics import PairedT, paired_t
from reports.summaries import Summary

pytestmark = pytest.mark.unit

DECIDED = plans.parse(plan(primary=[{"operation": "dashboard", "metric": "p50"}], control=["audit"]))
medians = st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)), min_size=4, max_size=10)


def summary(p50: float | None, throughput: float = 7.0, failures: int = 0) -> Summary:
    return Summary(100, failures, p50, None, None, throughput, failures / 100)


def pairs(values: list[tuple[float | None, float | None]], operation: str = "dashboard") -> list[Pair]:
    """Pairs whose blocks hold one operation with these medians, in turns with the baseline first."""
    made = []
    for number, (a, b) in enumerate(values, start=1):
        first = number % 2
        made.append(
            Pair(
                Block(2 * number - first, number, "keep-all", {operation: summary(a)}, 10.0),
                Block(2 * number - 1 + first, number, "keep-3", {operation: summary(b)}, 10.0),
            )
        )
    return made


def effect_of(values: list[tuple[float | None, float | None]]) -> Effect:
    return next(effect for effect in compare(pairs(values), DECIDED) if effect.metric == "p50")


@pytest.mark.parametrize(
    ("centre", "sd", "word"),
    [
        (math.log(1.5), 0.05, "worse"),
        (-math.log(1.5), 0.05, "better"),
        (0.08, 0.03, "slightly worse"),
        (-0.08, 0.03, "slightly better"),
        (0.00, 0.03, "equivalent"),
        (0.03, 0.01, "equivalent"),
        (-0.10, 0.15, "no worse"),
        (0.05, 0.20, "inconclusive"),
    ],
)
def test_each_verdict_has_its_case(centre: float, sd: float, word: str) -> None:
    """Significant beyond the margin, significant within, equivalent (also when significant), no worse, or not known."""
    standard = [-1.2, -0.7, -0.3, 0.3, 0.7, 1.2]
    spread = paired_t(standard).sd
    t = paired_t([centre + sd * value / spread for value in standard])
    assert judge(t, t.p, 0.10) == word


def test_holm_decides_not_the_raw_p() -> None:
    """An endpoint that is significant alone but not after adjustment claims nothing."""
    t = paired_t([0.30, 0.10, 0.35, 0.02, 0.28, 0.20])
    assert judge(t, t.p, 0.10) == "worse"
    assert judge(t, 0.06, 0.10) == "inconclusive"


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.5), st.integers(4, 20))
def test_more_of_a_good_thing_is_better(mean: float, sd: float, count: int) -> None:
    """A metric of which more is better gets the verdict that its inverse would get."""
    p = paired_t([mean - sd, mean, mean + sd]).p
    up, down = PairedT(count, mean, sd, p), PairedT(count, -mean, sd, p)
    assert judge(up, p, 0.10, more_is_better=True) == judge(down, p, 0.10)


@settings(max_examples=40)
@given(medians)
def test_swapped_arms_invert_the_effect(values: list[tuple[float, float]]) -> None:
    """Ratio, both intervals and Cliff's delta turn round; p, the resolution and the pairs stay."""
    here, there = effect_of(values), effect_of([(b, a) for a, b in values])
    assert there.ratio == pytest.approx(1 / here.ratio)
    assert (there.ci_low, there.ci_high) == pytest.approx((1 / here.ci_high, 1 / here.ci_low))
    assert (there.p, there.resolves, there.pairs) == pytest.approx((here.p, here.resolves, here.pairs))
    assert there.cliffs_delta == pytest.approx(-here.cliffs_delta)
    opposite = {"better": "worse", "worse": "better", "slightly better": "slightly worse", "equivalent": "equivalent"}
    assert here.verdict not in opposite or there.verdict == opposite[here.verdict]


@settings(max_examples=40)
@given(medians, st.floats(0.01, 100))
def test_the_unit_of_a_metric_does_not_matter(values: list[tuple[float, float]], factor: float) -> None:
    """Multiplying every block value changes neither ratio nor verdict."""
    here, there = effect_of(values), effect_of([(a * factor, b * factor) for a, b in values])
    assert there.ratio == pytest.approx(here.ratio)
    assert (there.ci_low, there.ci_high) == pytest.approx((here.ci_low, here.ci_high))
    assert there.verdict == here.verdict or min(abs(here.p - 0.05), abs(there.p - 0.05)) < 1e-6


def test_a_pair_that_lacks_a_quantile_is_left_out_of_it_alone() -> None:
    """A block without a median takes its pair out of the median's effect, not out of the throughput's."""
    effects = {e.metric: e for e in compare(pairs([(1, 2), (None, 2), (1.1, 2), (1, 2.1)]), DECIDED)}
    assert effects["p50"].pairs == 3
    assert effects["throughput"].pairs == 4


def test_roles_decide_which_adjustment_an_endpoint_gets() -> None:
    """Primary endpoints get Holm, all others a q-value; a control is held against the metrics that decide."""
    audit = pairs([(1, 1.1), (1, 0.9), (1, 1.05), (1, 1.0)], "audit")
    both = [
        Pair(
            Block(a.baseline.index, a.baseline.pair, "keep-all", a.baseline.operations | b.baseline.operations, 10.0),
            Block(a.contender.index, a.contender.pair, "keep-3", a.contender.operations | b.contender.operations, 10.0),
        )
        for a, b in zip(pairs([(1, 2), (1, 2.1), (1, 1.9), (1, 2)]), audit, strict=True)
    ]
    effects = compare(both, DECIDED)
    assert [(e.operation, e.metric, e.role) for e in effects] == [
        ("dashboard", "p50", "primary"),
        ("audit", "p50", "control"),
        ("audit", "throughput", "exploratory"),
        ("dashboard", "throughput", "exploratory"),
    ]
    assert all((e.p_adjusted is None) == (e.role != "primary") for e in effects)
    assert all((e.q is None) == (e.role == "primary") for e in effects)


def test_further_arms_belong_to_the_same_family() -> None:
    """With two more p-values beside it a primary endpoint is adjusted for three, as Holm would all of them."""
    made = pairs([(1.0, 1.3), (1.0, 1.1), (1.0, 1.4), (1.0, 1.05)])
    (raw,) = primary_p(made, DECIDED)
    (alone,) = [effect for effect in compare(made, DECIDED) if effect.role == "primary"]
    (among,) = [effect for effect in compare(made, DECIDED, [0.9, 0.8]) if effect.role == "primary"]
    assert (alone.p_adjusted, among.p_adjusted) == pytest.approx((raw, 3 * raw))


def test_an_open_question_says_how_many_pairs_it_takes() -> None:
    """Six pairs with a deviation of 0.2 need, planned with 1.46 times that, 70 more to see 10 % (76 in all)."""
    wanted = more_pairs(PairedT(6, 0.0, 0.20, 1.0), 0.10)
    assert wanted == 70
    assert more_pairs(PairedT(6, 0.0, 0.05, 1.0), 0.10) < 6


def test_error_rates_are_compared_as_differences() -> None:
    """Two failures in a hundred more are two percentage points, however few the baseline had."""
    made = [
        Pair(
            Block(1, n, "keep-all", {"dashboard": summary(1.0, failures=0)}, 10.0),
            Block(2, n, "keep-3", {"dashboard": summary(1.0, failures=1 + n % 3)}, 10.0),
        )
        for n in range(6)
    ]
    (rate,) = compare_errors(made)
    assert rate.difference == pytest.approx(0.02)
    assert rate.ci_low < rate.difference < rate.upper < rate.ci_high


def test_a_block_without_any_answer_is_not_left_out() -> None:
    """Throughput of a block that answered nothing counts as half an answer, in all blocks alike; never as a gap."""
    made = [
        Pair(
            Block(1, n, "keep-all", {"dashboard": summary(None, throughput=10.0)}, 10.0),
            Block(2, n, "keep-3", {"dashboard": summary(None, throughput=0.0 if n == 1 else 10.0)}, 10.0),
        )
        for n in range(4)
    ]
    (effect,) = compare(made, DECIDED)
    assert effect.pairs == 4
    assert sorted(effect.log_ratios) == pytest.approx([math.log(0.5 / 100.5), 0, 0, 0])


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -0.1])
def test_a_latency_that_is_none_gives_no_number(value: float) -> None:
    """A pair with a latency of nothing, below nothing or not a number is left out of that endpoint."""
    effects = compare(pairs([(1, 2), (value, 2), (1.1, 2)]), DECIDED)
    assert next(effect for effect in effects if effect.metric == "p50").pairs == 2
