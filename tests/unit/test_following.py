"""The tasks of a load, followed: what the server forgets is lost, and its clock decides what belongs to the trial."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from experiments.following import beginning, follow
from reports.taskchecks import check_followed

pytestmark = pytest.mark.unit

MEASURED = 1_764_000_000.0


def time(seconds: float) -> str:
    return datetime.fromtimestamp(MEASURED + seconds, UTC).isoformat()


def task(number: int, queued: float) -> dict[str, Any]:
    """Return a task that was queued so many seconds after the begin of the measured phase, by the server's clock."""
    return {
        "Id": f"ServerTasks-{number}", "Name": "Deploy", "State": "Success", "IsCompleted": True,
        "QueueTime": time(queued), "StartTime": time(queued + 1), "CompletedTime": time(queued + 2),
    }  # fmt: skip


class Server:
    """A server that has these tasks, all of them ended."""

    def __init__(self, *tasks: dict[str, Any]) -> None:
        self._tasks = tasks

    def get(self, _path: str, **query: Any) -> dict[str, Any]:
        found = [one for one in self._tasks if one["Id"] in query.get("ids", [])]
        return {"Items": found, "TotalResults": len(found)}

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        for one in self._tasks:
            if path.endswith("/events"):
                yield {"RelatedDocumentIds": [one["Id"]]}
            elif datetime.fromisoformat(one["QueueTime"]) >= datetime.fromisoformat(query["fromQueueDate"]):
                yield one


def followed(file: Path, server: Server, queued: list[str], low: float = 0.0) -> dict[str, Any]:
    """Follow a load that was answered with these ids; return the state of each check."""
    facts = {"measured_from": MEASURED, "queued": queued, "clocks": {"node-1": {"low": low, "high": low + 0.01}}}
    counts = follow(cast("Any", server), "Spaces-1", facts, 1, file, progress=lambda *_: None)
    checks = check_followed({"arm": "calm", "tasks": counts}, file, {})
    return {**counts, **{check.name: check.state for check in checks}}


def test_a_task_that_the_server_forgets_is_lost(tmp_path: Path) -> None:
    """What a client was answered with must be there in the end, whatever the list of tasks says."""
    server, file = Server(task(1, 1), task(2, 2)), tmp_path / "tasks.parquet"
    assert followed(file, server, ["ServerTasks-1", "ServerTasks-2"])["tasks lost"] == "ok"
    vanished = followed(file, server, ["ServerTasks-1", "ServerTasks-2", "ServerTasks-3"])
    assert (vanished["queued"], vanished["ended"], vanished["tasks lost"]) == (3, 2, "invalid")


def test_tasks_that_nobody_was_answered_with_are_followed_too(tmp_path: Path) -> None:
    """A request may time out that has queued a task all the same."""
    told = followed(tmp_path / "tasks.parquet", Server(task(1, 1), task(2, 2)), ["ServerTasks-1"])
    assert (told["queued"], told["ended"], told["tasks run twice"]) == (2, 2, "ok")


@pytest.mark.parametrize("ahead", [-60.0, 0.0, 60.0])
def test_a_server_whose_clock_is_wrong_has_the_same_tasks(tmp_path: Path, ahead: float) -> None:
    """Those of the warm-up are left out, those of the measured phase are not, by whichever clock they were queued."""
    server = Server(*(task(number, ahead + queued) for number, queued in enumerate((-3, 1, 2), start=1)))
    assert followed(tmp_path / "tasks.parquet", server, [], low=ahead)["queued"] == 2


def test_the_slowest_clock_decides() -> None:
    """A task of the measured phase lies after it by every node's clock; nodes that say nothing are taken for right."""
    clocks = {"a": {"low": -2.0, "high": -1.9}, "b": {"low": 3.0, "high": 3.1}}
    assert beginning({"measured_from": 100.0, "clocks": clocks}) == 98.0
    assert beginning({"measured_from": 100.0, "clocks": {}}) == 100.0
