"""The members that each operation's answers have always had, kept in a file that later answers are held to.

`OCTOLOAD_RECORD_SHAPES=1 python -m pytest tests/integration/test_contract_*.py` writes the file anew; what is lost then
shows in its difference. Members of the answer itself and of the documents in its lists; those that come and go are not
in it.
"""

import json
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("contract_shapes.json")
#: a member that is named after a document, not by the contract
_ID = re.compile(r"-\d+$|[0-9a-f]{8}-")
#: members that a document has only after its first change (octopus-api §B.3)
_LATER = {"LastModifiedOn", "LastModifiedBy"}
#: place in an answer (`""`, `[]`, `Items[]`) → the members that every document there has
Shape = dict[str, list[str]]


def shape_of(body: Any) -> Shape:
    """Return the members of an answer; a place without documents is left out."""
    if isinstance(body, list):
        return _of_list("[]", body)
    if not isinstance(body, dict):
        return {}
    found = {"": _members(body)}
    for name, value in body.items():
        if isinstance(value, list):
            found |= _of_list(f"{name}[]", value)
    return found


def lacking(known: Shape, body: Any) -> list[str]:
    """Return the members of a shape that an answer lacks, such as `Items[].Name`."""
    found = shape_of(body)
    return [
        f"{place}.{name}".removeprefix(".")
        for place, names in known.items()
        if place in found
        for name in names
        if name not in found[place]
    ]


def common(one: Shape, other: Shape) -> Shape:
    """Return what two answers have in common; a place that only one of them has is kept."""
    both = {place: sorted(set(one[place]) & set(other[place])) for place in one.keys() & other.keys()}
    return dict(sorted({**one, **other, **both}.items()))


def read() -> dict[str, Shape]:
    """Return the shapes by operation."""
    known: dict[str, Shape] = json.loads(FILE.read_text("utf-8"))
    return known


def write(shapes: dict[str, Shape]) -> None:
    """Write the shapes, an operation a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(shape)}" for key, shape in sorted(shapes.items()) if shape]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def _of_list(place: str, documents: list[Any]) -> Shape:
    if not documents or not all(isinstance(one, dict) for one in documents):
        return {}
    return {place: sorted(set.intersection(*(set(_members(one)) for one in documents)))}


def _members(document: dict[str, Any]) -> list[str]:
    return sorted(name for name in document if name not in _LATER and not _ID.search(name))
