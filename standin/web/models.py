"""The resources that clients send and read, with the defaults that the server fills in (octopus-api §A)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=200)]
ShortName = Annotated[str, Meta(min_length=1, max_length=50)]
Tenanted = Literal["Untenanted", "TenantedOrUntenanted", "Tenanted"]
GuidedFailure = Literal["EnvironmentDefault", "Off", "On"]


class Resource(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A resource; its members are spelt as the API spells them, and unknown ones are ignored."""


class RetentionPeriod(Resource, frozen=True, kw_only=True):
    """How long releases or files are kept, in the variants of old and new clients (§A.4)."""

    strategy: Literal["Default", "Count", "Forever"] | None = None
    quantity_to_keep: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    unit: Literal["Days", "Items"] = "Items"
    should_keep_forever: bool | None = None

    def normal(self) -> "RetentionPeriod":
        """Return the period with all four members, its strategy inferred where an old client sent none."""
        strategy = self.strategy or self._inferred()
        if strategy == "Count" and self.quantity_to_keep == 0:
            strategy = "Forever"
        return RetentionPeriod(
            strategy=strategy,
            quantity_to_keep=self.quantity_to_keep if strategy == "Count" else 0,
            unit=self.unit,
            should_keep_forever=strategy != "Count",
        )

    def _inferred(self) -> Literal["Default", "Count", "Forever"]:
        if self.quantity_to_keep > 0:
            return "Count"
        return "Default" if self.unit == "Items" and not self.should_keep_forever else "Forever"


class Space(Resource, frozen=True, kw_only=True):
    """A space (§A.2)."""

    name: ShortName
    slug: str | None = None
    description: str | None = ""
    is_default: bool = False
    is_private: bool = False
    task_queue_stopped: bool = False
    space_managers_teams: list[str] = []
    space_managers_team_members: list[str] = []


class Environment(Resource, frozen=True, kw_only=True):
    """A deployment environment (§A.3)."""

    name: ShortName
    slug: str | None = None
    description: str | None = ""
    sort_order: int | None = None
    use_guided_failure: bool = False
    allow_dynamic_infrastructure: bool = False
    environment_tags: list[str] = []
    extension_settings: list[Any] = []


class Phase(Resource, frozen=True, kw_only=True):
    """A phase of a lifecycle; a policy that is null is inherited."""

    id: str | None = None
    name: Name
    automatic_deployment_targets: list[str] = []
    optional_deployment_targets: list[str] = []
    minimum_environments_before_promotion: Annotated[int, Meta(ge=0)] = 0
    is_optional_phase: bool = False
    is_priority_phase: bool = False
    release_retention_policy: RetentionPeriod | None = None
    tentacle_retention_policy: RetentionPeriod | None = None


class Lifecycle(Resource, frozen=True, kw_only=True):
    """The order in which releases move through environments, and how long they are kept (§A.4)."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    phases: list[Phase] = []
    release_retention_policy: RetentionPeriod = RetentionPeriod()
    tentacle_retention_policy: RetentionPeriod = RetentionPeriod()


class ProjectGroup(Resource, frozen=True, kw_only=True):
    """A group of projects (§A.6)."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    environment_ids: list[str] = []
    retention_policy_id: str | None = None


class ConnectivityPolicy(Resource, frozen=True, kw_only=True):
    """What a project does about targets that do not answer."""

    skip_machine_behavior: str = "None"
    target_roles: list[str] = []
    allow_deployments_to_no_targets: bool = True
    exclude_unhealthy_targets: bool = False


class VersioningStrategy(Resource, frozen=True, kw_only=True):
    """How the next version is made."""

    template: str | None = "#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}"
    donor_package: Any = None


class Template(Resource, frozen=True, kw_only=True):
    """A variable that each tenant gives a value of its own."""

    id: str | None = None
    name: Name
    label: str | None = None
    help_text: str | None = None
    default_value: Any = None
    display_settings: dict[str, Any] = {}


class Project(Resource, frozen=True, kw_only=True):
    """A project (§A.7)."""

    name: Name
    slug: str | None = None
    project_group_id: str
    lifecycle_id: str
    description: str | None = ""
    is_disabled: bool = False
    tenanted_deployment_mode: Tenanted = "Untenanted"
    default_guided_failure_mode: GuidedFailure = "EnvironmentDefault"
    included_library_variable_set_ids: list[str] = []
    project_connectivity_policy: ConnectivityPolicy = ConnectivityPolicy()
    versioning_strategy: VersioningStrategy = VersioningStrategy()
    release_creation_strategy: Any = None
    auto_create_release: bool = False
    discrete_channel_release: bool = False
    default_to_skip_if_already_installed: bool = False
    templates: list[Template] = []
    cloned_from_project_id: str | None = None
    auto_deploy_release_overrides: list[Any] = []
    release_notes_template: str | None = None
    deployment_changes_template: str | None = None
    extension_settings: list[Any] = []
    force_package_download: bool = False
    fail_target_discovery: bool = False
    cancel_queued_tasks: bool = False
    cancel_running_tasks: bool = False


class DeploymentSettings(Resource, frozen=True, kw_only=True):
    """The part of a project that says how it is deployed (§A.7)."""

    connectivity_policy: ConnectivityPolicy = ConnectivityPolicy()
    default_guided_failure_mode: GuidedFailure = "EnvironmentDefault"
    versioning_strategy: VersioningStrategy = VersioningStrategy()
    release_notes_template: str | None = None
    default_to_skip_if_already_installed: bool = False
    deployment_changes_template: str | None = None
    force_package_download: bool = False
    fail_target_discovery: bool = False
    cancel_queued_tasks: bool = False
    cancel_running_tasks: bool = False


class ChannelRule(Resource, frozen=True, kw_only=True):
    """Which versions a channel takes."""

    id: str | None = None
    version_range: str | None = None
    tag: str | None = None
    action_packages: list[Any] = []


class Channel(Resource, frozen=True, kw_only=True):
    """A channel of a project; without a lifecycle of its own it takes the project's (§A.8)."""

    name: Name
    slug: str | None = None
    project_id: str
    description: str | None = ""
    lifecycle_id: str | None = None
    is_default: bool = False
    rules: list[ChannelRule] = []
    tenant_tags: list[str] = []
    git_reference_rules: list[Any] = []
    git_resource_rules: list[Any] = []


class Action(Resource, frozen=True, kw_only=True):
    """What a step does."""

    id: str | None = None
    name: Name
    slug: str | None = None
    action_type: str = "Octopus.Script"
    notes: str | None = None
    is_disabled: bool = False
    is_required: bool = False
    can_be_used_for_project_versioning: bool = False
    worker_pool_id: str | None = None
    worker_pool_variable: str | None = None
    container: Any = None
    environments: list[str] = []
    excluded_environments: list[str] = []
    channels: list[str] = []
    tenant_tags: list[str] = []
    packages: list[Any] = []
    git_dependencies: list[Any] = []
    condition: Literal["Success", "Variable"] = "Success"
    properties: dict[str, Any] = {}
    step_package_version: str | None = None
    inputs: Any = None


class Step(Resource, frozen=True, kw_only=True):
    """A step of a deployment process."""

    id: str | None = None
    name: Name
    slug: str | None = None
    package_requirement: Literal["LetOctopusDecide", "BeforePackageAcquisition", "AfterPackageAcquisition"] = (
        "LetOctopusDecide"
    )
    properties: dict[str, Any] = {}
    condition: Literal["Success", "Failure", "Always", "Variable"] = "Success"
    start_trigger: Literal["StartAfterPrevious", "StartWithPrevious"] = "StartAfterPrevious"
    actions: list[Action] = []


class DeploymentProcess(Resource, frozen=True, kw_only=True):
    """The steps of a project; `version` must be the current one (§A.9)."""

    version: int
    steps: list[Step] = []
    last_snapshot_id: str | None = None


class Variable(Resource, frozen=True, kw_only=True):
    """A variable; a sensitive value is never returned."""

    id: str | None = None
    name: Name
    value: str | None = None
    description: str | None = ""
    type: str = "String"
    scope: dict[str, list[str]] = {}
    is_editable: bool = True
    is_sensitive: bool = False
    prompt: Any = None


class VariableSet(Resource, frozen=True, kw_only=True):
    """The variables of a project; `version` must be the current one (§A.10)."""

    version: int
    variables: list[Variable] = []


class Machine(Resource, frozen=True, kw_only=True):
    """A deployment target (§A.11)."""

    name: Name
    slug: str | None = None
    environment_ids: list[str]
    roles: list[str]
    endpoint: dict[str, Any]
    machine_policy_id: str | None = None
    is_disabled: bool = False
    tenanted_deployment_participation: Tenanted = "Untenanted"
    tenant_ids: list[str] = []
    tenant_tags: list[str] = []
    thumbprint: str | None = None
    uri: str | None = None
    health_status: Literal["Healthy", "Unavailable", "Unknown", "HasWarnings", "Unhealthy"] = "Unknown"
    status_summary: str | None = None
    has_latest_calamari: bool = True
    is_in_process: bool = False
    operating_system: str | None = None
    operating_system_version: str | None = None
    shell_name: str | None = None
    shell_version: str | None = None
    architecture: str | None = None


class Tenant(Resource, frozen=True, kw_only=True):
    """A tenant and the projects it is connected to (§A.12)."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    project_environments: dict[str, list[str]] = {}
    tenant_tags: list[str] = []
    cloned_from_tenant_id: str | None = None
    is_disabled: bool = False


class ServerNode(Resource, frozen=True, kw_only=True):
    """The task cap and the drain switch of a node (§A.21)."""

    max_concurrent_tasks: Annotated[int, Meta(ge=0, le=1000)] | None = None
    is_in_maintenance_mode: bool | None = None


class SpaceRetentionPolicy(Resource, frozen=True, kw_only=True):
    """What a space keeps where neither a lifecycle nor a runbook says otherwise (§A.5)."""

    strategy: Literal["Count", "Forever"] = "Forever"
    quantity_to_keep: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    unit: Literal["Days", "Items"] = "Items"


class RetentionSchedule(Resource, frozen=True, kw_only=True):
    """When retention runs."""

    cron_expression: str = "0 */4 * * *"


class EventRetention(Resource, frozen=True, kw_only=True):
    """After how many days events are moved to files."""

    event_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 90


class RetentionDefault(Resource, frozen=True, kw_only=True):
    """The days that old clients ask for; 0 keeps for ever."""

    retention_days: Annotated[int, Meta(ge=0, le=36500)] = 0
