"""Whole runs: seeded, cut by retention, loaded by Locust, judged; interrupted, killed and resumed."""

import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def finished(run: Path) -> list[Path]:
    return sorted(file for file in run.glob("trials/*/trial.json") if ".attempt-" not in file.parent.name)


def test_a_run_survives_ctrl_c_and_kill(octoload: Callable[..., Any], tiny: Path, tmp_path: Path) -> None:
    """Ctrl-C and kill -9 leave no process and keep what was finished; --resume completes the run."""
    run = tmp_path / "run"

    command = octoload("run", str(tiny), "--out", str(run))
    command.until(lambda: len(finished(run)) >= 1)
    command.end(signal.SIGINT)
    code, said = command.finish()
    assert code == 130, said
    assert "--resume" in said
    assert command.survivors() == []
    kept = {file: file.read_bytes() for file in finished(run)}
    assert kept

    command = octoload("run", str(tiny), "--out", str(run), "--resume")
    command.until(lambda: len(finished(run)) > len(kept))
    command.end(signal.SIGKILL)
    command.finish()
    assert command.survivors() == []
    kept |= {file: file.read_bytes() for file in finished(run)}

    command = octoload("run", str(tiny), "--out", str(run), "--resume")
    code, said = command.finish()
    assert code in {0, 3}, said  # a machine under pressure may make it INVALID; that is another test's subject
    assert len(finished(run)) == 8
    assert {file: file.read_bytes() for file in kept} == kept
    assert not (run / "standin").exists()
    check_results(run, said)


def check_results(run: Path, said: str) -> None:
    """The files of a run agree with each other and with what was printed."""
    results = read(run / "results.json")
    assert results["sentence"] in " ".join(said.split())
    assert str(run / "report.html") in said
    if results["valid"]:
        assert {"dashboard"} == {effect["operation"] for effect in results["effects"] if effect["role"] == "primary"}
    for effect in results["effects"]:
        assert set(effect) >= {
            "operation",
            "metric",
            "baseline",
            "contender",
            "ratio",
            "ci_low",
            "ci_high",
            "pairs",
            "verdict",
        }
        assert effect["ci_low"] <= effect["ratio"] <= effect["ci_high"]
    for file in finished(run):
        trial = read(file)
        assert {"dashboard-refresh", "agent-poll"} <= trial["sent"].keys() - trial["planned"].keys()
        assert trial["recorded"] == trial["counted"] == pq.read_metadata(file.with_name("requests.parquet")).num_rows
        asked = pq.read_table(file.with_name("requests.parquet"), columns=["operation", "error"]).to_pylist()
        kept = pq.read_table(file.with_name("tasks.parquet"), columns=["kind"])["kind"].to_pylist()
        assert kept.count("Deploy") >= sum(row["operation"] == "deploy" and not row["error"] for row in asked) > 0
    before, after = (read(run / "arms" / arm / "database.json")["rows"] for arm in ("keep-all", "keep-3"))
    assert after["Deployment"] < before["Deployment"] == 540
    assert after["Event"] >= before["Event"]
    assert after["DeploymentHistory"] == before["DeploymentHistory"]


def test_a_database_that_dies_is_named(octoload: Callable[..., Any], tiny: Path, tmp_path: Path) -> None:
    """When PostgreSQL is killed during a run, the run says so in two lines, keeps its trials and leaves nothing."""
    run = tmp_path / "run"
    command = octoload("run", str(tiny), "--out", str(run))
    command.until(lambda: len(finished(run)) >= 1)
    command.watch()
    servers = [process for process in command.family if process.is_running() and process.name() == "postgres"]
    assert servers
    for process in servers:
        with contextlib.suppress(psutil.NoSuchProcess):  # its backends end with the postmaster
            process.kill()
    code, said = command.finish()
    assert code == 5, said
    assert "Traceback" not in said
    assert "PostgreSQL" in said or "stand-in" in said
    assert command.survivors() == []
    assert finished(run)
