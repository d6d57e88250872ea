"""Task logs: one file of JSON lines a task, written while it runs, read back as a tree of activities.

Lines are of two kinds. `{"element", "name", "status", "at"}` opens an element (with its name) or closes it (without);
`{"element", "category", "at", "text"}` is a message in it. Elements are numbered by their place in the tree: the root
is "", its second child "2", that one's first child "2/1".
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from standin.documents import time_text

#: Statuses of an element that has ended (octopus-api §A.14).
ENDED = ("Success", "SuccessWithWarning", "Failed", "Skipped", "Canceled")


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a task log."""

    #: where in the tree
    element: str
    #: time, ISO 8601
    at: str
    #: name of the element that opens here
    name: str = ""
    #: status of the element that opens or closes here
    status: str = ""
    #: `Info`, `Error` and the like
    category: str = ""
    #: the message
    text: str = ""


@dataclass(slots=True)
class Element:
    """An activity of a task with its messages and children."""

    #: place in the tree
    id: str
    #: what is done
    name: str
    #: `Pending`, `Running`, `Success`, …
    status: str
    #: time at which it began, ISO 8601
    started: str | None = None
    #: time at which it ended, or None
    ended: str | None = None
    #: its messages in order
    entries: list[Entry] = field(default_factory=list)
    #: its parts in order
    children: list["Element"] = field(default_factory=list)


class TaskLog:
    """The log of one task, written a line at a time; a context manager that closes the file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._children: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def open(self, parent: str | None, name: str, status: str = "Running") -> str:
        """Open an element below `parent` (None: the root itself) and return its id."""
        if parent is None:
            element = ""
        else:
            number = self._children[parent] = self._children.get(parent, 0) + 1
            element = f"{parent}/{number}" if parent else str(number)
        self._write(Entry(element, _now(), name=name, status=status))
        return element

    def close(self, element: str, status: str) -> None:
        """Close an element."""
        self._write(Entry(element, _now(), status=status))

    def write(self, element: str, text: str, category: str = "Info") -> None:
        """Write a message."""
        self._write(Entry(element, _now(), category=category, text=text))

    def _write(self, entry: Entry) -> None:
        self._file.write(msgspec.json.encode(entry) + b"\n")


def log_path(folder: Path, task_id: str) -> Path:
    """Return where a task's log lies. `task_id` must be an id that the database knows."""
    return folder / f"{task_id}.jsonl"


def read_entries(path: Path) -> list[Entry]:
    """Return the lines of a log; none when the task has not started, was loaded, or is being written just now."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [_decoder.decode(line) for line in lines[:-1]]


def read_tree(path: Path) -> Element | None:
    """Return a log as a tree, or None when there is none."""
    found: dict[str, Element] = {}
    for entry in read_entries(path):
        if entry.name:
            element = Element(entry.element, entry.name, entry.status, started=entry.at)
            found[entry.element] = element
            if entry.element:
                found[entry.element.rpartition("/")[0]].children.append(element)
        elif entry.status:
            found[entry.element].status, found[entry.element].ended = entry.status, entry.at
        else:
            found[entry.element].entries.append(entry)
    return found.get("")


def _now() -> str:
    return time_text(datetime.now(UTC))


_decoder: Any = msgspec.json.Decoder(Entry)
