"""The checks of a trial: each fault of a measurement is caught, each sound trial passes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import run_folder

from octoload.errors import UsageError
from reports import summaries
from reports.checks import Check, check_trial

pytestmark = pytest.mark.unit

Facts = dict[str, Any]


@pytest.fixture
def trial(tmp_path: Path) -> tuple[Facts, Path]:
    """One sound trial."""
    file = tmp_path / "requests.parquet"
    return run_folder.requests(file, run_folder.plan(), 1, {}, 0.0, 0.0), file


def checked(facts: Facts, file: Path) -> dict[str, Check]:
    return {check.name: check for check in check_trial(facts, file, run_folder.plan())}


def change(file: Path, **columns: Callable[[np.ndarray], Any]) -> None:
    """Rewrite columns of a file of requests."""
    table = pq.read_table(file)
    for name, turn in columns.items():
        values = table[name].cast(pa.string()) if pa.types.is_dictionary(table[name].type) else table[name]
        table = table.set_column(table.column_names.index(name), name, pa.array(turn(values.to_numpy())))
    pq.write_table(table, file)


def test_a_sound_trial_passes_every_check(trial: tuple[Facts, Path]) -> None:
    """All checks are ok, and each says its number and its limit."""
    checks = checked(*trial)
    assert {check.state for check in checks.values()} == {"ok"}
    assert all(any(sign.isdigit() for sign in check.message) for check in checks.values())


@pytest.mark.parametrize("member", ["recorded", "counted"])
def test_a_lost_sample_makes_a_trial_invalid(trial: tuple[Facts, Path], member: str) -> None:
    """File, workers and Locust must agree to the request."""
    facts, file = trial
    facts[member] += 1
    assert checked(facts, file)["recorded"].state == "invalid"


def test_a_request_that_was_sent_must_be_on_file(trial: tuple[Facts, Path]) -> None:
    """One request more sent than recorded in one operation is found and named."""
    facts, file = trial
    facts["sent"] = {**facts["sent"], "tasks": facts["sent"]["tasks"] + 1}
    check = checked(facts, file)["sent"]
    assert check.state == "invalid"
    assert "tasks" in check.message


@pytest.mark.parametrize(("missing", "state"), [(0, "ok"), (2, "warn"), (20, "invalid")])
def test_a_generator_that_falls_behind_is_found(trial: tuple[Facts, Path], missing: int, state: str) -> None:
    """Below 99.5 % of the planned arrivals is a caution, below 98 % invalid; later steps of sessions do not count."""
    facts, file = trial
    facts["planned"] = {"dashboard": facts["sent"]["dashboard"] + missing, "tasks": 150}
    facts["sent"] |= {"tasks": 150}
    assert checked(facts, file)["offered"].state == state


def test_lag_is_judged_at_a_quantile_that_the_sample_carries(trial: tuple[Facts, Path]) -> None:
    """With 190 requests one late request is luck, one in nine is a fault; the message names the quantile."""
    facts, file = trial
    measured = summaries.read(file).lag.size
    assert 100 <= measured < 200
    change(file, sent=lambda sent: sent + np.where(np.arange(sent.size) % 150 == 0, 0.5, 0))
    assert checked(facts, file)["schedule lag"].state == "ok"
    change(file, sent=lambda sent: sent + np.where(np.arange(sent.size) % 9 == 0, 0.5, 0))
    check = checked(facts, file)["schedule lag"]
    assert check.state == "invalid"
    assert "p90" in check.message


def test_lag_is_small_against_what_is_measured(trial: tuple[Facts, Path]) -> None:
    """12 ms late is within a tenth of a 180 ms dashboard, and beyond the 10 ms that a fast one allows."""
    facts, file = trial
    change(file, sent=lambda sent: sent + 0.012)
    assert checked(facts, file)["schedule lag"].state == "warn"
    change(file, done=lambda done: done - 0.1)
    assert checked(facts, file)["schedule lag"].state == "invalid"


def test_a_clock_that_ran_backwards_voids_a_trial_at_once(trial: tuple[Facts, Path]) -> None:
    """A phase that ends before it begins, and requests that end before they were due: the trial is to be repeated."""
    facts, file = trial
    assert "generator's clock" not in checked(facts, file)
    ended = facts | {"measured_until": facts["measured_from"] - 5}
    assert checked(ended, file)["generator's clock"].state == "invalid"
    change(file, done=lambda done: np.where(np.arange(done.size) % 7 == 0, done - 5, done))
    assert checked(facts, file)["generator's clock"].state == "invalid"


@pytest.mark.parametrize("changes", [{"stages": [{"seconds": 9, "factor": 1}]}, {"trace": "trace.csv"}])
def test_what_is_not_meant_to_be_steady_is_not_judged_so(trial: tuple[Facts, Path], changes: dict[str, Any]) -> None:
    """Rates that change with the stage or with a trace change latency too, which is no fault."""
    workload = run_folder.plan()["workload"]
    names = {check.name for check in check_trial(*trial, run_folder.plan(workload=workload | changes))}
    assert "steadiness: dashboard" in checked(*trial).keys() - names


def test_a_pollers_lag_is_not_the_schedules(trial: tuple[Facts, Path]) -> None:
    """Requests of closed loops that leave late say nothing about the schedule."""
    facts, file = trial
    audits = pq.read_table(file)["operation"].cast(pa.string()).to_numpy() == "audit"
    change(file, sent=lambda sent: sent + np.where(audits, 0.5, 0))
    assert checked(facts, file)["schedule lag"].state == "invalid"
    decided = run_folder.plan(closed=["audit"])
    [lag] = [check for check in check_trial(facts, file, decided) if check.name == "schedule lag"]
    assert lag.state == "ok"


def test_a_queue_that_builds_up_is_a_caution(trial: tuple[Facts, Path]) -> None:
    """Latency that grows with every second of the trial is said to be overload."""
    facts, file = trial
    assert checked(facts, file)["steadiness: dashboard"].state == "ok"
    table = pq.read_table(file)
    grown = table["done"].to_numpy() + 0.05 * (table["intended"].to_numpy() - table["intended"].to_numpy().min())
    change(file, done=lambda _: grown)
    check = checked(facts, file)["steadiness: dashboard"]
    assert check.state == "warn"
    assert "keep up" in check.message


@pytest.mark.parametrize(("every", "state"), [(10_000, "ok"), (10, "invalid")])
def test_failures_make_a_trial_invalid_beyond_one_percent(trial: tuple[Facts, Path], every: int, state: str) -> None:
    """Failed requests are counted over the measured phase."""
    facts, file = trial
    change(file, error=lambda error: np.where(np.arange(1, error.size + 1) % every == 0, "timeout", ""))
    assert checked(facts, file)["errors"].state == state


@pytest.mark.parametrize(
    ("member", "value", "name", "state"),
    [
        ("cpu", 0.59, "generator CPU", "ok"),
        ("cpu", 0.61, "generator CPU", "warn"),
        ("cpu", 0.81, "generator CPU", "invalid"),
        ("steal", 0.02, "steal", "warn"),
        ("steal", 0.06, "steal", "invalid"),
        ("gc_pause", 0.02, "garbage collection", "warn"),
    ],
)
def test_a_generator_under_pressure_is_found(
    trial: tuple[Facts, Path], member: str, value: float, name: str, state: str
) -> None:
    """CPU, stolen time and pauses each have their limits."""
    facts, file = trial
    facts["generator"][member] = value
    assert checked(facts, file)[name].state == state


@pytest.mark.parametrize(
    ("uncertainty", "moved", "state"),
    [
        (0.0005, 0.0004, "ok"),
        (0.0005, -0.020, "warn"),
        (0.0005, 0.200, "invalid"),
        (0.0300, 0.0, "warn"),
        (0.0200, 0.045, "ok"),  # within what the measurement itself may be off
        (0.0005, None, "warn"),
    ],
)
def test_a_workers_clock_that_moves_is_found(
    trial: tuple[Facts, Path], uncertainty: float, moved: float | None, state: str
) -> None:
    """A clock that is far off is put right; one that moves in the trial, or is not known, is not."""
    facts, file = trial
    clocks = [
        {"offset": -7.0, "uncertainty": uncertainty, "moved": moved},
        {"offset": 0.0, "uncertainty": 0.0001, "moved": 0.0},
    ]
    facts["generator"]["workers"] = [{"name": f"host-{n}", "clock": clock} for n, clock in enumerate(clocks)]
    assert checked(facts, file)["worker clocks"].state == state


CALLS = {"low": -0.004, "high": 0.003, "calls": 30, "by": "creating calls"}


@pytest.mark.parametrize(
    ("clocks", "state", "word"),
    [
        ({"node-1": CALLS}, "ok", "-4.0 to +3.0 ms by 30 creating calls"),
        ({"node-1": CALLS, "node-2": {**CALLS, "low": 0.09, "high": 0.11}}, "ok", "node-2"),
        ({"node-1": CALLS, "node-2": {**CALLS, "low": 0.12, "high": 0.13}}, "warn", "117 ms apart"),
        ({"node-1": {**CALLS, "high": 0.06}}, "warn", "50 ms"),
        ({"node-1": {**CALLS, "low": 0.01, "high": -0.01}}, "invalid", "set within the trial"),
        ({"": {"low": -0.9, "high": 1.1, "calls": 5, "by": "Date header"}}, "ok", "5 answers with a Date header"),
    ],
)
def test_a_servers_clock_is_told(trial: tuple[Facts, Path], clocks: dict[str, Any], state: str, word: str) -> None:
    """One that contradicts itself makes the trial invalid; loose or diverging ones are a caution where it matters."""
    facts, file = trial
    facts["clocks"] = clocks
    check = checked(facts, file)["server clock"]
    assert check.state == state
    assert word in check.message


def test_a_failed_request_stays_in_its_quantile(trial: tuple[Facts, Path]) -> None:
    """A time-out counts with the time that it took, and as a failure."""
    _, file = trial
    before = summaries.summarise(summaries.read(file), 9.0)["dashboard"]
    change(
        file,
        done=lambda done: done + np.where(np.arange(done.size) % 2 == 0, 60.0, 0.0),
        error=lambda error: np.where(np.arange(error.size) % 2 == 0, "timeout", ""),
    )
    after = summaries.summarise(summaries.read(file), 9.0)["dashboard"]
    assert after.requests == before.requests
    assert after.failures == pytest.approx(after.requests / 2, abs=1)
    assert after.p50 is not None
    assert before.p50 is not None
    assert after.p50 > before.p50
    assert after.throughput == pytest.approx((after.requests - after.failures) / 9.0)


def test_a_quantile_needs_enough_requests_and_no_warm_up(trial: tuple[Facts, Path]) -> None:
    """63 dashboards carry a median and no p95; 3 releases carry nothing; the warm-up is not among them."""
    facts, file = trial
    blocks = summaries.summarise(summaries.read(file), 9.0)
    assert {name: block.requests for name, block in blocks.items()} == facts["sent"]
    assert blocks["dashboard"].p50 is not None
    assert blocks["dashboard"].p95 is None
    assert blocks["create-release"].p50 is None


@pytest.mark.parametrize("content", [None, b"", b"no parquet"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing or damaged file of requests is one clear error with a cure."""
    file = tmp_path / "requests.parquet"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"requests\.parquet") as caught:
        summaries.read(file)
    assert caught.value.cure


@pytest.mark.parametrize(("delay", "state"), [(0.0002, "ok"), (0.012, "warn"), (0.02, "invalid"), (None, "ok")])
def test_answers_read_late_are_the_generators_own_latency(
    trial: tuple[Facts, Path], delay: float | None, state: str
) -> None:
    """Beyond 10 ms or a tenth of the deciding median the trial is invalid; without kernel stamps it says so."""
    facts, file = trial
    facts["generator"] |= {"read_delay_p99": delay, "read_delays": 100 if delay else 0}
    check = checked(facts, file)["read delay"]
    assert check.state == state
    assert delay is None or f"{delay * 1000:.2f} ms" in check.message


def test_requests_that_a_rate_limit_turned_away_are_counted_apart(trial: tuple[Facts, Path]) -> None:
    """One is a caution, with the wait that was asked for and the cure."""
    facts, file = trial
    facts |= {"throttled": 1, "retry_after": 30.0}
    check = checked(facts, file)["throttled"]
    assert (check.state, check.value) == ("warn", 1)
    assert "30 s" in check.message
    assert "API keys" in check.message


@pytest.mark.parametrize(("cpu", "culprit"), [(0.3, "The server is saturated"), (0.9, "The generator is saturated")])
def test_a_backlog_is_blamed_on_who_caused_it(trial: tuple[Facts, Path], cpu: float, culprit: str) -> None:
    """Arrivals that waited for a slot are the server's fault as long as the generator had CPU to spare."""
    facts, file = trial
    facts["generator"] |= {"longest_wait": 2.5, "cpu": cpu}
    check = checked(facts, file)["backlog"]
    assert (check.state, check.value) == ("warn", 2.5)
    assert culprit in check.message
