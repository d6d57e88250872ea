"""Somebody opens a project: its head, its overview and its releases."""

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session
from scenarios.popularity import Popularity

PROJECT = Operation("project")
PROGRESSION = Operation("progression")
RELEASES = Operation("releases")


class ProjectPage(Scenario):
    """The three requests of a project's page, one after the other (octopus-api §A.7, §A.15, §A.19)."""

    name = "project-page"
    operations = (PROJECT, PROGRESSION, RELEASES)
    needs = frozenset({"projects"})

    def __init__(self, place: Place) -> None:
        self._base = f"/api/{place.space}"
        self._popularity = Popularity(place.projects)

    def run(self, session: Session) -> None:
        """Ask for the three; one that fails keeps the others from nothing."""
        project = self._popularity.choose(session.draw).id
        session.get(PROJECT, f"{self._base}/projects/{project}")
        session.get(PROGRESSION, f"{self._base}/progression/{project}")
        session.get(RELEASES, f"{self._base}/projects/{project}/releases")
