"""Readers who never pause: as many of them as keep a server busy show how many pages a second it can serve."""

import itertools

from octoload.edge.poller import Poller
from octoload.edge.scenario import Operation, Place
from octoload.edge.session import Session

PAGES = Operation("pages")


class NonstopReader(Poller):
    """Opens one project after the other (octopus-api §A.7, §A.15, §A.19), with the list of tasks between them (§A.14).

    No person reads so. What counts is the throughput: all of them together ask for the next page as soon as there is
    one, so that whatever holds the server back shows. Their pages follow each other in one order, in every arm alike.
    """

    name = "nonstop-reader"
    operations = (PAGES,)
    needs = frozenset({"projects"})
    interval = 1.0

    def __init__(self, place: Place) -> None:
        self._rounds = itertools.cycle([_pages(place.space, project.id) for project in place.projects])

    def run(self, session: Session) -> None:
        """Open the pages of the next project."""
        for path in next(self._rounds):
            session.get(PAGES, path)

    def pause(self, took: float) -> float:  # noqa: ARG002  it never does
        """Go on at once."""
        return 0.0


def _pages(space: str, project: str) -> list[str]:
    base = f"/api/{space}"
    tasks = f"/api/tasks?spaces={space}&skip=0&take=30"
    return [f"{base}/projects/{project}", f"{base}/progression/{project}", f"{base}/projects/{project}/releases", tasks]
