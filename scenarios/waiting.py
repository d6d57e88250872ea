"""Build agents and programs that wait for a deployment: they ask for its task again and again, however slow it gets."""

from octoload.edge.poller import Poller
from octoload.edge.scenario import Operation, Place
from octoload.edge.session import Session

AGENT = Operation("agent-poll")
CLIENT = Operation("client-poll")


class WaitingAgent(Poller):
    """`octopus task wait` and await-task-action (octopus-api §C): a list of one task, 10 s after the last answer."""

    name = "waiting-agent"
    operations = (AGENT,)
    needs = frozenset({"tasks"})
    interval = 10.0

    def __init__(self, place: Place) -> None:
        self._paths = [f"/api/{place.space}/tasks?skip=0&take=300&ids={task}" for task in place.tasks]

    def run(self, session: Session) -> None:
        """Ask for the task that this one waits for."""
        session.get(AGENT, self._paths[session.number % len(self._paths)])

    def pause(self, took: float) -> float:  # noqa: ARG002  an agent never backs off
        """Wait as long as ever."""
        return self.interval


class WaitingClient(Poller):
    """Octopus.Client's WaitForCompletion (octopus-api §C), as in TeamCity and Azure DevOps: a task, every 4 s."""

    name = "waiting-client"
    operations = (CLIENT,)
    needs = frozenset({"tasks"})
    interval = 4.0

    def __init__(self, place: Place) -> None:
        self._tasks = place.tasks

    def run(self, session: Session) -> None:
        """Ask for the task that this one waits for."""
        session.get(CLIENT, f"/api/tasks/{self._tasks[session.number % len(self._tasks)]}")

    def pause(self, took: float) -> float:  # noqa: ARG002  a client never backs off
        """Wait as long as ever."""
        return self.interval
