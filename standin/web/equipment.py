"""Machine policies, workers, tag sets and library variable sets as clients send them (octopus-api §A.10 to §A.12)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from standin.web.models import Name, Resource, Template


class MachinePolicy(Resource, frozen=True, kw_only=True):
    """How targets are checked, updated and cleaned up; a new one needs its four policies."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    is_default: bool = False
    machine_health_check_policy: dict[str, Any]
    machine_connectivity_policy: dict[str, Any]
    machine_cleanup_policy: dict[str, Any]
    machine_update_policy: dict[str, Any]
    machine_rpc_call_retry_policy: dict[str, Any] | None = None
    machine_package_cache_retention_policy: dict[str, Any] | None = None
    polling_request_queue_timeout: str = "00:02:00"
    connection_connect_timeout: str = "00:01:00"
    connection_retry_count_limit: int = 5
    connection_retry_sleep_interval: str = "00:00:01"
    connection_retry_time_limit: str = "00:05:00"


class WorkerPool(Resource, frozen=True, kw_only=True):
    """A pool of workers; one of a space is the default."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    is_default: bool = False
    sort_order: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    worker_pool_type: Literal["StaticWorkerPool", "DynamicWorkerPool"] = "StaticWorkerPool"
    worker_type: str | None = None


class Worker(Resource, frozen=True, kw_only=True):
    """A machine that runs steps in place of the server."""

    name: Name
    slug: str | None = None
    worker_pool_ids: list[str]
    endpoint: dict[str, Any]
    machine_policy_id: str | None = None
    is_disabled: bool = False
    thumbprint: str | None = None
    uri: str | None = None
    health_status: str = "Unknown"
    status_summary: str | None = None
    has_latest_calamari: bool = True
    is_in_process: bool = False
    operating_system: str | None = None
    shell_name: str | None = None
    shell_version: str | None = None


class Tag(Resource, frozen=True, kw_only=True):
    """A tag; its canonical name is made of its set's name and its own."""

    id: str | None = None
    name: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^/]*$")]
    description: str | None = ""
    color: Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$")] = "#333333"
    sort_order: int = 0


class TagSet(Resource, frozen=True, kw_only=True):
    """A set of tags."""

    name: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^/]*$")]
    slug: str | None = None
    description: str | None = ""
    sort_order: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    scopes: list[str] = field(default_factory=lambda: ["Tenant"])
    type: str = "MultiSelect"
    tags: list[Tag] = []


class LibraryVariableSet(Resource, frozen=True, kw_only=True):
    """Variables that projects share, or a module of scripts."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    content_type: Literal["Variables", "ScriptModule"] = "Variables"
    templates: list[Template] = []


class TenantVariables(Resource, frozen=True, kw_only=True):
    """The values of a tenant: by project, environment and template, and by library set and template."""

    concurrency_token: str | None = None
    project_variables: dict[str, "ProjectValues"] = {}
    library_variables: dict[str, "LibraryValues"] = {}


class ProjectValues(Resource, frozen=True, kw_only=True):
    """Environment → template → value."""

    variables: dict[str, dict[str, Any]] = {}


class LibraryValues(Resource, frozen=True, kw_only=True):
    """Template → value."""

    variables: dict[str, Any] = {}


class RuleTest(Resource, frozen=True, kw_only=True):
    """A version that is held against a rule of a channel."""

    version: Annotated[str, Meta(min_length=1)]
    version_range: str | None = None
    pre_release_tag: str | None = None
    feed_type: str | None = None
