"""The experiment on SQL's host, made short: the database lies where each arm says, and trials say what hosts did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import telemetry
from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

SQL_HOST = Path(__file__).parents[2] / "experiments" / "sql-host.yaml"
#: Seconds that the far arm's way is longer by.
DISTANCE = 0.002


def test_every_trial_says_what_its_hosts_did(octoload: Callable[..., Any], tmp_path: Path) -> None:
    """PostgreSQL computes on the node's host in one arm and on its own in the others, one of which is 2 ms away."""
    text = SQL_HOST.read_text(encoding="utf-8")
    file, run = tmp_path / "sql-host.yaml", tmp_path / "run"
    design = text.partition("design: ")[2].partition("}")[0] + "}"
    file.write_text(text.replace(design, "{pairs: 2, seconds: 3, warm_up: 1, attempts: 1}"), encoding="utf-8")
    code, said = octoload("run", str(file), "--out", str(run)).finish()
    assert code == 3, said  # two pairs are too few to say anything
    trials = [read(trial) for trial in sorted(run.glob("trials/*/trial.json"))]
    assert sorted(trial["arm"] for trial in trials) == sorted(["same-host", "separate-host", "two-ms-away"] * 2)
    assert len({trial["hosts"]["mechanism"] for trial in trials}) == 1
    longer: dict[str, list[float]] = {}
    for trial in trials:
        hosts, apart = trial["hosts"]["hosts"], trial["arm"] != "same-host"
        assert hosts["node-1"]["members"] == (["node-1"] if apart else ["node-1", "PostgreSQL"])
        assert hosts["sql"]["members"] == (["PostgreSQL"] if apart else [])
        begun = max(trial["measured_from"], trial["hosts"]["from"])
        ended = min(trial["measured_until"], trial["hosts"]["until"])
        assert ended - begun > 0.5 * (trial["measured_until"] - trial["measured_from"])
        assert sum(trial["sent"].values()) > 0
        assert hosts["node-1"]["cpu_seconds"] > 0
        assert (hosts["sql"]["cpu_seconds"] > 0) == apart
        trip = trial["hosts"]["round_trip"]
        longer.setdefault(trial["arm"], []).append(trip["nodes"] - trip["direct"])
    far = min(longer.pop("two-ms-away"))
    assert far >= DISTANCE
    assert all(min(near) < far for near in longer.values())
    kept = [telemetry.read(file) for file in run.glob("trials/*/telemetry.parquet")]
    assert [{host.host for host in found} for found in kept] == [{"machine", "node-1", "sql"}] * len(trials)
    page = (run / "report.html").read_text(encoding="utf-8")
    if any(trial["valid"] for trial in trials):  # a machine under pressure may void all of them
        assert trials[0]["hosts"]["mechanism"] in page
        assert "node-1, PostgreSQL" in page
