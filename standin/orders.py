"""Orders: what a running stand-in can be told from outside about its nodes and hosts."""

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from standin import node
from standin.cluster import Cluster, Member
from standin.control import Answer, Order
from standin.errors import FailureError, UsageError
from standin.hosts.site import Site

#: Seconds that a node may take to answer.
PATIENCE = 10.0
#: Words of a command → what it does, as the help says it.
NODE_ACTIONS = {
    "list": "say how all nodes are",
    "add [NAME]": "start one more node",
    "start NAME": "start a node that was killed or stopped, at its old address",
    "stop NAME": "end a node in an orderly way; it cancels what it runs",
    "kill NAME": "end a node at once, as a power cut would",
    "freeze NAME": "let a node and its scripts stand still (Linux)",
    "thaw NAME": "let a frozen node go on",
    "drain NAME": "let a node take no new tasks",
    "undrain NAME": "let it take tasks again",
    "cap NAME N": "set how many tasks a node runs at once; 0 leaves it to the portal and the API",
}


class Orders:
    """Carries out all commands."""

    def __init__(self, nodes: "NodeOrders", site: Site | None) -> None:
        self._nodes = nodes
        self._site = site

    def obey(self, order: Order) -> Answer:
        """Carry out an order.

        Raises:
            UsageError, FailureError: as `NodeOrders.obey` and `Site.obey` say.
        """
        if order.subject == "node":
            return self._nodes.obey(order)
        if self._site is None:
            raise UsageError("this stand-in has no hosts", "Start it with --host-cpus.")
        return self._site.obey(order)


class NodeOrders:
    """Carries out the commands about nodes."""

    def __init__(self, cluster: Cluster, key: str, settings: Callable[[str], node.Settings]) -> None:
        """`key` is an administrator's API key, `settings` what a new node of a name is started with."""
        self._cluster = cluster
        self._key = key
        self._settings = settings

    def obey(self, order: Order) -> Answer:
        """Carry out an order; return how the nodes that it was about are then.

        Raises:
            UsageError: there is no such action or node, or it does not fit the node's state.
            FailureError: it was tried in vain.
        """
        match [order.action, *order.words]:
            case ["list"]:
                return {"nodes": [member.tell() for member in self._cluster.members]}
            case ["add", *names] if len(names) <= 1:
                return self._add(names[0] if names else self._cluster.free_name()).tell()
            case ["start" | "stop" | "kill" | "freeze" | "thaw" as action, name]:
                member: Member = getattr(self._cluster, action)(name)
                return member.tell()
            case ["drain" | "undrain" as action, name]:
                return self._modify(name, IsInMaintenanceMode=action == "drain")
            case ["cap", name, number] if number.lstrip("-").isdigit():
                return self._modify(name, MaxConcurrentTasks=int(number))
        raise UsageError(
            f"'node {' '.join([order.action, *order.words])}' is no command", f"There are {', '.join(NODE_ACTIONS)}."
        )

    def _add(self, name: str) -> Member:
        member = self._cluster.launch(self._settings(name))
        self._cluster.await_ready(member)
        return member

    def _modify(self, name: str, **changes: Any) -> Answer:
        """Change a node through the API, as an administrator would, on any node that answers."""
        self._cluster.member(name)
        running = next((member for member in self._cluster.members if member.state == "running"), None)
        if running is None:
            raise UsageError("no node runs that could be told", "Start or thaw one first.")
        path = f"/api/octopusservernodes/{node.node_id(quote(name))}"
        changed = _put(running.url, path, self._key, {"Id": node.node_id(name), **changes})
        return {"name": name, "cap": changed["MaxConcurrentTasks"], "draining": changed["IsInMaintenanceMode"]}


def _put(url: str, path: str, key: str, content: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    headers = {"X-Octopus-ApiKey": key, "Content-Type": "application/json"}
    try:
        connection.request("PUT", path, msgspec.json.encode(content), headers)
        answer = connection.getresponse()
        said = msgspec.json.decode(answer.read())
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as exc:
        raise FailureError(f"{url} does not answer: {exc}", "Is one of its nodes frozen or overloaded?") from exc
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.OK:
        return said
    reasons = "; ".join(said.get("Errors") or ()) or said.get("ErrorMessage")
    raise UsageError(f"the server refuses: {reasons}")
