"""docs/seeding.md keeps its word: what it says of the guard is what tests show."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_each_situation_of_the_guard_is_shown_by_a_test() -> None:
    """The last column of the table names tests that there are, and all situations that are tested stand in it."""
    page = (ROOT / "docs" / "seeding.md").read_text("utf-8")
    guard = page.partition("## The guard")[2].partition("## Cleaning")[0]
    rows = [line.split("|")[1:-1] for line in guard.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 12
    named = [re.findall(r"`([^`]+)`", shown) for _, _, shown in rows]
    assert all(named)
    tests = {name for names in named for name in names}
    source = "".join(
        (ROOT / "tests" / "integration" / f"test_{name}.py").read_text("utf-8")
        for name in ("guard", "guard_situations", "seeding")
    )
    tables = re.findall(r"^SITUATIONS = \{(.*?)^\}", source, re.DOTALL | re.MULTILINE)
    situations = {name for table in tables for name in re.findall(r'^    "([^"]+)": \(', table, re.MULTILINE)}
    assert len(situations) >= 12
    assert sorted(tests - situations - set(re.findall(r"def (test_\w+)", source))) == []
    assert sorted(situations - tests) == []
