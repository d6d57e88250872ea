"""The published schema of results.json: it is the one of the records, and files that are written keep to it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import run_folder

from reports import results, schema

pytestmark = pytest.mark.unit

KINDS = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
#: What the schema may say, so that nothing in it goes unread.
KNOWN = {"$ref", "additionalProperties", "anyOf", "const", "default", "enum", "items", "properties", "required", "type"}
NOTES = {"$defs", "$schema", "description", "title"}


def faults(value: Any, wanted: dict[str, Any], whole: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Hold a document against the part of JSON Schema that the published one uses."""
    assert wanted.keys() <= KNOWN | NOTES
    if "$ref" in wanted:
        wanted = whole["$defs"][wanted["$ref"].removeprefix("#/$defs/")]
    choices = wanted.get("anyOf")
    if choices and all(any(faults(value, choice, whole)) for choice in choices):
        yield f"{at} fits no alternative"
    kinds = wanted.get("type", [*KINDS])
    if not any(KINDS[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield f"{at} is no {kinds}"
    elif value not in wanted.get("enum", [value]) or value != wanted.get("const", value):
        yield f"{at} is {value!r}"
    elif isinstance(value, dict):
        yield from (f"{at}.{name} is missing" for name in wanted.get("required", []) if name not in value)
        others = wanted.get("additionalProperties", {})
        for name, one in value.items():
            yield from faults(one, wanted.get("properties", {}).get(name, others or {}), whole, f"{at}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from faults(one, wanted.get("items", {}), whole, f"{at}[{number}]")


def test_the_published_schema_is_that_of_the_records() -> None:
    """A changed record needs a new file: python -c "from reports import schema; schema.publish()"."""
    assert msgspec.json.decode(schema.PUBLISHED.read_bytes()) == schema.of_results()


@pytest.mark.parametrize("failures", [0.0, 0.05])
def test_what_is_written_keeps_to_the_schema(tmp_path: Path, failures: float) -> None:
    """Valid or void, results.json has every member in its kind; numbers that cannot be said are null."""
    folder = run_folder.build(tmp_path, failures=failures)
    results.build(folder)
    text = (folder / "results.json").read_text(encoding="utf-8")
    assert not re.search(r"NaN|Infinity", text)
    assert list(faults(msgspec.json.decode(text), schema.of_results(), schema.of_results())) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "$.version is 2"),
        ({"valid": "yes"}, "$.valid is no boolean"),
        ({"effects": [{}]}, "$.effects[0].operation is missing"),
        ({"scaling": {"rounds": 3}}, "$.scaling fits no alternative"),
    ],
)
def test_a_file_of_another_shape_breaks_the_schema(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    """The check that the tests above rest on does find what is wrong."""
    folder = run_folder.build(tmp_path)
    results.build(folder)
    document = msgspec.json.decode((folder / "results.json").read_bytes()) | change
    assert next(iter(faults(document, schema.of_results(), schema.of_results()))) == fault
