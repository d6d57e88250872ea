"""All routes of the contract (octopus-api §A); a path is below `/api/` and, in a space, below the space."""

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

ROUTES = (
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
