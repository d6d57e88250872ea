"""A search for capacity: its steps from samples, its block value, and the checks that it must pass."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import other_folders
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.search import Search
from experiments.workload import Search as Wanted
from reports import results, searches
from reports.ramp import RampTrial
from reports.searches import check_search
from reports.summaries import Samples

pytestmark = pytest.mark.unit


def samples(latency: list[float], failed: list[bool] | None = None) -> Samples:
    """Requests that were all due at 100 s."""
    due = np.full(len(latency), 100.0)
    wrong = np.array(failed or [False] * len(latency), dtype=bool)
    kind = np.zeros(len(latency), np.int32)
    return Samples(due, due, due + np.array(latency), kind, ("dashboard",), wrong, len(latency))


def test_a_step_counts_late_failed_and_unserved_requests() -> None:
    """Of four requests one is late and one failed; one more came later than the objective after the end."""
    step = searches.reduce(samples([0.1, 0.4, 0.1, 2.0], [False, False, True, False]), 50.0, 0.25, 101.0)
    assert (step.rate, step.requests, step.over) == (50.0, 4, 3)
    assert (step.errors, step.served, step.p95) == (0.25, 0.5, None)
    assert searches.reduce(samples([0.1] * 100 + [0.2] * 100), 50.0, 0.25, 101.0).p95 == pytest.approx(0.2)
    assert searches.reduce(samples([]), 50.0, 0.25, 101.0) == RampTrial(50.0, 0, 0, 0.0, 0.0)


def test_a_search_gives_its_block_value() -> None:
    """The capacity of an exact server comes out within 2 %; failures of overloaded steps are none of the arm's."""
    block = searches.summarise(other_folders.steps(130.0))["api"]
    assert block.value("sustained") == pytest.approx(130, rel=0.02)
    assert block.error_rate == 0


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"counted": 10}, "recorded"),
        ({"generator": {"cpu": 0.9, "steal": 0.0}}, "generator CPU"),
        ({"generator": {"cpu": 0.1, "steal": 0.2}}, "steal"),
        ({"search": msgspec.to_builtins(other_folders.steps(130.0)[:3])}, "search"),
    ],
)
def test_a_search_that_shows_nothing_is_invalid(changes: dict[str, Any], check: str) -> None:
    """Lost samples, a saturated generator, a stolen CPU, or steps that find no capacity void it, each by its name."""
    assert all(one.state == "ok" for one in check_search(other_folders.search_facts(other_folders.steps(130.0))))
    assert [
        one.name
        for one in check_search(other_folders.search_facts(other_folders.steps(130.0), **changes))
        if one.state == "invalid"
    ] == [check]


def test_a_run_of_searches_says_how_much_more_is_carried(tmp_path: Path) -> None:
    """Five pairs, 100 against 168 sessions a second with 3 % noise: the interval holds 1.68, and the page is made."""
    other_folders.searches(tmp_path)
    found = results.build(tmp_path)
    (effect,) = found.of("primary")
    assert effect.metric == "sustained"
    assert effect.ci_low < 1.68 < effect.ci_high
    assert effect.verdict == "better"
    assert "x higher in capacity" in found.sentence


def test_each_step_is_a_trial_of_the_engine_with_its_own_rate(tmp_path: Path) -> None:
    """The mix is multiplied as the search asks, each step has a seed and a folder of its own, counts are summed."""
    orders: list[dict[str, Any]] = []

    def engine(order: dict[str, Any]) -> dict[str, Any]:
        orders.append(order)
        late = 0.4 if sum(order["mix"].values()) > 100 else 0.1
        requests(Path(order["folder"]) / "requests.parquet", late)
        times = dict.fromkeys(("started", "measured_from", "measured_until", "ended"), 101.0)
        generator = {"cpu": 0.1 * len(orders) / 10}
        counts = {"planned": {"dashboard": 3}, "sent": {"dashboard": 3}, "recorded": 3, "counted": 3, "failures": 0}
        return {**times, **counts, "generator": generator, "log": []}

    command = {"mix": {"dashboard": 90.0, "tasks": 30.0}, "seed": 7, "warm_up": 15.0, "seconds": 120.0, "timeout": 60.0}
    found = Search(engine, command, Wanted(objective=0.25)).run(tmp_path, lambda *_: None)
    assert orders[0]["mix"] == pytest.approx({"dashboard": 40.5, "tasks": 13.5})
    assert orders[1]["mix"]["dashboard"] == pytest.approx(40.5 * 1.15)
    assert len({order["seed"] for order in orders}) == len({order["folder"] for order in orders}) == len(orders)
    assert {(order["seconds"], order["warm_up"]) for order in orders} == {(30.0, 3.0)}
    assert found["recorded"] == found["sent"]["dashboard"] == 3 * len(orders)
    assert found["generator"]["cpu"] == pytest.approx(0.01 * len(orders))
    assert [step["rate"] for step in found["search"]] == pytest.approx([sum(order["mix"].values()) for order in orders])


def requests(path: Path, late: float) -> None:
    columns = {"intended": [100.0] * 3, "sent": [100.0] * 3, "done": [100.0 + late] * 3}
    texts = {"operation": ["dashboard"] * 3, "phase": ["measured"] * 3, "error": [""] * 3}
    pq.write_table(pa.table({**columns, **texts}), path)
