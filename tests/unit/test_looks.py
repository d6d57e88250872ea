"""Planned looks: the specification's levels, the false alarms that they keep, and what a run does with them."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import run_folder

from reports import looks, results, run, statistics
from reports.effects import compare
from reports.looks import Levels

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("planned", "level"), [((8, 16), 0.0294), ((6, 12, 18), 0.0221)])
def test_levels_are_those_of_the_specification(planned: tuple[int, ...], level: float) -> None:
    """Two equal looks use 0.0294 each, three 0.0221 (statistics §2.6)."""
    assert looks.levels(planned).claim == pytest.approx(level, abs=5e-5)


def test_one_look_keeps_the_usual_level() -> None:
    """A run without looks, or with one at its end, tests at 5 %, two-sided and one-sided."""
    assert looks.levels([]) == looks.levels([8]) == Levels(0.05, 0.05)


def test_corrected_looks_keep_false_alarms_and_peeking_does_not() -> None:
    """Stopping at significance: two corrected looks 5.2 %, after every pair from 6 to 20 18 % (statistics §2.6)."""
    runs = 6000
    draws = np.random.default_rng(26).normal(size=(runs, 20))

    def alarmed(planned: range | tuple[int, ...], level: float) -> float:
        p = np.array([[statistics.paired_t(draw[:n]).p for n in planned] for draw in draws[:3000]])
        return float((p < level).any(axis=1).mean())

    error = (0.05 * 0.95 / 3000) ** 0.5
    assert abs(alarmed((8, 16), looks.levels((8, 16)).claim) - 0.052) < 3 * error
    assert abs(alarmed(range(6, 21), 0.05) - 0.18) < 0.025


def test_a_settled_look_ends_the_run_with_a_wider_interval(tmp_path: Path) -> None:
    """A large effect is settled at the first look; one look alone would have had a narrower interval."""
    design = {"pairs": 8, "looks": [4, 8], "demonstration": False}
    folder = run_folder.build(tmp_path / "two", run_folder.plan(design=design), trials=8)
    taken = results.look(folder, 10.0)
    assert (taken.pairs, taken.planned, taken.stopped) == (4, True, True)
    assert taken.verdicts == {"dashboard p50": "better"}
    found = results.build(folder, 20.0)
    states = {check.name: check.state for check in found.checks}
    assert states["looks"] == "ok"
    assert "go on with" not in " ".join(found.warnings)
    read = run.read(folder)
    once = msgspec.structs.replace(read.plan, design=msgspec.structs.replace(read.plan.design, looks=[]))
    (narrow,), (wide,) = compare(read.pairs, once)[:1], found.of("primary")
    assert wide.ci_low < narrow.ci_low < narrow.ratio == wide.ratio


def test_an_open_look_goes_on(tmp_path: Path) -> None:
    """Where nothing is settled the look is logged and the run is not ended by it."""
    design = {"pairs": 8, "looks": [4, 8]}
    folder = run_folder.build(tmp_path, run_folder.plan(design=design), ratio=1.0, noise=0.4, trials=8)
    assert not results.look(folder, 10.0).stopped
    assert [look.at for look in looks.read(folder)] == [10.0]


def test_peeking_is_logged_and_said(tmp_path: Path) -> None:
    """A report on an unfinished run is an unplanned look: it is counted, and the result says what it costs."""
    folder = run_folder.build(tmp_path, run_folder.plan(design={"pairs": 8}), trials=10)
    results.build(folder, 10.0)
    found = results.build(folder, 20.0)
    assert [look.planned for look in looks.read(folder)] == [False, False]
    assert {check.name: check.state for check in found.checks}["looks"] == "warn"
    assert any("2 times before the end" in warning for warning in found.warnings)
