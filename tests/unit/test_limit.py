"""The adaptive limit: additive up, halved on refusal and on rising latency, once for what was in flight together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload.limit import Limit

pytestmark = pytest.mark.unit


def answer(limit: Limit, count: int, seconds: float = 0.01, kind: str = "POST releases") -> None:
    for _ in range(count):
        limit.answered(kind, seconds)


def grown(to: int) -> Limit:
    limit = Limit()
    while limit.allowed < to:
        answer(limit, 1)
    return limit


def test_each_good_round_allows_one_more_up_to_the_most():
    """A round is as many answers as were allowed; at the most it stays."""
    limit = Limit(most=6)
    start = limit.allowed
    answer(limit, start)
    assert limit.allowed == start + 1
    answer(limit, start + 1)
    assert limit.allowed == start + 2
    answer(limit, 100)
    assert limit.allowed == 6


def test_a_refusal_halves_once_for_all_that_were_in_flight():
    """Thirty-two refusals of one flight are one sign, not thirty-two; the next flight counts again."""
    limit = grown(32)
    for _ in range(32):
        limit.refused(0.0, None)
    assert limit.allowed == 16
    limit.refused(0.0, None)
    limit.refused(0.0, None)
    assert limit.allowed == 8


def test_rising_latency_halves():
    """Answers that take ten times as long as at best cut the limit, and steady ones let it grow again."""
    limit = grown(32)
    answer(limit, 200, seconds=0.1)
    assert limit.allowed <= 8
    low = limit.allowed
    answer(limit, 500, seconds=0.01)
    assert limit.allowed > low


def test_kinds_are_compared_with_themselves_only():
    """A space takes a hundred times as long as a release: that is no rise."""
    limit = Limit()
    for _ in range(200):
        limit.answered("POST releases", 0.005)
        limit.answered("POST spaces", 0.5)
    assert limit.allowed > 16


def test_pauses_follow_the_server_or_double():
    """`Retry-After` is obeyed to the second; without one each flight that is refused waits longer, up to a minute."""
    limit = Limit()
    assert limit.refused(100.0, 7.0) == 7.0
    assert limit.pause(103.0) == pytest.approx(4.0)
    assert limit.pause(107.0) == 0.0
    patient = Limit(most=1)
    pauses = [patient.refused(0.0, None) for _ in range(30)][::2]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[1] < pauses[-1] <= 60.0
    patient.answered("GET tasks", 0.01)
    assert patient.refused(1e6, None) < 1.0


@given(st.lists(st.one_of(st.floats(0, 100), st.none()), max_size=300))
def test_one_request_at_least_is_always_allowed(answers: list[float | None]):
    """Whatever the server does, the limit stays between one and the most."""
    limit = Limit(most=8)
    for seconds in answers:
        if seconds is None:
            limit.refused(0.0, None)
        else:
            limit.answered("GET x", seconds)
        assert 1 <= limit.allowed <= 8
