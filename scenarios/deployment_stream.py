"""A stream of deployments over as many pairs of release and environment as there are."""

import time
from datetime import UTC, datetime

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

QUEUE = Operation("queue-deployment", "POST")
SCHEDULE = Operation("schedule-deployment", "POST")

#: Scheduled deployments start together at whole multiples of so many seconds.
EVERY = 15


class Queued(msgspec.Struct, rename="pascal"):
    """What `deployments` answers (octopus-api §A.16)."""

    task_id: str
    #: When it was made, by the clock of the node that answered.
    created: datetime


class DeploymentStream(Scenario):
    """Deploys the newest release of a project to an environment; arrivals take the pairs in turn.

    One deployment runs at a time for a project and environment (octopus-facts §2.2), so a task cap is filled only by
    as many pairs. Alone, each pair comes back as late as it can; beside other scenarios, which take numbers too, some
    come back earlier, and a deployment may then wait for the one before it.
    """

    name = "deployment-stream"
    operations = (QUEUE,)
    needs = frozenset({"releases", "environments"})
    writes = True

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/deployments"
        self._pairs = [
            {"ReleaseId": release, "EnvironmentId": environment.id}
            for environment in place.environments
            for release in place.releases
        ]

    def run(self, session: Session) -> None:
        """Queue one."""
        self._queue(session, {})

    def _queue(self, session: Session, when: dict[str, str]) -> None:
        order = {**self._pairs[session.number % len(self._pairs)], **when}
        queued = session.post_as(self.operations[0], self._path, order, Queued)
        if queued:
            session.stamp(session.span, queued.created)
            session.queue(queued.task_id)


class ScheduledDeployment(DeploymentStream):
    """The same for later: all that arrive within a quarter of a minute start at its end, as nightly deployments do."""

    name = "scheduled-deployment"
    operations = (SCHEDULE,)

    def run(self, session: Session) -> None:
        """Schedule one for the next whole quarter of a minute."""
        start = (int(time.time()) // EVERY + 1) * EVERY
        self._queue(session, {"QueueTime": datetime.fromtimestamp(start, UTC).isoformat()})
