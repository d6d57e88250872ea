"""The schedule: exact counts, the same for the same seed, shared out without gaps or doubles."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload.edge import arrivals
from octoload.edge.arrivals import Phases, Schedule, Stage

pytestmark = pytest.mark.unit

NAMES = ("times", "scenarios", "draws", "numbers")

kinds = st.sampled_from(["poisson", "constant"])
mixes = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.floats(0.01, 80), min_size=1, max_size=4)
seeds = st.integers(0, 2**32)
lengths = st.floats(0.0, 30.0)
stages = st.lists(st.builds(Stage, st.floats(0.01, 25.0), st.floats(0.0, 3.0)), min_size=1, max_size=5)


def join(blocks):
    blocks = list(blocks)
    return Schedule(*(np.concatenate([getattr(block, name) for block in blocks]) for name in NAMES))


def whole(mix, kind, seed, *phases):
    blocks = list(arrivals.plan(mix, kind, seed, Phases(*phases)))
    return join(blocks) if blocks else Schedule(*(np.empty(0) for _ in NAMES))


@given(mixes, kinds, seeds, lengths, lengths)
def test_each_phase_has_exactly_rate_times_seconds_arrivals(mix, kind, seed, warm_up, seconds):
    """Both arms of a pair get equally many requests of each kind, whatever the seed."""
    schedule = whole(mix, kind, seed, warm_up, seconds)
    for index, name in enumerate(sorted(mix)):
        times = schedule.times[schedule.scenarios == index]
        assert (times < warm_up).sum() == math.floor(mix[name] * warm_up + 0.5)
        assert (times >= warm_up).sum() == math.floor(mix[name] * seconds + 0.5)
    assert np.all(np.diff(schedule.times) >= 0)
    assert np.all((schedule.times >= 0) & (schedule.times <= warm_up + seconds))


@given(mixes, kinds, seeds)
def test_the_schedule_follows_from_the_seed_alone(mix, kind, seed):
    """The same seed gives the same arrivals, also when the mix is written in another order; another seed does not."""
    first = whole(mix, kind, seed, 1, 10)
    again = whole(dict(reversed(mix.items())), kind, seed, 1, 10)
    other = whole(mix, kind, seed + 1, 1, 10)
    assert np.array_equal(first.times, again.times)
    assert np.array_equal(first.draws, again.draws)
    assert len(first) == len(other)
    assert not len(first) or not np.array_equal(first.times, other.times)


def test_a_scenario_more_leaves_the_arrivals_of_the_others():
    """Each scenario has a random stream of its own."""
    alone = whole({"dashboard": 9.0}, "poisson", 5, 0, 20)
    both = whole({"audit": 4.0, "dashboard": 9.0}, "poisson", 5, 0, 20)
    assert np.array_equal(alone.times, both.times[both.scenarios == 1])


@given(mixes, kinds, seeds, st.integers(1, 7))
def test_shares_are_disjoint_and_complete(mix, kind, seed, workers):
    """Over all workers each arrival is played exactly once, and none has more than one arrival too many."""
    schedule = whole(mix, kind, seed, 0, 10)
    shares = [schedule.share(worker, workers) for worker in range(workers)]
    assert sorted(number for share in shares for number in share.numbers.tolist()) == schedule.numbers.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(mixes, kinds, seeds, st.integers(1, 5))
def test_an_endless_schedule_keeps_its_rate(mix, kind, seed, blocks):
    """After any number of blocks the counts are rate times time, rounded; numbers have no gap."""
    schedule = join(itertools.islice(arrivals.plan(mix, kind, seed, Phases(0, None)), blocks))
    for index, name in enumerate(sorted(mix)):
        assert (schedule.scenarios == index).sum() == math.floor(mix[name] * arrivals.BLOCK * blocks + 0.5)
    assert np.all(np.diff(schedule.times) >= 0)
    assert schedule.numbers.tolist() == list(range(len(schedule)))


def test_poisson_arrivals_are_as_irregular_as_a_poisson_process():
    """Counts in short windows have a variance near their mean (statistics §6, offered = planned)."""
    schedule = whole({"dashboard": 50.0}, "poisson", 3, 0, 2000)
    counts = np.histogram(schedule.times, bins=2000, range=(0, 2000))[0]
    assert 0.9 < counts.var() / counts.mean() < 1.1
    constant = whole({"dashboard": 50.0}, "constant", 3, 0, 2000)
    assert np.ptp(np.diff(constant.times)) < 1e-9


@given(mixes, kinds, seeds, st.floats(0.0, 5.0), stages)
def test_each_stage_has_its_own_exact_count(mix, kind, seed, warm_up, stages):
    """A stage holds rate times factor times seconds arrivals, rounded so that any number of stages adds up."""
    seconds = sum(stage.seconds for stage in stages)
    schedule = whole(mix, kind, seed, warm_up, seconds, stages)
    edges = [warm_up, *(warm_up + total for total in itertools.accumulate(stage.seconds for stage in stages))]
    loads = [0.0, *itertools.accumulate(stage.seconds * stage.factor for stage in stages)]
    for index, name in enumerate(sorted(mix)):
        times = schedule.times[schedule.scenarios == index]
        reached = [math.floor(mix[name] * load + 0.5) for load in loads]
        found = [int(((times >= begin) & (times < end)).sum()) for begin, end in itertools.pairwise(edges)]
        assert found == pytest.approx(np.diff(reached).tolist(), abs=edge_cases(times, edges))
        assert (times >= warm_up).sum() == reached[-1] == arrivals.planned(mix, Phases(warm_up, seconds, stages))[name]
        assert (times < warm_up).sum() == math.floor(mix[name] * warm_up * stages[0].factor + 0.5)
    assert np.all(np.diff(schedule.times) >= 0)
    assert schedule.numbers.tolist() == list(range(len(schedule)))


def edge_cases(times, edges):
    """Arrivals so near to the edge of a stage that adding floats in another order may move them over it."""
    return sum(int(np.isclose(times, edge, rtol=1e-12, atol=0).sum()) for edge in edges)


def test_one_stage_at_the_mixs_own_rate_is_no_stage():
    """The arrivals are those of a workload without stages."""
    mix = {"audit": 4.0, "dashboard": 9.0}
    assert np.array_equal(
        whole(mix, "poisson", 5, 3, 20, [Stage(20.0, 1.0)]).times, whole(mix, "poisson", 5, 3, 20).times
    )


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([Stage(0.0, 1.0)], "stage 1 lasts 0"),
        ([Stage(10.0, 1.0), Stage(math.inf, 1.0)], "stage 2 lasts inf"),
        ([Stage(math.nan, 1.0)], "lasts nan"),
        ([Stage(20.0, -1.0)], "factor -1"),
        ([Stage(20.0, math.nan)], "factor nan"),
        ([Stage(20.0, 0.0)], "nothing arrives"),
        ([Stage(10.0, 1.0), Stage(9.0, 1.0)], "last 19 s"),
    ],
)
def test_stages_that_make_no_sense_are_refused(stages, said):
    """Lengths and factors are finite numbers, something arrives, and the stages fill the measured phase."""
    [(fault, cure)] = arrivals.stage_faults(stages, 20.0)
    assert said in fault
    assert cure
    assert not arrivals.stage_faults([Stage(15.0, 2.0), Stage(5.0, 0.0)], 20.0)
    assert "without end" in arrivals.stage_faults([Stage(20.0, 1.0)], None)[0][0]
