"""An A/A that is interrupted in its second comparison goes on where it was."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import read

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def finished(comparison: Path) -> dict[Path, bytes]:
    """Return the trials of a comparison that have ended."""
    return {file: file.read_bytes() for file in sorted(comparison.glob("trials/*/trial.json"))}


def test_an_interrupted_calibration_goes_on(octoload: Callable[..., Any], tiny: Path, tmp_path: Path) -> None:
    """Ctrl-C keeps the trials and leaves no process; --resume runs the others, and nothing is begun twice."""
    folder = tmp_path / "aa"
    asked = ("calibrate", str(tiny), "--times", "2", "--seconds", "1", "--out", str(folder))

    command = octoload(*asked)
    command.until(lambda: len(finished(folder / "02")) >= 1)
    command.end(signal.SIGINT)
    code, said = command.finish()
    assert code == 130, said
    assert f"--resume --out {folder}" in said
    assert command.survivors() == []
    kept = finished(folder / "01") | finished(folder / "02")
    assert len(finished(folder / "01")) == 12

    command = octoload(*asked)
    code, said = command.finish()
    assert code == 2
    assert "holds a calibration already" in said

    command = octoload(*asked, "--resume", "--against", "http://127.0.0.1:9")
    code, said = command.finish()
    assert code == 2
    assert "other arms" in said

    command = octoload(*asked, "--resume")
    code, said = command.finish()
    assert code in {0, 1, 3}, said  # trials of a second are for the order of things, not for numbers
    assert len(finished(folder / "02")) == 12
    assert {file: file.read_bytes() for file in kept} == kept
    assert not (folder / "01" / "standin").exists()
    if code == 3:
        assert "INVALID" in said
    else:
        found = read(folder / "calibration.json")
        assert found["comparisons"] + found["invalid"] == 2

    command = octoload(*asked, "--resume")
    again, said = command.finish()
    assert again == code
    assert "Starting PostgreSQL" not in said  # nothing is left to measure
    assert {file: file.read_bytes() for file in kept} == kept
