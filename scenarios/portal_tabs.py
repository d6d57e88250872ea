"""Open tabs of the portal, which refresh themselves: closed loops that back off when the server is slow."""

from octoload.edge import poller
from octoload.edge.poller import Poller
from octoload.edge.scenario import Operation, Place
from octoload.edge.session import Session

DASHBOARD = Operation("dashboard-refresh")
HIDDEN_DASHBOARD = Operation("hidden-dashboard-refresh")
TASK = Operation("task-refresh")
HIDDEN_TASK = Operation("hidden-task-refresh")


class DashboardTab(Poller):
    """A tab with a space's dashboard (octopus-api §A.19).

    The rule is known of the task page; that the dashboard follows it as well is an assumption.
    """

    name = "portal-dashboard"
    operations = (DASHBOARD,)
    interval = poller.refresh(0.0)

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/dashboard"

    def run(self, session: Session) -> None:
        """Refresh."""
        session.get(self.operations[0], self._path)

    def pause(self, took: float) -> float:
        """Back off as the portal does."""
        return poller.refresh(took)


class HiddenDashboardTab(DashboardTab):
    """The same in the background."""

    name = "portal-dashboard-hidden"
    operations = (HIDDEN_DASHBOARD,)
    interval = poller.refresh(0.0, behind=True)

    def pause(self, took: float) -> float:
        """Back off as the portal does in a window without focus."""
        return poller.refresh(took, behind=True)


class TaskTab(Poller):
    """A tab with a task and its log (octopus-api §A.14, §C)."""

    name = "portal-task"
    operations = (TASK,)
    needs = frozenset({"tasks"})
    interval = poller.refresh(0.0)

    def __init__(self, place: Place) -> None:
        self._tasks = place.tasks

    def run(self, session: Session) -> None:
        """Refresh."""
        task = self._tasks[session.number % len(self._tasks)]
        session.get(self.operations[0], f"/api/tasks/{task}/details")

    def pause(self, took: float) -> float:
        """Back off as the portal does."""
        return poller.refresh(took)


class HiddenTaskTab(TaskTab):
    """The same in the background."""

    name = "portal-task-hidden"
    operations = (HIDDEN_TASK,)
    interval = poller.refresh(0.0, behind=True)

    def pause(self, took: float) -> float:
        """Back off as the portal does in a window without focus."""
        return poller.refresh(took, behind=True)
