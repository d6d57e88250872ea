"""What clients send to create releases, deployments and tasks (octopus-api §A.14 to §A.16)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any

from msgspec import Meta

from standin.web.models import Name, Resource


class SelectedPackage(Resource, frozen=True, kw_only=True):
    """The version of a package that a release or a runbook's snapshot has chosen."""

    action_name: str | None = None
    step_name: str | None = None
    package_reference_name: str | None = None
    version: str | None = None


class CreateRelease(Resource, frozen=True, kw_only=True):
    """A release as the classic route takes it."""

    project_id: Name
    version: Annotated[str, Meta(min_length=1, max_length=349)]
    channel_id: str | None = None
    release_notes: str | None = None
    selected_packages: list[SelectedPackage] = []
    selected_git_resources: list[Any] = []
    ignore_channel_rules: bool = False
    custom_fields: dict[str, Any] = {}


class ModifyRelease(Resource, frozen=True, kw_only=True):
    """What of a release can be changed after it was made."""

    version: Annotated[str, Meta(min_length=1, max_length=349)]
    channel_id: str | None = None
    release_notes: str | None = None
    ignore_channel_rules: bool = False
    custom_fields: dict[str, Any] = {}


class CreateReleaseV1(Resource, frozen=True, kw_only=True):
    """A release as newer clients ask for it: by names, the version optional."""

    project_name: Name
    release_version: str | None = None
    channel_name: str | None = None
    package_version: str | None = None
    packages: list[str] = []
    package_prerelease: str | None = None
    release_notes: str | None = None
    ignore_if_already_exists: bool = False
    ignore_channel_rules: bool = False
    custom_fields: dict[str, Any] = {}


class CreateDeployment(Resource, frozen=True, kw_only=True):
    """A deployment as the classic route takes it."""

    release_id: Name
    environment_id: Name
    tenant_id: str | None = None
    comments: str | None = None
    form_values: dict[str, Any] = {}
    queue_time: str | None = None
    queue_time_expiry: str | None = None
    force_package_download: bool = False
    force_package_redeployment: bool = False
    use_guided_failure: bool = False
    skip_actions: list[str] = []
    specific_machine_ids: list[str] = []
    excluded_machine_ids: list[str] = []
    priority: str = "LifecycleDefault"
    debug_mode: Any = None
    fail_target_discovery: bool = False
    tentacle_retention_period: Any = None


class _DeployV1(Resource, frozen=True, kw_only=True):
    project_name: Name
    release_version: Name
    force_package_download: bool = False
    force_package_redeployment: bool = False
    update_variable_snapshot: bool = False
    use_guided_failure: bool | None = None
    specific_machine_names: list[str] = []
    excluded_machine_names: list[str] = []
    skip_step_names: list[str] = []
    run_at: str | None = None
    no_run_after: str | None = None
    variables: dict[str, Any] = {}
    comments: str | None = None
    priority: str = "LifecycleDefault"


class DeployUntenantedV1(_DeployV1, frozen=True, kw_only=True):
    """A release to several environments, one task each."""

    environment_names: list[str]


class DeployTenantedV1(_DeployV1, frozen=True, kw_only=True):
    """A release to one environment for several tenants, one task each."""

    environment_name: Name
    tenants: list[str] = []
    tenant_tags: list[str] = []


class CreateTask(Resource, frozen=True, kw_only=True):
    """A task that a client may queue by itself."""

    name: Name
    description: str | None = None
    arguments: dict[str, Any] = {}
    space_id: str | None = None
    queue_time: str | None = None
    queue_time_expiry: str | None = None


class SetState(Resource, frozen=True, kw_only=True):
    """The state that a finished task shall have instead."""

    state: str | None = None
    reason: str | None = None


class PreviewTarget(Resource, frozen=True, kw_only=True):
    """An environment, and a tenant if any."""

    environment_id: Name
    tenant_id: str | None = None


class Previews(Resource, frozen=True, kw_only=True):
    """Where deployments are looked at before they are ordered."""

    deployment_previews: list[PreviewTarget] = []


class DashboardConfiguration(Resource, frozen=True, kw_only=True):
    """What a user wants to see on the dashboard of a space; empty lists stand for everything."""

    included_project_group_ids: list[str] = []
    included_project_ids: list[str] = []
    included_project_tags: list[str] = []
    included_environment_ids: list[str] = []
    included_environment_tags: list[str] = []
    included_tenant_ids: list[str] = []
    included_tenant_tags: list[str] = []
    project_limit: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
