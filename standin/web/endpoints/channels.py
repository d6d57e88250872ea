"""Channels of projects (octopus-api §A.8)."""

import uuid
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, find, update
from standin.versions import check_version, in_range, matches_tag, prerelease_tag
from standin.web import models
from standin.web.body import convert
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced, refuse_when_used
from standin.web.endpoints.projects import project_of
from standin.web.equipment import RuleTest
from standin.web.refusals import bad_request
from standin.web.resources import CHANNEL, LIFECYCLE, PROJECT, fetch_page
from standin.work import Work


async def test_rule(call: Call) -> Any:
    """Hold a version against a rule that the query spells out."""
    query = call.query
    version = query.text("version")
    if version is None:
        raise bad_request("The query must name a version.")
    return _result(version, query.text("versionrange"), query.text("prereleasetag"))


async def test_sent_rule(call: Call) -> Any:
    """Hold a version against a rule that the body spells out."""
    sent = await call.read(RuleTest)
    return _result(sent.version, sent.version_range, sent.pre_release_tag)


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
        project = await referenced(work.conn, PROJECT, model.project_id, space)
        if current is not None and current["ProjectId"] != project:
            raise bad_request("A channel cannot move to another project.")
        lifecycle = await referenced(work.conn, LIFECYCLE, model.lifecycle_id, space) if model.lifecycle_id else None
        rules = [{**msgspec.to_builtins(rule), "Id": rule.id or str(uuid.uuid4())} for rule in model.rules]
        for rule in rules:
            if rule["VersionRange"]:
                in_range("0", rule["VersionRange"])
        return {"ProjectId": project, "LifecycleId": lifecycle, "Rules": rules}

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


def _result(version: str, limits: str | None, tag: str | None) -> Document:
    check_version(version)
    within = not limits or in_range(version, limits)
    tagged = not tag or matches_tag(prerelease_tag(version), tag)
    return {
        "SatisfiesVersionRange": within,
        "SatisfiesPreReleaseTag": tagged,
        "IsSatisfied": within and tagged,
        "Errors": [],
        "Links": {},
    }
