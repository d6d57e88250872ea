"""Releases, deployments, dashboards and progressions (octopus-api §A.15, §A.16, §A.19)."""

from standin.web import commands
from standin.web.endpoints import (
    dashboard,
    defects,
    deployments,
    previews,
    progression,
    releases,
    reporting,
    runbookprogression,
)
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
DASHBOARD = "projectId releaseId selectedTenants selectedTags showAll highestLatestVersionPerProjectAndEnvironment"
RUNS = "skip take projectIds environmentIds runbookIds runbookTags taskIds tenantIds tenantTags"
HISTORY = "fromCompletedTime toCompletedTime projectId environmentId"

ROUTES = (
    space.get("projects/{id}/progression", progression.read_project_progression, "releaseHistoryCount"),
    space.get("progression/{id}", progression.read_project_progression, "releaseHistoryCount"),
    space.get("projects/{id}/releases", releases.releases_of_project, "skip take searchByVersion"),
    space.get("projects/{id}/releases/{version}", releases.read_release_of_project),
    space.get("channels/{id}/releases", releases.releases_of_channel, "skip take searchByVersion"),
    space.get(
        "dashboard",
        dashboard.read_dashboard,
        DASHBOARD,
    ),
    space.get("dashboard/dynamic", dashboard.read_dynamic_dashboard, "projects environments includePrevious"),
    space.get("dashboardconfiguration", dashboard.read_configuration),
    space.put("dashboardconfiguration", dashboard.modify_configuration, commands.DashboardConfiguration),
    space.get("progression/runbooks/taskRuns", runbookprogression.list_task_runs, RUNS),
    space.get("progression/runbooks/{id}", runbookprogression.read_progression),
    space.get("progression/runbooks/{id}/v1", runbookprogression.read_progression),
    space.get("reporting/deployments-counted-by-week", reporting.count_by_week, "projectIds"),
    space.get("reporting/deployments/xml", reporting.deployments_xml, HISTORY),
    space.get("releases", releases.list_releases, LIST),
    space.create("releases", releases.create_release, commands.CreateRelease, "ignoreChannelRules"),
    space.create("releases/create/v1", releases.create_release_v1, commands.CreateReleaseV1),
    space.get("releases/{id}", releases.read_release),
    space.put("releases/{id}", releases.modify_release, commands.ModifyRelease, "ignoreChannelRules"),
    space.delete("releases/{id}", releases.delete_release),
    space.get("releases/{id}/deployments", deployments.deployments_of_release, "skip take"),
    space.get("releases/{id}/deployments/template", previews.read_template),
    space.get("releases/{id}/deployments/preview/{environment}", previews.read_preview),
    space.get("releases/{id}/deployments/preview/{environment}/{tenant}", previews.read_preview),
    space.post("releases/{id}/deployments/previews", previews.read_previews, commands.Previews),
    space.post("releases/{id}/snapshot-variables", releases.refresh_variables),
    space.get("releases/{id}/missingpackages", releases.list_missing_packages),
    space.get("releases/{id}/defects", defects.list_defects, "skip take"),
    space.post("releases/{id}/defects", defects.report_defect, defects.SentDefect),
    space.post("releases/{id}/defects/resolve", defects.resolve_defect),
    space.get("releases/{id}/progression", progression.read_release_progression),
    space.get("deployments", deployments.list_deployments, f"{LIST} projects environments tenants channels taskState"),
    space.create("deployments", deployments.create_deployment, commands.CreateDeployment),
    space.post("deployments/create/untenanted/v1", deployments.deploy_untenanted, commands.DeployUntenantedV1),
    space.post("deployments/create/tenanted/v1", deployments.deploy_tenanted, commands.DeployTenantedV1),
    space.create("deployments/v1", deployments.create_deployment_v1, commands.CreateDeployment),
    space.create("projects/{id}/deployments/{deploymentId}/retry/v1", deployments.retry_deployment),
    space.get("deployments/{id}", deployments.read_deployment),
    space.delete("deployments/{id}", deployments.delete_deployment),
)
