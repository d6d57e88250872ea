"""The course of a trial: nothing is lost in its bins, and what is drawn agrees with what was recorded."""

import re
from pathlib import Path

import msgspec
import numpy as np
import other_folders
import pytest
import run_folder

from reports import course, courses, page, results, run, telemetry
from reports.summaries import Samples

pytestmark = pytest.mark.unit

BEGAN = run_folder.BEGAN


def samples(intended: np.ndarray, latency: np.ndarray, kind: np.ndarray, failed: np.ndarray) -> Samples:
    names = ("dashboard", "audit", "agent-poll")
    done = intended + latency
    return Samples(intended, intended, done, kind.astype(np.int32), names, failed, intended.size)


def test_every_request_stands_in_its_second() -> None:
    """Counts are those of a histogram; quantiles of requests on schedule are within the step of 1.6 %."""
    draw = np.random.default_rng(4)
    intended = BEGAN + draw.uniform(0, 20, 4_000)
    latency, kind = 0.1 * np.exp(draw.normal(0, 0.8, 4_000)), draw.integers(0, 3, 4_000)
    failed = draw.uniform(size=4_000) < 0.1
    whole = samples(intended, latency, kind, failed)
    bins = course.grid(BEGAN, BEGAN + 20, 6)
    found = course.flow(bins, [whole], ["dashboard"], ["agent-poll"])
    edges = BEGAN + np.arange(21)
    assert bins.step == 1.0
    assert np.array_equal(found.wanted, np.histogram(intended, edges)[0])
    assert np.array_equal(found.failed, np.histogram(intended[failed], edges)[0])
    assert np.array_equal(found.answered, np.histogram((intended + latency)[~failed], edges)[0])
    for name, own in (("", kind != 2), ("dashboard", kind == 0)):
        for metric, share in (("p50", 0.5), ("p95", 0.95)):
            exact = [
                np.quantile(latency[own & (intended >= low) & (intended < low + 1)], share, method="lower")
                for low in edges[:-1]
            ]
            assert found.latencies[name][metric].window == 1.0
            assert found.latencies[name][metric].values == pytest.approx(exact, rel=0.016)


def test_phases_add_up_and_what_lies_outside_is_left_out() -> None:
    """Warm-up and measured phase make the trial; what is before its begin, or answered before it, is in no bin."""
    intended = BEGAN + np.array([-5.0, 0.0, 0.5, 1.5, 2.5, 99.0])
    latency, none = np.array([0.1, 0.0, -3.0, 0.2, np.inf, 0.1]), np.zeros(6)
    whole = samples(intended, latency, none, none > 0)
    halves = (slice(0, 3), slice(3, 6))
    parts = [samples(intended[half], latency[half], none[half], none[half] > 0) for half in halves]
    bins = course.grid(BEGAN, BEGAN + 3, 2)
    one, two = course.flow(bins, [whole], [], []), course.flow(bins, parts, [], [])
    assert one.wanted.tolist() == two.wanted.tolist() == [2, 1, 1]
    assert np.array_equal(one.answered, two.answered)


def test_seconds_with_few_requests_take_their_neighbours_along() -> None:
    """Seven requests a second have a p50 of each second or three, and a p95 of five seconds, clipped at the ends."""
    draw = np.random.default_rng(6)
    intended = BEGAN + np.repeat(np.arange(20.0), 7) + draw.uniform(0, 1, 140)
    latency, none = draw.exponential(0.2, 140), np.zeros(140)
    found = course.flow(course.grid(BEGAN, BEGAN + 20, 1), [samples(intended, latency, none, none > 0)], [], [])
    p50, p95 = found.latencies[""]["p50"], found.latencies[""]["p95"]
    assert (p50.window, p95.window) == (3.0, 5.0)
    own = (intended >= BEGAN + 8) & (intended < BEGAN + 13)
    assert p95.values[10] == pytest.approx(np.quantile(latency[own], 0.95, method="lower"), rel=0.016)
    assert np.isfinite(p95.values).all()


def test_a_quantile_that_too_few_requests_carry_is_left_out() -> None:
    """Four requests have no p50, nineteen no p95."""
    for count, known in ((4, []), (5, ["p50"]), (19, ["p50"]), (20, ["p50", "p95"])):
        one = samples(np.full(count, BEGAN), np.full(count, 0.1), np.zeros(count), np.zeros(count, dtype=bool))
        found = course.flow(course.grid(BEGAN, BEGAN + 1, 1), [one], [], []).latencies[""]
        assert [name for name, curve in found.items() if np.isfinite(curve.values[0])] == known


@pytest.mark.parametrize(("length", "trials", "step"), [(63, 48, 1), (12, 12, 1), (900, 12, 5), (86_400, 4, 600)])
def test_bins_are_whole_seconds_and_few(length: float, trials: int, step: float) -> None:
    """A minute of 48 trials is shown second by second, a quarter of an hour in steps of five seconds."""
    bins = course.grid(BEGAN, BEGAN + length, trials)
    assert bins.step == step
    assert length <= bins.step * bins.count < length + step


def test_tasks_under_way_are_means_over_the_bin() -> None:
    """Against levels read every millisecond; a task without an end stays."""
    draw = np.random.default_rng(8)
    begins = BEGAN + draw.uniform(-3, 9, 200)
    ends = np.where(draw.uniform(size=200) < 0.1, np.nan, begins + draw.exponential(2, 200))
    found = course.under_way(course.grid(BEGAN, BEGAN + 10, 1), begins, ends)
    moments = BEGAN + np.arange(0.0005, 10, 0.001)
    last = np.where(np.isnan(ends), np.inf, ends)
    levels = ((begins <= moments[:, np.newaxis]) & (moments[:, np.newaxis] < last)).sum(axis=1)
    assert found == pytest.approx(levels.reshape(10, 1000).mean(axis=1), abs=0.1)


def test_a_total_is_shown_as_its_growth() -> None:
    """Half a CPU, then a whole one; a second that nobody read to its end has no value."""
    at = BEGAN + np.array([0.0, 1.0, 2.0, 3.5])
    found = course.rate(course.grid(BEGAN, BEGAN + 4, 1), at, np.array([7.0, 7.5, 8.0, 9.5]))
    assert found[:3] == pytest.approx([0.5, 0.5, 1.0], abs=1e-6)
    assert np.isnan(found[3])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_folders.watched(tmp_path_factory.mktemp("watched") / "run", pairs=24, seconds=60.0)


def test_a_page_of_48_minutes_holds_every_second_and_stays_small(watched: Path) -> None:
    """48 trials of a minute with requests, tasks and four hosts: one second a bin, all in less than a megabyte."""
    read = run.read(watched)
    source = page.render(*results.finish(read))
    assert len(source.encode()) < 1_000_000
    trials = shown(source)
    assert [trial.step for trial in trials] == [1.0] * 48
    for trial, one in zip(read.trials, trials, strict=True):
        assert [panel.unit for panel in one.panels] == ["/s", "ms", "ms", "tasks", "%"]
        assert {len(line.values) for panel in one.panels for line in panel.lines} == {63}
        wanted = one.panels[0].lines[0].values
        assert sum(value or 0 for value in wanted) == trial.flow.wanted.sum() > 1_000
        assert [(mark.name, mark.begin, mark.end) for mark in one.marks] == [("warm-up", 0.0, 3.0)]


def test_hosts_are_read_back_as_they_were(watched: Path) -> None:
    """Each host's share of its capacity is what it was given; a trial without telemetry has no such panel."""
    (first, *_) = sorted((watched / "trials").iterdir())
    found = {one.host: one for one in telemetry.read(first / "telemetry.parquet")}
    assert list(found) == ["machine", "node-1", "node-2", "sql"]
    assert found["node-1"].cpus == 0.3
    assert np.diff(found["node-1"].used) == pytest.approx(0.9 * 0.3 * np.diff(found["node-1"].at))
    assert telemetry.read(first / "nothing.parquet") == []


def test_results_do_not_change_with_telemetry(tmp_path: Path) -> None:
    """A run with telemetry beside its requests has the same effects as without: it is a picture only."""
    folder = other_folders.watched(tmp_path / "run", pairs=6, seconds=9.0)
    with_it = results.reduce(run.read(folder)).effects
    for file in folder.glob("trials/*/telemetry.parquet"):
        file.unlink()
    assert results.reduce(run.read(folder)).effects == with_it


def test_a_course_goes_on_until_the_tasks_have_ended(tmp_path: Path) -> None:
    """Tasks that were followed beyond the load are shown to their end, and what came after the load is shaded."""
    folder = other_folders.watched(tmp_path / "run", pairs=2, seconds=9.0)
    (first, *_) = sorted((folder / "trials").iterdir())
    facts = msgspec.json.decode((first / "trial.json").read_bytes())
    (first / "trial.json").write_bytes(msgspec.json.encode(facts | {"tasks": {"queued": 4, "ended": 4}}))
    source = page.render(*results.finish(run.read(folder)))
    one, two = shown(source)[:2]
    assert [(mark.name[:14], mark.begin, mark.end) for mark in one.marks] == [
        ("warm-up", 0.0, 3.0),
        ("after the load", 12.0, 17.0),
    ]
    tasks = next(panel for panel in one.panels if panel.unit == "tasks")
    assert [line.values[-1] for line in tasks.lines] == [0, 1]
    assert len(two.panels[0].lines[0].values) == 12


def test_a_drain_beside_a_load_is_shown_to_its_end(tmp_path: Path) -> None:
    """Its last task ends 5 s after the load: so long the course goes on, and both have their figures."""
    folder = other_folders.watched(tmp_path / "run", pairs=2, seconds=9.0)
    (first, *_) = sorted((folder / "trials").iterdir())
    for file, change in (
        (folder / "plan.json", {"workload": {**run_folder.plan()["workload"], "drain": {"tasks": 4}}}),
        (first / "trial.json", {"slots": 5, "tasks": {"queued": 4}}),
    ):
        file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | change))
    one, two = run.read(folder).trials[:2]
    assert one.flow is not None
    assert two.flow is not None
    assert (one.flow.grid.count, two.flow.grid.count) == (17, 12)
    assert {"drain", "dashboard"} <= one.operations.keys()


def shown(source: str) -> list[courses.Course]:
    """Return the courses that a page holds."""
    data = re.search(r'<script type="application/json" id="course-data">(.*?)</script>', source, re.DOTALL)
    assert data
    return msgspec.json.decode(data[1], type=list[courses.Course])


def test_a_search_is_shown_over_all_its_steps(tmp_path: Path) -> None:
    """Requests of every step stand in the course of their trial, one step after the other."""
    folder = other_folders.searches(tmp_path / "run", pairs=2)
    (first, *_) = sorted((folder / "trials").iterdir())
    facts = msgspec.json.decode((first / "trial.json").read_bytes())
    begin = facts["measured_from"]
    (first / "trial.json").write_bytes(msgspec.json.encode(facts | {"measured_until": begin + 20}))
    for number in (0, 1):
        (first / f"steps/{number:02d}").mkdir(parents=True)
        intended = begin + 10 * number + np.arange(0, 10, 0.02)
        other_folders.write_requests(first / f"steps/{number:02d}/requests.parquet", intended, np.full(500, 0.1))
    flow = run.read(folder).trials[0].flow
    assert flow is not None
    assert flow.wanted.sum() == 1_000
    assert flow.latencies[""]["p95"].values[3:23] == pytest.approx([0.1] * 20, rel=0.016)
