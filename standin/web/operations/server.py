"""The root document, nodes and what the server says of itself (octopus-api §B.6, §A.21, §A.22)."""

from standin.web import models
from standin.web.endpoints import artifacts, diagnostics, licenses, maintenance, nodes, scheduler, system
from standin.web.maintenance import Maintenance, Performance
from standin.web.routing import LIST, Scope, Table

server = Table(Scope.SYSTEM)
space = Table(Scope.SPACE)

ROUTES = (
    server.get("", system.root, anonymous=True),
    server.get("octopusservernodes/ping", nodes.ping, anonymous=True),
    server.get("serverstatus/health", system.health, anonymous=True),
    server.get("serverstatus", system.status),
    server.get("serverstatus/system-info", system.system_info),
    server.get("serverstatus/counts", system.counts),
    server.get("capabilities", system.capabilities),
    server.get("configuration/feature-toggles", system.feature_toggles, "name"),
    server.get("serverstatus/logs", diagnostics.recent_logs, "skip take includeDetail"),
    server.post("serverstatus/gc-collect", diagnostics.collect_garbage),
    server.get("serverstatus/system-report", diagnostics.system_report),
    server.get("serverstatus/timezones", diagnostics.timezones),
    server.get("serverstatus/extensions", diagnostics.extensions),
    server.get("maintenanceconfiguration", maintenance.read_maintenance),
    server.put("maintenanceconfiguration", maintenance.modify_maintenance, Maintenance),
    server.get("performanceconfiguration", maintenance.read_performance),
    server.put("performanceconfiguration", maintenance.modify_performance, Performance),
    server.get("licenses/licenses-current", licenses.read_license),
    server.put("licenses/licenses-current", licenses.modify_license, licenses.LicenseText),
    server.get("licenses/licenses-current-status", licenses.license_status),
    server.get("scheduler", scheduler.read_scheduler),
    server.get("scheduler/start", scheduler.start, "task"),
    server.get("scheduler/stop", scheduler.stop, "task"),
    server.get("scheduler/trigger", scheduler.trigger, "task"),
    server.get("scheduler/{name}/logs", scheduler.read_logs, "verbose tail"),
    server.get("scheduler/{name}/logs/raw", scheduler.read_raw_logs),
    space.get("useronboarding", diagnostics.onboarding),
    space.get("artifacts", artifacts.list_artifacts, "skip take ids regarding partialName order"),
    space.create("artifacts", artifacts.create_artifact, artifacts.SentArtifact),
    space.get("artifacts/{id}", artifacts.read_artifact),
    space.put("artifacts/{id}", artifacts.modify_artifact, artifacts.SentArtifact),
    space.delete("artifacts/{id}", artifacts.delete_artifact),
    space.get("artifacts/{id}/content", artifacts.read_content),
    space.put("artifacts/{id}/content", artifacts.put_content),
    server.get("octopusservernodes", nodes.list_nodes, LIST),
    server.get("octopusservernodes/all", nodes.all_nodes, "ids partialName"),
    server.get("octopusservernodes/summary", nodes.summary),
    server.get("octopusservernodes/{id}", nodes.read_node),
    server.put("octopusservernodes/{id}", nodes.modify_node, models.ServerNode),
    server.delete("octopusservernodes/{id}", nodes.delete_node),
    server.get("octopusservernodes/{id}/details", nodes.node_details),
)
