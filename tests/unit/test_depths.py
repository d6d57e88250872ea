"""Depths of history: what an experiment may ask for, what each arm is filled with, and what a real server tells."""

from pathlib import Path
from typing import Any

import pytest
from brought import changed

from experiments import depths, instances
from experiments.experiment import load
from experiments.plan import Generator, write_up
from octoload.errors import ServerError, UsageError
from seeders import plan as seeding
from seeders import stream
from seeders.history import History

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("depth: 0.25, changes: [rows]", "depth: 0.25", "'quarter' has another depth"),
        ("depth: 0.25, changes: [rows]", "changes: [rows]", "'quarter' is meant to change rows, and holds"),
        ("whole history}", "whole history, changes: [rows]}", "the baseline 'whole'"),
        ("depth: 0.25,", "depth: -1,", "'quarter' has a depth of -1"),
        ("depth: 0.25,", "depth: .nan,", "'quarter' has a depth of nan"),
        ("depth: 0.25,", "depth: deep,", r"arms\.quarter\.depth: expected"),
        ("depth: 0.25,", "depth: 0.25, nodes: 1,", "two experiments"),
        ("depth: 0.25,", "depth: 0.25, retention: {keep: 3},", "two experiments"),
    ],
)
def test_a_depth_that_cannot_be_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Before anything is seeded: which arm, and what to do."""
    with pytest.raises(UsageError, match=said):
        load(changed("history-depth", tmp_path, old, new))


def test_a_depth_of_a_real_server_is_its_own(tmp_path: Path) -> None:
    """There is nothing to seed: the arm's instance holds what it holds, and may say that its rows differ."""
    text = """
name: real
question: Deep?
compare: {baseline: a, contender: b}
arms: {a: {url: 'http://a.example'}, b: {url: 'http://b.example', changes: [rows]DEPTH}}
workload: {mix: {dashboard: 1}}
objectives: {primary: [dashboard p50]}
"""
    file = tmp_path / "real.yaml"
    file.write_text(text.replace("DEPTH", ""), encoding="utf-8")
    assert write_up(load(file), None, Generator())["meant"] == {"b": ["rows"]}
    file.write_text(text.replace("DEPTH", ", depth: 2"), encoding="utf-8")
    with pytest.raises(UsageError, match="octoload seed"):
        load(file)


def test_depths_of_a_small_history_must_lie_apart() -> None:
    """Two releases a project are the same history at a half and at a third; at a half and at one they are not."""
    small = History(name="small", releases_per_project=2, age_days=2)
    depths.check(small, [1.0, 0.5])
    with pytest.raises(UsageError, match=r"the same at the depths 0\.5 and 0\.4"):
        depths.check(small, [1.0, 0.5, 0.4])
    with pytest.raises(UsageError, match="cannot be 1000 times as deep"):
        depths.check(History(name="large", releases_per_project=20_000), [1000.0])


def test_a_depth_changes_the_time_that_a_history_spans_and_nothing_else() -> None:
    """Half the depth: half the releases over half the days, in the same projects; the whole is the history itself."""
    whole = History(name="h", projects=7, releases_per_project=20, runbooks=1, runs_per_runbook=4, age_days=100)
    assert whole.at_depth(1.0) == whole
    half = whole.at_depth(0.5)
    assert (half.releases, half.runs, half.age_days) == (whole.releases / 2, whole.runs / 2, 50)
    names = [
        [record.name for record in seeding.draw(one).settings if isinstance(record, stream.Project)]
        for one in (whole, half)
    ]
    assert names[0] == names[1]


class Counting:
    """A server that tells its counts, or refuses to."""

    def __init__(self, counts: dict[str, int] | None) -> None:
        self._counts = counts

    def counts(self) -> dict[str, int]:
        if self._counts is None:
            raise ServerError("403", "Give the key's user the right.")
        return self._counts


def test_a_real_server_s_counts_are_its_rows() -> None:
    """Under the tables' names, so that a curve over depths can be drawn; a refusal says what it was for."""
    server: Any = Counting({"deployment": 900, "release": 300, "space": 1})
    assert instances._count_rows(server) == {"Deployment": 900, "Release": 300}
    refusing: Any = Counting(None)
    with pytest.raises(ServerError, match="403") as caught:
        instances._count_rows(refusing)
    assert caught.value.cure.startswith("Give the key's user the right.")
    assert "changes" in caught.value.cure


def test_arms_of_one_depth_share_a_history() -> None:
    """In their order; an arm that says nothing holds the history as it is."""
    assert depths.shared({"a": None, "b": 0.5, "c": 1.0, "d": 0.5}) == {1.0: ["a", "c"], 0.5: ["b", "d"]}
