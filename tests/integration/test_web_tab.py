"""The tab "Octopus" of Locust's web page: it says what the server says, and never the key."""

import contextlib
import time
from pathlib import Path

import httpx
import pytest

from octoload import files
from tests.integration.locust_engine import KEY as ENGINE_KEY
from tests.integration.locust_engine import engine, free_port, server, trial, wait_until
from tests.integration.standin_cluster import Cluster, cluster
from tests.integration.test_locust_alone import answers, page
from tests.integration.test_standin_processes import KEY

pytestmark = pytest.mark.integration

TRIALS = [{"index": 1, "pair": 1, "arm": "many"}, {"index": 2, "pair": 1, "arm": "few"}]


def queue_three(nodes: Cluster) -> None:
    """Have one node take one task at a time, the other none, and queue three that last."""
    nodes.tell("cap", "node-1", "1")
    nodes.tell("drain", "node-2")
    home = nodes.home()
    lifecycle, environment = home.get("/lifecycles/all")[0]["Id"], home.environment("Live")
    for number in range(3):
        release = home.release(home.project(f"P{number}", lifecycle, "sleep 120"), "1.0.0")
        home.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": environment})
    wait_until(lambda: home.get("/tasks", states="Executing")["TotalResults"] == 1)


def test_the_tab_says_what_the_server_says_and_says_so_when_it_is_gone(tmp_path: Path) -> None:
    """Queued, executing and each node's cap and tasks are the server's own; nothing that is served holds the key."""
    with contextlib.ExitStack() as serving:
        nodes = serving.enter_context(cluster(tmp_path / "data", 2, 20))
        began = time.time()
        queue_three(nodes)
        whole = nodes.nodes["node-1"]
        with page(str(whole.http.base_url), KEY) as web:
            front, tab = web.get("/").text, web.get("/octopus")
            assert '"octopus"' in front
            assert "./octopus/tab.js" in front
            assert (web.get("/octopus/tab.js").status_code, tab.status_code) == (200, 200)
            told = web.get("/octopus/data").json()
            assert told["fault"] == ""
            for name, states in (("queued", "Queued"), ("executing", "Executing,Cancelling")):
                assert told["queue"][name] == whole.get("/tasks", states=states)["TotalResults"] > 0
            first, second = told["queue"]["nodes"]
            assert first == {"name": "node-1", "cap": 1, "running": 1, "drained": False, "offline": False}
            assert (second["running"], second["drained"]) == (0, True)
            assert 0 <= told["queue"]["oldest_wait"] <= time.time() - began + 1  # the Date header has whole seconds
            assert told["run"] is None
            serving.close()
            wait_until(lambda: web.get("/octopus/data").json()["fault"])
            gone = web.get("/octopus/data")
            assert "refuses connections" in gone.json()["fault"]
            assert gone.json()["queue"] is None
            assert all(KEY not in text for text in (front, tab.text, str(told), gone.text))


def test_a_led_run_shows_its_plan_and_cannot_be_touched(tmp_path: Path) -> None:
    """The plan, the trial under way and its load are shown; starting, stopping and clearing by hand are refused."""
    files.write_json(tmp_path / "plan.json", "plan", 1, {"name": "n", "question": "What?", "trials": TRIALS})
    port = str(free_port())
    here = f"http://127.0.0.1:{port}"
    options = ("--web-host", "127.0.0.1", "--web-port", port, "--octoload-run", str(tmp_path))
    with server() as (url, _), engine(tmp_path, *options) as running, httpx.Client(base_url=here) as web:
        wait_until(lambda: answers(f"{here}/octopus"))
        assert "No server" in web.get("/octopus/data").json()["fault"]
        assert web.get("/").headers["Location"] == "/octopus"
        watched = {"trial": "02-few", "url": url, "key_variable": "OCTOLOAD_TEST_KEY"}
        running.send(**{"command": "watch", **watched})
        assert running.event() == {"event": "watched"}
        running.send(**trial(tmp_path / "trials" / "02-few", url, seconds=4.0))
        running.until("progress")
        for method, path in (("POST", "/swarm"), ("POST", "/stop"), ("GET", "/stats/reset")):
            assert web.request(method, path).status_code == 409
        wait_until(lambda: (web.get("/octopus/data").json()["load"] or {}).get("p95"))
        told = web.get("/octopus/data").json()
        assert [one["state"] for one in told["run"]["trials"]] == ["to come", "running"]
        assert told["load"]["rate"] > 20
        assert "does not know" in told["fault"]  # the tests' small server has no queue to tell
        assert ENGINE_KEY not in str(told)
        assert running.answer()["event"] == "finished"
        assert web.get("/octopus/data").json()["load"] is None
        assert running.end() == 0
