"""Somebody runs a runbook."""

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session

RUN = Operation("run-runbook", "POST")


class Started(msgspec.Struct, rename="pascal"):
    """What `runbookRuns` answers (octopus-api §A.17)."""

    task_id: str


class RunbookRun(Scenario):
    """Runs the published snapshot of a runbook in an environment; arrivals take the pairs in turn by their numbers."""

    name = "runbook-run"
    operations = (RUN,)
    needs = frozenset({"runbooks", "environments"})
    writes = True

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/runbookRuns"
        self._pairs = [
            {"RunbookId": runbook.id, "RunbookSnapshotId": runbook.snapshot, "EnvironmentId": environment.id}
            for environment in place.environments
            for runbook in place.runbooks
        ]

    def run(self, session: Session) -> None:
        """Queue one."""
        started = session.post_as(RUN, self._path, self._pairs[session.number % len(self._pairs)], Started)
        if started:
            session.queue(started.task_id)
