"""The contract as a page: each operation, whether it is served, and the tests that prove it.

A test names what it proves: `@pytest.mark.proves("GET environments", "POST environments")`, literally, on the function
or on a `pytest.param`; `proves_crud("environments")` names the six operations of a resource. It must call each
operation that it names through the `server` or `space` fixture, and get the status that the route table says, or it
fails. A rule of §B is named in the words of `contract_operations.py`. After a change of routes, operations or marks,
`python -m tests.contract` writes docs/contract.md anew.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from standin.errors import Rejected
from standin.web.routes import ROUTES
from standin.web.routing import Route, Router
from tests import contract_fields, contract_shapes
from tests.contract_operations import OPERATIONS

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "contract.md"
_ROUTER = Router(ROUTES)
#: What is refused whatever is sent: a delta of a package, so that clients send the whole one, and runs from Git.
REFUSED = {
    "runbook-runs/git/create/v1": 400,
    "packages/{packageId}/{version}/delta-signature": 404,
    "packages/{packageId}/{baseVersion}/delta": 400,
}
#: how an answer is told that lacks a member which it had
LOST = "has lost (tests/contract_shapes.py says how to change that)"
_HEAD = """# The contract of the stand-in

What the stand-in serves of Octopus' HTTP contract, operation by operation, each with the tests that prove it on a
running instance. Paths are below `/api/`; those of a space also below `/api/spaces/{id or slug}/` and `/api/{id}/`.
`/api/swagger.json` describes the same routes with their members.

Written by `python -m tests.contract`. A test names what it proves with `@pytest.mark.proves("GET environments", …)` and
fails when it does not call that operation with success, or when an answer lacks a member that tests/contract_fields.py
lists, or that answers of its operation have always had (tests/contract_shapes.json). `make calibrate PARTS=mutants`
changes a handler of each section, its status or a field of its answers, and shows that its tests notice.
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the contract, or a rule of it in words."""

    #: as the list spells it: `GET environments/{id}`
    text: str

    @property
    def is_rule(self) -> bool:
        """Say whether these are words, not a method and a path."""
        return self.text.startswith("B.")

    @property
    def key(self) -> str:
        """Return what two spellings of an operation have in common."""
        return key(*self.text.split(" ", 1))


def key(method: str, path: str) -> str:
    """Spell a route without the names of what varies in it, in lower case."""
    return f"{method} {re.sub(r'{[^}]*}', '{}', path.strip('/')).lower()}"


def sections() -> dict[str, list[Operation]]:
    """Return the operations of each section."""
    return {name: [Operation(line.strip()) for line in text.split("\n") if line.strip()] for name, text in _LISTED}


def routes() -> dict[str, Route]:
    """Return the routes by what two spellings of them have in common; the space's home is `GET {}`."""
    found = {key(route.method, route.path): route for route in ROUTES if route.path}
    root, home = (route for route in ROUTES if not route.path)
    return {**found, "GET ": root, "GET {}": home}


@cache
def proofs() -> dict[str, list[str]]:
    """Return the tests that name an operation or a rule: `file.py::test`, by its key or its words."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted((HERE / "integration").glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for text in _named(node.decorator_list):
                    found[spelling(text)].append(f"{file.name}::{node.name}")
    return dict(found)


def spelling(text: str) -> str:
    """Return by what an operation is found: its key, or its words."""
    operation = Operation(text)
    return text if operation.is_rule else operation.key


def render() -> str:
    """Return docs/contract.md."""
    served, listed = routes(), {spelling(one.text) for ones in sections().values() for one in ones}
    parts = [_HEAD]
    for name, operations in sections().items():
        rows = [f"| {_cell(one, served)} | {_tests(one)} |" for one in operations]
        parts.append("\n".join([f"## {name}", "", "| operation | proved by |", "|---|---|", *rows]) + "\n")
    others = sorted(key for key in served if key not in listed and not is_empty(served[key]))
    parts.append("## Beside the list\n\n" + "\n".join(f"- {_code(served[one])}" for one in others) + "\n")
    empty = sorted(key for key in served if is_empty(served[key]))
    words = "What a page of the portal or a client asks for, and holds nothing here."
    parts.append(f"## Answered with an empty list\n\n{words}\n\n" + "\n".join(f"- {_code(served[k])}" for k in empty))
    return "\n".join(parts).rstrip() + "\n"


def route_of(request: httpx.Request) -> Route | None:
    """Return the route of a request, or None where there is none."""
    method = request.headers.get("X-HTTP-Method-Override") or request.method
    try:
        return _ROUTER.match(method.upper(), request.url.path).route
    except Rejected:
        return None


def is_empty(route: Route) -> bool:
    """Say whether a route answers with an empty list whatever there is."""
    return route.endpoint.__module__.endswith(".empty")


class Calls:
    """The operations that a test's clients have called with success: the status that the route table says.

    Each answer is held to the members that octopus-api lists, and to those that answers of its operation have always
    had; when `recording`, it tells the latter to answers that come later.
    """

    def __init__(self, *, recording: bool = False) -> None:
        self._seen: set[str] = set()
        self._recording = recording
        self._shapes: dict[str, contract_shapes.Shape] = {} if recording else contract_shapes.read()
        #: what answers lack of what octopus-api lists, or of what they had, in words
        self.lacking: list[str] = []

    def clear(self) -> None:
        """Forget what an earlier test has called."""
        self._seen.clear()
        self.lacking.clear()

    def note(self, response: httpx.Response) -> None:
        """Remember an operation that was answered with success, and what its answer lacks; a hook of httpx."""
        route = route_of(response.request)
        if route is None:
            return
        names = {name for name, known in routes().items() if known is route}
        done = response.status_code == REFUSED.get(route.path, route.status)
        if response.headers.get("content-type", "").startswith("application/json") and response.read():
            body = response.json()
            lacks = contract_fields.lacking(route, response.status_code, body)
            self.lacking += [f"{route.method} {route.path} lacks {name}" for name in lacks]
            if done and route.path not in REFUSED:
                self._compare(min(names), body)
        if done:
            self._seen |= names

    def missing(self, named: Iterable[str]) -> list[str]:
        """Return the operations among those named that nobody has called."""
        return [text for text in named if not Operation(text).is_rule and spelling(text) not in self._seen]

    def keep(self) -> None:
        """Write what was recorded."""
        if self._recording:
            contract_shapes.write(self._shapes)

    def _compare(self, operation: str, body: Any) -> None:
        if self._recording:
            found = contract_shapes.shape_of(body)
            self._shapes[operation] = contract_shapes.common(self._shapes.get(operation, found), found)
        else:
            lost = contract_shapes.lacking(self._shapes.get(operation, {}), body)
            self.lacking += [f"{operation} {LOST} {name}" for name in lost]


def proving_client(url: str, headers: Mapping[str, str], calls: Calls, timeout: float = 30) -> httpx.Client:
    """Return a client whose calls count as proofs."""
    return httpx.Client(base_url=url, headers=headers, timeout=timeout, event_hooks={"response": [calls.note]})


def crud(path: str) -> list[str]:
    """Return the six operations that most resources have."""
    return [
        *(f"GET {path}", f"GET {path}/all", f"GET {path}/{{id}}"),
        *(f"POST {path}", f"PUT {path}/{{id}}", f"DELETE {path}/{{id}}"),
    ]


def proves_crud(path: str) -> pytest.MarkDecorator:
    """Return the mark of a test that proves the six operations of a resource."""
    return pytest.mark.proves(*crud(path))


def _named(decorators: list[ast.expr]) -> Iterable[str]:
    for decorator in decorators:
        for node in ast.walk(decorator):
            if not isinstance(node, ast.Call):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
                yield from texts
            elif isinstance(node.func, ast.Name) and node.func.id == "proves_crud":
                yield from (one for path in texts for one in crud(path))


def _cell(operation: Operation, served: dict[str, Route]) -> str:
    if operation.is_rule:
        return operation.text.split(" ", 1)[1]
    return f"`{operation.text}`" + ("" if operation.key in served else " (not served)")


def _tests(operation: Operation) -> str:
    return "<br>".join(f"`{test}`" for test in proofs().get(spelling(operation.text), [])) or "—"


def _code(route: Route) -> str:
    return f"`{route.method} {route.path}`"


_LISTED = tuple(OPERATIONS.items())

if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
