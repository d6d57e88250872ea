"""The page and the texts of experiments on clusters: which cap to set, and what an outage cost."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import other_folders
import pytest
import run_folder

from reports import arms, caps, markdown, outages, page, results, run
from reports.caps import CapChoice, CapResult
from reports.outages import Cost, Spread
from reports.results import Results
from reports.run import Run

pytestmark = pytest.mark.unit

CHOICE = CapChoice(
    10,
    [CapResult(5, 30.0, 0.6, 1.0, 1.0, 0.0, 1.0), CapResult(10, 50.0, 1.0, 1.02, 1.05, 0.0, 1.1)],
    usual=5,
    rounds=4,
)
COST = Cost(
    "killed",
    "kill",
    4,
    lasted=Spread(8.2, 8.1, 8.4),
    unavailable=Spread(7.9, 7.7, 8.0),
    failed=Spread(0.331, 0.32, 0.34),
    orphaned=Spread(3, 2, 5),
    cancelled=Spread(9.1, 8.6, 9.9),
    left=0,
    recovered=Spread(9.8, 9.0, 10.4),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Results]:
    return results.finish(run.read(run_folder.build(tmp_path_factory.mktemp("run"))))


def test_caps_and_outages_are_on_the_page_and_in_the_text(finished: tuple[Run, Results]) -> None:
    """The cap to set is marked in its table; an outage has a sentence and a row with medians and ranges."""
    of, found = finished
    plain = page.render(of, found)
    assert 'id="caps"' not in plain
    assert 'id="outages"' not in plain
    shown = page.render(of, msgspec.structs.replace(found, caps=CHOICE, outages=[COST]))
    section = shown[shown.index('<section id="caps"') :]
    assert section.index("set this") > section.index("30 /min")
    assert section.count("set this") == 1
    for words in ("3 tasks orphaned (2 to 5)", "7.9 s", "33.1 %", "10.4 s"):
        assert words in shown[shown.index('<section id="outages"') :]
    assert "3 tasks orphaned" in markdown.render(of, msgspec.structs.replace(found, outages=[COST]))


def test_an_outage_that_orphaned_nothing_says_so() -> None:
    """And without followed tasks nothing is said of tasks at all."""
    calm = msgspec.structs.replace(COST, orphaned=Spread(0, 0, 0), cancelled=None)
    assert "no task was orphaned" in outages.sentence(calm)
    assert "task" not in outages.sentence(msgspec.structs.replace(calm, left=None))


def planned(of: Run, **changes: Any) -> Run:
    """Return the run with something else in its plan."""
    return dataclasses.replace(of, plan=msgspec.structs.replace(of.plan, **changes))


def test_errors_are_a_fault_unless_an_arm_is_meant_to_bring_them(finished: tuple[Run, Results]) -> None:
    """Turned round, what would void a comparison is what was to be shown: its absence voids it, chance is a caution."""
    of, found = finished
    assert found.error_rates
    failing = [msgspec.structs.replace(one, difference=0.2, contender=0.2, p=1e-6) for one in found.error_rates]
    assert {one.state for one in arms.failures(of, failing)} == {"invalid"}
    turned = planned(of, meant={of.plan.contender: ["errors"]})
    perhaps = [msgspec.structs.replace(one, difference=0.01, p=0.5) for one in found.error_rates]
    calm = [msgspec.structs.replace(one, difference=0.0, p=1.0) for one in found.error_rates]
    states = [[one.state for one in arms.failures(turned, rates)] for rates in (failing, perhaps, calm)]
    assert states == [["ok"], ["warn"], ["invalid"]]


def test_a_further_arm_is_held_to_what_it_declares(tmp_path: Path) -> None:
    """Of two arms that are meant to fail, the second one does not: the run is INVALID, and says which arm it is."""
    of, found = results.finish(run.read(other_folders.depths(tmp_path)))
    assert found.valid
    first, *further = of.plan.contenders
    turned = planned(of, meant={first: ["errors"], further[0]: ["errors"]})
    failing = [msgspec.structs.replace(one, difference=0.2, contender=0.2, p=1e-6) for one in found.error_rates]
    checks = {one.name: one.state for one in arms.failures(turned, failing)}
    assert checks == {"errors as meant": "ok", f"errors as meant, {further[0]}": "invalid"}


def test_a_baseline_that_is_meant_to_fail_is_turned_round_too(finished: tuple[Run, Results]) -> None:
    """The other way round its failures are what is to be shown; where both are meant to fail, both must."""
    of, found = finished
    base, contender = of.plan.baseline, of.plan.contender
    turned = planned(of, meant={base: ["errors"]})
    for difference, state in ((-0.2, "ok"), (0.2, "invalid")):
        rates = [msgspec.structs.replace(one, difference=difference, p=1e-6) for one in found.error_rates]
        assert [one.state for one in arms.failures(turned, rates)] == [state]
    both = planned(of, meant={base: ["errors"], contender: ["errors"]})
    for before, after, state in ((0.2, 0.3, "ok"), (0.2, 0.0, "invalid"), (0.0, 0.2, "invalid")):
        rates = [
            msgspec.structs.replace(one, baseline=before, contender=after, difference=after - before, p=1e-6)
            for one in found.error_rates
        ]
        assert [one.state for one in arms.failures(both, rates)] == [state]


def test_arms_that_do_not_differ_in_caps_get_no_recommendation(finished: tuple[Run, Results], tmp_path: Path) -> None:
    """Nothing was asked; where caps differ and no page is judged, the recommendation says what is missing."""
    of, found = finished
    assert found.caps is None
    told = caps.recommend(planned(of, caps={"a": 5, "b": 10}))
    assert told is not None
    assert "p95" in caps.sentence(told)


def test_only_requests_have_curves_of_latency(finished: tuple[Run, Results]) -> None:
    """Waits of tasks decide beside pages, and are no requests: the page of such a run is whole."""
    of, found = finished
    wait = msgspec.structs.replace(of.plan.primary[0], operation="queue-wait")
    plan = msgspec.structs.replace(of.plan, primary=[*of.plan.primary, wait])
    told = [
        dataclasses.replace(trial, operations={**trial.operations, "queue-wait": trial.operations["dashboard"]})
        for trial in of.trials
    ]
    both = dataclasses.replace(of, plan=plan, trials=told)
    assert page._shown(both) == page._shown(of)
    assert 'id="latency"' in page.render(both, found)
