"""Lifecycles, retention and the settings of the instance (octopus-api §A.4, §A.5)."""

from typing import Any

from standin.web import models
from standin.web.endpoints import lifecycles, settings
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
server = Table(Scope.SYSTEM)

ROUTES = (
    server.get("configuration/retention-default", settings.read_retention_default),
    server.put("configuration/retention-default", settings.modify_retention_default, models.RetentionDefault),
    server.get("configuration/{id}/values", settings.read_values),
    server.put("configuration/{id}/values", settings.modify_values, dict[str, Any]),
    space.get("lifecycles", lifecycles.list_lifecycles, LIST),
    space.create("lifecycles", lifecycles.create_lifecycle, models.Lifecycle),
    space.get("lifecycles/all", lifecycles.all_lifecycles, "ids partialName"),
    space.get("lifecycles/{id}", lifecycles.read_lifecycle),
    space.put("lifecycles/{id}", lifecycles.modify_lifecycle, models.Lifecycle),
    space.delete("lifecycles/{id}", lifecycles.delete_lifecycle),
    space.get("lifecycles/{id}/preview", lifecycles.preview_lifecycle),
    space.get("lifecycles/{id}/projects", lifecycles.projects_of_lifecycle),
    space.get("retentionpolicies", settings.read_policy, "retentionType"),
    space.put("retentionpolicies/{id}", settings.modify_policy, models.SpaceRetentionPolicy),
)
