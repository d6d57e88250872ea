"""Correlation: no link where there is none, however the noise wanders, and the size of one where there is."""

import math
from pathlib import Path

import numpy as np
import other_folders
import pytest

from reports import correlation, noise, page, results, run
from reports.correlation import EventCurve, Link
from reports.statistics import Floats, Untold

pytestmark = pytest.mark.unit

NOTHING = np.empty((720, 0))


def observed(profile: str, effect: float, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Two hours of 10 s slices with 7 episodes of 2 minutes that multiply the latency by `effect`."""
    wander = noise.environment(noise.PROFILES[profile], 1, 720, 10.0, generator)[0]
    y = wander + generator.normal(0, 0.09, 720)
    x = np.zeros(720)
    for begin in generator.choice(40, 7, replace=False) * 17 + 10:
        x[begin : begin + 12] = 1
    return y + math.log(effect) * x, x


def test_noise_that_wanders_makes_no_link() -> None:
    """Of 100 suspects without effect about 5 have p < 0.05 (specified: 2 to 8 %), where a regression has 32 to 56."""
    generator = np.random.default_rng(71)
    found = [correlation.link("backup", *observed("typical", 1.0, generator), NOTHING) for _ in range(100)]
    assert sum(one.p < 0.05 for one in found if isinstance(one, Link)) <= 5 + 3 * math.sqrt(100 * 0.05 * 0.95)
    assert all(isinstance(one, Link) for one in found)


def test_a_link_of_eleven_percent_is_found_with_its_size() -> None:
    """In two hours of a typical machine: power about 93 %, the factor without bias (1.10 to 1.12)."""
    generator = np.random.default_rng(72)
    found = [correlation.link("Retention", *observed("typical", 1.11, generator), NOTHING) for _ in range(40)]
    links = [one for one in found if isinstance(one, Link)]
    assert len(links) == 40
    assert sum(one.p < 0.05 for one in links) >= 32
    assert np.mean([one.factor for one in links]) == pytest.approx(1.11, abs=0.03)
    assert links[0].episodes == 7


def test_a_suspect_is_not_blamed_for_the_load_that_it_comes_with() -> None:
    """When latency follows the request rate and so does the suspect, holding the rate constant clears it."""
    generator = np.random.default_rng(73)
    y, x = observed("quiet", 1.0, generator)
    rate = 10 + 5 * x + generator.normal(0, 1, 720)
    y = y + 0.03 * rate
    blamed = correlation.link("backup", y, x, NOTHING)
    cleared = correlation.link("backup", y, x, rate[:, None])
    assert isinstance(blamed, Link)
    assert isinstance(cleared, Link)
    assert blamed.p < 0.01 < 0.05 < cleared.p


def test_many_suspects_are_corrected_for() -> None:
    """The q-values are those of Benjamini and Hochberg over all that could be tested; the guilty one stands out."""
    generator = np.random.default_rng(74)
    y, guilty = observed("quiet", 1.3, generator)
    suspects = {"Retention": guilty, "never": np.zeros(720)}
    suspects |= {f"project {n}": observed("quiet", 1.0, generator)[1] for n in range(5)}
    found = correlation.link_all(y, suspects, NOTHING)
    links = {name: one for name, one in found.items() if isinstance(one, Link)}
    assert links["Retention"].q < 0.05
    assert all(one.q >= one.p for one in links.values())
    assert isinstance(found["never"], Untold)
    assert "x1.3" in correlation.sentence(found["Retention"], "dashboard p95", "Retention")
    assert "an association" in correlation.sentence(found["Retention"], "dashboard p95", "Retention")
    assert "ran 0 separate times" in correlation.sentence(found["never"], "dashboard p95", "never")


def test_the_picture_of_events_shows_the_step() -> None:
    """Before an episode the factor is 1, after its begin that of the effect."""
    y, x = observed("quiet", 1.3, np.random.default_rng(75))
    found = correlation.around(y, x)
    assert isinstance(found, EventCurve)
    assert (found.offsets[0], found.offsets[12], found.offsets[-1]) == (-120, 0, 120)
    assert found.episodes == 7
    assert np.exp(np.log(found.factors[:12]).mean()) == pytest.approx(1.0)
    assert np.exp(np.log(found.factors[12:24]).mean()) == pytest.approx(1.3, abs=0.08)


def test_tasks_become_slices() -> None:
    """A task of 15 s that begins 5 s into the first slice counts 0.5 and 1.0; two at once count twice."""
    starts, ends = np.array([1005.0, 1025.0, 1025.0]), np.array([1020.0, 1030.0, 1030.0])
    assert correlation.running(starts, ends, 1000.0, 4).tolist() == pytest.approx([0.5, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("y", "x", "why"),
    [
        (np.zeros(720), np.r_[np.ones(5), np.zeros(300), np.ones(5), np.zeros(410)], "2 separate times"),
        (np.full(720, np.nan), np.tile([1.0, 0.0], 360), "no latency"),
        (np.zeros(100), np.tile([1.0, 0.0], 50), "too short"),
        (np.zeros(720), np.tile([1.0, 0.0], 300), "same slices"),
        (np.zeros(720), np.full(720, np.nan), "same slices"),
    ],
)
def test_what_cannot_be_tested_is_said(y: Floats, x: Floats, why: str) -> None:
    """Two episodes, no latencies, too short a time, unlike lengths, no numbers: a reason and no number."""
    found = correlation.link("backup", y, x, np.empty((y.size, 0)))
    assert isinstance(found, Untold)
    assert why in found.reason
    assert isinstance(correlation.around(np.full(720, np.nan), np.tile([1.0, 0.0], 360)), Untold)


def test_a_run_names_the_task_that_its_pages_are_slow_with(tmp_path: Path) -> None:
    """In each trial of half an hour Retention is blamed with its factor and Health is not; the page says so."""
    folder = other_folders.suspected(tmp_path, factor=1.3)
    finished, found = results.finish(run.read(folder))
    assert len(found.links) == 2 * len(finished.trials)
    guilty = [one.link for one in found.links if one.suspect == "Retention"]
    factors = [one.factor for one in guilty if one]
    assert len(factors) == len(finished.trials)
    assert np.exp(np.log(factors).mean()) == pytest.approx(1.3, abs=0.05)
    assert sum(one.q < 0.05 for one in guilty if one) >= len(factors) - 1
    assert sum(one.link.q < 0.05 for one in found.links if one.suspect == "Health" and one.link) <= 2
    assert "While Retention runs, dashboard p50 is x1." in page.render(finished, found)


def test_a_trial_that_is_too_short_is_not_asked(tmp_path: Path) -> None:
    """The usual trials of a minute say nothing about links, and no section speaks of them."""
    finished, found = results.finish(run.read(other_folders.searches(tmp_path)))
    assert found.links == []
    assert 'id="links"' not in page.render(finished, found)
