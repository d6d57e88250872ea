"""The schedule: exact counts, the same for the same seed, shared out without gaps or doubles."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload.edge import arrivals
from octoload.edge.arrivals import Schedule

pytestmark = pytest.mark.unit

NAMES = ("times", "scenarios", "draws", "numbers")

kinds = st.sampled_from(["poisson", "constant"])
mixes = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.floats(0.01, 80), min_size=1, max_size=4)
seeds = st.integers(0, 2**32)
lengths = st.floats(0.0, 30.0)


def join(blocks):
    blocks = list(blocks)
    return Schedule(*(np.concatenate([getattr(block, name) for block in blocks]) for name in NAMES))


def whole(*plan):
    blocks = list(arrivals.plan(*plan))
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
    schedule = join(itertools.islice(arrivals.plan(mix, kind, seed, 0, None), blocks))
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
