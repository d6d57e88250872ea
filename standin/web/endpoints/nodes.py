"""The nodes of the cluster: their task caps, draining, and the ping of load balancers (octopus-api §A.21)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from standin import events, kinds
from standin.documents import Document, delete, get, lock, time_text, update
from standin.statements import queries
from standin.timers import Timers
from standin.web import models
from standin.web.call import Call, Reply
from standin.web.paging import envelope
from standin.web.refusals import bad_request


async def list_nodes(call: Call) -> Any:
    """List the nodes."""
    window, found = call.query.window(), await _nodes(call)
    page = found[window.skip : window.skip + window.take]
    items = [_resource(node) for node in page]
    return envelope("OctopusServerNode", items, len(found), window, call.path, call.query.filters())


async def all_nodes(call: Call) -> Any:
    """Return all nodes as a bare array."""
    return [_resource(node) for node in await _nodes(call)]


async def read_node(call: Call) -> Any:
    """Return one node."""
    return _resource(await get(call.state.pool, kinds.NODE, call.id))


async def modify_node(call: Call) -> Any:
    """Set the task cap of a node, or drain it."""
    sent = await call.read(models.ServerNode)
    async with call.begin() as work:
        node = await lock(work.conn, kinds.NODE, call.id)
        if sent.max_concurrent_tasks is not None:
            node["MaxConcurrentTasks"] = sent.max_concurrent_tasks
        if sent.is_in_maintenance_mode is not None:
            node["IsInMaintenanceMode"] = sent.is_in_maintenance_mode
        await update(work.conn, kinds.NODE, node)
        await events.modified(work, node, f"Octopus Server node {node['Name']}")
    return _resource(node)


async def delete_node(call: Call) -> Any:
    """Forget a node that is offline."""
    async with call.begin() as work:
        node = await get(work.conn, kinds.NODE, call.id)
        if not _is_offline(call, node):
            raise bad_request(f"The node {node['Name']} is online; only an offline node can be deleted.")
        await delete(work.conn, kinds.NODE, node["Id"])
        await events.deleted(work, node, f"Octopus Server node {node['Name']}")
    return _resource(node)


async def node_details(call: Call) -> Any:
    """Return how many tasks a node runs."""
    await get(call.state.pool, kinds.NODE, call.id)
    running = next((node["RunningTaskCount"] for node in await _nodes(call, [call.id])), 0)
    return {"Id": call.id, "RunningTasks": running, "Links": {"Self": call.path}}


async def summary(call: Call) -> Any:
    """Return all nodes with what they do at the moment."""
    return {"Nodes": await _nodes(call), "Links": {"Self": call.path}}


async def ping(call: Call) -> Reply:
    """Answer a load balancer: 200, or 418 while this node drains."""
    node = await get(call.state.pool, kinds.NODE, call.state.node_id)
    members = ("Id", "Name", "MaxConcurrentTasks", "IsInMaintenanceMode", "LastSeen")
    content = {name: node[name] for name in members}
    content.update(IsOffline=_is_offline(call, node), Version=call.state.version)
    return Reply(content, 418 if node["IsInMaintenanceMode"] else 200)


async def _nodes(call: Call, ids: list[str] | None = None) -> list[Document]:
    wanted = ids or call.query.many("ids")
    rows = await call.state.pool.fetch(queries("web/nodes")["nodes"], wanted, call.query.text("partialname"))
    return [
        {
            "Id": row["id"],
            "Name": row["name"],
            "MaxConcurrentTasks": row["maxconcurrenttasks"],
            "IsInMaintenanceMode": row["isinmaintenancemode"],
            "IsOffline": _is_offline(call, kinds.NODE.read(row)),
            "LastSeen": time_text(row["lastseen"]) if row["lastseen"] else None,
            "RunningTaskCount": row["running"],
            "Version": call.state.version,
            "MaxSqlConnectionPoolSize": call.state.pool.get_max_size(),
            "RecommendedMaxSqlConnectionPoolSize": 3 * row["maxconcurrenttasks"],
        }
        for row in rows
    ]


def _resource(node: Document) -> Document:
    members = {name: node[name] for name in ("Id", "Name", "MaxConcurrentTasks", "IsInMaintenanceMode")}
    self = f"/api/octopusservernodes/{node['Id']}"
    return {**members, "Links": {"Self": self, "Details": f"{self}/details"}}


def _is_offline(call: Call, node: Document) -> bool:
    """Say whether a node has missed three heartbeats of 60 seconds."""
    if not node["LastSeen"]:
        return True
    age = datetime.now(UTC) - datetime.fromisoformat(node["LastSeen"])
    return age > timedelta(seconds=Timers(call.state.time_scale).offline)
