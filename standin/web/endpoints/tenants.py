"""Tenants and the projects that they are connected to (octopus-api §A.12)."""

from typing import Any

from standin import kinds
from standin.documents import Document, find, get_many
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.collection import Collection
from standin.web.endpoints.common import named
from standin.web.endpoints.tagsets import known_tags
from standin.web.filters import Filters
from standin.web.refusals import bad_request, invalid
from standin.web.resources import TENANT, fetch_one
from standin.work import Work


class Tenants(Collection):
    """Tenants, connected to environments of projects, and told apart by tags."""

    def filters(self, call: Call) -> Filters:
        """Return what tenants are filtered by."""
        query = call.query
        return {
            **named(call),
            "connected_to": query.text("projectid"),
            "tags": query.many("tags"),
            "cloned_from_tenant": query.text("clonedfromtenantid"),
        }

    def show(self, document: Document) -> Document:
        """Return a tenant, without the values of its variables."""
        return {name: value for name, value in super().show(document).items() if name != "Values"}

    async def check(self, work: Work, model: Any, space: str | None, _current: Document | None) -> Document:
        """Refuse a tenant that names projects, environments or tags that its space does not have."""
        environments = [one for listed in model.project_environments.values() for one in listed]
        unknown = await work.conn.fetch(queries("web/resources")["referenced"], environments, space)
        problems = [f"There is no environment {row['r']} in this space." for row in unknown]
        projects = await get_many(work.conn, kinds.PROJECT, model.project_environments)
        inside = {one for one, project in projects.items() if project["SpaceId"] == space}
        problems += [
            f"There is no project {one[:100]} in this space." for one in model.project_environments if one not in inside
        ]
        tags = await known_tags(work.conn, space) if model.tenant_tags else set()
        problems += [f"There is no tag '{one[:200]}' in this space." for one in model.tenant_tags if one not in tags]
        if problems:
            raise invalid(*problems)
        return {}

    async def create(self, call: Call) -> Reply:
        """Create a tenant; `?clone=` gives it the connections, tags and values of another."""
        source = call.query.text("clone")
        if source is None:
            return await super().create(call)
        return await self._clone(call, source)

    async def _clone(self, call: Call, source: str) -> Reply:
        model = await self.model(call)
        async with call.begin() as work:
            original = await fetch_one(work.conn, TENANT, source, call.space)
            copied = {name: original.get(name) for name in ("ProjectEnvironments", "TenantTags", "Values")}
            more = {**copied, "ClonedFromTenantId": original["Id"]}
            return await self.keep(work, call, model, more)

    async def status(self, call: Call) -> Any:
        """Say whether this space has tenants."""
        row = await call.state.pool.fetchrow(queries("web/resources")["any_tenant"], call.space)
        return {"Id": "tenants-status", "Enabled": row is not None, "Links": {"Self": call.path}}

    async def tag_test(self, call: Call) -> Any:
        """Say of each tenant whether it has one of the tags named of each set named."""
        wanted: dict[str, set[str]] = {}
        for tag in call.query.many("tags") or []:
            wanted.setdefault(tag.partition("/")[0], set()).add(tag)
        found = await get_many(call.state.pool, kinds.TENANT, call.query.many("tenantids") or [])
        return {
            identifier: _test(tenant["TenantTags"], wanted)
            for identifier, tenant in found.items()
            if tenant["SpaceId"] == call.space
        }


TENANTS = Tenants(TENANT)


async def tenants_of(call: Call, conn: Any) -> list[Document]:
    """Return the tenants that the query names by tenant or project; all of the space when it names none."""
    wanted, project = call.query.text("tenantid"), call.query.text("projectid")
    tenants = await find(conn, kinds.TENANT, SpaceId=call.space)
    if wanted is not None and all(one["Id"] != wanted for one in tenants):
        raise bad_request(f"There is no tenant {wanted[:100]} in this space.")
    return [
        one
        for one in tenants
        if (wanted is None or one["Id"] == wanted) and (project is None or project in one["ProjectEnvironments"])
    ]


def _test(tags: list[str], wanted: dict[str, set[str]]) -> Document:
    """Hold a tenant's tags against those wanted: of each set one must be there."""
    missing = sorted(name for name, some in wanted.items() if not some & set(tags))
    reason = f"It has none of the tags of {', '.join(missing)}." if missing else "It has a tag of each set."
    return {"IsMatched": not missing, "Reason": reason, "MissingTags": missing}
