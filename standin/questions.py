"""What a task asks people while it runs, and what they answer (octopus-api §A.18); pure."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

MANUAL = "ManualIntervention"
GUIDED_FAILURE = "GuidedFailure"
#: kind of question → what its answer may be, by the member of the form that holds it
ANSWERS = {
    MANUAL: ("Result", ("Proceed", "Abort")),
    GUIDED_FAILURE: ("Guidance", ("Fail", "Retry", "Ignore", "Exclude")),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    #: `ManualIntervention` or `GuidedFailure`
    kind: str
    #: in a line
    title: str
    #: what the one who answers fills in: `Values` and `Elements`
    form: dict[str, Any]
    #: ids of the teams whose members may answer; none: anybody
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    #: member of the form → its value
    values: dict[str, Any]
    #: name of who answered
    by: str


#: Puts a question and waits for its answer; the second argument says what the task gives up meanwhile: "" nothing,
#: "Blocking" its slot, "Released" its slot and its concurrency tag.
Ask = Callable[[Question, str], Awaitable[Answer]]


def manual(name: str, instructions: str, teams: Sequence[str]) -> Question:
    """Return the question of a manual step."""
    elements = [
        _element("Instructions", {"Type": "Paragraph", "Text": instructions, "ResolveLinks": False}),
        _element("Notes", {"Type": "TextArea", "Label": "Notes"}),
        _element("Result", _buttons(MANUAL), required=True),
    ]
    return Question(MANUAL, name, _form(elements), tuple(teams))


def guidance(name: str, where: str) -> Question:
    """Return the question after a failure in guided mode."""
    text = f"{name} failed on {where}. Look at the task's log, then say how the deployment is to go on."
    elements = [
        _element("Instructions", {"Type": "Paragraph", "Text": text, "ResolveLinks": False}),
        _element("Notes", {"Type": "TextArea", "Label": "Notes"}),
        _element("Guidance", _buttons(GUIDED_FAILURE), required=True),
    ]
    return Question(GUIDED_FAILURE, f"Guidance is required: {name} failed on {where}", _form(elements))


def _form(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Values": {element["Name"]: None for element in elements}, "Elements": elements}


def _element(name: str, control: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"Name": name, "Control": control, "IsValueRequired": required}


def _buttons(kind: str) -> dict[str, Any]:
    _, values = ANSWERS[kind]
    buttons = [{"Text": one, "Value": one, "RequiresConfirmation": one == "Abort"} for one in values]
    return {"Type": "SubmitButtonGroup", "Buttons": buttons}
