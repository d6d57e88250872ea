"""Workers and their pools (octopus-api §A.11)."""

from typing import Any

from standin import kinds
from standin.documents import Document, find, get_many
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, order_by, refuse_when_used
from standin.web.endpoints.connections import connection, health_of
from standin.web.endpoints.defaults import default_policy, keep_one_default
from standin.web.endpoints.summaries import count_machines
from standin.web.filters import Filters
from standin.web.refusals import bad_request, invalid
from standin.web.resources import WORKER, WORKER_POOL, fetch_all, fetch_page
from standin.work import Work


class Workers(Collection):
    """Workers; nothing is sent to the machines themselves."""

    def filters(self, call: Call) -> Filters:
        """Return what workers are filtered by."""
        query = call.query
        return {
            **named(call),
            "in_pools": query.many("workerpoolids"),
            "disabled": query.flag("isdisabled"),
            "health": query.many("healthstatuses"),
            "communication_styles": query.many("commstyles"),
            "shells": query.many("shellnames"),
            "thumbprint": query.text("thumbprint"),
        }

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return how a worker is; it needs pools of its space."""
        known = await get_many(work.conn, kinds.WORKER_POOL, model.worker_pool_ids)
        pools = [one for one in model.worker_pool_ids if one in known and known[one]["SpaceId"] == space]
        problems = [
            f"There is no worker pool {one} in this space." for one in model.worker_pool_ids if one not in pools
        ]
        if not model.worker_pool_ids:
            problems.append("A worker needs at least one worker pool.")
        if problems:
            raise invalid(*problems)
        policy = model.machine_policy_id or await default_policy(work, space)
        return {"MachinePolicyId": policy, **health_of(model.endpoint, current)}

    async def connection(self, call: Call) -> Any:
        """Return what is known of the connection to a worker."""
        return connection(await self.find(call.state.pool, call), f"/api/{call.space}/workers")


class WorkerPools(Collection):
    """Worker pools, in their own order; one of a space is the default."""

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the place of a pool: the last, when it is new and names none."""
        if current is not None and current["IsDefault"] and not model.is_default:
            raise bad_request("A space needs a default worker pool; make another one the default.")
        if model.sort_order is not None:
            return {"SortOrder": model.sort_order}
        if current is not None:
            return {"SortOrder": current["SortOrder"]}
        return {"SortOrder": len(await find(work.conn, kinds.WORKER_POOL, SpaceId=space))}

    async def settle(self, work: Work, document: Document, _current: Document | None) -> None:
        """Leave a space with one default pool: the one that was made so last."""
        if document["IsDefault"]:
            await keep_one_default(work, self.resource.kind, document)

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete the default pool, or one with workers."""
        if document["IsDefault"]:
            raise bad_request("The default worker pool cannot be deleted.")
        await refuse_when_used(work, "pool_uses", document["Id"], document["SpaceId"])

    async def sort(self, call: Call) -> Any:
        """Put the pools into the order of the ids sent."""
        await order_by(call, kinds.WORKER_POOL, "worker pool", queries("web/resources")["order_pools"])
        return await self.every(call)

    async def workers(self, call: Call) -> Any:
        """Return one page of the workers of a pool."""
        pool = await self.find(call.state.pool, call)
        return await fetch_page(call, WORKER, {**WORKERS.filters(call), "in_pools": [pool["Id"]]})

    async def summary(self, call: Call) -> Any:
        """Count the workers of each pool by their health and how they are reached."""
        pools = await self.every(call)
        filters = {**WORKERS.filters(call), "ids": None, "partial_name": call.query.text("machinepartialname")}
        workers = await fetch_all(call, WORKER, filters)
        hide = call.query.flag("hideemptyworkerpools")
        parts = []
        for pool in pools:
            inside = [worker for worker in workers if pool["Id"] in worker["WorkerPoolIds"]]
            if inside or not hide:
                parts.append({"WorkerPool": pool, **count_machines(inside)})
        return {**count_machines(workers), "WorkerPoolSummaries": parts, "Links": {"Self": call.path}}

    async def supported(self, _call: Call) -> Any:
        """Return the kinds of pools that this server may have."""
        return {"SupportedPoolTypes": ["StaticWorkerPool"]}


WORKERS = Workers(WORKER)
WORKER_POOLS = WorkerPools(WORKER_POOL)
