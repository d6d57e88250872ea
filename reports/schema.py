"""The JSON Schema of `results.json`, made from the records that are written; published as `results.schema.json`."""

import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from octoload.files import write_bytes
from reports.results import Results

#: The published file, beside this module.
PUBLISHED = Path(__file__).with_name("results.schema.json")


def of_results() -> dict[str, Any]:
    """Give the schema of version 1 of `octoload.results` (JSON Schema 2020-12)."""
    alternatives = {name: _alternatives(hint) for name, hint in typing.get_type_hints(Results).items()}
    kinds = [kind for found in alternatives.values() for kind in found]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    rest = iter(schemas)
    members = {name: _one_of([next(rest) for _ in found]) for name, found in alternatives.items()}
    head = {"format": {"const": "octoload.results"}, "version": {"const": 1}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "octoload.results",
        "description": "The result of a run; docs/formats.md says what the members mean. A number is null where it is "
        "not known or infinite.",
        "type": "object",
        "properties": {**head, **{name: _nullable(member) for name, member in members.items()}},
        "required": [*head, *members],
        "$defs": _nullable(dict(sorted(components.items()))),
    }


def publish() -> None:
    """Write the schema into its file."""
    write_bytes(PUBLISHED, msgspec.json.format(msgspec.json.encode(of_results()), indent=1) + b"\n")


def _alternatives(hint: Any) -> list[Any]:
    """Take a union apart: msgspec has no schema for one of several records that carry no tag."""
    return [*typing.get_args(hint)] if isinstance(hint, types.UnionType) else [hint]


def _one_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _nullable(schema: Any) -> Any:
    """Let every number be null, for JSON can say neither NaN nor infinity."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _nullable(one) for name, one in schema.items()}
    return {**inner, "type": ["number", "null"]} if inner.get("type") == "number" else inner
