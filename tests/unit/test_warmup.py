"""Warm-up: the cut that the specification's simulation demands, and a run whose arms settle unlike each other."""

import math
from pathlib import Path

import numpy as np
import pytest
import run_folder

from reports import noise, results, warmup

pytestmark = pytest.mark.unit

#: statistics §1.4 step 5: profile -> trials in the average -> bias left of a warm-up x2 that decays in 180 s of 1,200.
LEFT = {
    "quiet": {1: 0.016, 16: 0.008, 40: 0.007},
    "typical": {1: 0.032, 16: 0.012, 40: 0.010},
    "noisy": {1: 0.060, 16: 0.022, 40: 0.016},
}


@pytest.mark.parametrize("profile", LEFT)
def test_the_bias_that_is_left_is_that_of_the_specification(profile: str) -> None:
    """With more trials in the average less of the warm-up is left: within a third of the table; uncut 10.9 %."""
    generator = np.random.default_rng(145)
    times = np.arange(240) * 5 + 2.5
    curve = math.log(2) * np.exp(-times / 180)
    assert math.expm1(curve.mean()) == pytest.approx(0.109, abs=0.001)
    for trials, expected in LEFT[profile].items():
        left = []
        for _ in range(120):
            blocks = noise.environment(noise.PROFILES[profile], trials, 240, 5.0, generator)
            blocks += generator.normal(0, noise.PROFILES[profile].restart, (trials, 1))
            average = (blocks + generator.normal(0, 0.09, blocks.shape) + curve).mean(axis=0)
            cut, _limit = warmup.mser(warmup.batches(average))
            left.append(math.expm1(curve[cut * warmup.BATCH :].mean()))
        assert np.mean(left) == pytest.approx(expected, rel=0.33)


def test_what_never_settles_is_said() -> None:
    """A queue that grows throughout has no steady part; a steady series is steady from the beginning."""
    generator = np.random.default_rng(7)
    steady = [generator.normal(0, 0.1, 100) for _ in range(8)]
    growing = [series + np.linspace(0, 2, 100) for series in steady]
    found, grown = warmup.of_arm(steady, 100.0), warmup.of_arm(growing, 100.0)
    assert found is not None
    assert found.steady
    assert found.trials == 8
    assert grown is not None
    assert not grown.steady


def test_too_little_gives_no_cut() -> None:
    """No trial, or slices in which nothing was asked, give a statement and not a number."""
    assert warmup.of_arm([], 100.0) is None
    assert warmup.of_arm([np.full(100, np.nan)] * 3, 100.0) is None


def test_slices_hold_the_median_of_their_time() -> None:
    """Each slice holds the requests that were due in it; an empty one is not a number."""
    times = np.array([0.05, 0.06, 0.07, 9.95])
    slices = warmup.slices(times, np.array([1.0, 2.0, 3.0, 5.0]), 10.0)
    assert slices.size == 100
    assert slices[0] == pytest.approx(math.log(2))
    assert slices[-1] == pytest.approx(math.log(5))
    assert np.isnan(slices[1:-1]).all()


def test_a_trace_is_not_meant_to_settle(tmp_path: Path) -> None:
    """Rates that a trace brings change latency throughout, which is no warm-up: it is not judged."""
    workload = run_folder.plan()["workload"] | {"trace": "trace.csv"}
    decided = run_folder.plan(design={"seconds": 60.0, "warm_up": 5.0}, workload=workload)
    found = results.build(run_folder.build(tmp_path, decided, ratio=1.0, drift=4.0))
    assert [check.name for check in found.checks if check.name.startswith("warm-up")] == []


@pytest.mark.parametrize(("drift", "state"), [(1.0, "ok"), (4.0, "invalid")])
def test_a_contender_that_never_settles_voids_the_run(tmp_path: Path, drift: float, state: str) -> None:
    """A contender whose latency grows fourfold within each trial has no ratio; one that is steady has."""
    decided = run_folder.plan(design={"seconds": 60.0, "warm_up": 5.0})
    folder = run_folder.build(tmp_path, decided, ratio=1.0, drift=drift)
    checks = {check.name: check for check in results.build(folder).checks}
    assert checks["warm-up: dashboard"].state == state
