"""`locust -f locustfile.py` by itself: Locust's own command line and web page, without an experiment."""

import collections
import contextlib
import json
import os
import subprocess
import sys

import httpx
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from tests.integration.locust_engine import DEADLINE, HOUSE, KEY, free_port, gone, server, wait_until

pytestmark = pytest.mark.integration

LOCUST = [sys.executable, "-m", "locust", "-f", str(HOUSE / "locustfile.py")]


def locust(*options, key=KEY):
    return subprocess.run(
        [*LOCUST, *options],
        env={**os.environ, "OCTOPUS_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["one process", "two processes"])
def test_locusts_own_table_counts_what_is_on_disk(tmp_path, options):
    """Requests by name, failures and percentiles of Locust's report agree with the samples of one run."""
    path = tmp_path / "samples.parquet"
    with server() as (url, _):
        load = ["--headless", "--host", url, "-u", "20", "-r", "20", "-t", "4s", "--only-summary", "--json"]
        load += ["--octoload-rate", "120", "--octoload-pollers", "waiting-client=40,waiting-agent"]
        done = locust(*load, "--octoload-samples", str(path), *options)
    assert path.exists(), done.stderr
    report = {entry["name"]: entry for entry in json.loads(done.stdout.split("[]\n")[-1])}
    rows = {name: np.array(column) for name, column in pq.read_table(path).to_pydict().items()}
    assert {name: entry["num_requests"] for name, entry in report.items()} == collections.Counter(rows["operation"])
    assert sum(entry["num_failures"] for entry in report.values()) == (rows["error"] != "").sum() > 0
    assert report["client-poll"]["num_requests"] > 10
    assert done.returncode == 1  # Locust's own code for failed requests
    for name, entry in report.items():
        latency = (rows["done"] - rows["intended"])[rows["operation"] == name] * 1000
        assert entry["total_response_time"] == pytest.approx(latency.sum(), rel=1e-6)
        assert entry["max_response_time"] == pytest.approx(latency.max(), rel=1e-6)
        counts = {float(bucket): count for bucket, count in entry["response_times"].items()}
        buckets = sorted(bucket for bucket, count in counts.items() for _ in range(count))
        assert buckets == pytest.approx(sorted(latency), rel=0.0051)


def test_the_web_page_starts_and_stops_the_load(tmp_path):
    """Load begins and ends with the page's buttons, and its table shows the operations."""
    with server() as (url, _), page(url, KEY) as web:
        assert web.post("/swarm", data={"user_count": 8, "spawn_rate": 8, "host": url}).json()["success"]
        wait_until(lambda: web.get("/stats/requests").json()["total_rps"] > 2)
        web.post("/stop")
        wait_until(lambda: web.get("/stats/requests").json()["state"] == "stopped")
        stats = web.get("/stats/requests").json()
        names = {entry["name"]: entry for entry in stats["stats"]}
        assert {"dashboard", "progression", "tasks", "audit", "Aggregated"} <= names.keys()
        assert "create-release" not in names  # what writes is not in the mix unless it is asked for
        assert 0 < names["dashboard"]["median_response_time"] < 1000


@contextlib.contextmanager
def page(url, key):
    """Serve Locust's web page for load by hand on a server; yield a client of it."""
    port = str(free_port())
    here = f"http://127.0.0.1:{port}"
    command = [*LOCUST, "--host", url, "--web-host", "127.0.0.1", "--web-port", port]
    environment = {**os.environ, "OCTOPUS_API_KEY": key, "OCTOLOAD_PARENT": str(os.getpid())}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(here))
            with httpx.Client(base_url=here) as web:
                yield web
        finally:
            process.terminate()


def answers(address):
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("options", "key", "code", "message"),
    [
        ((), KEY, 2, "no server is named"),
        (("--host", "http://127.0.0.1:9"), KEY, 5, "refuses connections"),
        (("--host", "{url}"), "API-WRONG", 5, "(401)"),
        (("--host", "{url}"), "", 2, "API key"),
        (("--host", "{url}", "--octoload-space", "Nowhere"), KEY, 2, "no space 'Nowhere'"),
        (("--host", "{url}", "--octoload-mix", "dashbord"), KEY, 2, "dashbord"),
        (("--host", "{url}", "--octoload-mix", "dashboard=x"), KEY, 2, "dashboard=x"),
        (("--host", "{url}", "--octoload-pollers", "waiting-agent=1.5"), KEY, 2, "waiting-agent=1.5"),
        (("--host", "{url}", "--octoload-rate", "0"), KEY, 2, "rate"),
    ],
)
def test_what_cannot_be_run_ends_with_one_message(options, key, code, message):
    """The exit code is that of the error, and there is no traceback."""
    with server() as (url, _):
        done = locust("--headless", "-t", "20s", "--only-summary", *(o.format(url=url) for o in options), key=key)
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert len(errors) == 1, done.stderr
    assert message in errors[0]
    assert "Traceback" not in done.stderr
    assert done.returncode == code


def test_workers_go_when_their_master_is_killed():
    """The processes that --processes made end with the first one, also after kill -9."""
    with (
        server() as (url, _),
        subprocess.Popen(
            [*LOCUST, "--headless", "--host", url, "--processes", "2"],
            env={**os.environ, "OCTOPUS_API_KEY": KEY},
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        first = psutil.Process(process.pid)
        wait_until(lambda: len(first.children()) == 2)
        workers = first.children()
        process.kill()
        wait_until(lambda: all(map(gone, workers)))
