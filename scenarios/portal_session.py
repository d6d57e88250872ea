"""Somebody uses the portal: the dashboard, a project, one of its tasks, with time to read between them."""

import random

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session
from scenarios.popularity import Popularity

DASHBOARD = Operation("session-dashboard")
PROGRESSION = Operation("session-progression")
RELEASES = Operation("session-releases")
TASK = Operation("session-task")

#: Mean and longest think time in seconds: those of the TPC-W benchmark's people, for want of figures for Octopus'.
THINK, LONGEST_THINK = 7.0, 70.0


class PortalSession(Scenario):
    """A partly open session: it arrives on schedule, and then each page follows an answer and a think time.

    Its requests have names of their own: after a slow answer they come later, which those of the other scenarios never
    do. Whom it looks at and how long it thinks follow from the arrival, so that both arms see the same people.
    """

    name = "portal-session"
    operations = (DASHBOARD, PROGRESSION, RELEASES, TASK)
    needs = frozenset({"projects", "tasks"})
    thinks = True

    def __init__(self, place: Place) -> None:
        self._base = f"/api/{place.space}"
        self._popularity = Popularity(place.projects)
        self._tasks = place.tasks

    def run(self, session: Session) -> None:
        """Look at three pages (octopus-api §A.14, §A.15, §A.19)."""
        dice = random.Random(session.draw)
        session.get(DASHBOARD, f"{self._base}/dashboard")
        session.think(_thought(dice))
        project = self._popularity.choose(session.draw).id
        session.get(PROGRESSION, f"{self._base}/progression/{project}")
        session.get(RELEASES, f"{self._base}/projects/{project}/releases")
        session.think(_thought(dice))
        session.get(TASK, f"/api/tasks/{dice.choice(self._tasks)}/details")


def _thought(dice: random.Random) -> float:
    """Return a think time: exponential and cut, as in TPC-W."""
    return min(dice.expovariate(1 / THINK), LONGEST_THINK)
