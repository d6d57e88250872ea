"""The example in README.md: every figure comes from a run, by one command."""

import re
from typing import Any

import msgspec
import pytest

from benchmarks import example
from benchmarks.example import BEGIN, END, README, Example
from experiments.experiment import Design, load
from octoload import files
from octoload.errors import UsageError

pytestmark = pytest.mark.unit

QUESTIONS = example.HOUSE / "experiments"


def shown() -> Example:
    """Return the facts that are kept beside README.md."""
    return msgspec.convert(files.read_json(example.FACTS, "example", 1), Example)


def test_the_picture_is_of_the_same_run() -> None:
    """Text and picture are written together: the facts hold the picture's fingerprint."""
    assert files.read_json(example.FACTS, "example", 1)["picture"] == example.fingerprint(example.PICTURE)


def test_readme_says_what_the_run_found_to_the_letter() -> None:
    """Between the marks stands what the command writes from the kept facts, and each figure of them moves it."""
    text = README.read_text(encoding="utf-8")
    assert example.insert(text, example.block(shown())) == text
    assert example.block(msgspec.structs.replace(shown(), requests=1)) not in text


def test_no_other_figure_in_readme_is_by_hand() -> None:
    """Outside the example and code, a number is the design's, an experiment's, a level or a version."""
    text = README.read_text(encoding="utf-8")
    text = text[: text.index(BEGIN)] + text[text.index(END) :]
    text = re.sub(r"```.*?```|`[^`]*`|https?://\S+|^\d\. |\[[^]]*\]\([^)]*\)", "", text, flags=re.DOTALL | re.MULTILINE)
    keeps = load(QUESTIONS / "retention.yaml").arms["keep-3"].retention
    away = load(QUESTIONS / "sql-host.yaml").arms["two-ms-away"].sql_latency
    assert keeps is not None
    known = {
        "Python 3.11": '>=3.11"' in (example.HOUSE / "pyproject.toml").read_text(encoding="utf-8"),
        f"keep {keeps.keep} releases": True,
        "95 % interval": True,
        f"{Design().pairs} pairs of two-minute trials": Design().seconds == 120,
        f"{(away or '').removesuffix('ms')} ms away": True,
        "Apache-2.0": True,
    }
    for words, holds in known.items():
        assert holds
        assert words in text
        text = text.replace(words, "")
    assert re.findall(r"\d+", text) == []


def results(control: str = "equivalent", **changes: Any) -> dict[str, Any]:
    rows = {"Release": 10, "Deployment": 30, "Event": 90}
    effect = {
        "operation": "dashboard", "metric": "p50", "role": "primary", "baseline": 0.2, "contender": 0.1, "ratio": 0.5,
        "ci_low": 0.4, "ci_high": 0.6, "verdict": "better", "pairs": 6,
    }  # fmt: skip
    trial = {"valid": True, "started": 0.0, "operations": {"dashboard": {"requests": 7}}}
    return {
        "valid": True,
        "sentence": "Half.",
        "effects": [{**effect, "role": "exploratory"}, {**effect, "role": "control", "verdict": control}, effect],
        "trials": [trial, {**trial, "valid": False}, trial],
        "database": {"all": {"rows": rows}, "few": {"rows": {**rows, "Release": 3}}},
        "provenance": {"machine": {"cores": 2}, "versions": {"octoload": "1.0"}},
        **changes,
    }


PLAN = {"baseline": "all", "contender": "few", "design": {"seconds": 10.0}}


def test_an_extract_holds_what_decided_and_what_was_valid() -> None:
    """Primary endpoints come first, exploratory ones are left out, and so are the requests of an invalid trial."""
    found = example.extract(results(), PLAN)
    assert [endpoint.role for endpoint in found.endpoints] == ["primary", "control"]
    assert (found.requests, found.pairs, found.day) == (14, 6, "1 January 1970")
    assert [arm.releases for arm in found.arms] == [10, 3]
    assert "| 200 ms | 100 ms | 0.50 (0.40 to 0.60) | better |" in example.block(found)


def test_what_cannot_be_shown_is_refused() -> None:
    """An invalid run is no example, nor one whose control moved; a README without its marks is not guessed at."""
    with pytest.raises(UsageError, match="not valid"):
        example.extract(results(valid=False), PLAN)
    with pytest.raises(UsageError, match="dashboard, a control, is slightly worse"):
        example.extract(results(control="slightly worse"), PLAN)
    with pytest.raises(UsageError, match="no place"):
        example.insert("# octoload", example.block(shown()))
