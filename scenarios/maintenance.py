"""What a server does beside deployments: health checks of all machines, and the Retention task."""

from datetime import datetime
from typing import ClassVar

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

HEALTH = Operation("queue-health-check", "POST")
RETENTION = Operation("queue-retention", "POST")
_TASKS = "/api/tasks"


class Queued(msgspec.Struct, rename="pascal"):
    """What `tasks` answers (octopus-api §A.14)."""

    id: str
    #: When it was queued, by the clock of the node that answered.
    queue_time: datetime


class _ServerTask(Scenario):
    """A built-in task of the space."""

    writes = True
    #: Its name, and what its description says.
    task: ClassVar[str]
    description: ClassVar[str]

    def __init__(self, place: Place) -> None:
        self._order = {
            "Name": self.task,
            "Description": f"octoload: {self.description}",
            "SpaceId": place.space,
            "Arguments": {},
        }

    def run(self, session: Session) -> None:
        """Queue one."""
        queued = session.post_as(self.operations[0], _TASKS, self._order, Queued)
        if queued:
            session.stamp(session.span, queued.queue_time)
            session.queue(queued.id)


class HealthCheck(_ServerTask):
    """A health check of all machines of the space; Octopus makes one each hour by itself (octopus-facts §2.6)."""

    name = "health-check"
    operations = (HEALTH,)
    task, description = "Health", "health check"


class RetentionRun(_ServerTask):
    """The Retention task in the middle of the load; Octopus runs it every four hours by itself (octopus-facts §2.6).

    What it deletes follows from the server's own policies.
    """

    name = "retention-run"
    operations = (RETENTION,)
    task, description = "Retention", "retention under load"
