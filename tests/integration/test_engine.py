"""The load engine, as `octoload run` starts it: what was planned was sent, recorded and counted, or it says why not."""

import collections
import signal

import numpy as np
import pytest

from tests.integration.locust_engine import engine, gone, samples, server, trial, wait_until

pytestmark = pytest.mark.integration

PROCESSES = pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["one process", "two processes"])


@PROCESSES
def test_planned_is_sent_is_recorded_is_counted(tmp_path, options):
    """Over two trials of one engine the schedule, the engine, the file, Locust and the server count the same."""
    with server() as (url, requests_of), engine(tmp_path, *options) as running:
        trials = [running.run(**trial(tmp_path / str(number), url)) for number in range(2)]
        assert running.end() == 0
        served = requests_of()
    for number, facts in enumerate(trials):
        assert facts["event"] == "finished", facts
        rows = samples(tmp_path / str(number))
        measured = collections.Counter(
            name for name, phase in zip(rows["operation"], rows["phase"], strict=True) if phase == "measured"
        )
        assert facts["planned"] == {"dashboard": 80, "project": 16, "create-release": 8, "audit": 12, "tasks": 12}
        assert {name: facts["sent"][name] for name in facts["planned"]} == facts["planned"]
        assert measured == facts["sent"]
        assert facts["recorded"] == facts["counted"] == len(rows["sent"])
        assert facts["failures"] == sum(error != "" for error in rows["error"])
        assert facts["generator"]["processes"] == max(len(options), 1)
        assert len(set(rows["worker"])) == max(len(options), 1)
        assert running.progress[-1]["sent"] <= facts["recorded"]
    assert trials[0]["planned"] == trials[1]["planned"]
    discovery = 2 * 5
    assert sum(served.values()) == sum(facts["recorded"] for facts in trials) + discovery
    assert served["/api/Spaces-2/dashboard"] == 2 * 100


def test_rows_tell_the_truth_about_requests(tmp_path):
    """Times in order, operations by scenario, nodes, sizes, and a project that is not there as a named failure."""
    with server() as (url, _), engine(tmp_path) as running:
        facts = running.run(**trial(tmp_path, url, mix={"project-page": 40}))
    rows = {name: np.array(column) for name, column in samples(tmp_path).items()}
    assert np.all(rows["intended"] <= rows["sent"])
    assert np.all(rows["sent"] < rows["first_byte"])
    assert np.all(rows["first_byte"] <= rows["done"])
    assert set(rows["node"]) == {"node-1"}
    assert collections.Counter(rows["operation"]) == {"project": 100, "progression": 100, "releases": 100}
    failed = rows["error"] != ""
    assert set(rows["error"][failed]) == {"HTTP 404"}
    assert set(rows["status"][failed]) == {404}
    assert np.all(rows["bytes"] > 30)
    assert any("Projects-8" in line for line in facts["log"])
    # Later steps are intended when the answer before them was there.
    releases = rows["intended"][rows["operation"] == "releases"]
    assert set(releases) == set(rows["done"][rows["operation"] == "progression"])


def test_compressed_answers_are_read(tmp_path):
    """With compression the same bodies are shorter, sessions still read them, and a refusal is still explained."""
    sizes = {}
    with server() as (url, _), engine(tmp_path) as running:
        for compression in (False, True):
            folder = tmp_path / str(compression)
            facts = running.run(**trial(folder, url, compression=compression))
            rows = {name: np.array(column) for name, column in samples(folder).items()}
            sizes[compression] = rows["bytes"][rows["operation"] == "dashboard"]
            assert facts["sent"]["deploy"] == facts["planned"]["create-release"]
            assert set(rows["error"]) == {"", "HTTP 404"}
            assert any("Projects-8' was not found" in line for line in facts["log"])
    assert len(sizes[False]) == len(sizes[True])
    assert sizes[True].max() < sizes[False].min() / 2


def test_stages_change_the_rate(tmp_path):
    """Each stage has its own exact count, in the schedule and in the file."""
    stages = [{"seconds": 0.5, "factor": 0.5}, {"seconds": 1.0, "factor": 2.0}, {"seconds": 0.5, "factor": 0.0}]
    command = trial(tmp_path, "", mix={"dashboard": 40, "audit-search": 10}, stages=stages)
    with server() as (url, _), engine(tmp_path, "--processes", "2") as running:
        facts = running.run(**{**command, "urls": [url]})
    rows = {name: np.array(column) for name, column in samples(tmp_path).items()}
    assert facts["planned"] == facts["sent"] == {"dashboard": 90, "audit": 23}
    times = (rows["intended"] - facts["measured_from"])[rows["operation"] == "dashboard"]
    assert np.histogram(times, [-0.5, 0.0, 0.5, 1.5, 2.0])[0].tolist() == [10, 10, 80, 0]


def test_several_api_keys_take_turns(tmp_path):
    """Each key gets the same number of requests on each node, so that a limit for one user is a choice."""
    keys = "API-TEST, API-TEST-2,API-TEST-3"
    with server("--log") as (url, end), engine(tmp_path, OCTOLOAD_SEVERAL=keys) as running:
        command = trial(tmp_path, url, mix={"dashboard": 60}, key_variable="OCTOLOAD_SEVERAL")
        facts = running.run(**{**command, "urls": [url, url.replace("127.0.0.1", "localhost")]})
        used = end()["keys"]
    assert facts["failures"] == 0
    assert {key: count for key, count in used.items() if count} == {"API-TEST": 50, "API-TEST-2": 50, "API-TEST-3": 50}
    assert "API-TEST" not in running.log.read_text()


def test_arrivals_wait_for_a_slot_and_the_wait_counts(tmp_path):
    """One slot and a stall: the line is the latency, and nothing is dropped."""
    with server("--stall", "0.5", "--every", "0.5") as (url, _), engine(tmp_path) as running:
        facts = running.run(**trial(tmp_path, url, mix={"dashboard": 100}, slots=1, seconds=2.0))
    rows = {name: np.array(column) for name, column in samples(tmp_path).items()}
    assert facts["sent"] == facts["planned"] == {"dashboard": 200}
    assert facts["generator"]["longest_wait"] > 0.3
    assert np.quantile(rows["done"] - rows["intended"], 0.95) > 0.4
    assert np.median(rows["done"] - rows["sent"]) < 0.1
    assert facts["generator"]["lag_p99"] < 0.1  # the generator itself was on time


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"urls": ["http://127.0.0.1:9"]}, "refuses"),
        ({"key_variable": "OCTOLOAD_NO_SUCH_KEY"}, "key"),
        ({"space": "Nowhere"}, "Nowhere"),
        ({"mix": {"dashbord": 1}}, "dashbord"),
        ({"mix": {"dashboard": -1}}, "-1"),
        ({"seconds": "long"}, "seconds"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_message(refusing, changes, message):
    """The engine says what is wrong and what to do, and goes on to the next trial."""
    running, folder, url = refusing
    event = running.run(**{**trial(folder, url), **changes})
    assert event["event"] == "failed"
    assert message in event["message"]
    assert event["cure"]
    assert not (folder / "requests.parquet").exists()


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusing")
    with server() as (url, _), engine(folder) as running:
        yield running, folder, url
        assert running.run(**trial(folder, url))["event"] == "finished"


@PROCESSES
@pytest.mark.parametrize("how", ["end of input", "kill"])
def test_nothing_is_left_when_the_engine_ends(tmp_path, options, how):
    """End of input ends all processes in the middle of a trial, and so does kill -9 of the first; no file is half."""
    with server() as (url, _), engine(tmp_path, *options) as running:
        running.send(**trial(tmp_path, url, seconds=60.0))
        running.until("progress")
        family = running.family()
        if how == "kill":
            running.process.send_signal(signal.SIGKILL)
        else:
            running.process.stdin.close()
        wait_until(lambda: all(map(gone, family)))
    assert [path.name for path in tmp_path.iterdir()] == ["locust.log"]


def test_a_lost_worker_fails_the_trial(tmp_path):
    """The trial says which process was lost, and the engine ends so that the next one begins with all workers."""
    with server() as (url, _), engine(tmp_path, "--processes", "2") as running:
        running.send(**trial(tmp_path, url, seconds=30.0))
        running.until("progress")
        worker = running.family()[-1]
        worker.send_signal(signal.SIGKILL)
        event = running.answer()
        assert event["event"] == "failed"
        assert "was lost" in event["message"]
        assert not (tmp_path / "requests.parquet").exists()
        wait_until(lambda: running.process.poll() is not None)


@pytest.mark.parametrize(
    ("options", "mix", "by", "width"),
    [
        (("--ahead", "3"), {"release-and-deploy": 20}, "creating calls", 0.5),
        (("--ahead", "3"), {"dashboard": 20}, "Date header", 2.5),
    ],
)
def test_the_servers_clock_is_told(tmp_path, options, mix, by, width):
    """The bounds hold the 3 s that the server's clock is ahead: closely when something was created."""
    with server(*options) as (url, _), engine(tmp_path) as running:
        facts = running.run(**trial(tmp_path, url, mix=mix))
    clock = facts["clocks"]["node-1"]
    assert clock["by"] == by
    assert clock["low"] <= 3.0 <= clock["high"]
    assert clock["high"] - clock["low"] <= width
    assert clock["calls"] >= 3


def test_a_servers_clock_that_jumps_is_found(tmp_path):
    """Times that no one clock can have shown leave no room between the bounds."""
    with server("--jump", "2") as (url, _), engine(tmp_path) as running:
        facts = running.run(**trial(tmp_path, url, mix={"release-and-deploy": 10}))
    assert facts["clocks"]["node-1"]["low"] > facts["clocks"]["node-1"]["high"]
