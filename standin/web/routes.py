"""All routes of the contract (octopus-api §A); a path is below `/api/` and, in a space, below the space."""

from typing import Any

from standin.web.call import Call
from standin.web.openapi import document
from standin.web.operations import (
    configuration,
    history,
    infrastructure,
    library,
    people,
    portal,
    projects,
    runbooks,
    server,
    tasks,
)
from standin.web.routing import Route, Scope


async def read_document(call: Call) -> Any:
    """Return the OpenAPI document of all routes; anybody may read it."""
    return document(ROUTES, call.state.version)


ROUTES = (
    Route("GET", "swagger.json", Scope.SYSTEM, read_document, anonymous=True),
    *server.ROUTES,
    *people.ROUTES,
    *configuration.ROUTES,
    *infrastructure.ROUTES,
    *projects.ROUTES,
    *portal.ROUTES,
    *library.ROUTES,
    *history.ROUTES,
    *runbooks.ROUTES,
    *tasks.ROUTES,
)
