"""The experiment on the depth of history, made tiny: a database for each depth, and a curve over them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

TINY = """
name: tiny-depth
question: Does a database for each depth work?
standin: {time_scale: 100}
history: {name: tiny, seed: 3, projects: 6, environments: 3, releases_per_project: 40, deployments_per_release: 3}
compare: {baseline: whole, contender: half, also: [quarter]}
arms:
  whole: {subject: having all of it}
  half: {subject: having half of it, depth: 0.5, changes: [rows]}
  quarter: {subject: having a quarter of it, depth: 0.25, changes: [rows]}
workload: {mix: {dashboard: 30}}
objectives: {primary: [dashboard p50]}
design: {pairs: 4, seconds: 2, warm_up: 0.5, attempts: 2, demonstration: true}
"""


def test_each_depth_has_a_database_of_its_own(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """Three depths of one history are seeded, fingerprinted, demanded to differ, visited in rounds, and told."""
    file, run = tmp_path / "depth.yaml", tmp_path / "run"
    file.write_text(TINY, encoding="utf-8")
    code, said = octoload("run", str(file), "--out", str(run)).finish()
    assert code in {0, 3}, said  # a machine under pressure may make it INVALID; what was seeded it does not change
    arms = {"whole": 720, "half": 360, "quarter": 180}
    for arm, deployments in arms.items():
        assert read(run / "arms" / arm / "database.json")["rows"]["Deployment"] == deployments
        assert read(run / "arms" / arm / "manifest.json")["counts"]["deployment"] == deployments
    fingerprints = {arm: read(run / "arms" / arm / "manifest.json")["fingerprint"] for arm in arms}
    assert len(set(fingerprints.values())) == 3
    assert read(run / "manifest.json")["fingerprint"] == fingerprints["whole"]
    results = read(run / "results.json")
    assert {check["name"]: check["state"] for check in results["checks"] if check["name"].startswith("rows")} == {
        "rows": "ok",
        "rows, quarter": "ok",
    }
    if code == 0:
        (depth,) = results["depths"]
        assert [set(one) for one in depth["rounds"]] == [{"180", "360", "720"}] * len(depth["rounds"])
        assert "Doubling the history multiplies dashboard p50 by" in (run / "report.html").read_text(encoding="utf-8")
