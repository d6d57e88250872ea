"""The members of records with their types, for forms and for the OpenAPI document."""

import types
from typing import Any, Union, get_args, get_origin

import msgspec

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", list: "array"}


def members_of(model: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """Return the members of a record as the API spells them, each with the JSON name of its type."""
    return [(field.encode_name, _name(field.type)) for field in msgspec.structs.fields(model)]


def _name(kind: Any) -> str:
    kinds = [one for one in (get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)) if one]
    for one in kinds:
        plain = get_origin(one) or one
        if plain in _NAMES:
            return _NAMES[plain]
        if hasattr(one, "__metadata__"):
            return _name(get_args(one)[0])
    return "string" if any(isinstance(one, str) for kind in kinds for one in get_args(kind)) else "object"
