"""Programs: what is made of the last words of one that ended."""

from pathlib import Path

import pytest

from experiments.processes import last_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("log", "message", "cure"),
    [
        ("standin: the disk is full\n  Free some space.\n", "standin: the disk is full", "Free some space."),
        ("progress\nstandin: no\n  Do this,\n  and that.\n\n", "standin: no", "Do this, and that."),
        ("one line\n", "one line", ""),
        ("", "it said nothing", ""),
        ("  only indented\n", "only indented", ""),
    ],
)
def test_the_last_message_is_quoted_with_its_cure(tmp_path: Path, log: str, message: str, cure: str) -> None:
    """The last line that is not indented is the message; what is indented below it is the cure."""
    file = tmp_path / "log"
    file.write_text(log, encoding="utf-8")
    assert last_words(file) == (message, cure)


def test_a_program_that_never_wrote_said_nothing(tmp_path: Path) -> None:
    """A log that is not there is no reason for a traceback."""
    assert last_words(tmp_path / "none") == ("it said nothing", "")
