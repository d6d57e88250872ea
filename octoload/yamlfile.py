"""YAML files read into typed records; what is wrong is said with file, line and the nearest known key."""

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from octoload.errors import UsageError

T = TypeVar("T")

#: Bytes of a file at most: what people write is shorter, and reading more would take minutes.
_LARGEST = 1_000_000

_FAULT = re.compile(r"^(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[(\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def load(path: Path, record: type[T]) -> T:
    """Read a YAML file into a msgspec Struct, which may hold others, lists, mappings and unions of them.

    Raises:
        UsageError: the file is missing, empty, too large, half-written or no YAML, repeats a key, has an unknown one,
            lacks one, or a value has the wrong type or lies out of its bounds.
    """
    try:
        if (size := path.stat().st_size) > _LARGEST:
            raise UsageError(
                f"{path} has {size:,} bytes, {_LARGEST:,} are the most",
                "Is this the right file? A few lines are enough.",
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise UsageError(f"{path} is missing", "Name a file that exists.") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}", "It must be a text file in UTF-8.") from exc
    return parse(text, record, str(path))


def parse(text: str, record: type[T], name: str) -> T:
    """Do what `load` does with the text of a file; `name` stands for it in messages."""
    root, content = _compose(text, name)
    try:
        return msgspec.convert(content, record)
    except msgspec.ValidationError as exc:
        raise _Fault(root, content, record, str(exc)).error(name) from exc


def _compose(text: str, name: str) -> tuple[yaml.Node, Any]:
    """Return the document as nodes, which know their lines, and as plain values."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise UsageError(f"{name} is empty", "Write at least one key and its value.")
        for key in _repeated(root, set()):
            raise UsageError(f"{name}:{_line(key)}: key {key.value!r} stands there twice", "Leave one of them out.")
        return root, loader.construct_document(root)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        raise UsageError(
            f"{name}:{line}: this is no valid YAML: {exc.problem or exc.context}",
            "Look at the indentation, colons, quotes and brackets there; the file may be half-written.",
        ) from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise UsageError(f"{name} is no valid YAML: {str(exc).splitlines()[0]}", "Write text in UTF-8.") from exc


def _repeated(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Yield keys that a mapping holds twice; YAML forbids them, PyYAML would take the last one."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys and key.value != "<<":
                yield key
            keys.add(str(key.value))
            yield from _repeated(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, seen)


class _Fault:
    """One complaint of msgspec, brought home to its place in the file."""

    def __init__(self, root: yaml.Node, content: Any, record: Any, message: str) -> None:
        match = _FAULT.match(message)
        assert match, message
        self._root, self._record = root, record
        self._what = match["what"]
        self._steps = self._resolve(content, _STEP.findall(match["path"] or ""))
        #: The key of a mapping is at fault, not a value.
        self._is_key = match["key"] is not None

    def error(self, name: str) -> UsageError:
        """Say what is wrong, on which line, and what to write instead."""
        structs = list(_structs(self._types_at(self._steps)))
        known = [field.encode_name for struct in structs for field in msgspec.structs.fields(struct)]
        known += [str(struct.__struct_config__.tag_field) for struct in structs if struct.__struct_config__.tag]
        where = ".".join(str(step) for step in self._steps)
        if unknown := _UNKNOWN.search(self._what):
            line = self._line_of([*self._steps, unknown[1]])
            inside = f" in {where}" if where else ""
            return UsageError(f"{name}:{line}: unknown key {unknown[1]!r}{inside}", nearest(unknown[1], known))
        line = self._line_of(self._steps)
        if missing := _MISSING.search(self._what):
            inside = f"{where} has" if where else "there is"
            return UsageError(f"{name}:{line}: {inside} no key {missing[1]!r}", f"Add a line `{missing[1]}: …`.")
        what = self._what[:1].lower() + self._what[1:]
        if self._is_key:
            return UsageError(f"{name}:{line}: a key of {where or 'the file'}: {what}", "Write the key in quotes.")
        if not self._steps:
            return UsageError(f"{name}:{line}: there are no keys here", "Write `key: value`, one a line.")
        return UsageError(f"{name}:{line}: {where}: {what}", self._cure())

    def _cure(self) -> str:
        """Show how the value could look: what the record takes when it is left out."""
        if self._steps and isinstance(self._steps[-1], str):
            for struct in _structs(self._types_at(self._steps[:-1])):
                for field in msgspec.structs.fields(struct):
                    if field.encode_name == self._steps[-1] and isinstance(field.default, str | int | float):
                        return f"For example: `{field.encode_name}: {msgspec.json.encode(field.default).decode()}`."
        return "Correct the value on that line."

    def _resolve(self, content: Any, path: list[tuple[str, str, str]]) -> list[str | int]:
        """Return the place of the fault.

        msgspec writes `[...]` for the key of a mapping, so the key is looked for: the first one whose value is refused.
        """
        places: list[list[str | int]] = [[]]
        for name, index, anything in path:
            if anything:
                below = [[*place, key] for place in places for key in _value_at(content, place)]
                places = [place for place in below if self._is_refused(_value_at(content, place), place)][:1]
            else:
                places = [[*place, name or int(index)] for place in places]
        return places[0] if places else []

    def _is_refused(self, value: Any, place: list[str | int]) -> bool:
        try:
            msgspec.convert(value, Union[tuple(self._types_at(place))])  # noqa: UP007  (made at run time)
        except msgspec.ValidationError:
            return True
        return False

    def _types_at(self, steps: list[str | int]) -> list[Any]:
        """Return the types that a value at this place may have."""
        found = list(_flat(self._record))
        for step in steps:
            found = [inner for outer in found for inner in _inner(outer, step)]
        return found

    def _line_of(self, steps: list[str | int]) -> int:
        """Return the line of the key or the item at this place, or of the nearest thing around it."""
        node, line = self._root, _line(self._root)
        for step in steps:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = _line(node)
            elif isinstance(node, yaml.MappingNode):
                pairs = [(key, value) for key, value in node.value if key.value == str(step)]
                if not pairs:
                    break
                line, node = _line(pairs[0][0]), pairs[0][1]
        return line


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known are: {', '.join(names)}." if names else "Leave it out."


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _value_at(content: Any, place: list[str | int]) -> Any:
    for step in place:
        content = content[step]
    return content


def _flat(hint: Any) -> Iterator[Any]:
    """Yield the members of a union; any other type yields itself."""
    if get_origin(hint) in (Union, UnionType):
        for member in get_args(hint):
            yield from _flat(member)
    else:
        yield hint


def _plain(hint: Any) -> Any:
    """Return a type without the bounds that `Annotated` puts on it."""
    return hint.__origin__ if hasattr(hint, "__metadata__") else hint


def _inner(hint: Any, step: str | int) -> Iterator[Any]:
    """Yield the types of what a type holds under a key or an index."""
    hint = _plain(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for field in msgspec.structs.fields(hint):
            if field.encode_name == step:
                yield from _flat(field.type)
    elif arguments := get_args(hint):
        yield from _flat(arguments[1] if get_origin(hint) is dict else arguments[0])


def _structs(hints: list[Any]) -> Iterator[type[msgspec.Struct]]:
    for hint in map(_plain, hints):
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield hint
