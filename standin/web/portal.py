"""What the portal configures besides projects and targets, as clients send it (octopus-api §A.22)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any, Literal

from msgspec import Meta

from standin.web.models import Name, Resource, Tenanted

AccountType = Literal[
    "UsernamePassword",
    "SshKeyPair",
    "AzureSubscription",
    "AzureServicePrincipal",
    "AzureOidc",
    "AmazonWebServicesAccount",
    "AmazonWebServicesRoleAccount",
    "AmazonWebServicesOidcAccount",
    "Token",
    "GoogleCloudAccount",
    "GoogleCloudOidcAccount",
    "GenericOidcAccount",
]
Secret = dict[str, Any] | None


class Account(Resource, frozen=True, kw_only=True):
    """Credentials for somewhere else; kept, and never used."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    account_type: AccountType
    environment_ids: list[str] = []
    tenanted_deployment_participation: Tenanted = "Untenanted"
    tenant_ids: list[str] = []
    tenant_tags: list[str] = []
    username: str | None = None
    password: Secret = None
    token: Secret = None
    private_key_file: Secret = None
    private_key_passphrase: Secret = None
    access_key: str | None = None
    secret_key: Secret = None
    json_key: Secret = None
    subscription_number: str | None = None
    client_id: str | None = None
    tenant_id: str | None = None


class Certificate(Resource, frozen=True, kw_only=True):
    """A certificate; its data come in once, and are never returned."""

    name: Name
    slug: str | None = None
    notes: str | None = ""
    certificate_data: Secret = None
    password: Secret = None
    environment_ids: list[str] = []
    tenanted_deployment_participation: Tenanted = "Untenanted"
    tenant_ids: list[str] = []
    tenant_tags: list[str] = []


class Proxy(Resource, frozen=True, kw_only=True):
    """A proxy that machines are reached by."""

    name: Name
    slug: str | None = None
    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 80
    proxy_type: str = "HTTP"
    username: str | None = None
    password: Secret = None


class Subscription(Resource, frozen=True, kw_only=True):
    """Who is told of which events; kept, and nobody is told."""

    name: Name
    slug: str | None = None
    type: Literal["Event"] = "Event"
    is_disabled: bool = False
    event_notification_subscription: dict[str, Any] = {}


class Trigger(Resource, frozen=True, kw_only=True):
    """What a project does by itself; kept, and never done."""

    name: Name
    slug: str | None = None
    project_id: str
    description: str | None = ""
    is_disabled: bool = False
    filter: dict[str, Any] = {}
    action: dict[str, Any] = {}


class ActionTemplate(Resource, frozen=True, kw_only=True):
    """A step that processes can be made of."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    action_type: Annotated[str, Meta(min_length=1)]
    version: int = 0
    community_action_template_id: str | None = None
    properties: dict[str, Any] = {}
    packages: list[Any] = []
    git_dependencies: list[Any] = []
    parameters: list[Any] = []
    step_package_version: str | None = None
    inputs: Any = None
