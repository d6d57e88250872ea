"""The settings of the instance: what each holds, and what holds before anybody changes it (octopus-api §A.0, §A.5)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from standin.web.models import EventRetention, Resource, RetentionDefault, RetentionSchedule


class Features(Resource, frozen=True, kw_only=True):
    """Parts of the server that can be turned off."""

    is_built_in_worker_enabled: bool = True
    is_community_action_templates_enabled: bool = False
    is_help_sidebar_enabled: bool = True
    help_sidebar_support_link: str | None = None
    help_sidebar_support_link_label: str | None = None
    is_automatic_step_updates_enabled: bool = False
    is_kubernetes_cloud_target_discovery_enabled: bool = False


class Smtp(Resource, frozen=True, kw_only=True):
    """Where mail would be sent by; its password is never returned."""

    smtp_host: str | None = None
    smtp_port: Annotated[int, Meta(ge=1, le=65_535)] = 25
    send_email_from: str | None = None
    enable_ssl: bool = False
    timeout: Annotated[int, Meta(ge=0, le=3_600_000)] = 12_000
    details: dict[str, Any] | None = None


class LetsEncrypt(Resource, frozen=True, kw_only=True):
    """How the server gets its certificate."""

    enabled: bool = False
    dns_name: str | None = None
    registration_email_address: str | None = None
    accept_letsencrypt_terms: bool = False
    path: str | None = None


class Upgrade(Resource, frozen=True, kw_only=True):
    """What the server says of newer versions."""

    notification_mode: Literal["AlwaysShow", "ShowOnlyMajorMinor", "NeverShow"] = "AlwaysShow"
    allow_checking: bool = False
    include_statistics: bool = False


class Server(Resource, frozen=True, kw_only=True):
    """Where clients reach the server."""

    server_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A setting of the instance."""

    #: its id
    id: str
    #: its name
    name: str
    #: what it holds
    model: type[Resource]


SECTIONS = {
    section.id: section
    for section in (
        Section("retention-default", "Default retention", RetentionDefault),
        Section("retentionpolicies", "Retention policies", RetentionSchedule),
        Section("eventretention", "Event retention", EventRetention),
        Section("features", "Features", Features),
        Section("smtp", "SMTP", Smtp),
        Section("letsencrypt", "Let's Encrypt", LetsEncrypt),
        Section("upgrade", "Upgrades", Upgrade),
        Section("server", "Server", Server),
    )
}
