"""Whole runs on a cluster: a node killed under load, caps compared under load, and all put back after a kill -9."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from reports import caps
from reports import run as runs
from reports.caps import CapChoice
from tests.acceptance.conftest import read
from tests.integration.standin_cluster import cluster
from tests.integration.test_standin_processes import KEY

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

#: Each step of a deployment waits, so that several are under way at any moment, however fast the machine is.
SERVER = """
standin: {{nodes: {nodes}, time_scale: 400}}
history: {{name: queue, projects: 30, environments: 2, releases_per_project: 1, deployments_per_release: 1,
  promotion: false, machines: 2, steps: 1, wait: 1}}
"""
OUTAGE = """
name: outage
question: What does a killed node cost?
compare: {{baseline: calm, contender: killed}}
arms:
  calm: {{subject: leaving all nodes alone}}
  killed: {{subject: killing a node, outage: {{does: kill, after: 1.5, lasts: 2}}, changes: [errors]}}
workload:
  mix: {{deployment-stream: 10, dashboard: 6}}
  follow: 60
  timeout: 4
design: {{pairs: 2, seconds: 5, warm_up: 0.5, attempts: 1, demonstration: true}}
objectives: {{primary: [dashboard p50, queue-wait p50]}}
"""
CAPS = """
name: caps
question: Which task cap?
compare: {{baseline: cap-1, contender: cap-3}}
arms:
  cap-1: {{subject: a cap of 1, task_cap: 1}}
  cap-3: {{subject: a cap of 3, task_cap: 3}}
workload:
  drain: {{tasks: 7}}
  mix: {{dashboard: 60}}
design: {{pairs: 2, seconds: 4, warm_up: 0.5, attempts: 1, demonstration: true}}
objectives: {{primary: [drain rate, dashboard p95]}}
"""
REAL = """
name: real
question: What does a second node add?
compare: {{baseline: one, contender: two}}
arms:
  one: {{url: "{url}", space: Default, nodes: 1, task_cap: 1}}
  two:
    url: "{url}"
    space: Default
    nodes: 2
    task_cap: 1
    after: [{python}, -c, "open({said!r}, 'a').write('after ')"]
workload: {{drain: {{tasks: 60}}}}
design: {{pairs: 2, demonstration: true}}
objectives: {{primary: [drain rate]}}
"""


def experiment(tmp_path: Path, text: str, **values: Any) -> str:
    file = tmp_path / "experiment.yaml"
    values = {"python": sys.executable, "said": str(tmp_path / "said"), **values}
    file.write_text(text.format(**values), encoding="utf-8")
    return str(file)


def believed(run: Path) -> list[tuple[dict[str, Any], dict[str, list[Any]]]]:
    """Have every trial count, however busy this machine was; return their facts and their tasks."""
    found = []
    for file in sorted(run.glob("trials/*/trial.json")):
        facts = read(file)
        file.write_text(json.dumps({**facts, "valid": True}), encoding="utf-8")
        found.append((facts, pq.read_table(file.with_name("tasks.parquet")).to_pydict()))
    return found


def state_of(facts: dict[str, Any], name: str) -> str:
    return next(str(check["state"]) for check in facts["checks"] if check["name"] == name)


def test_a_node_that_is_killed_under_load_costs_what_the_result_says(
    octoload: Callable[..., Any], tmp_path: Path
) -> None:
    """Its requests fail and its tasks are cancelled, in that arm alone; no task is lost, and none is run twice."""
    run = tmp_path / "run"
    code, words = octoload("run", experiment(tmp_path, OUTAGE + SERVER, nodes=2), "--out", str(run)).finish()
    assert code == 3, words  # two pairs are too few for a verdict
    trials = believed(run)
    assert sorted(facts["arm"] for facts, _ in trials) == ["calm", "calm", "killed", "killed"]
    orphans = []
    for facts, rows in trials:
        assert {state_of(facts, name) for name in ("tasks lost", "tasks run twice")} == {"ok"}
        assert facts["tasks"] == {"queued": len(rows["task"]), "ended": len(rows["task"])}
        assert len(rows["task"]) >= facts["sent"]["queue-deployment"] - facts["failures"]
        if facts["arm"] == "calm":
            assert (facts["failures"], set(rows["state"])) == (0, {"Success"})
            continue
        assert facts["failures"] > 0
        assert state_of(facts, "errors") == "ok"
        assert facts["outage"]["mended"] - facts["outage"]["struck"] >= 2
        nodes = [node for node, state in zip(rows["node"], rows["state"], strict=True) if state == "Canceled"]
        assert set(nodes) <= {"OctopusServerNodes-node-2"}
        orphans.append(len(nodes))
    assert min(orphans) > 0
    code, words = octoload("report", str(run)).finish()
    (cost,) = read(run / "results.json")["outages"]
    assert (cost["arm"], cost["does"], cost["trials"], cost["left"]) == ("killed", "kill", 2, 0)
    assert 0 < cost["orphaned"]["low"] <= cost["orphaned"]["high"] <= max(orphans)
    assert 0 < cost["unavailable"]["median"] <= cost["recovered"]["median"]
    assert "A killed node (killed; 2 trials" in " ".join(words.split())
    assert "What an outage costs" in (run / "report.html").read_text(encoding="utf-8")


def test_the_cap_to_set_is_told_from_drains_under_load(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """Each trial works all tasks off within its cap while pages are asked for; three times the slots are worth it."""
    run = tmp_path / "run"
    code, words = octoload("run", experiment(tmp_path, CAPS + SERVER, nodes=1), "--out", str(run)).finish()
    assert code == 3, words  # two pairs are too few for a verdict
    for facts, rows in believed(run):
        assert (facts["slots"], facts["tasks"]["queued"]) == ({"cap-1": 1, "cap-3": 3}[facts["arm"]], 7)
        assert (len(rows["task"]), max(rows["starts"]), set(rows["state"])) == (7, 1, {"Success"})
        assert facts["sent"]["dashboard"] == 240
        assert facts["measured_from"] <= min(rows["started"])
        assert next(check["value"] for check in facts["checks"] if check["name"] == "slots") <= facts["slots"]
    found = caps.recommend(runs.read(run))
    assert isinstance(found, CapChoice)
    slow, fast = found.results
    assert (slow.cap, fast.cap, found.rounds) == (1, 3, 2)
    assert fast.per_minute > slow.per_minute
    assert found.cap in {None, 3}  # none where pages of a busy machine were slower beside three tasks
    assert caps.sentence(found).startswith(("Set the task cap to 3:", "No measured task cap gives 95 %"))


def test_restore_puts_back_a_cluster_that_goes_on_without_the_run(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """After kill -9 in the middle of a drain, caps and drains are again what they were, and the `after` has run."""
    run, said = tmp_path / "run", tmp_path / "said"
    with cluster(tmp_path / "data", 2, 400) as two:
        home = two.home()
        lifecycle = home.get("/lifecycles/all")[0]["Id"]
        home.environment("Test")
        for number in range(20):
            home.release(home.project(f"P{number}", lifecycle, "sleep 1"), "1.0.0")
        two.tell("cap", "node-1", "7")
        two.tell("drain", "node-2")

        def state() -> list[tuple[int, bool]]:
            nodes = home.http.get("/api/octopusservernodes/all").json()
            found = sorted((node["Name"], node["MaxConcurrentTasks"], node["IsInMaintenanceMode"]) for node in nodes)
            return [(cap, drained) for _, cap, drained in found]

        before = state()
        assert before == [(7, False), (5, True)]
        file = experiment(tmp_path, REAL, url=str(home.http.base_url).rstrip("/"))
        command = octoload("run", file, "--out", str(run), OCTOPUS_API_KEY=KEY)
        command.until(lambda: state()[0][0] == 1)
        command.end(signal.SIGKILL)
        command.finish()
        assert state() != before
        begun = [line for line in (run / "journal.jsonl").read_text().splitlines() if '"begun"' in line]
        code, words = octoload("restore", str(run), OCTOPUS_API_KEY=KEY).finish()
        assert code == 0, words
        assert state() == before
        assert (said.read_text() if said.exists() else "") == "after " * len(begun)
        code, words = octoload("restore", str(run), OCTOPUS_API_KEY=KEY).finish()
        assert (code, "as they were" in words) == (0, True)
