"""The router: a tree of path segments, read without regard to case, in all three forms of a space's routes."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from standin.errors import not_found
from standin.web.refusals import not_allowed

if TYPE_CHECKING:
    from standin.web.call import Call

Endpoint = Callable[["Call"], Awaitable[Any]]
#: the query of each list
LIST = "skip take ids partialName"
_SPACE_ID = re.compile(r"spaces-\d+", re.IGNORECASE)


class Scope(Enum):
    """Where a route lives (octopus-api §A.0)."""

    #: outside of spaces only
    SYSTEM = "system"
    #: in a space; without one in the path, the default space
    SPACE = "space"
    #: in a space; without one in the path, all spaces
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the contract."""

    #: HTTP method
    method: str
    #: path below `/api/`, with `{name}` for what varies
    path: str
    #: where the route lives
    scope: Scope
    #: answers the call
    endpoint: Endpoint
    #: names of the query's members, with blanks between them
    query: str = ""
    #: what the body is read as; None where there is none
    body: Any = None
    #: HTTP status of success
    status: int = 200
    #: answered without a key
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Spells the routes of one scope."""

    #: where the routes live
    scope: Scope

    def get(self, path: str, endpoint: Endpoint, query: str = "", *, anonymous: bool = False) -> Route:
        """Return a route that reads."""
        return Route("GET", path, self.scope, endpoint, query, anonymous=anonymous)

    def create(self, path: str, endpoint: Endpoint, body: Any = None, query: str = "") -> Route:
        """Return a route that creates: 201."""
        return Route("POST", path, self.scope, endpoint, query, body, 201)

    def post(
        self, path: str, endpoint: Endpoint, body: Any = None, query: str = "", *, anonymous: bool = False
    ) -> Route:
        """Return a route that does something: 200."""
        return Route("POST", path, self.scope, endpoint, query, body, anonymous=anonymous)

    def put(self, path: str, endpoint: Endpoint, body: Any = None, query: str = "") -> Route:
        """Return a route that replaces."""
        return Route("PUT", path, self.scope, endpoint, query, body)

    def delete(self, path: str, endpoint: Endpoint, query: str = "") -> Route:
        """Return a route that deletes."""
        return Route("DELETE", path, self.scope, endpoint, query)


@dataclass(frozen=True, slots=True)
class Match:
    """A route found for a path."""

    #: the operation
    route: Route
    #: name in the template → segment of the path, as sent
    params: dict[str, str]
    #: the space as the path names it (id or slug), or None
    space: str | None


@dataclass(slots=True)
class _Branch:
    literals: dict[str, "_Branch"] = field(default_factory=dict)
    variable: "_Branch | None" = None
    routes: dict[str, Route] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)


class Router:
    """All routes of the contract."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._system, self._space = _Branch(), _Branch()
        for route in routes:
            _plant(self._system if route.scope is Scope.SYSTEM else self._space, route)

    def match(self, method: str, path: str) -> Match:
        """Return the route of a path.

        Raises:
            Rejected: 404, no route has this path.
            Rejected: 405, the route exists, with other methods only.
        """
        segments = [segment for segment in path.split("/") if segment]
        if not segments or segments[0].lower() != "api":
            raise not_found(path[:200])
        refused = False
        for branch, rest, space in self._forms(segments[1:]):
            for found, values in _walk(branch, rest, 0):
                route = found.routes.get(method)
                if route is not None:
                    return Match(route, dict(zip(found.names[method], values, strict=True)), space)
                refused = refused or bool(found.routes)
        if refused:
            raise not_allowed(method, path)
        raise not_found(path[:200])

    def _forms(self, rest: list[str]) -> Iterable[tuple[_Branch, list[str], str | None]]:
        if rest and _SPACE_ID.fullmatch(rest[0]):
            yield self._space, rest[1:], rest[0]
            return
        yield self._system, rest, None
        if len(rest) > 2 and rest[0].lower() == "spaces":
            yield self._space, rest[2:], rest[1]
        elif rest:
            yield self._space, rest, None


def _plant(root: _Branch, route: Route) -> None:
    branch, names = root, []
    for segment in route.path.split("/") if route.path else ():
        if segment.startswith("{"):
            names.append(segment[1:-1])
            branch.variable = branch.variable or _Branch()
            branch = branch.variable
        else:
            branch = branch.literals.setdefault(segment.lower(), _Branch())
    branch.routes[route.method] = route
    branch.names[route.method] = names


def _walk(branch: _Branch, segments: list[str], depth: int) -> Iterable[tuple[_Branch, list[str]]]:
    """Yield the branches that fit, those with literal segments first, each with the values of its variables."""
    if depth == len(segments):
        yield branch, []
        return
    segment = segments[depth]
    literal = branch.literals.get(segment.lower())
    if literal is not None:
        yield from _walk(literal, segments, depth + 1)
    if branch.variable is not None:
        for found, values in _walk(branch.variable, segments, depth + 1):
            yield found, [segment, *values]
