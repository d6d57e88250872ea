"""Tenants and the projects that they are connected to (octopus-api §A.12)."""

from typing import Any

from standin.documents import Document
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.refusals import invalid
from standin.web.resources import TENANT
from standin.work import Work


class Tenants(Collection):
    """Tenants, connected to environments of projects."""

    def filters(self, call: Call) -> Filters:
        """Return what tenants are filtered by."""
        return {**named(call), "connected_to": call.query.text("projectid"), "tags": call.query.many("tags")}

    async def check(self, work: Work, model: Any, space: str | None, _current: Document | None) -> Document:
        """Refuse a tenant that is connected to environments that its space does not have."""
        environments = [one for listed in model.project_environments.values() for one in listed]
        unknown = await work.conn.fetch(queries("web/resources")["referenced"], environments, space)
        if unknown:
            raise invalid(*(f"There is no environment {row['r']} in this space." for row in unknown))
        return {}


TENANTS = Tenants(TENANT)
