"""Channels of projects (octopus-api §A.8)."""

from typing import Any

from standin import kinds
from standin.documents import Document, find, update
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced, refuse_when_used
from standin.web.endpoints.projects import project_of
from standin.web.refusals import bad_request
from standin.web.resources import CHANNEL, LIFECYCLE, PROJECT, fetch_page
from standin.work import Work


class Channels(Collection):
    """Channels; a project always has one that is the default."""

    async def model(self, call: Call) -> models.Channel:
        """Return what a client sent; the project may stand in the path."""
        sent = await call.json()
        if call.path.lower().rstrip("/").endswith("/channels") and "id" in call.params and isinstance(sent, dict):
            sent = {**sent, "ProjectId": (await project_of(call))["Id"]}
        return convert(sent, models.Channel)

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the project and the lifecycle of a channel, which stays in its project."""
        project = await referenced(work, PROJECT, model.project_id, space)
        if current is not None and current["ProjectId"] != project:
            raise bad_request("A channel cannot move to another project.")
        lifecycle = await referenced(work, LIFECYCLE, model.lifecycle_id, space) if model.lifecycle_id else None
        return {"ProjectId": project, "LifecycleId": lifecycle}

    async def settle(self, work: Work, document: Document, _current: Document | None) -> None:
        """Leave a project with one default channel: the one that was made so last."""
        if document["IsDefault"]:
            for other in await find(work.conn, kinds.CHANNEL, ProjectId=document["ProjectId"], IsDefault=True):
                if other["Id"] != document["Id"]:
                    await update(work.conn, kinds.CHANNEL, {**other, "IsDefault": False})

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a channel that is the default or the only one, or has releases."""
        if len(await find(work.conn, kinds.CHANNEL, ProjectId=document["ProjectId"])) == 1:
            raise bad_request("You cannot delete the only remaining channel.")
        if document["IsDefault"]:
            raise bad_request("You cannot delete the default channel.")
        await refuse_when_used(work, "channel_uses", document["Id"])

    async def of_project(self, call: Call) -> Any:
        """Return one page of the channels of a project."""
        project = await project_of(call)
        return await fetch_page(call, CHANNEL, {**named(call), "project": project["Id"]})


CHANNELS = Channels(CHANNEL)
