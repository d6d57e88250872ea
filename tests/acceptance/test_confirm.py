"""A run of drains whose capacities are confirmed: two open trials an arm, whose tasks are followed to their end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from reports import confirmations
from reports import run as runs
from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

TINY = """
name: tiny-confirm
question: Is what is replayed what happens?
standin: {time_scale: 200}
history: {name: tiny, projects: 40, environments: 2, releases_per_project: 1, deployments_per_release: 1,
          promotion: false, machines: 2, wait: 1}
compare: {baseline: cap-2, contender: cap-4}
arms: {cap-2: {task_cap: 2}, cap-4: {task_cap: 4}}
workload: {drain: {tasks: 16, objective: 2, confirm: 4}}
objectives: {primary: [drain capacity]}
design: {pairs: 2, attempts: 1, demonstration: true}
"""


def test_capacities_are_put_to_open_trials(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """Each arm's tasks arrive at 0.90 and at 1.15 of what its drains promised; all are told of, none twice."""
    file, run = tmp_path / "confirm.yaml", tmp_path / "run"
    file.write_text(TINY, encoding="utf-8")
    code, said = octoload("run", str(file), "--out", str(run)).finish()
    assert code == 3, said  # two pairs are too few to say anything
    found = [read(path) for path in sorted(run.glob("confirmations/*/confirmation.json"))]
    # A machine under pressure may leave slots idle, or void trials: then an arm tells none.
    told = confirmations.capacities(runs.read(run))
    drains = [read(path) for path in run.glob("trials/*/trial.json")]
    assert "cap-2" in told or not all(drain["valid"] for drain in drains)
    assert [(one["arm"], one["side"]) for one in found] == [(arm, side) for arm in told for side in ("above", "below")]
    for one in found:
        multiple = {"below": 0.90, "above": 1.15}[one["side"]]
        assert one["capacity"] == pytest.approx(told[one["arm"]])
        assert one["arriving"] == pytest.approx(multiple * one["capacity"])
        tasks = pq.read_table(run / "confirmations" / f"{one['arm']}-{one['side']}" / "tasks.parquet").to_pylist()
        assert one["queued"] == one["ended"] == len(tasks)
        assert len(tasks) == pytest.approx(4 * one["arriving"] / 3600, abs=1.01)
        assert {task["starts"] for task in tasks} <= {1}
    judged = read(run / "results.json")["confirmations"]
    assert [(one["arm"], one["seconds"], one["wanted"]) for one in judged] == [(arm, 4.0, 1800.0) for arm in told]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert ("The trials were short: 30 min each are wanted" in page) == bool(told)
