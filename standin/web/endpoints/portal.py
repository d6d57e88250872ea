"""What the portal configures besides projects and targets: kept and shown, never acted on (octopus-api §A.22)."""

from typing import Any

from standin.documents import Document
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, referenced
from standin.web.endpoints.projects import project_of
from standin.web.filters import Filters
from standin.web.refusals import bad_request
from standin.web.resources import (
    ACCOUNT,
    ACTION_TEMPLATE,
    CERTIFICATE,
    PROJECT,
    PROXY,
    SUBSCRIPTION,
    TRIGGER,
    fetch_page,
)
from standin.work import Work


class Accounts(Collection):
    """Accounts, each of one type for ever."""

    def filters(self, call: Call) -> Filters:
        """Return what accounts are filtered by."""
        return {**named(call), "account_type": call.query.text("accounttype")}

    async def check(self, _work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Refuse to make another type of an account."""
        if current is not None and current["AccountType"] != model.account_type:
            raise bad_request("The type of an account cannot be changed.")
        return {}


class Triggers(Collection):
    """Triggers of projects."""

    async def check(self, work: Work, model: Any, space: str | None, _current: Document | None) -> Document:
        """Return the project of a trigger."""
        return {"ProjectId": await referenced(work.conn, PROJECT, model.project_id, space)}

    async def of_project(self, call: Call) -> Any:
        """Return one page of the triggers of a project."""
        project = await project_of(call)
        return await fetch_page(call, TRIGGER, {**named(call), "project": project["Id"]})


class ActionTemplates(Collection):
    """Step templates; each change makes the next version of one."""

    async def check(self, _work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Return the version of a template."""
        if current is None:
            return {"Version": 0}
        if current["ActionType"] != model.action_type:
            raise bad_request("The action type of a step template cannot be changed.")
        return {"Version": current["Version"] + 1}


ACCOUNTS = Accounts(ACCOUNT)
CERTIFICATES = Collection(CERTIFICATE)
PROXIES = Collection(PROXY)
SUBSCRIPTIONS = Collection(SUBSCRIPTION)
TRIGGERS = Triggers(TRIGGER)
ACTION_TEMPLATES = ActionTemplates(ACTION_TEMPLATE)
