"""The root document, nodes and what the server says of itself (octopus-api §B.6, §A.21, §A.22)."""

from standin.web import models
from standin.web.endpoints import nodes, system
from standin.web.routing import LIST, Scope, Table

server = Table(Scope.SYSTEM)

ROUTES = (
    server.get("", system.root, anonymous=True),
    server.get("octopusservernodes/ping", nodes.ping, anonymous=True),
    server.get("serverstatus/health", system.health, anonymous=True),
    server.get("serverstatus", system.status),
    server.get("serverstatus/system-info", system.system_info),
    server.get("serverstatus/counts", system.counts),
    server.get("capabilities", system.capabilities),
    server.get("configuration/feature-toggles", system.feature_toggles),
    server.get("licenses/licenses-current-status", system.license_status),
    server.get("octopusservernodes", nodes.list_nodes, LIST),
    server.get("octopusservernodes/all", nodes.all_nodes, "ids partialName"),
    server.get("octopusservernodes/summary", nodes.summary),
    server.get("octopusservernodes/{id}", nodes.read_node),
    server.put("octopusservernodes/{id}", nodes.modify_node, models.ServerNode),
    server.delete("octopusservernodes/{id}", nodes.delete_node),
    server.get("octopusservernodes/{id}/details", nodes.node_details),
)
