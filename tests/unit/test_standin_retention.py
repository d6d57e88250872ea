"""Retention's rules: the published example, inheritance, and what must hold for any history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin.lifecycles import is_complete, open_environments, phases_of
from standin.retention import Candidate, decide
from standin.schedule import retention_is_due

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def count(quantity: int) -> dict[str, Any]:
    return {"Strategy": "Count", "QuantityToKeep": quantity, "Unit": "Items"}


def days(quantity: int) -> dict[str, Any]:
    return {"Strategy": "Count", "QuantityToKeep": quantity, "Unit": "Days"}


def lifecycle(*phases: tuple[str, dict[str, Any] | None], policy: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle whose phases have one environment each, of their own names."""
    return {
        "ReleaseRetentionPolicy": policy,
        "Phases": [
            {"Name": name, "OptionalDeploymentTargets": [name], "ReleaseRetentionPolicy": own} for name, own in phases
        ],
    }


def release(number: int, *environments: str, age: float | None = None) -> Candidate:
    """Release 0.0.number, assembled on day `number`, deployed on that day; or `age` days ago."""
    when = NOW - timedelta(days=age) if age is not None else NOW - timedelta(days=100 - number)
    return Candidate(f"Releases-{number}", f"0.0.{number}", when, dict.fromkeys(environments, when))


def deleted(decisions: list[Any]) -> list[str]:
    return [decision.release.version for decision in decisions if not decision.keep]


def test_the_published_example_deletes_exactly_four() -> None:
    """15 releases, keep 3: 0.0.12, 0.0.11, 0.0.10 and 0.0.1 go, in that order (octopus-facts §1b)."""
    both, staging = ("Staging", "Production"), ("Staging",)
    releases = [release(number, *both) for number in range(1, 7)]
    releases += [release(number, *staging) for number in range(7, 10)]
    releases += [release(number) for number in range(10, 16)]
    phases = phases_of(lifecycle(("Staging", None), ("Production", None), policy=count(3)), both)
    shown, previous = {"Releases-9", "Releases-6"}, {"Releases-8", "Releases-5"}
    decisions = decide(releases, phases, shown, previous, NOW)
    assert deleted(decisions) == ["0.0.12", "0.0.11", "0.0.10", "0.0.1"]
    told = {decision.release.version: decision.reason for decision in decisions}
    assert told["0.0.7"] == "phase Staging: 0 of 3 kept so far"
    assert told["0.0.2"] == "phase Staging: 3 of 3 kept so far; phase Production: 2 of 3 kept so far"


def test_a_phase_inherits_from_the_latest_earlier_phase_with_a_policy() -> None:
    """A lifecycle of 3 with 5 in its third phase gives 3, 3, 5, 5 (octopus-facts §1b)."""
    document = lifecycle(("Dev", None), ("Test", None), ("Staging", count(5)), ("Production", None), policy=count(3))
    assert [phase.policy["QuantityToKeep"] for phase in phases_of(document, [])] == [3, 3, 5, 5]


def test_a_policy_of_days_looks_at_the_last_use() -> None:
    """An undeployed release is as old as its assembly, a deployed one as its last deployment to the phase."""
    phases = phases_of(lifecycle(("Dev", None), policy=days(30)), ["Dev"])
    old_but_used = Candidate("Releases-1", "1", NOW - timedelta(days=300), {"Dev": NOW - timedelta(days=29)})
    releases = [old_but_used, release(2, "Dev", age=31), release(3, age=31), release(4, age=29)]
    assert set(deleted(decide(releases, phases, (), (), NOW))) == {"0.0.2", "0.0.3"}


@pytest.mark.parametrize(
    "policy",
    [
        {"Strategy": "Forever", "QuantityToKeep": 0, "Unit": "Items"},
        {"Strategy": "Default", "QuantityToKeep": 0, "Unit": "Items"},
        {"QuantityToKeep": 0, "Unit": "Days"},
        {"ShouldKeepForever": True, "QuantityToKeep": 3},
    ],
)
def test_for_ever_deletes_nothing(policy: dict[str, Any]) -> None:
    """All ways of saying "for ever" keep all releases."""
    phases = phases_of(lifecycle(("Dev", None), policy=policy), ["Dev"])
    releases = [release(number, *(["Dev"] if number % 2 else [])) for number in range(50)]
    assert deleted(decide(releases, phases, (), (), NOW)) == []


histories = st.lists(st.lists(st.sampled_from(["A", "B", "C"]), unique=True, max_size=3), max_size=40)


@given(histories, st.integers(1, 5), st.data())
def test_what_a_dashboard_needs_always_stays(history: list[list[str]], keep: int, data: st.DataObject) -> None:
    """No release that is shown, or that a shown one could be rolled back to, is ever deleted."""
    releases = [release(number, *environments) for number, environments in enumerate(history)]
    ids = [one.id for one in releases]
    shown = set(data.draw(st.lists(st.sampled_from(ids)))) if ids else set()
    previous = set(data.draw(st.lists(st.sampled_from(ids)))) if ids else set()
    phases = phases_of(lifecycle(*((name, None) for name in "ABC"), policy=count(keep)), "ABC")
    decisions = decide(releases, phases, shown, previous, NOW)
    assert {one.release.id for one in decisions} == set(ids)
    assert not {one.release.id for one in decisions if not one.keep} & (shown | previous)


@given(histories, st.integers(1, 5))
def test_counters_are_filled_before_anything_goes(history: list[list[str]], keep: int) -> None:
    """A release goes only when N newer ones stay in each phase that it was deployed to, or N newer undeployed ones."""
    releases = [release(number, *environments) for number, environments in enumerate(history)]
    phases = phases_of(lifecycle(*((name, None) for name in "ABC"), policy=count(keep)), "ABC")
    stayed: dict[str, int] = {}
    for decision in decide(releases, phases, (), (), NOW):
        places = decision.release.deployed or {"undeployed": NOW}
        assert decision.keep == any(stayed.get(place, 0) < keep for place in places)
        for place in places if decision.keep else ():
            stayed[place] = stayed.get(place, 0) + 1


@given(st.integers(0, 60), st.integers(1, 6))
def test_one_phase_keeps_at_most_two_more_than_its_policy(number: int, keep: int) -> None:
    """The one on the dashboard and the one before it come on top: N + 2 at most (octopus-facts §1b)."""
    releases = [release(index, "A") for index in range(number)]
    newest = [one.id for one in reversed(releases)]
    phases = phases_of(lifecycle(("A", None), policy=count(keep)), "A")
    decisions = decide(releases, phases, set(newest[:1]), set(newest[1:2]), NOW)
    assert sum(one.keep for one in decisions) == min(number, keep + 2)


def test_a_phase_opens_when_the_ones_before_it_are_complete() -> None:
    """A release may go on when enough environments of each earlier phase have succeeded; optional ones are no bar."""
    document = lifecycle(("Dev", None), ("Test", None), ("Production", None), policy=count(3))
    document["Phases"][1]["IsOptionalPhase"] = True
    phases = phases_of(document, ["Dev", "Test", "Production"])
    assert open_environments(phases, set()) == ["Dev"]
    assert open_environments(phases, {"Dev"}) == ["Dev", "Test", "Production"]
    assert is_complete(phases[0], {"Dev"})
    assert not is_complete(phases[0], {"Test"})


def test_a_lifecycle_without_phases_is_open_everywhere() -> None:
    """An empty lifecycle means any environment in any order (octopus-api §A.4)."""
    phases = phases_of({"Phases": [], "ReleaseRetentionPolicy": count(3)}, ["One", "Two"])
    assert open_environments(phases, set()) == ["One", "Two"]


@pytest.mark.parametrize(
    ("began", "last", "now", "due"),
    [
        ("03:59", None, "03:59", False),
        ("00:00", None, "03:59", False),
        ("03:59", None, "04:01", True),
        ("04:01", None, "07:59", False),
        ("03:59", "03:50", "04:01", True),
        ("03:59", "04:00", "04:01", False),
        ("03:59", "04:00", "08:00", True),
    ],
)
def test_retention_is_scheduled_at_the_hours_of_its_cron_line(
    began: str, last: str | None, now: str, *, due: bool
) -> None:
    """Every four hours of the day, once, and never because a node has started (octopus-facts §1b)."""
    began_at, last_at, now_at = (
        datetime.fromisoformat(f"2026-01-01T{one}Z") if one else None for one in (began, last, now)
    )
    assert began_at is not None
    assert now_at is not None
    assert retention_is_due(began_at, last_at, now_at) is due
