"""Pollers: shared out without gaps or doubles, spread over their interval, backing off by the documented rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload.edge import poller

pytestmark = pytest.mark.unit

INTERVALS = {"agent": 10.0, "client": 4.0, "tab": 5.0}
counts = st.dictionaries(st.sampled_from(sorted(INTERVALS)), st.integers(1, 50), min_size=1)
seeds = st.integers(0, 2**32)


@given(counts, seeds, st.integers(1, 7))
def test_shares_are_disjoint_and_complete(pollers, seed, workers):
    """Over any number of workers each poller runs exactly once and begins at the same time."""
    everybody = list(poller.starts(pollers, INTERVALS, seed))
    shares = [poller.share(iter(everybody), worker, workers) for worker in range(workers)]
    assert sorted((start for share in shares for start in share), key=lambda start: start.number) == everybody
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(counts, seeds)
def test_first_looks_follow_from_the_seed(pollers, seed):
    """Each kind has as many pollers as asked for, within its interval; another kind beside it changes nothing."""
    everybody = list(poller.starts(pollers, INTERVALS, seed))
    assert [start.number for start in everybody] == list(range(sum(pollers.values())))
    for name, count in pollers.items():
        alone = [start.when for start in poller.starts({name: count}, INTERVALS, seed)]
        assert [start.when for start in everybody if start.name == name] == alone
        assert all(0 <= when < INTERVALS[name] for when in alone)


def test_first_looks_are_spread_evenly():
    """In each tenth of the interval about a tenth of many pollers begin."""
    looks = [start.when for start in poller.starts({"agent": 10_000}, INTERVALS, 3)]
    assert np.histogram(looks, 10, (0, 10))[0] == pytest.approx(np.full(10, 1000), rel=0.15)


@pytest.mark.parametrize(
    ("took", "seen", "behind"),
    [(0.0, 5, 20), (0.75, 5, 20), (1.5, 10, 40), (3.0, 20, 80), (4.5, 30, 120), (9.0, 60, 120), (60.0, 60, 120)],
)
def test_a_tab_backs_off_as_the_portal_does(took, seen, behind):
    """5 s up to 0.75 s, then 20/3 of the last answer up to a minute; four times that in the background, up to two."""
    assert poller.refresh(took) == pytest.approx(seen)
    assert poller.refresh(took, behind=True) == pytest.approx(behind)


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_a_slower_answer_never_makes_a_tab_ask_sooner(one, other):
    """The pause grows with the time that the answer took, without a jump that rewards slowness."""
    assert poller.refresh(min(one, other)) <= poller.refresh(max(one, other))
