"""What a client sends: JSON read without regard to the case of its names, unknown names ignored."""

from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from standin.web.refusals import bad_request

T = TypeVar("T")


def decode(raw: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        Rejected: 400, there is no body, or it is no JSON.
    """
    if not raw.strip():
        raise bad_request("No request body was supplied.")
    try:
        value = msgspec.json.decode(raw)
        # PostgreSQL takes no NUL in a text, and what is kept as JSON would fail only when somebody else looks into it.
        nul = b"\\u0000" in raw and _has_nul(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise bad_request(f"The request body is not valid JSON: {exc}") from exc
    if nul:
        raise bad_request("The request body holds a NUL character.")
    return value


def read(raw: bytes, record: type[T]) -> T:
    """Return a body as `record`.

    Raises:
        Rejected: 400, there is no body, it is no JSON, or a value is of another type than the record's.
    """
    return convert(decode(raw), record)


def convert(value: Any, record: type[T]) -> T:
    """Return a decoded JSON value as `record`.

    Raises:
        Rejected: 400, a value is missing or of another type than the record's.
    """
    try:
        return msgspec.convert(fold(value, record), record, strict=False)
    except (msgspec.ValidationError, RecursionError) as exc:
        raise bad_request("Model validation failed.", [str(exc)]) from exc


def fold(value: Any, kind: Any) -> Any:
    """Give the names of JSON objects the case that `kind` has; a null where no null belongs counts as not sent.

    Only names of records are folded: a dictionary's keys are the user's own.
    """
    if isinstance(value, dict):
        if record := _record(kind):
            names = _names(record)
            known = ((names.get(name.lower()), inner) for name, inner in value.items())
            return {
                field.encode_name: fold(inner, field.type)
                for field, inner in known
                if field is not None and not (inner is None and not _nullable(field.type))
            }
        if inner_kind := _inner(kind, dict):
            return {name: fold(inner, inner_kind) for name, inner in value.items()}
    if isinstance(value, list) and (inner_kind := _inner(kind, list)):
        return [fold(inner, inner_kind) for inner in value]
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(name) or _has_nul(inner) for name, inner in value.items())
    return isinstance(value, list) and any(_has_nul(inner) for inner in value)


_cache: dict[type[msgspec.Struct], dict[str, msgspec.structs.FieldInfo]] = {}


def _names(record: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    if record not in _cache:
        _cache[record] = {field.encode_name.lower(): field for field in msgspec.structs.fields(record)}
    return _cache[record]


def _record(kind: Any) -> type[msgspec.Struct] | None:
    """Return the record in `kind`, which may be the record itself or the record or null."""
    return next((k for k in _options(kind) if isinstance(k, type) and issubclass(k, msgspec.Struct)), None)


def _inner(kind: Any, container: type) -> Any:
    """Return the type of the values in a `list[...]` or `dict[str, ...]`, which may also be null."""
    found = next((k for k in _options(kind) if get_origin(k) is container), None)
    return get_args(found)[-1] if found is not None else None


def _nullable(kind: Any) -> bool:
    return kind is Any or type(None) in _options(kind)


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
