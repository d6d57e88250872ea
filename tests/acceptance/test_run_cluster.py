"""A run on a cluster that goes on without it: what it had switched is put back after a kill -9."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.standin_cluster import cluster
from tests.integration.test_standin_processes import KEY

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

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
