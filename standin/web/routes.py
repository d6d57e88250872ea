"""The routes of the contract, as data (octopus-api §A); a path is below `/api/` and, in a space, below the space."""

from standin.web.endpoints import (
    dashboard,
    deployments,
    environments,
    events,
    infrastructure,
    lifecycles,
    nodes,
    processes,
    progression,
    projects,
    releases,
    settings,
    spaces,
    system,
    tasks,
)
from standin.web.routing import Endpoint, Route, Scope


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route("GET", path, Scope.SPACE, endpoint)


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route("POST", path, Scope.SPACE, endpoint)


def _put(path: str, endpoint: Endpoint) -> Route:
    return Route("PUT", path, Scope.SPACE, endpoint)


def _delete(path: str, endpoint: Endpoint) -> Route:
    return Route("DELETE", path, Scope.SPACE, endpoint)


_SYSTEM = (
    Route("GET", "", Scope.SYSTEM, system.root, anonymous=True),
    Route("GET", "octopusservernodes/ping", Scope.SYSTEM, nodes.ping, anonymous=True),
    Route("GET", "serverstatus/health", Scope.SYSTEM, system.health, anonymous=True),
    Route("GET", "serverstatus", Scope.SYSTEM, system.status),
    Route("GET", "serverstatus/system-info", Scope.SYSTEM, system.system_info),
    Route("GET", "serverstatus/counts", Scope.SYSTEM, system.counts),
    Route("GET", "capabilities", Scope.SYSTEM, system.capabilities),
    Route("GET", "configuration/feature-toggles", Scope.SYSTEM, system.feature_toggles),
    Route("GET", "licenses/licenses-current-status", Scope.SYSTEM, system.license_status),
    Route("GET", "configuration/retention-default", Scope.SYSTEM, settings.read_retention_default),
    Route("PUT", "configuration/retention-default", Scope.SYSTEM, settings.modify_retention_default),
    Route("GET", "configuration/{id}/values", Scope.SYSTEM, settings.read_values),
    Route("PUT", "configuration/{id}/values", Scope.SYSTEM, settings.modify_values),
    Route("GET", "octopusservernodes", Scope.SYSTEM, nodes.list_nodes),
    Route("GET", "octopusservernodes/all", Scope.SYSTEM, nodes.all_nodes),
    Route("GET", "octopusservernodes/summary", Scope.SYSTEM, nodes.summary),
    Route("GET", "octopusservernodes/{id}", Scope.SYSTEM, nodes.read_node),
    Route("PUT", "octopusservernodes/{id}", Scope.SYSTEM, nodes.modify_node),
    Route("DELETE", "octopusservernodes/{id}", Scope.SYSTEM, nodes.delete_node),
    Route("GET", "octopusservernodes/{id}/details", Scope.SYSTEM, nodes.node_details),
    Route("GET", "users/me", Scope.SYSTEM, spaces.read_me),
    Route("GET", "users", Scope.SYSTEM, spaces.list_users),
    Route("GET", "users/all", Scope.SYSTEM, spaces.all_users),
    Route("GET", "users/{id}", Scope.SYSTEM, spaces.read_user),
    Route("GET", "users/{id}/spaces", Scope.SYSTEM, spaces.spaces_of_user),
    Route("GET", "users/{id}/teams", Scope.SYSTEM, spaces.teams_of_user),
    Route("GET", "spaces", Scope.SYSTEM, spaces.list_spaces),
    Route("POST", "spaces", Scope.SYSTEM, spaces.create_space),
    Route("POST", "spaces/v1", Scope.SYSTEM, spaces.create_space_v1),
    Route("GET", "spaces/all", Scope.SYSTEM, spaces.all_spaces),
    Route("GET", "spaces/{id}", Scope.SYSTEM, spaces.read_space),
    Route("PUT", "spaces/{id}", Scope.SYSTEM, spaces.modify_space),
    Route("DELETE", "spaces/{id}", Scope.SYSTEM, spaces.delete_space),
)

_CONFIGURATION = (
    _get("environments", environments.list_environments),
    _post("environments", environments.create_environment),
    _get("environments/all", environments.all_environments),
    _get("environments/all/v1", environments.all_environments_v1),
    _get("environments/v2", environments.list_environments_v2),
    _put("environments/sortorder", environments.sort_environments),
    _get("environments/{id}", environments.read_environment),
    _put("environments/{id}", environments.modify_environment),
    _delete("environments/{id}", environments.delete_environment),
    _get("environments/{id}/machines", environments.machines_of_environment),
    _get("lifecycles", lifecycles.list_lifecycles),
    _post("lifecycles", lifecycles.create_lifecycle),
    _get("lifecycles/all", lifecycles.all_lifecycles),
    _get("lifecycles/{id}", lifecycles.read_lifecycle),
    _put("lifecycles/{id}", lifecycles.modify_lifecycle),
    _delete("lifecycles/{id}", lifecycles.delete_lifecycle),
    _get("lifecycles/{id}/preview", lifecycles.preview_lifecycle),
    _get("lifecycles/{id}/projects", lifecycles.projects_of_lifecycle),
    _get("retentionpolicies", settings.read_policy),
    _put("retentionpolicies/{id}", settings.modify_policy),
    _get("machines", infrastructure.list_machines),
    _post("machines", infrastructure.create_machine),
    _get("machines/all", infrastructure.all_machines),
    _get("machines/{id}", infrastructure.read_machine),
    _put("machines/{id}", infrastructure.modify_machine),
    _delete("machines/{id}", infrastructure.delete_machine),
    _get("machineroles/all", infrastructure.all_roles),
    _get("tenants", infrastructure.list_tenants),
    _post("tenants", infrastructure.create_tenant),
    _get("tenants/all", infrastructure.all_tenants),
    _get("tenants/{id}", infrastructure.read_tenant),
    _put("tenants/{id}", infrastructure.modify_tenant),
    _delete("tenants/{id}", infrastructure.delete_tenant),
)

_PROJECTS = (
    _get("projectgroups", projects.list_groups),
    _post("projectgroups", projects.create_group),
    _get("projectgroups/all", projects.all_groups),
    _get("projectgroups/{id}", projects.read_group),
    _put("projectgroups/{id}", projects.modify_group),
    _delete("projectgroups/{id}", projects.delete_group),
    _get("projectgroups/{id}/projects", projects.projects_of_group),
    _get("projects", projects.list_projects),
    _post("projects", projects.create_project),
    _get("projects/all", projects.all_projects),
    _get("projects/{id}", projects.read_project),
    _put("projects/{id}", projects.modify_project),
    _delete("projects/{id}", projects.delete_project),
    _get("projects/{id}/progression", progression.read_project_progression),
    _get("progression/{id}", progression.read_project_progression),
    _get("projects/{id}/summary", projects.read_summary),
    _get("projects/{id}/deploymentsettings", projects.read_settings),
    _put("projects/{id}/deploymentsettings", projects.modify_settings),
    _get("projects/{id}/channels", projects.channels_of_project),
    _post("projects/{id}/channels", projects.create_channel),
    _get("projects/{id}/releases", releases.releases_of_project),
    _get("projects/{id}/releases/{version}", releases.read_release_of_project),
    _get("projects/{id}/deploymentprocesses", processes.read_process_of_project),
    _put("projects/{id}/deploymentprocesses", processes.modify_process_of_project),
    _get("projects/{id}/deploymentprocesses/template", processes.read_template_of_project),
    _get("projects/{id}/variables", processes.read_variables_of_project),
    _put("projects/{id}/variables", processes.modify_variables_of_project),
    _get("channels", projects.list_channels),
    _post("channels", projects.create_channel),
    _get("channels/all", projects.all_channels),
    _get("channels/{id}", projects.read_channel),
    _put("channels/{id}", projects.modify_channel),
    _delete("channels/{id}", projects.delete_channel),
    _get("channels/{id}/releases", releases.releases_of_channel),
    _get("deploymentprocesses/{id}", processes.read_process),
    _put("deploymentprocesses/{id}", processes.modify_process),
    _get("deploymentprocesses/{id}/template", processes.read_template),
    _get("variables/{id}", processes.read_variables),
    _put("variables/{id}", processes.modify_variables),
)

_HISTORY = (
    _get("dashboard", dashboard.read_dashboard),
    _get("dashboard/dynamic", dashboard.read_dynamic_dashboard),
    _get("releases", releases.list_releases),
    _post("releases", releases.create_release),
    _post("releases/create/v1", releases.create_release_v1),
    _get("releases/{id}", releases.read_release),
    _put("releases/{id}", releases.modify_release),
    _delete("releases/{id}", releases.delete_release),
    _get("releases/{id}/deployments", deployments.deployments_of_release),
    _get("releases/{id}/deployments/template", progression.read_deployment_template),
    _get("releases/{id}/progression", progression.read_release_progression),
    _get("deployments", deployments.list_deployments),
    _post("deployments", deployments.create_deployment),
    _post("deployments/create/untenanted/v1", deployments.deploy_untenanted),
    _post("deployments/create/tenanted/v1", deployments.deploy_tenanted),
    _get("deployments/{id}", deployments.read_deployment),
)

_ACROSS_SPACES = (
    Route("GET", "", Scope.SPACE, system.space_home),
    Route("GET", "tasks", Scope.MIXED, tasks.list_tasks),
    Route("POST", "tasks", Scope.MIXED, tasks.create_task),
    Route("GET", "tasks/tasktypes", Scope.MIXED, tasks.task_types),
    Route("POST", "tasks/rerun/{id}", Scope.MIXED, tasks.rerun_task),
    Route("GET", "tasks/{id}", Scope.MIXED, tasks.read_task),
    Route("GET", "tasks/{id}/details", Scope.MIXED, tasks.read_details),
    Route("GET", "tasks/{id}/raw", Scope.MIXED, tasks.read_raw),
    Route("GET", "tasks/{id}/queued-behind", Scope.MIXED, tasks.queued_behind),
    Route("POST", "tasks/{id}/cancel", Scope.MIXED, tasks.cancel_task),
    Route("POST", "tasks/{id}/state", Scope.MIXED, tasks.set_state),
    Route("POST", "tasks/{id}/prioritize", Scope.MIXED, tasks.prioritize_task),
    Route("GET", "events", Scope.MIXED, events.list_events),
    Route("GET", "events/agents", Scope.MIXED, events.list_agents),
    Route("GET", "events/categories", Scope.MIXED, events.list_categories),
    Route("GET", "events/groups", Scope.MIXED, events.list_groups),
    Route("GET", "events/documenttypes", Scope.MIXED, events.list_document_types),
    Route("GET", "events/{id}", Scope.MIXED, events.read_event),
)

ROUTES = (*_SYSTEM, *_CONFIGURATION, *_PROJECTS, *_HISTORY, *_ACROSS_SPACES)
