"""Somebody opens the audit trail: the control, for release retention cuts no events."""

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

AUDIT = Operation("audit")


class AuditSearch(Scenario):
    """The newest page of a space's events (octopus-api §A.20)."""

    name = "audit-search"
    operations = (AUDIT,)

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/events?skip=0&take=30"

    def run(self, session: Session) -> None:
        """Ask once."""
        session.get(AUDIT, self._path)
