"""Lifecycles, retention and the settings of the instance (octopus-api §A.4, §A.5)."""

from typing import Any

from standin.web import models
from standin.web.endpoints import settings
from standin.web.endpoints.lifecycles import LIFECYCLES
from standin.web.routing import Scope, Table

space = Table(Scope.SPACE)
server = Table(Scope.SYSTEM)

ROUTES = (
    *LIFECYCLES.routes(space, "lifecycles"),
    server.get("configuration/retention-default", settings.read_retention_default),
    server.put("configuration/retention-default", settings.modify_retention_default, models.RetentionDefault),
    server.get("configuration", settings.list_sections, "skip take"),
    server.get("configuration/{id}", settings.read_section),
    server.get("configuration/{id}/metadata", settings.read_metadata),
    server.get("configuration/{id}/values", settings.read_values),
    server.put("configuration/{id}/values", settings.modify_values, dict[str, Any]),
    space.get("lifecycles/{id}/preview", LIFECYCLES.preview),
    space.get("lifecycles/{id}/projects", LIFECYCLES.projects),
    *settings.routes_of(server, "featuresconfiguration", "features"),
    *settings.routes_of(server, "smtpconfiguration", "smtp"),
    server.get("smtpconfiguration/isconfigured", settings.mail_is_configured),
    *settings.routes_of(server, "letsencryptconfiguration", "letsencrypt"),
    *settings.routes_of(server, "upgradeconfiguration", "upgrade"),
    *settings.routes_of(server, "serverconfiguration", "server"),
    server.get("serverconfiguration/settings", settings.server_settings),
    space.get("retentionpolicies", settings.read_policy, "retentionType"),
    space.put("retentionpolicies/{id}", settings.modify_policy, models.SpaceRetentionPolicy),
)
