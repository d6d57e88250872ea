"""Server tasks: waits, runs, the rate of a drain, and the checks that a drain must pass."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import tasks as writing
from octoload.errors import UsageError
from reports import tasks
from reports.drains import Drain
from reports.taskchecks import check_drain, check_followed, check_overlap

pytestmark = pytest.mark.unit

START = 1_764_000_000.0
SLOTS, COUNT, SECONDS = 4, 160, 10.0


def rows(count: int = COUNT, slots: int = SLOTS, **changes: Any) -> list[dict[str, Any]]:
    """Return the tasks of a drain in which each slot takes the next task as soon as it is free."""
    return [
        {
            "Id": f"ServerTasks-{number}", "Name": "Deploy", "ProjectId": f"Projects-{number % 7}", "State": "Success",
            "ServerNode": f"OctopusServerNodes-{number % 2}", "QueueTime": time(0),
            "StartTime": time(5 + number // slots * SECONDS),
            "CompletedTime": time(5 + (number // slots + 1) * SECONDS),
            **changes,
        }
        for number in range(count)
    ]  # fmt: skip


def time(seconds: float) -> str:
    return str(np.datetime64(int((START + seconds) * 1000), "ms")) + "+00:00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tasks.parquet"


def written(file: Path, found: list[dict[str, Any]], again: int = 0) -> Path:
    starts = Counter(row["Id"] for row in found) + Counter(row["Id"] for row in found[:again])
    writing.write(file, found, starts)
    return file


def facts(**changes: Any) -> dict[str, Any]:
    return {"sent": {"drain": COUNT}, "slots": SLOTS, "steal": 0.0, **changes}


def test_a_drain_has_the_rate_of_its_slots(file: Path) -> None:
    """4 slots at 10 s a task are 24 tasks a minute, the idle tail left out; waits and runs are the server's times."""
    read = tasks.read(written(file, rows()))
    assert isinstance(measured := tasks.drain(read, SLOTS), Drain)
    assert measured.per_minute == pytest.approx(60 * SLOTS / SECONDS, rel=1e-6)
    assert set(read.run.tolist()) == {SECONDS}
    assert (read.wait.min(), read.wait.max()) == (5.0, 5 + (COUNT / SLOTS - 1) * SECONDS)
    assert tasks.most_running(read) == SLOTS
    assert tasks.shares(read) == {"OctopusServerNodes-0": 0.5, "OctopusServerNodes-1": 0.5}
    summary = tasks.summarise(read, SLOTS, 60.0)
    assert summary["drain"].value("rate") == pytest.approx(24)
    assert summary["task-run"].value("p50") == SECONDS
    assert summary["queue-wait"].value("p95") is None  # 160 tasks carry no p95


def test_a_drain_tells_a_capacity_only_when_its_slots_were_busy(file: Path) -> None:
    """4 slots at 10 s serve 1,440 tasks an hour, nearly all of which may arrive; with idle slots nothing is told."""
    read = tasks.read(written(file, rows()))
    hourly = tasks.summarise(read, SLOTS, 60.0)["drain"].value("capacity")
    assert hourly is not None
    assert 0.9 * 1440 < hourly < 1440
    idle = [{**row, "CompletedTime": time(5 + number // SLOTS * SECONDS + 5)} for number, row in enumerate(rows())]
    read = tasks.read(written(file, idle))
    assert tasks.summarise(read, SLOTS, 60.0)["drain"].value("capacity") is None
    (doubt,) = [check for check in check_drain(facts(), file, 60.0) if check.name == "capacity"]
    assert doubt.state == "warn"
    assert "busy while tasks waited" in doubt.message


def test_the_tail_biases_the_rate_of_a_whole_drain(file: Path) -> None:
    """With tasks of unequal length the rate without the tail is within 5 % of slots / mean, the whole's is not."""
    random = np.random.default_rng(7)
    services = random.lognormal(np.log(10) - np.log(2) / 2, np.sqrt(np.log(2)), 400)  # CV 1
    free, found = np.zeros(20), []
    for number, service in enumerate(services):
        slot = int(free.argmin())
        begin, free[slot] = free[slot], free[slot] + service
        found.append({**rows(1)[0], "Id": f"T-{number}", "StartTime": time(begin), "CompletedTime": time(free[slot])})
    read = tasks.read(written(file, found))
    truth = 60 * 20 / services.mean()
    assert isinstance(measured := tasks.drain(read, 20), Drain)
    assert measured.per_minute == pytest.approx(truth, rel=0.05)
    assert 60 * 400 / free.max() < 0.9 * truth


def test_a_sound_drain_passes_every_check(file: Path) -> None:
    """All checks are ok, and each says its number."""
    checks = check_drain(facts(), written(file, rows()))
    assert {check.state for check in checks} == {"ok"}
    assert all(any(sign.isdigit() for sign in check.message) for check in checks)


@pytest.mark.parametrize(
    ("name", "found", "again", "changes", "state"),
    [
        ("tasks lost", rows(COUNT - 1), 0, {}, "invalid"),
        ("tasks lost", rows(State="Executing"), 0, {}, "invalid"),
        ("tasks run twice", rows(), 1, {}, "invalid"),
        ("tasks failed", rows(State="Failed"), 0, {}, "invalid"),
        ("slots", rows(), 0, {"slots": SLOTS - 1}, "warn"),
        ("utilisation", rows(2), 0, {"sent": {"drain": 2}}, "invalid"),
        ("tasks a slot", rows(80), 0, {"sent": {"drain": 80}}, "warn"),
        ("steal", rows(), 0, {"steal": 0.2}, "invalid"),
    ],
)
def test_each_fault_of_a_drain_is_found(
    file: Path, name: str, found: list[dict[str, Any]], again: int, changes: dict[str, Any], state: str
) -> None:
    """A task lost, run twice or failed voids the trial; so does a rate that nothing carries."""
    checks = {check.name: check for check in check_drain(facts(**changes), written(file, found, again))}
    assert checks[name].state == state


def test_a_damaged_file_is_named(file: Path) -> None:
    """No number comes from half a file."""
    whole = written(file, rows()).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"tasks\.parquet cannot be read"):
        check_drain(facts(), file)


def test_tasks_that_a_load_has_queued_are_all_to_end_once_and_well(file: Path) -> None:
    """Lost and doubled ones void a trial anywhere, cancelled ones unless its arm is meant to bring errors."""
    found = rows()
    plan = {"meant": {"killed": ["errors"]}}

    def states(arm: str, queued: int = COUNT) -> dict[str, str]:
        told = check_followed({"arm": arm, "tasks": {"queued": queued}}, file, plan)
        return {check.name: check.state for check in told}

    written(file, found)
    assert set(states("calm").values()) == {"ok"}
    assert states("killed", COUNT + 1)["tasks lost"] == "invalid"
    written(file, [*found[:-4], *({**row, "State": "Canceled"} for row in found[-4:])], again=1)
    calm = states("calm")
    assert (calm["tasks failed"], calm["tasks run twice"]) == ("invalid", "invalid")
    assert states("killed") == {"tasks lost": "ok", "tasks run twice": "invalid"}


@pytest.mark.parametrize(("from_", "until", "state"), [(0.0, 10.0, "ok"), (0.5, 9.8, "ok"), (0.5, 9.0, "warn")])
def test_a_drain_is_to_last_as_long_as_its_load(from_: float, until: float, state: str) -> None:
    """Latencies of a phase in which a tenth has no tasks are partly those of an idle server."""
    load = {"measured_from": 0.0, "measured_until": 10.0}
    assert check_overlap({"measured_from": from_, "measured_until": until}, load).state == state
