"""Outages: what users and tasks lose is told from requests and tasks alone."""

from pathlib import Path

import numpy as np
import pytest
from brought import changed

from experiments import plan as plans
from experiments.experiment import check, load
from octoload.errors import UsageError
from reports import outages
from reports.outages import Spread
from reports.run import Outage
from reports.summaries import Samples
from reports.tasks import Tasks

pytestmark = pytest.mark.unit

HOUSE = Path(__file__).parents[2]
STRUCK, MENDED = 100.0, 120.0
OUTAGE = Outage("node-3", "kill", STRUCK, MENDED)


def requests() -> Samples:
    """Ten a second for a minute; every second one fails from half a second after the strike until the node is back."""
    intended = np.arange(80.0, 140.0, 0.1)
    down = (intended > STRUCK + 0.45) & (intended < MENDED + 0.05)
    failed = down & (np.arange(intended.size) % 2 == 0)
    kind = np.zeros(intended.size, np.int32)
    return Samples(intended, intended, intended + 0.01, kind, ("dashboard",), failed, intended.size)


def tasks() -> Tasks:
    """Four that ran at the strike, two of them on the node; one of before; two that the node took when it was back."""
    node = ["node-3", "node-3", "node-1", "node-2", "node-3", "node-3", "node-3"]
    state = ["Canceled", "Canceled", "Success", "Success", "Success", "Success", "Success"]
    started = [95.0, 99.0, 98.0, 99.5, 90.0, 123.0, 124.0]
    completed = [121.0, 121.5, 103.0, 104.0, 95.0, 126.0, 127.0]
    names = [f"OctopusServerNodes-{name}" for name in node]
    ids, starts = np.array([f"ServerTasks-{n}" for n in range(7)], object), np.ones(7, np.int64)
    times = [np.array(values) for values in (started, started, completed)]
    kind, project = np.array(["Deploy"] * 7, object), np.array(["Projects-1"] * 7, object)
    return Tasks(ids, kind, project, np.array(names, object), np.array(state, object), *times, starts)


def test_users_miss_the_time_from_the_first_to_the_last_failure() -> None:
    """Failures before the strike are another matter; the share is that of the requests between."""
    begin, end, failed = outages._unavailable(requests(), OUTAGE)
    assert end - begin == pytest.approx(MENDED - STRUCK - 0.5, abs=0.3)
    assert failed == pytest.approx(0.5, abs=0.01)


def test_an_outage_that_nobody_saw_took_no_time() -> None:
    """Without failures there is no unavailability, wherever the strike fell."""
    samples = requests()
    calm = Samples(*(samples.intended,) * 2, samples.done, samples.kind, samples.names, samples.failed & False, 600)
    assert outages._unavailable(calm, OUTAGE) == (STRUCK, STRUCK, 0.0)


def test_orphans_are_the_tasks_that_ran_and_were_cancelled() -> None:
    """Tasks of other nodes, and those that ended before, are none."""
    assert outages._cancelled(tasks(), OUTAGE) == [21.0, 21.5]


def test_a_node_is_back_when_it_takes_a_task() -> None:
    """Its first task after it was mended; a node that takes none is not back."""
    assert outages._back(tasks(), OUTAGE) == 123.0
    assert outages._back(tasks(), Outage("node-3", "kill", STRUCK, 130.0)) == np.inf


def test_the_cost_is_said_with_its_ranges() -> None:
    """Median and range over trials, the number of trials, and what never ended."""
    case = outages._Case(20.0, 19.5, 0.5, 2, [21.0, 21.5], 0, 23.0)
    other = outages._Case(20.2, 20.5, 0.4, 4, [20.0, 22.0, 22.5, 23.0], 1, 25.0)
    cost = outages._cost("killed", "kill", [case, other])
    assert cost.orphaned == Spread(3, 2, 4)
    assert cost.cancelled == Spread(21.75, 20.0, 23.0)
    said = outages.sentence(cost)
    for words in ("2 trials", "failed for 20 s (19.5 s to 20.5 s)", "45 % of those", "2 to 4", "1 never ended", "24 s"):
        assert words in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lasts: 6}", "lasts: 50}", "does not lie within a trial"),
        ("after: 6, lasts: 18", "after: -1, lasts: 18", "does not lie within a trial"),
        ("{does: kill, after", "{after", "not what it does"),
        ("  nodes: 3", "  nodes: 1", "not what it does"),
        ("  mix:  ", "  drain: {tasks: 9}\n  mix:  ", "no arrivals that go on"),
        ("does: kill", "does: maim", "maim"),
        ("lasts: 6}", "lasts: 6, strike: [sh], mend: [sh]}", "commands for a node of the stand-in"),
        ("lasts: 6}", "lasts: 6, within: 0}", "gives its commands 0 s"),
        (
            "one of three nodes standing still for 18 s",
            "keeping 3 releases\n    retention: {keep: 3}",
            "share one server",
        ),
    ],
)
def test_a_wrong_outage_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """What is wrong, in which arm, and what to do."""
    with pytest.raises(UsageError, match=said):
        load(changed("failover", tmp_path, old, new))


def test_the_plan_says_which_arms_are_meant_to_fail() -> None:
    """So that failures void no trial of theirs, and its absence is spoken of."""
    experiment = check(load(HOUSE / "experiments" / "failover.yaml"), "failover")
    decided = plans.write_up(experiment, None, plans.Generator())
    assert decided["meant"] == {"killed": ["errors"], "frozen": ["errors"]}
    assert "killed 6 s into each trial and mended 6 s later" in decided["arms"]["killed"]
