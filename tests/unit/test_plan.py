"""The plan: order, balance and seeds."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.experiment import Compare, Design, load
from experiments.plan import Generator, order, seed_of, write_up

pytestmark = pytest.mark.unit

designs = st.builds(Design, pairs=st.integers(2, 60), seed=st.integers(0, 10_000))


@given(designs)
def test_pairs_are_complete_and_balanced(design: Design) -> None:
    """Each pair holds both arms once, next to each other; half of the pairs begin with the baseline."""
    trials = order(design, Compare("a", "b"))
    assert [trial.index for trial in trials] == list(range(1, 2 * design.pairs + 1))
    pairs = [trials[i : i + 2] for i in range(0, len(trials), 2)]
    assert all({t.arm for t in pair} == {"a", "b"} and pair[0].pair == pair[1].pair for pair in pairs)
    first = Counter(pair[0].arm for pair in pairs)
    assert 0 <= first["a"] - first["b"] <= 1


@given(designs)
def test_the_order_follows_from_the_seed(design: Design) -> None:
    """The same design gives the same order, and both trials of a pair the same arrivals, no other pair's."""
    assert order(design, Compare("a", "b")) == order(design, Compare("a", "b"))
    seeds = Counter(seed_of(design, trial) for trial in order(design, Compare("a", "b")))
    assert set(seeds.values()) == {2}


@given(designs)
def test_rounds_visit_all_arms(design: Design) -> None:
    """With more than two arms each round holds each of them once, in an order of its own."""
    trials = order(design, Compare("a", "b", ["c", "d"]))
    assert [trial.index for trial in trials] == list(range(1, 4 * design.pairs + 1))
    rounds = [trials[i : i + 4] for i in range(0, len(trials), 4)]
    assert all(sorted(t.arm for t in one) == ["a", "b", "c", "d"] for one in rounds)
    assert all({t.pair for t in one} == {number} for number, one in enumerate(rounds, start=1))


def test_orders_differ_between_seeds() -> None:
    """The order is drawn: twenty seeds do not give one order."""
    assert len({tuple(t.arm for t in order(Design(pairs=8, seed=seed), Compare("a", "b"))) for seed in range(20)}) > 10


def test_the_written_plan_says_what_was_decided() -> None:
    """plan.json carries arms, endpoints and trials of the retention experiment."""
    path = Path(__file__).parents[2] / "experiments" / "retention.yaml"
    plan = write_up(load(path), None, Generator())
    assert plan["subject"] == "keeping 3 releases"
    assert plan["primary"] == [{"operation": "dashboard", "metric": "p50"}]
    assert plan["changes"] == ["rows"]
    assert len(plan["trials"]) == 16
