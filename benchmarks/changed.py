"""One handler whose answers lose a field or their status; benchmarks.mutants plants this in a copy of the stand-in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from standin.web.call import Call, Reply
from standin.web.routing import Endpoint, Route

#: says what was changed
NOTE = Path(__file__).with_suffix(".txt")
#: where a member stands: `("Name",)`, `("Items", "[]", "Name")`
Place = tuple[str, ...]


def change(routes: tuple[Route, ...], method: str, path: str, kind: str, number: int) -> tuple[Route, ...]:
    """Return the routes, one of them changed; `number` chooses the field among those of its first answer."""
    changed = _statused if kind == "status" else _fielded
    return tuple(
        replace(one, endpoint=changed(one.endpoint, number)) if (one.method, one.path) == (method, path) else one
        for one in routes
    )


def _statused(honest: Endpoint, _number: int) -> Endpoint:
    async def endpoint(call: Call) -> Reply:
        reply = _reply(await honest(call))
        status = {200: 201, 201: 200}.get(reply.status, 200)
        NOTE.write_text(f"{reply.status} becomes {status}", "utf-8")
        return replace(reply, status=status)

    return endpoint


def _fielded(honest: Endpoint, number: int) -> Endpoint:
    chosen: Place = ()

    async def endpoint(call: Call) -> Reply:
        nonlocal chosen
        reply = _reply(await honest(call))
        if reply.media_type != "application/json" or isinstance(reply.content, bytes | Path):
            return reply
        content = msgspec.json.decode(msgspec.json.encode(reply.content))
        if not chosen and (places := sorted(_places(content))):
            chosen = places[number % len(places)]
            NOTE.write_text(f"without {'.'.join(chosen)}", "utf-8")
        return replace(reply, content=_without(content, chosen))

    return endpoint


def _reply(answer: Any) -> Reply:
    return answer if isinstance(answer, Reply) else Reply(answer)


def _places(content: Any, way: Place = ()) -> Iterator[Place]:
    """Yield where the members of an answer stand, and those of the documents in its lists."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield (*way, name)
            if not way and isinstance(value, list):
                yield from _places(value, (name,))
    elif isinstance(content, list) and content and isinstance(content[0], dict):
        yield from _places(content[0], (*way, "[]"))


def _without(content: Any, place: Place) -> Any:
    """Return an answer without the members at a place."""
    if not place:
        return content
    name, *rest = place
    if name == "[]" and isinstance(content, list):
        return [_without(one, tuple(rest)) for one in content]
    if not isinstance(content, dict) or name not in content:
        return content
    kept = {key: value for key, value in content.items() if key != name}
    return {**content, name: _without(content[name], tuple(rest))} if rest else kept
