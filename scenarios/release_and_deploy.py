"""A build server creates a release, deploys it, and looks at the task once."""

from datetime import datetime

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session
from scenarios.popularity import Popularity

CREATE_RELEASE = Operation("create-release", "POST")
DEPLOY = Operation("deploy", "POST")
TASK = Operation("task")


class Release(msgspec.Struct, rename="pascal"):
    """What `releases/create/v1` answers (octopus-api §A.15)."""

    release_id: str
    release_version: str


class ServerTask(msgspec.Struct, rename="pascal"):
    """One of the tasks that a deployment becomes."""

    deployment_id: str
    server_task_id: str


class Deployed(msgspec.Struct, rename="pascal"):
    """What `deployments/create/untenanted/v1` answers (octopus-api §A.16)."""

    deployment_server_tasks: list[ServerTask]


class QueuedTask(msgspec.Struct, rename="pascal"):
    """What `tasks/{id}` answers (octopus-api §A.14)."""

    #: When the call that made the task did so, by the clock of the node that answered it.
    queue_time: datetime | None = None


class ReleaseAndDeploy(Scenario):
    """The calls of a build server's create, deploy and wait, with a single look at the task."""

    name = "release-and-deploy"
    operations = (CREATE_RELEASE, DEPLOY, TASK)
    needs = frozenset({"projects", "environments"})
    writes = True

    def __init__(self, place: Place) -> None:
        self._base = f"/api/{place.space}"
        self._space = {"SpaceId": place.space, "SpaceIdOrName": place.space}
        self._stamp = place.stamp
        self._first = place.environments[0].name
        self._popularity = Popularity(place.projects)

    def run(self, session: Session) -> None:
        """Each step needs the answer of the one before."""
        # The stamp is the trial's second and the number that of the arrival: no version comes twice on a server.
        version = f"1000.{self._stamp}.{session.number}"
        body = {**self._space, "ProjectName": self._popularity.choose(session.draw).name, "ReleaseVersion": version}
        if not session.post_as(CREATE_RELEASE, f"{self._base}/releases/create/v1", body, Release):
            return
        order = {**body, "EnvironmentNames": [self._first]}
        deployed = session.post_as(DEPLOY, f"{self._base}/deployments/create/untenanted/v1", order, Deployed)
        deploying = session.span
        tasks = deployed.deployment_server_tasks if deployed else []
        for task in tasks:
            session.queue(task.server_task_id)
        for task in tasks:
            looked = session.get_as(TASK, f"{self._base}/tasks/{task.server_task_id}", QueuedTask)
            session.stamp(deploying, looked.queue_time if looked else None)
