"""What a server does beside deployments: health checks of all machines, and the Retention task."""

from datetime import datetime

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

HEALTH = Operation("queue-health-check", "POST")
RETENTION = Operation("queue-retention", "POST")
_TASKS = "/api/tasks"


class Queued(msgspec.Struct, rename="pascal"):
    """What `tasks` answers (octopus-api §A.14)."""

    #: When it was queued, by the clock of the node that answered.
    queue_time: datetime


class HealthCheck(Scenario):
    """A health check of all machines of the space; Octopus makes one each hour by itself (octopus-facts §2.6)."""

    name = "health-check"
    operations = (HEALTH,)
    writes = True

    def __init__(self, place: Place) -> None:
        self._order = _order(place, "Health", "octoload: health check")

    def run(self, session: Session) -> None:
        """Queue one."""
        queued = session.post_as(HEALTH, _TASKS, self._order, Queued)
        session.stamp(session.span, queued.queue_time if queued else None)


class RetentionRun(Scenario):
    """The Retention task in the middle of the load; Octopus runs it every four hours by itself (octopus-facts §2.6).

    What it deletes follows from the server's own policies.
    """

    name = "retention-run"
    operations = (RETENTION,)
    writes = True

    def __init__(self, place: Place) -> None:
        self._order = _order(place, "Retention", "octoload: retention under load")

    def run(self, session: Session) -> None:
        """Queue one."""
        queued = session.post_as(RETENTION, _TASKS, self._order, Queued)
        session.stamp(session.span, queued.queue_time if queued else None)


def _order(place: Place, name: str, description: str) -> dict[str, object]:
    return {"Name": name, "Description": description, "SpaceId": place.space, "Arguments": {}}
