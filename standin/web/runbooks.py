"""What clients send of runbooks, their snapshots and their runs (octopus-api §A.17)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any, Literal

from msgspec import Meta

from standin.web.commands import SelectedPackage
from standin.web.models import ConnectivityPolicy, GuidedFailure, Name, Resource, Step, Tenanted


class RunRetention(Resource, frozen=True, kw_only=True):
    """How many runs are kept in each environment."""

    strategy: Literal["Default", "Count", "Forever"] = "Count"
    quantity_to_keep: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 100
    unit: Literal["Days", "Items"] = "Items"
    should_keep_forever: bool = False


class Runbook(Resource, frozen=True, kw_only=True):
    """A runbook of a project."""

    name: Name
    slug: str | None = None
    project_id: str
    description: str | None = ""
    published_runbook_snapshot_id: str | None = None
    multi_tenancy_mode: Tenanted = "Untenanted"
    connectivity_policy: ConnectivityPolicy = ConnectivityPolicy()
    environment_scope: Literal["All", "Specified", "FromProjectLifecycles"] = "All"
    environments: list[str] = []
    default_guided_failure_mode: GuidedFailure = "EnvironmentDefault"
    run_retention_policy: RunRetention = RunRetention()
    force_package_download: bool = False
    fail_target_discovery: bool = False
    cancel_queued_tasks: bool = False
    cancel_running_tasks: bool = False
    runbook_tags: list[str] = []


class RunbookProcess(Resource, frozen=True, kw_only=True):
    """The steps of a runbook; `version` must be the current one."""

    version: int
    steps: list[Step] = []


class RunbookSnapshot(Resource, frozen=True, kw_only=True):
    """A runbook as it is now, frozen; `publish` may hold anything that is not blank."""

    name: Name
    project_id: str | None = None
    runbook_id: Name
    notes: str | None = None
    selected_packages: list[SelectedPackage] = []
    selected_git_resources: list[Any] = []
    publish: Any = None


class ModifySnapshot(Resource, frozen=True, kw_only=True):
    """What of a snapshot can be changed after it was made."""

    name: Name
    notes: str | None = None


class _RunOptions(Resource, frozen=True, kw_only=True):
    form_values: dict[str, Any] = {}
    queue_time: str | None = None
    queue_time_expiry: str | None = None
    force_package_download: bool = False
    use_guided_failure: bool | None = None
    skip_actions: list[str] = []
    specific_machine_ids: list[str] = []
    excluded_machine_ids: list[str] = []
    specific_target_tag_ids: list[str] = []
    excluded_target_tag_ids: list[str] = []
    fail_target_discovery: bool = False
    comments: str | None = None
    priority: str = "Off"
    debug_mode: Any = None


class CreateRun(_RunOptions, frozen=True, kw_only=True):
    """A run as the classic route takes it."""

    runbook_id: Name
    runbook_snapshot_id: Name
    environment_id: Name
    tenant_id: str | None = None


class RunParameters(_RunOptions, frozen=True, kw_only=True):
    """Runs of one runbook in several environments, for several tenants."""

    use_default_snapshot: bool = True
    runbook_snapshot_name_or_id: str | None = None
    environment_id: str | None = None
    environment_ids: list[str] = []
    tenant_id: str | None = None
    tenant_ids: list[str] = []
    tenant_tag_names: list[str] = []


class CreateRunsV1(Resource, frozen=True, kw_only=True):
    """Runs as newer clients ask for them: by names; without a snapshot, of the published one."""

    project_name: Name
    runbook_name: Name
    environment_names: list[str]
    tenants: list[str] = []
    tenant_tags: list[str] = []
    snapshot: str | None = None
    variables: dict[str, Any] = {}
    use_guided_failure: bool | None = None
    force_package_download: bool = False
    run_at: str | None = None
    no_run_after: str | None = None
    skip_step_names: list[str] = []
    specific_machine_names: list[str] = []
    excluded_machine_names: list[str] = []
    comments: str | None = None
    priority: str = "Off"
