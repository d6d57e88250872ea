"""JUnit XML: what a build server shows is what the exit code says."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import run_folder

from reports import junit, results, run

pytestmark = pytest.mark.unit

FULL = {"pairs": 8, "seconds": 60.0, "demonstration": False}


def suites(folder: Path) -> tuple[int, dict[str, ET.Element]]:
    finished, found = results.finish(run.read(folder))
    root = ET.fromstring(junit.render(finished, found))
    return found.exit_code, {suite.attrib["name"]: suite for suite in root}


def outcome(suite: ET.Element, name: str) -> str:
    (case,) = [case for case in suite if case.attrib["name"] == name]
    return case[0].tag


@pytest.mark.parametrize(
    ("ratio", "noise", "gated", "open_", "code"),
    [
        (1 / 2, 0.01, "system-out", "system-out", results.PASSED),
        (1.5, 0.01, "failure", "system-out", results.FAILED),
        (1.0, 0.30, "failure", "skipped", results.UNDECIDED),
    ],
)
def test_a_gate_decides_what_fails(
    tmp_path: Path, ratio: float, noise: float, gated: str, open_: str, code: int
) -> None:
    """Under a gate worse and inconclusive fail as in the exit code; without one nothing fails."""
    kinds = {"gate": gated, "open": open_}
    for name, kind in kinds.items():
        decided = run_folder.plan(gate=name == "gate", design=FULL)
        exit_code, found = suites(run_folder.build(tmp_path / name, decided, ratio=ratio, noise=noise))
        endpoints = found["endpoints"]
        assert outcome(endpoints, "dashboard p50") == kind
        assert (exit_code == results.PASSED) == (endpoints.attrib["failures"] == "0")
        assert exit_code == (code if name == "gate" else results.PASSED)


def test_a_void_run_is_an_error_and_its_numbers_are_skipped(tmp_path: Path) -> None:
    """The check that voids the run is the error; no endpoint passes."""
    _, found = suites(run_folder.build(tmp_path, failures=0.05))
    assert int(found["validity"].attrib["errors"]) >= 1
    assert {case[0].tag for case in found["endpoints"]} <= {"skipped"}
    assert int(found["validity"].attrib["tests"]) == len(found["validity"])


def test_texts_that_xml_cannot_hold_are_replaced(tmp_path: Path) -> None:
    """A name with control characters and markup still gives a file that can be read."""
    folder = run_folder.build(tmp_path, run_folder.plan(name="a\x00<b>&\x1b"))
    finished, found = results.finish(run.read(folder))
    root = ET.fromstring(junit.render(finished, found))
    assert root.attrib["name"] == "octoload a\N{REPLACEMENT CHARACTER}<b>&\N{REPLACEMENT CHARACTER}"
