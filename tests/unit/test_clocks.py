"""Clocks: what ping-pong and stamps say always holds the truth, and a clock that was set is found out."""

from email.utils import formatdate
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload.edge.clocks import DATE_LAG, Bounds, Exchange, best, bound, by_date

pytestmark = pytest.mark.unit

NOW = 1_764_000_000.0
offsets = st.floats(-1e5, 1e5)
delays = st.floats(0, 2)


@given(offsets, st.lists(st.tuples(delays, delays, delays), min_size=1, max_size=8))
def test_an_offset_lies_within_its_uncertainty(true: float, ways: list[tuple[float, float, float]]) -> None:
    """Whatever the messages need there, stay and need back, the true offset is never further off than is said."""
    found = best(
        Exchange(NOW, NOW + there + true, NOW + there + stay + true, NOW + there + stay + back)
        for there, stay, back in ways
    )
    assert abs(found.value - true) <= found.uncertainty + 1e-5
    assert found.uncertainty == pytest.approx(min(there + back for there, _, back in ways) / 2, abs=1e-5)


def test_the_example_of_ntp() -> None:
    """RFC 5905 §8: offset ((T2-T1)+(T3-T4))/2, delay (T4-T1)-(T3-T2); 40 ms there, 20 ms back, 1 s ahead."""
    exchange = Exchange(10.0, 11.040, 11.050, 10.070)
    assert exchange.offset == pytest.approx(1.010)
    assert exchange.round_trip == pytest.approx(0.060)


@given(offsets, st.lists(st.tuples(delays, delays), min_size=1, max_size=20))
def test_stamps_bound_a_servers_clock(true: float, calls: list[tuple[float, float]]) -> None:
    """Each call's stamp lies between sending and receiving, so the bounds of all hold the truth together."""
    bounds = Bounds()
    for number, (there, back) in enumerate(calls):
        sent = NOW + number
        stamp = floor((sent + there + true) * 1000) / 1000  # as Octopus writes it
        bounds.add("node-1", bound(sent, sent + there + back, stamp))
    found = bounds.nodes["node-1"]
    assert found.calls == len(calls)
    assert found.low - 1e-5 <= true <= found.high + 1e-5
    assert found.high - found.low <= min(there + back for there, back in calls) + 0.002 + 1e-5


def test_a_clock_that_was_set_has_no_bounds() -> None:
    """Calls of 20 ms before and after a jump of half a second exclude each other; with a jump of 5 ms they do not."""
    bounds = Bounds()
    for number, jump in enumerate((0.0, 0.0, 0.5)):
        bounds.add("node-1", bound(NOW + number, NOW + number + 0.02, NOW + number + 0.01 + jump))
        bounds.add("node-2", bound(NOW + number, NOW + number + 0.02, NOW + number + 0.01 + jump / 100))
    assert bounds.nodes["node-1"].low > bounds.nodes["node-1"].high
    assert bounds.nodes["node-2"].low < bounds.nodes["node-2"].high


@given(offsets, st.floats(0, 1), st.lists(st.floats(0, 3600), min_size=1, max_size=50))
def test_dates_that_are_renewed_once_a_second_hold_the_truth(true: float, phase: float, times: list[float]) -> None:
    """A server that writes its Date anew once a second, at any moment of it, never excludes its own clock."""
    bounds = Bounds()
    for when in times:
        server = NOW + when + true
        written = floor(server - phase) + phase  # the moment at which the text was renewed
        found = by_date(NOW + when, NOW + when, formatdate(floor(written), usegmt=True))
        assert found is not None
        bounds.add("", found)
    found = bounds.nodes[""]
    assert found.low - 1e-5 <= true <= found.high + 1e-5
    assert found.high - found.low <= DATE_LAG + 1e-5


@pytest.mark.parametrize("header", ["", "yesterday", "Sun, 99 Nov 2026 05:02:05 GMT"])
def test_a_date_that_is_none_says_nothing(header: str) -> None:
    """A missing or odd header bounds no clock, and breaks nothing."""
    assert by_date(NOW, NOW, header) is None
