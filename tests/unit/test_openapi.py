"""The OpenAPI document of the stand-in describes each route of its table, and nothing else."""

import json
import re
from typing import Any

import msgspec
import pytest

from standin.web.openapi import document
from standin.web.routes import ROUTES
from standin.web.routing import Scope

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def told() -> Any:
    """The document as a client reads it."""
    return json.loads(msgspec.json.encode(document(ROUTES, "2026.1.0")))


def test_each_route_is_in_it_once(told: Any) -> None:
    """A route of the server has one address, one of a space one below the space, one of both has two."""
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    expected = {
        (route.method, f"{place}/{route.path}".rstrip("/"))
        for route in ROUTES
        for place, unless in (("/api", Scope.SPACE), ("/api/{spaceId}", Scope.SYSTEM))
        if route.scope is not unless
    }
    assert described == expected


def test_what_it_refers_to_is_in_it(told: Any) -> None:
    """Each reference leads to a schema or an answer, and each part of a path is described."""
    for reference in re.findall(r'"\$ref": "([^"]*)"', json.dumps(told)):
        place = told
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    for path, methods in told["paths"].items():
        for operation in methods.values():
            named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert named == re.findall(r"{(\w+)}", path)


def test_bodies_and_answers_have_the_members_of_their_records(told: Any) -> None:
    """A creation asks for the record that the endpoint reads; its answer is that record with id and links."""
    operation = told["paths"]["/api/{spaceId}/environments"]["post"]
    asked = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert told["components"]["schemas"][asked]["required"] == ["Name"]
    shown = operation["responses"]["201"]["content"]["application/json"]["schema"]["allOf"]
    assert shown[0]["$ref"].rpartition("/")[2] == asked
    assert shown[1]["required"] == ["Id", "Links"]
    page = told["paths"]["/api/{spaceId}/environments"]["get"]["responses"]["200"]["content"]
    assert "Items" in page["application/json"]["schema"]["required"]
