"""Project groups, projects, channels, processes and variables (octopus-api §A.6 to §A.10)."""

from standin.web import models
from standin.web.endpoints import processes, projects
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
PROJECTS = f"{LIST} name projectGroupId lifecycleId clonedFromProjectId"

ROUTES = (
    space.get("projectgroups", projects.list_groups, LIST),
    space.create("projectgroups", projects.create_group, models.ProjectGroup),
    space.get("projectgroups/all", projects.all_groups, "ids partialName"),
    space.get("projectgroups/{id}", projects.read_group),
    space.put("projectgroups/{id}", projects.modify_group, models.ProjectGroup),
    space.delete("projectgroups/{id}", projects.delete_group),
    space.get("projectgroups/{id}/projects", projects.projects_of_group, LIST),
    space.get("projects", projects.list_projects, PROJECTS),
    space.create("projects", projects.create_project, models.Project, "clone"),
    space.get("projects/all", projects.all_projects, PROJECTS),
    space.get("projects/{id}", projects.read_project),
    space.put("projects/{id}", projects.modify_project, models.Project),
    space.delete("projects/{id}", projects.delete_project),
    space.get("projects/{id}/summary", projects.read_summary),
    space.get("projects/{id}/deploymentsettings", projects.read_settings),
    space.put("projects/{id}/deploymentsettings", projects.modify_settings, models.DeploymentSettings),
    space.get("projects/{id}/channels", projects.channels_of_project, LIST),
    space.create("projects/{id}/channels", projects.create_channel, models.Channel),
    space.get("projects/{id}/deploymentprocesses", processes.read_process_of_project),
    space.put("projects/{id}/deploymentprocesses", processes.modify_process_of_project, models.DeploymentProcess),
    space.get("projects/{id}/deploymentprocesses/template", processes.read_template_of_project, "channel releaseId"),
    space.get("projects/{id}/variables", processes.read_variables_of_project),
    space.put("projects/{id}/variables", processes.modify_variables_of_project, models.VariableSet),
    space.get("channels", projects.list_channels, LIST),
    space.create("channels", projects.create_channel, models.Channel),
    space.get("channels/all", projects.all_channels, "ids partialName"),
    space.get("channels/{id}", projects.read_channel),
    space.put("channels/{id}", projects.modify_channel, models.Channel),
    space.delete("channels/{id}", projects.delete_channel),
    space.get("deploymentprocesses/{id}", processes.read_process),
    space.put("deploymentprocesses/{id}", processes.modify_process, models.DeploymentProcess),
    space.get("deploymentprocesses/{id}/template", processes.read_template, "channel releaseId"),
    space.get("variables/{id}", processes.read_variables),
    space.put("variables/{id}", processes.modify_variables, models.VariableSet),
)
