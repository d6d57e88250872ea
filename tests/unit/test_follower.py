"""How far a run is, by the files in its folder; and how a load is told in words."""

import time
from pathlib import Path

import numpy as np
import pytest

from experiments import queued
from octoload import files
from octoload.course import Follower
from octoload.edge.performance import Performance
from octoload.edge.samples import LAYOUT
from octoload.edge.spread import Spread
from octoload.edge.trial import Trial
from octoload.errors import UsageError

pytestmark = pytest.mark.unit

TRIALS = [{"index": 1, "pair": 1, "arm": "a"}, {"index": 2, "pair": 1, "arm": "b"}, {"index": 3, "pair": 2, "arm": "b"}]


def ended(run: Path, name: str, *, lasted: float, valid: bool) -> None:
    """Write a trial's file as the runner does, with one check that is not content."""
    checks = [{"name": "steal", "state": "ok", "message": "none"}, {"name": "lag", "state": "warn", "message": "late"}]
    content = {"started": 10.0, "ended": 10.0 + lasted, "checks": checks, "valid": valid}
    files.write_json(run / "trials" / name / "trial.json", "trial", 1, content)


def test_a_run_is_followed_by_its_files(tmp_path: Path) -> None:
    """Trials go from to come over running to done or invalid; what is left goes by the mean of those that ended."""
    run = Follower(tmp_path)
    with pytest.raises(UsageError, match=r"plan\.json"):
        run.look()
    files.write_json(tmp_path / "plan.json", "plan", 1, {"name": "n", "question": "q?", "trials": TRIALS})
    assert [trial.state for trial in run.look().trials] == ["to come"] * 3
    assert run.look().left is None
    ended(tmp_path, "01-a", lasted=20, valid=True)
    course = run.look("02-b")
    assert [trial.state for trial in course.trials] == ["done", "running", "to come"]
    assert (course.left, course.trials[0].doubts) == (40.0, ["late"])
    ended(tmp_path, "02-b", lasted=40, valid=False)
    assert [trial.state for trial in run.look("03-b").trials] == ["done", "invalid", "running"]
    assert run.look("03-b").left == 30.0


def test_a_growing_distribution_is_within_half_a_percent() -> None:
    """p50, p95 and p99 of batches, counted as they come, are those of all values together; of none there is none."""
    values = np.random.default_rng(1).lognormal(-3, 1.2, 20_000)
    spread = Spread()
    assert spread.percentile(0.95) is None
    for batch in np.array_split(values, 37):
        spread.add(batch)
    for share in (0.5, 0.95, 0.99):
        exact = float(np.quantile(values, share, method="inverted_cdf"))
        assert spread.percentile(share) == pytest.approx(exact, rel=0.005)
    spread.add(np.array([0.0, -1.0, 1e9]))  # a clock that jumped: counted at the ends, and no error
    assert spread.percentile(1.0) == pytest.approx(1e4, rel=0.01)


def test_a_rate_is_over_the_time_that_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that come all at once are no high rate; what is long ago does not count; before any there is none."""
    load = Performance(1, Trial(urls=["http://127.0.0.1"]), 100.0, None, {"worker": 0})
    assert load.rate == 0.0
    message = {"worker": 0, "sent": 0, "waiting": 0, "lags": b"", "read_delays": b"", "scenarios": []}
    rates = []
    for second, requests in enumerate((3, 0, 0, 30, 0, 0, 0, 0, 0)):
        monkeypatch.setattr(time, "time", lambda now=101.0 + second: now)
        load.take({**message, "batch": second, "rows": np.zeros(requests, LAYOUT).tobytes()})
        rates.append(load.rate)
    assert rates == [3.0, 1.5, 1.0, 8.25, 6.6, 6.0, 6.0, 6.0, 0.0]


def test_a_load_is_told_with_rate_p95_queue_and_trouble() -> None:
    """What is fine is not spoken of, what is not known is not invented."""
    event = {"elapsed": 2.0, "sent": 1234, "rate": 15.4, "p95": None, "waiting": 0, "failures": 0}
    assert queued.describe(event, 3.0, None) == "1,234 requests, 15/s, warming up"
    assert queued.describe(event, 2.0, None) == "1,234 requests, 15/s"  # pollers alone have no p95, however long
    trouble = {**event, "p95": 0.18, "waiting": 3, "failures": 2}
    said = "1,234 requests, 15/s, p95 so far 180 ms, 37 tasks queued, 3 wait for a slot, 2 failed"
    assert queued.describe(trouble, 2.0, 37) == said
