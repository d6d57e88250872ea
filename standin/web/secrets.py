"""Sensitive values inside resources: they come in as `{HasValue, NewValue, Hint}`, and their text never goes out."""

from typing import Any

from standin.documents import Document

_MARKS = {"hasvalue", "newvalue"}


def is_secret(value: Any) -> bool:
    """Say whether a JSON value is a sensitive one."""
    return isinstance(value, dict) and any(name.lower() in _MARKS for name in value)


def keep(sent: Any, current: Any = None) -> Any:
    """Return what is kept of a JSON value: a sensitive one that comes without its text has the text it had."""
    if is_secret(sent):
        parts = {name.lower(): part for name, part in sent.items()}
        text = parts.get("newvalue")
        if text is None and parts.get("hasvalue") and is_secret(current):
            text = current.get("NewValue")
        return {"HasValue": text is not None, "NewValue": text, "Hint": parts.get("hint")}
    if isinstance(sent, dict):
        before = current if isinstance(current, dict) else {}
        return {name: keep(part, before.get(name)) for name, part in sent.items()}
    if isinstance(sent, list):
        same = isinstance(current, list) and len(current) == len(sent)
        return [keep(part, old) for part, old in zip(sent, current if same else [None] * len(sent), strict=True)]
    return sent


def hide(kept: Any) -> Any:
    """Return a JSON value as it may be shown: of a sensitive one, only whether there is one."""
    if is_secret(kept):
        return {"HasValue": kept.get("HasValue", False), "NewValue": None, "Hint": kept.get("Hint")}
    if isinstance(kept, dict):
        return {name: hide(part) for name, part in kept.items()}
    if isinstance(kept, list):
        return [hide(part) for part in kept]
    return kept


def hide_members(document: Document, names: tuple[str, ...]) -> Document:
    """Return a document with some of its members as they may be shown."""
    return {**document, **{name: hide(document[name]) for name in names if name in document}}
