"""Somebody opens the list of tasks."""

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

TASKS = Operation("tasks")


class TaskList(Scenario):
    """The first page of a space's tasks, newest first (octopus-api §A.14)."""

    name = "task-list"
    operations = (TASKS,)

    def __init__(self, place: Place) -> None:
        self._path = f"/api/tasks?spaces={place.space}&skip=0&take=30"

    def run(self, session: Session) -> None:
        """Ask once."""
        session.get(TASKS, self._path)
