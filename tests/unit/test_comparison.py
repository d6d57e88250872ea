"""Runs beside each other: unlike ones are refused, effects are compared and levels are not, changes are marked."""

import io
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import run_folder
from rich.console import Console
from scipy import stats

from experiments import comparing
from octoload.errors import UsageError
from reports import comparison, results, trend

pytestmark = pytest.mark.unit

WIDE = {"design": {"pairs": 8, "seconds": 9.0, "demonstration": False}}


def made(folder: Path, ratio: float = 0.5, seed: int = 1, **changes: object) -> Path:
    """A finished run whose contender takes `ratio` times the baseline's time."""
    design = {**WIDE["design"], "seed": seed}
    results.build(run_folder.build(folder, run_folder.plan(design=design, **changes), ratio=ratio, noise=0.03))
    return folder


def printed(show: Callable[[Console], int]) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    assert show(console) == 0
    return console.export_text()


def rewrite(file: Path, **members: object) -> None:
    file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | members))


def test_a_changed_effect_is_found_and_an_equal_one_is_not(tmp_path: Path) -> None:
    """From 0.5 to 0.8 the effect has changed by 1.6; from 0.5 to 0.5 no change is shown."""
    first, same, other = (made(tmp_path / n, r, s) for n, r, s in [("a", 0.5, 1), ("b", 0.5, 2), ("c", 0.8, 3)])
    (equal,) = [one for one in _compared(first, same) if one.role == "primary"]
    (changed,) = [one for one in _compared(first, other) if one.role == "primary"]
    assert not equal.shown
    assert equal.change.low < 1 < equal.change.high
    assert changed.shown
    assert changed.change.low < 1.6 < changed.change.high
    text = printed(lambda console: comparing.show(first, other, console))
    assert text.startswith("The effect on dashboard p50 has changed by 1.")
    assert "No change of the effect" in printed(lambda console: comparing.show(first, same, console))


def _compared(first: Path, second: Path) -> list[comparison.Shift]:
    return comparison.compare(comparison.read(first), comparison.read(second))


def test_a_slower_hour_is_no_change(tmp_path: Path) -> None:
    """A run whose machine was twice as slow shows as another level, not as another effect."""
    first, second = made(tmp_path / "a", 0.5, 1), made(tmp_path / "b", 0.5, 2)
    document = msgspec.json.decode((second / "results.json").read_bytes())
    for effect in document["effects"]:
        effect["baseline"], effect["contender"] = effect["baseline"] * 2, effect["contender"] * 2
    (second / "results.json").write_bytes(msgspec.json.encode(document))
    (primary,) = [one for one in _compared(first, second) if one.role == "primary"]
    assert not primary.shown
    assert primary.level == pytest.approx(2, rel=0.1)


def test_runs_of_another_kind_are_refused_with_what_differs(tmp_path: Path) -> None:
    """Another dataset, workload, design or machine: exit code 2, and every difference is listed."""
    first = made(tmp_path / "a")
    second = made(tmp_path / "b", workload={"arrivals": "constant", "slots": 64, "mix": {"dashboard": 9.0}})
    rewrite(second / "manifest.json", fingerprint="sha256:other")
    rewrite(second / "provenance.json", machine={"system": "Linux 7", "processor": "other", "cores": 64})
    with pytest.raises(UsageError) as caught:
        comparing.show(first, second, Console(file=io.StringIO()))
    for name in ("dataset fingerprint", "workload arrivals", "workload mix", "machine processor", "machine cores"):
        assert name in caught.value.message
    assert "workload slots" not in caught.value.message


@pytest.mark.parametrize(
    ("file", "members", "why"),
    [
        ("results.json", {"valid": False, "sentence": "INVALID: no"}, "is INVALID"),
        ("results.json", {"trials": [{"started": 1.0}]}, "has run 1 of 16 trials"),
        ("results.json", {"effects": 3}, "cannot be read"),
        ("results.json", {"version": 99}, "version 99"),
        ("plan.json", {"primary": 3}, "plan.json"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(tmp_path: Path, file: str, members: dict[str, object], why: str) -> None:
    """INVALID, unfinished, damaged or of a newer format: one clear message."""
    folder = made(tmp_path)
    rewrite(folder / file, **members)
    with pytest.raises(UsageError, match=why):
        comparison.read(folder)


def test_what_a_run_may_differ_in_is_said(tmp_path: Path) -> None:
    """Another version of a library is no reason to refuse, but to know."""
    first, second = made(tmp_path / "a"), made(tmp_path / "b", seed=2)
    rewrite(second / "provenance.json", versions={"octoload": "0.2.0", "locust": "2.47.0"}, machine=_machine(first))
    assert "version of octoload: 0.1.0 / 0.2.0" in printed(lambda console: comparing.show(first, second, console))


def _machine(folder: Path) -> dict[str, object]:
    machine: dict[str, object] = msgspec.json.decode((folder / "provenance.json").read_bytes())["machine"]
    return machine


def test_the_difference_of_effects_is_welchs() -> None:
    """Interval and p are those of scipy; equal pairs without spread decide by their mean."""
    generator = np.random.default_rng(9)
    a, b = generator.normal(0, 0.1, 8), generator.normal(0.2, 0.3, 6)
    change, p = comparison.welch(a, b)
    reference = stats.ttest_ind(b, a, equal_var=False)
    limits = reference.confidence_interval()
    assert (p, change.low, change.high) == pytest.approx((reference.pvalue, limits.low, limits.high))
    assert comparison.welch(np.ones(3), np.ones(4))[1] == 1.0


def test_a_change_in_a_series_is_marked_where_it_is() -> None:
    """A level that rises by a quarter at the 13th of 20 runs is marked there; its size lies close."""
    series = np.random.default_rng(31).normal(0, 0.05, 20)
    series[12:] += math.log(1.25)
    (change,) = trend.changes(series.tolist())
    assert change.index == 12
    assert change.factor == pytest.approx(1.25, rel=0.05)
    assert trend.changes(series.tolist()) == [change]


def test_a_series_without_change_is_rarely_marked() -> None:
    """At most 1 % of series of 12 runs without any change get a mark."""
    generator = np.random.default_rng(32)
    marked = sum(bool(trend.changes(generator.normal(0, 0.1, 12).tolist())) for _ in range(200))
    assert marked <= 200 * 0.01 + 3 * math.sqrt(200 * 0.01 * 0.99)


@pytest.mark.parametrize("series", [[], [0.1], [0.1] * 20, [0.0, 1.0] * 2])
def test_a_series_that_is_too_short_or_still_has_no_change(series: list[float]) -> None:
    """Nothing, one value, equal values, fewer than three on either side: no mark."""
    assert trend.changes(series) == []


def test_a_trend_marks_the_run_and_lists_what_it_left_out(tmp_path: Path) -> None:
    """Seven runs at 0.5 and five at 0.8 are marked at the eighth; one of another kind and a broken one are named."""
    kinds = made(tmp_path / "pattern" / "half", 0.5), made(tmp_path / "pattern" / "more", 0.8)
    generator = np.random.default_rng(33)
    for number in range(12):
        source, folder = kinds[number >= 7], tmp_path / f"{number:02d}"
        folder.mkdir()
        for name in ("plan.json", "manifest.json", "provenance.json", "results.json"):
            shutil.copyfile(source / name, folder / name)
        document = msgspec.json.decode((folder / "results.json").read_bytes())
        trials = [trial | {"started": trial["started"] + 86_400 * number} for trial in document["trials"]]
        wobble = math.exp(generator.normal(0, 0.05))
        effects = [effect | {"ratio": effect["ratio"] * wobble} for effect in document["effects"]]
        rewrite(folder / "results.json", trials=trials, effects=effects)
    rewrite(tmp_path / "03" / "manifest.json", fingerprint="sha256:other")
    rewrite(tmp_path / "04" / "results.json", valid=False)
    narrow = Console(width=70, record=True, file=io.StringIO())
    comparing.show_trend(tmp_path, None, narrow)
    assert "…" not in narrow.export_text(), "figures are never cut off"
    text = printed(lambda console: comparing.show_trend(tmp_path, None, console))
    marked = [line for line in text.splitlines() if "from here" in line]
    assert len(marked) == 1
    assert marked[0].startswith("07:")
    assert "03 is of another kind (dataset fingerprint" in text
    assert "04 is INVALID" in text
    with pytest.raises(UsageError, match="no finished run of 'other'"):
        comparing.show_trend(tmp_path, "other", Console(file=io.StringIO()))
