"""Truth under stalls and overload: latencies are those that users would feel, and blame goes where it belongs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.integration.locust_engine import DEADLINE, HOUSE, engine, samples, server, trial

pytestmark = pytest.mark.integration

#: Requests a second, seconds, Locust's users for as many requests, and a stall of one second in each twenty.
RATE, SECONDS, USERS = 320, 20.0, 32
#: Seconds within which a generator that other programs leave its CPU reads an answer, and trials for its sake.
PROMPT, TRIALS = 0.010, 5
STALL = ("--stall", "1", "--every", "19")


def test_p99_is_that_of_the_servers_log_and_the_schedule(tmp_path):
    """The p99 is within 2 % of the truth where that of FastHttpUser with as many requests is less than a tenth.

    Arrivals in a stall wait for its end. Locust's users stand still with the server instead, so that only one request
    of each is late: coordinated omission. A trial in which the generator itself was late says so, and is repeated; one
    of Locust's users as well, since other programs can only make their p99 longer.
    """
    for number in range(TRIALS):
        facts, rows, answered = stalled(tmp_path / str(number))
        if facts["generator"]["read_delay_p99"] <= PROMPT:
            break
    assert facts["planned"] == facts["sent"] == {"dashboard": RATE * SECONDS}
    truth = np.sort(answered) - np.sort(rows["intended"])
    reported = np.quantile(rows["done"] - rows["intended"], 0.99)
    assert reported == pytest.approx(np.quantile(truth, 0.99), rel=0.02)
    assert any(p99_of_fast_users(USERS) < reported / 10 for _ in range(TRIALS))


def stalled(folder):
    """Load a server that stalls; return the facts, the samples, and when the server answered."""
    folder.mkdir()
    with server(*STALL, "--log") as (url, end), engine(folder) as running:
        command = trial(folder, url, mix={"dashboard": RATE}, slots=2 * RATE, warm_up=0, seconds=SECONDS)
        facts = running.run(**command)
        answered = end()["answered"]
    return facts, {name: np.array(column) for name, column in samples(folder).items()}, answered


def p99_of_fast_users(users):
    """Return the p99 in seconds that Locust reports for FastHttpUser at the same total rate."""
    with server(*STALL) as (url, _):
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(HOUSE / "tests" / "integration" / "fast_user.py"),
             "--headless", "--host", url, "-u", str(users), "-r", str(users), "-t", f"{SECONDS:.0f}s",
             "--only-summary", "--json"],
            env={**os.environ, "FAST_USER_RATE": str(RATE / users)},
            capture_output=True, text=True, timeout=DEADLINE, check=True,
        )  # fmt: skip
    counts = json.loads(done.stdout)[0]["response_times"]
    times = np.repeat([float(bucket) for bucket in counts], list(counts.values()))
    assert times.max() > 600  # it did meet the stall
    return np.quantile(times, 0.99) / 1000


def test_overload_is_blamed_on_the_server(tmp_path):
    """At twice what the server can do, the generator is on time and says that the server is saturated."""
    with server("--slow", "0.01") as (url, _), engine(tmp_path) as running:
        facts = running.run(**trial(tmp_path, url, mix={"dashboard": 200}, slots=8, seconds=2.0, timeout=30.0))
    assert facts["sent"] == facts["planned"] == {"dashboard": 400}
    assert any("the server is saturated, not the generator" in line for line in facts["log"])
    assert facts["generator"]["cpu"] < 0.8
    rows = {name: np.array(column) for name, column in samples(tmp_path).items()}
    assert np.median(rows["done"] - rows["intended"]) > 3 * np.median(rows["done"] - rows["sent"])


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's receive timestamps")
def test_read_delay_tells_the_generators_lateness_from_the_servers(tmp_path):
    """Answers of a server that stalls are read at once; those that meet a generator without CPU lie in the kernel."""
    command = {"mix": {"dashboard": 40}, "seconds": 3.0, "slots": 64}
    with server("--stall", "0.4", "--every", "0.4") as (url, _), engine(tmp_path) as running:
        late_server = running.run(**trial(tmp_path / "server", url, **command))
    with server("--slow", "0.02") as (url, _), engine(tmp_path) as running:
        running.send(**trial(tmp_path / "generator", url, **command))
        with hiccups(running.process, seconds=0.2):
            late_generator = running.answer()
    rows = {name: np.array(column) for name, column in samples(tmp_path / "server").items()}
    assert np.quantile(rows["done"] - rows["intended"], 0.9) > 0.2
    assert late_server["generator"]["read_delays"] > 40
    assert late_server["generator"]["read_delay_p99"] < 0.1
    assert late_generator["generator"]["read_delay_p99"] > 0.1


@contextlib.contextmanager
def hiccups(process, seconds):
    """Keep a process from running half of the time."""
    over = threading.Event()

    def disturb():
        while not over.is_set():
            process.send_signal(signal.SIGSTOP)
            over.wait(seconds)
            process.send_signal(signal.SIGCONT)
            over.wait(seconds)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
