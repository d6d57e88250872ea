"""The bulk writer's file: whole or not there, and the same inside whether zipped or not."""

import errno
import gzip
import hashlib
from pathlib import Path

import msgspec
import pytest

from octoload.errors import UsageError
from seeders import bulk, history
from seeders.history import History

pytestmark = pytest.mark.integration

SMALL = History(name="small", projects=5, releases_per_project=30)


@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.gz"])
def test_a_file_has_header_lines_and_footer(tmp_path: Path, name: str):
    """The first line tells the history, the last one what lies between; `.gz` is zipped."""
    told: list[tuple[int, int]] = []
    footer = bulk.write(SMALL, tmp_path / name, lambda done, total, _label: told.append((done, total)))
    content = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith(".gz") else content).splitlines(keepends=True)
    header, last = msgspec.json.decode(lines[0]), msgspec.json.decode(lines[-1])
    assert (header["kind"], header["format"], header["version"]) == ("header", "octoload.history", 1)
    assert msgspec.convert(header["history"], History) == SMALL
    assert last == {"kind": "footer", "counts": footer.counts, "fingerprint": footer.fingerprint}
    assert footer.fingerprint == f"sha256:{hashlib.sha256(b''.join(lines[1:-1])).hexdigest()}"
    assert told[-1] == (len(lines) - 2, len(lines) - 2)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_fingerprint_does_not_depend_on_the_day(tmp_path: Path):
    """Times are relative to the end of the history, so only the header changes from week to week."""
    first = bulk.write(SMALL, tmp_path / "a.jsonl", until=1_700_000_000.0)
    second = bulk.write(SMALL, tmp_path / "b.jsonl.gz", until=1_800_000_000.0)
    assert first == second


def test_a_full_disk_leaves_the_old_file_and_no_half(tmp_path: Path, monkeypatch):
    """When the disk is full the error says so, and neither a half-written file nor a temporary one stays."""
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        bulk.write(SMALL, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path):
    """Ctrl-C in the middle leaves no half-written file behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bulk.write(SMALL, tmp_path / "history.jsonl", interrupt)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["demo", "small"])
def test_brought_histories_are_read(name: str):
    """The histories that octoload brings can be named from anywhere."""
    assert history.load(history.find(name, Path("/"))).name == name


def test_a_history_without_a_name_takes_its_files(tmp_path: Path):
    """A file beside the experiment is found by its name, and names its history."""
    (tmp_path / "mine.yaml").write_text("projects: 3\n", encoding="utf-8")
    assert history.load(history.find("mine.yaml", beside=tmp_path)) == History(name="mine", projects=3)


def test_an_unknown_history_is_told_with_the_known_ones(tmp_path: Path):
    """A name that is neither a file nor brought is refused, and the names to choose from are listed."""
    with pytest.raises(UsageError, match="company, demo, enterprise"):
        history.find("dmeo", beside=tmp_path)
