"""The log of a task as clients read it: a tree of activities, or lines of text (octopus-api §A.14)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from standin.documents import Document
from standin.tasklog import Element, Entry

#: categories that a short log leaves out
_DETAILS = {"Verbose", "Trace"}


@dataclass(frozen=True, slots=True)
class LogPart:
    """The part of a log that is asked for."""

    #: details too
    verbose: bool = True
    #: so many messages of each activity, from its end; None: all
    tail: int | None = None


def show_activity(task: str, element: Element, part: LogPart) -> dict[str, Any]:
    """Return an element of a log with all that is below it."""
    return {
        "Id": f"{task}_{element.id}" if element.id else task,
        "Name": element.name,
        "Started": element.started,
        "Ended": element.ended,
        "Status": element.status,
        "Children": [show_activity(task, child, part) for child in element.children],
        "ShowAtSummaryLevel": True,
        "LogElements": _messages(element.entries, part),
        "ProgressPercentage": 100 if element.ended else 0,
        "ProgressMessage": "",
    }


def without_log(task: Document) -> dict[str, Any]:
    """Return the one activity of a task that has no log: it waits, or its log is gone."""
    states = {"Queued": "Pending", "Executing": "Running", "Cancelling": "Running", "TimedOut": "Canceled"}
    status: str = states.get(task["State"]) or task["State"]
    element = Element("", task["Description"], status, started=task["StartTime"], ended=task["CompletedTime"])
    return show_activity(task["Id"], element, LogPart())


def lines_of(element: Element, depth: int = 0) -> Iterable[str]:
    """Yield a log as lines of text."""
    yield f"{'  ' * depth}== {element.status}: {element.name} =="
    for entry in element.entries:
        yield f"{entry.at[11:19]}   {entry.category or 'Info':<8} | {'  ' * depth}{entry.text}"
    for child in element.children:
        yield from lines_of(child, depth + 1)


def _messages(entries: Sequence[Entry], part: LogPart) -> list[dict[str, Any]]:
    """Return messages with their numbers; a gap stands for those before the tail."""
    wanted = [(number, entry) for number, entry in enumerate(entries, start=1) if part.verbose or not _is_detail(entry)]
    tail = len(wanted) if part.tail is None else max(part.tail, 0)
    left_out, shown = wanted[: len(wanted) - tail], wanted[len(wanted) - tail :]
    gap = [_gap(left_out[0], left_out[-1][0])] if left_out else []
    return [*gap, *(_message(number, entry) for number, entry in shown)]


def _is_detail(entry: Entry) -> bool:
    return entry.category in _DETAILS


def _message(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "Category": entry.category or "Info",
        "OccurredAt": entry.at,
        "MessageText": entry.text,
        "Detail": "",
        "Number": number,
        "GapLastNumber": None,
    }


def _gap(first: tuple[int, Entry], last: int) -> dict[str, Any]:
    number, entry = first
    return {**_message(number, entry), "Category": "Gap", "MessageText": "", "GapLastNumber": last}
