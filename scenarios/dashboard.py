"""Somebody opens the dashboard of a space, or a tab with it refreshes."""

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

DASHBOARD = Operation("dashboard")


class Dashboard(Scenario):
    """One look at the dashboard (octopus-api §A.19)."""

    name = "dashboard"
    operations = (DASHBOARD,)

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/dashboard"

    def run(self, session: Session) -> None:
        """Ask once."""
        session.get(DASHBOARD, self._path)
