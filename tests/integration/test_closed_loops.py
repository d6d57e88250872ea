"""Pollers and sessions that think, through the real engine: beside the schedule, and all of it accounted for."""

import collections
import itertools

import numpy as np
import pytest

from octoload.edge import poller
from tests.integration.locust_engine import engine, samples, server, trial

pytestmark = pytest.mark.integration

INTERVALS = {"portal-dashboard": 5.0, "waiting-agent": 10.0, "waiting-client": 4.0}
OPERATIONS = {"portal-dashboard": "dashboard-refresh", "waiting-agent": "agent-poll", "waiting-client": "client-poll"}


def early(pollers, limit):
    """Return a seed with which the first look of each kind comes within so many seconds."""
    for seed in itertools.count():
        starts = list(poller.starts(pollers, INTERVALS, seed))
        if all(min(start.when for start in starts if start.name == name) < limit for name in pollers):
            return seed, starts
    return None


def columns(folder):
    return {name: np.array(column) for name, column in samples(folder).items()}


def test_pollers_keep_their_intervals_beside_the_schedule(tmp_path):
    """First looks are where the seed puts them, each next one an interval after an answer; planned holds arrivals only.

    Two processes share the pollers, and schedule, engine, file, Locust and server count the same.
    """
    pollers = {"portal-dashboard": 4, "waiting-agent": 7, "waiting-client": 5}
    seed, starts = early(pollers, 0.6)
    with server() as (url, requests_of), engine(tmp_path, "--processes", "2") as running:
        command = trial(tmp_path, url, mix={"audit-search": 10}, pollers=pollers, seed=seed, warm_up=1, seconds=10)
        facts = running.run(**command)
        served = requests_of()
    rows = columns(tmp_path)
    assert facts["planned"] == {"audit": 100}
    measured = collections.Counter(rows["operation"][rows["phase"] == "measured"].tolist())
    assert facts["sent"] == measured
    assert facts["recorded"] == facts["counted"] == len(rows["sent"])
    assert served["/api/Spaces-2/dashboard"] == (rows["operation"] == "dashboard-refresh").sum()
    assert served["/api/Spaces-2/tasks"] == (rows["operation"] == "agent-poll").sum() + 1
    assert sum(served[f"/api/tasks/ServerTasks-{n}"] for n in (1, 2, 3)) == (rows["operation"] == "client-poll").sum()
    for name, count in pollers.items():
        mine = rows["scenario"] == name
        assert set(rows["operation"][mine]) == {OPERATIONS[name]}
        assert set(rows["worker"][mine]) == {0, 1}
        intended, done = np.sort(rows["intended"][mine]), np.sort(rows["done"][mine])
        first = np.sort([start.when for start in starts if start.name == name])
        assert intended[:count] - (facts["measured_from"] - 1) == pytest.approx(first, abs=1e-5)
        assert len(intended) > count
        assert intended[count:] == pytest.approx(done[: len(intended) - count] + INTERVALS[name], abs=1e-5)
        assert np.all(intended <= np.sort(rows["sent"][mine]))
        # Nobody who should have looked once more was forgotten.
        assert done[len(intended) - count :].min() + INTERVALS[name] >= facts["measured_until"]


def test_a_tab_backs_off_from_a_slow_server_and_an_agent_does_not(tmp_path):
    """After an answer that took d > 0.75 s the tab pauses 20/3 d; a look under way at the trial's end is on file."""
    seed, _ = early({"portal-dashboard": 1, "waiting-client": 1}, 0.3)
    with server("--slow", "0.9") as (url, _), engine(tmp_path) as running:
        pollers = {"portal-dashboard": 1, "waiting-client": 1}
        facts = running.run(**trial(tmp_path, url, mix={}, pollers=pollers, seed=seed, warm_up=0, seconds=7.6))
    rows = columns(tmp_path)
    tab, client = (rows["scenario"] == name for name in ("portal-dashboard", "waiting-client"))
    took, pause = rows["done"] - rows["sent"], rows["intended"][tab][1:] - rows["done"][tab][:-1]
    assert len(pause) == 1
    assert pause == pytest.approx(took[tab][:-1] * 20 / 3, rel=0.01)
    assert rows["done"][tab].max() > facts["measured_until"] > rows["intended"][tab].max()
    assert rows["intended"][client][1:] == pytest.approx(rows["done"][client][:-1] + 4.0, abs=1e-5)
    assert facts["planned"] == {}
    assert facts["sent"] == collections.Counter(rows["operation"].tolist())
    assert facts["recorded"] == facts["counted"] == len(rows["sent"])


def test_a_reader_without_a_pause_asks_as_soon_as_it_is_answered(tmp_path):
    """No pause at all, one order of pages, none in vain: so its throughput is what the server can serve."""
    with server() as (url, requests_of), engine(tmp_path) as running:
        trial_of_one = trial(tmp_path, url, mix={}, pollers={"nonstop-reader": 1}, warm_up=0, seconds=2)
        facts = running.run(**trial_of_one)
        served = requests_of()
    rows = columns(tmp_path)
    assert len(rows["sent"]) > 1
    assert np.array_equal(rows["intended"][1:], rows["done"][:-1])
    assert facts["sent"] == {"pages": facts["recorded"]} == {"pages": facts["counted"]}
    paths = [count for path, count in served.items() if "/progression/" in path or path.endswith("/releases")]
    assert max(paths) - min(paths) <= 1


def test_sessions_think_and_end_with_the_trial(tmp_path):
    """A page is intended a think time after the answer before it; none after the end, and none in the next trial."""
    with server() as (url, requests_of), engine(tmp_path) as running:
        thinking = trial(tmp_path / "1", url, mix={"portal-session": 20}, slots=120, seconds=4.0)
        facts = [running.run(**thinking), running.run(**trial(tmp_path / "2", url, mix={"audit-search": 40}))]
        served = requests_of()
    rows = columns(tmp_path / "1")
    assert facts[0]["planned"] == {"session-dashboard": 80}
    pages = collections.Counter(rows["operation"].tolist())
    assert pages["session-dashboard"] == 90
    assert 90 > pages["session-progression"] == pages["session-releases"] > pages["session-task"] > 0
    assert rows["intended"].max() < facts[0]["measured_until"]
    assert not np.isin(rows["intended"][rows["operation"] == "session-progression"], rows["done"]).any()
    assert np.isin(rows["intended"][rows["operation"] == "session-releases"], rows["done"]).all()
    assert np.all(rows["intended"] <= rows["sent"])
    assert facts[0]["generator"]["longest_wait"] == 0.0
    assert set(samples(tmp_path / "2")["scenario"]) == {"audit-search"}
    assert served["/api/Spaces-2/dashboard"] == 90
    assert facts[1]["sent"] == facts[1]["planned"] == {"audit": 80}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pollers": {"waiting-agnet": 1}}, "no poller 'waiting-agnet'"),
        ({"pollers": {"waiting-agent": -1}}, "-1 pollers"),
        ({"mix": {"waiting-agent": 1}}, "no scenario 'waiting-agent'"),
        ({"mix": {}}, "a mix, a trace or pollers"),
        ({"stages": [{"seconds": 9, "factor": 1}]}, "last 9 s together"),
        ({"space": "Spaces-1", "mix": {"dashboard": 1}, "pollers": {"portal-task": 1}}, "has no tasks"),
    ],
)
def test_what_cannot_be_run_is_refused(refusing, changes, message):
    """The engine says what is wrong and what to do, in one message."""
    running, folder, url = refusing
    event = running.run(**{**trial(folder, url), **changes})
    assert event["event"] == "failed"
    assert message in event["message"]
    assert event["cure"]
    assert event["code"] == 2


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusing")
    with server() as (url, _), engine(folder) as running:
        yield running, folder, url
