"""The OpenAPI document of what is served, made from the route table and the records that bodies are read as."""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from standin.web.collection import Collection
from standin.web.resources import ResourceType
from standin.web.routing import Route, Scope

_REF = "#/components/schemas/{name}"
_NUMBERS = {"skip", "take", "port", "tail", "fromAutoId", "toAutoId", "releaseHistoryCount", "days"}
_FLAGS = re.compile(
    r"^(is|has|hide|include|show|replace|publish|active|running|verbose|latest|excludeDif|asCsv|ignore)"
)
_TIMES = re.compile(r"^(from|to)($|.*Date$)")
#: what every route may answer instead
_REFUSALS = {
    "400": "The request breaks a rule.",
    "401": "Nobody has logged in.",
    "403": "A permission is missing.",
    "404": "There is no such document.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
    "429": "Too many requests.",
    "503": "The database does not answer.",
}
_SEGMENT: dict[str, Any] = {"type": "string", "minLength": 1}
_SPACE = {"type": "string", "pattern": "^Spaces-[1-9][0-9]{0,8}$"}
_ERROR = {"content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}}
_ENVELOPE = {
    "type": "object",
    "required": ["ErrorMessage", "Errors"],
    "properties": {"ErrorMessage": {"type": "string"}, "Errors": {"type": "array", "items": {"type": "string"}}},
}


@cache
def document(routes: tuple[Route, ...], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of routes, as JSON values.

    Bodies are more forgiving than their schemas: names are read in any case, numbers may be texts, and what is not
    known is ignored.
    """
    bodies = {route.body for route in routes if route.body is not None}
    shown = {resource.model for route in routes if (resource := _resource(route)) is not None}
    records = sorted(bodies | shown, key=str)
    schemas, components = msgspec.json.schema_components(records, ref_template=_REF)
    spelt = dict(zip(records, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for path in _paths(route):
            paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, spelt)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The stand-in for Octopus Server",
            "version": version,
            "description": "Routes of a space are served below `/api/{spaceId}/`, below `/api/spaces/{id or slug}/`, "
            "and without a space for the default one; paths and names of members in any case.",
        },
        "servers": [{"url": "/"}],
        "security": [{"ApiKeyHeader": []}, {"ApiKeyQuery": []}, {"Bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {**{name: _nullable(one) for name, one in components.items()}, "Error": _ENVELOPE},
            "responses": {status: {"description": words, **_ERROR} for status, words in _REFUSALS.items()},
            "securitySchemes": {
                "ApiKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Octopus-ApiKey"},
                "ApiKeyQuery": {"type": "apiKey", "in": "query", "name": "ApiKey"},
                "Bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _paths(route: Route) -> Iterator[str]:
    """Return the addresses of a route: those of a space's route in their shortest form."""
    if route.scope is not Scope.SPACE:
        yield f"/api/{route.path}".rstrip("/")
    if route.scope is not Scope.SYSTEM:
        yield f"/api/{{spaceId}}/{route.path}".rstrip("/")


def _operation(route: Route, path: str, spelt: dict[Any, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": _segment(name)} for name in names),
        *({"name": name, "in": "query", "schema": _query(name)} for name in dict.fromkeys(route.query.split())),
    ]
    found: dict[str, Any] = {
        "summary": (inspect.getdoc(route.endpoint) or "").partition("\n")[0],
        "operationId": f"{route.method.lower()} {path}",
        "tags": [route.path.split("/")[0] or "root"],
        "parameters": parameters,
        "responses": {
            str(route.status): {"description": "Success.", **_answer(route, spelt)},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS},
        },
    }
    if route.anonymous:
        found["security"] = []
    if route.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": spelt[route.body]}}}
    return found


def _segment(name: str) -> dict[str, Any]:
    """Return the type of what varies in a path."""
    return _SPACE if name == "spaceId" else _SEGMENT


def _query(name: str) -> dict[str, Any]:
    """Return the type of a query member, which its name tells."""
    if name in _NUMBERS:
        return {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
    if _TIMES.match(name):
        return {"type": "string", "format": "date-time"}
    return {"type": "boolean"} if _FLAGS.match(name) else {"type": "string"}


def _resource(route: Route) -> ResourceType | None:
    """Return the resource of one of the six operations of a collection."""
    owner = getattr(route.endpoint, "__self__", None)
    usual = getattr(route.endpoint, "__name__", "") in {"page", "every", "read", "create", "modify", "delete"}
    return owner.resource if isinstance(owner, Collection) and usual else None


def _answer(route: Route, spelt: dict[Any, Any]) -> dict[str, Any]:
    resource = _resource(route)
    if resource is None:
        return {}
    own = {"type": "object", "required": ["Id", "Links"], "properties": {"Id": {"type": "string"}, "Links": {}}}
    one = {"allOf": [spelt[resource.model], own]}
    kind = route.endpoint.__name__
    schema: dict[str, Any] = one
    if kind == "every":
        schema = {"type": "array", "items": one}
    elif kind == "page":
        members = {"ItemType": {"const": resource.item}, "TotalResults": {"type": "integer"}}
        items = {"Items": {"type": "array", "items": one}, "Links": {"type": "object"}}
        schema = {"type": "object", "required": [*members, *items], "properties": {**members, **items}}
    return {"content": {"application/json": {"schema": schema}}}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a record in which a member that need not be sent may be null."""
    required = schema.get("required", [])
    properties = {
        name: one if name in required else _or_null(one) for name, one in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    options = schema.get("anyOf", [schema])
    return schema if {"type": "null"} in options else {"anyOf": [*options, {"type": "null"}]}
