"""The task cap: the smallest that gives nearly everything without harm, and none where nothing was shown."""

import math

import numpy as np
import pytest

from reports import caps
from reports.caps import CapChoice, CapTrial
from reports.statistics import Floats, Untold

pytestmark = pytest.mark.unit

#: Cap -> tasks a minute, p95 of the API in seconds, mean run time in seconds.
SERVER = {5: (30.0, 0.20, 10.0), 10: (54.0, 0.204, 11.0), 20: (57.0, 0.24, 21.0), 40: (57.5, 0.40, 42.0)}


def rounds(noise: float = 0.01, failed: dict[int, float] | None = None) -> list[dict[int, CapTrial]]:
    generator = np.random.default_rng(5)

    def trial(cap: int) -> CapTrial:
        rate, latency, service = (value * math.exp(generator.normal(0, noise)) for value in SERVER[cap])
        return CapTrial(rate, latency, (failed or {}).get(cap, 0.0), service)

    return [{cap: trial(cap) for cap in SERVER} for _ in range(6)]


def chosen(measured: list[dict[int, CapTrial]], margin: float = 0.10) -> CapChoice:
    found = caps.choose(measured, margin=margin)
    assert isinstance(found, CapChoice)
    return found


def test_the_smallest_cap_with_enough_throughput_is_chosen() -> None:
    """Cap 20 gives 99 % of the best but slows the pages by a fifth; 10 gives 94 %: none is good until both allow it."""
    found = chosen(rounds())
    assert found.cap is None
    assert "stay at 5" in caps.sentence(found)
    assert chosen(rounds(), margin=0.30).cap == 20
    twenty = next(one for one in chosen(rounds()).results if one.cap == 20)
    assert twenty.latency_ratio == pytest.approx(1.2, abs=0.03)
    assert twenty.contention == pytest.approx(2.1, abs=0.05)
    assert caps.sentence(chosen(rounds(), margin=0.30)).startswith("Set the task cap to 20: ")


def test_failing_tasks_rule_a_cap_out() -> None:
    """A cap at which tasks fail that did not fail before is not recommended, however fast."""
    assert chosen(rounds(failed={20: 0.02}), margin=3.0).cap == 40


def test_noise_that_hides_harm_allows_nothing() -> None:
    """The upper limit decides: with six rounds of 30 % noise no cap is shown to leave the pages alone."""
    assert chosen(rounds(noise=0.3)).cap in {None, 5}


@pytest.mark.parametrize(
    "bad",
    [
        [],
        rounds()[:1],
        [{10: CapTrial(1, 1, 0, 1), 20: CapTrial(1, 1, 0, 1)}] * 3,
        [{5: CapTrial(1, 1, 0, 1), 10: CapTrial(math.nan, 1, 0, 1)}] * 3,
        [{5: CapTrial(1, 1, 0, 1), 10: CapTrial(0, 1, 0, 1)}] * 3,
    ],
)
def test_rounds_that_say_nothing_recommend_nothing(bad: list[dict[int, CapTrial]]) -> None:
    """No round, one round, without the usual cap, no number, no throughput: a reason and no cap."""
    found = caps.choose(bad)
    assert isinstance(found, Untold)
    assert "No task cap can be recommended" in caps.sentence(found)


def test_a_rate_asks_for_the_smallest_cap_that_carries_it() -> None:
    """Run times that grow with the cap: 0.6 tasks a second of 10 s need 10 slots, and no cap carries 4 a second."""
    generator = np.random.default_rng(6)

    def times(mean: float) -> Floats:
        return mean * np.exp(generator.normal(-0.045, 0.3, 300))

    services = {5: times(10), 10: times(11), 20: times(21)}
    assert caps.for_rate(services, 1, 0.3, 60.0) == 5
    assert caps.for_rate(services, 1, 0.6, 60.0) == 10
    assert caps.for_rate(services, 2, 0.6, 60.0) == 5
    assert isinstance(caps.for_rate(services, 1, 4.0, 60.0), Untold)
