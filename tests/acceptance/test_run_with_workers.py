"""A run that is driven by workers: one is killed in the middle of a trial, and the run goes on."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

KEY = {"OCTOLOAD_KEY": "API-WORKERS"}


def locusts(worker: Any) -> list[psutil.Process]:
    """The Locust processes that a worker has now."""
    worker.watch()
    return [process for process in worker.family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def loads(process: psutil.Process, master: int) -> bool:
    """Whether a Locust process has connections besides that to its master, which it has in a trial only."""
    try:
        return any(one.raddr and one.raddr.port != master for one in process.net_connections("tcp"))
    except psutil.Error:
        return False


def test_a_run_outlives_a_worker(octoload: Callable[..., Any], tiny: Path, tmp_path: Path) -> None:
    """The trial in which a worker is killed is invalid, says so and is run again; all others count to the request."""
    text = tiny.read_text(encoding="utf-8").replace("pairs: 4, seconds: 2.5", "pairs: 2, seconds: 4")
    tiny.write_text(text.replace("attempts: 1", "attempts: 3"), encoding="utf-8")
    run = tmp_path / "run"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    worker = octoload("worker", "--master", f"127.0.0.1:{port}", "--processes", "2", **KEY)
    command = octoload("run", str(tiny), "--workers", "2", "--bind", f"127.0.0.1:{port}", "--out", str(run), **KEY)

    def second_trial() -> bool:
        return any(run.glob("trials/02-*")) and sum(loads(process, port) for process in locusts(worker)) == 2

    command.until(second_trial)
    locusts(worker)[0].kill()
    code, said = command.finish()
    assert code in {0, 3}, said  # two pairs settle nothing, and a machine under pressure may void them
    assert "was lost in the middle of a trial" in said

    (spoilt,) = [read(file) for file in run.glob("trials/*.attempt-*/trial.json") if not read(file)["counted"]]
    assert not spoilt["valid"]
    assert "was lost" in spoilt["checks"][0]["message"]
    trials = [read(file) for file in sorted(run.glob("trials/*/trial.json")) if ".attempt-" not in file.parent.name]
    assert len(trials) == 4
    assert max(trial["attempt"] for trial in trials if trial["arm"] == spoilt["arm"]) >= 2
    for trial in trials:
        rows = pq.read_metadata(next(run.glob(f"trials/{trial['index']:02d}-{trial['arm']}")) / "requests.parquet")
        assert trial["recorded"] == trial["counted"] == rows.num_rows
        assert {name: trial["sent"][name] for name in trial["planned"]} == trial["planned"]
        assert len(trial["generator"]["workers"]) == 2
        assert all(one["cpu"] > 0 and one["clock"]["uncertainty"] > 0 for one in trial["generator"]["workers"])
        assert any(clock["by"] == "creating calls" for clock in trial["clocks"].values())
    assert read(run / "plan.json")["generator"] == {"processes": 1, "workers": 2}

    worker.end(signal.SIGINT)
    code, said = worker.finish()
    assert code == 130
    assert worker.survivors() == command.survivors() == []
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in files if KEY["OCTOLOAD_KEY"].encode() in file.read_bytes()]


def test_workers_that_do_not_come_are_missed(octoload: Callable[..., Any], tiny: Path) -> None:
    """A run without its workers says how many it waited for, how to start them and how to go on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    command = octoload("run", str(tiny), "--workers", "2", "--bind", bind, "--wait", "1", "--out", "run", **KEY)
    code, said = command.finish()
    assert code == 5, said
    assert "0 of 2 workers connected within 1 s" in said
    assert "octoload worker --master" in said
    assert f"--workers 2 --bind {bind} --resume --out run" in said
