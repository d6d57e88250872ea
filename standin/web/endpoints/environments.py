"""Deployment environments (octopus-api §A.3)."""

from typing import Any

from standin import kinds
from standin.documents import Document
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import order_by, refuse_when_used
from standin.web.endpoints.machines import MACHINES
from standin.web.resources import ENVIRONMENT, fetch_page
from standin.work import Work


class Environments(Collection):
    """Environments; one without a place of its own comes last."""

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the place of an environment."""
        if model.sort_order is not None:
            return {"SortOrder": model.sort_order}
        if current is not None:
            return {"SortOrder": current["SortOrder"]}
        return {"SortOrder": await work.conn.fetchval(queries("web/resources")["next_sort_order"], space)}

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete an environment that a lifecycle or a deployment target uses."""
        await refuse_when_used(work, "environment_uses", document["Id"], document["SpaceId"])

    async def page_v2(self, call: Call) -> Any:
        """Return one page as newer clients ask for it."""
        page = await self.page(call)
        page["Items"] = [{**item, "Type": "Static", "ParentEnvironmentId": None} for item in page["Items"]]
        return page

    async def every_v1(self, call: Call) -> Any:
        """Return all environments in an envelope of their own."""
        return {"Environments": await self.every(call)}

    async def sort(self, call: Call) -> Any:
        """Put the environments into the order of the ids sent."""
        await order_by(call, kinds.ENVIRONMENT, "environment", queries("web/resources")["order_environments"])
        return await self.every(call)

    async def machines(self, call: Call) -> Any:
        """Return one page of the deployment targets of an environment."""
        environment = await self.find(call.state.pool, call)
        filters = {**MACHINES.filters(call), "in_environments": [environment["Id"]]}
        return await fetch_page(call, MACHINES.resource, filters)


ENVIRONMENTS = Environments(ENVIRONMENT)
