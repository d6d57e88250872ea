"""Project groups, projects, channels, processes and variables (octopus-api §A.6 to §A.10)."""

from standin.web import models
from standin.web.endpoints import processes, projects
from standin.web.endpoints.channels import CHANNELS
from standin.web.endpoints.librarysets import LIBRARY_SETS
from standin.web.endpoints.projects import GROUPS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
PROJECTS = f"{LIST} name projectGroupId lifecycleId clonedFromProjectId"

ROUTES = (
    *GROUPS.routes(space, "projectgroups"),
    space.get("projectgroups/{id}/projects", GROUPS.projects, LIST),
    space.get("projects", projects.list_projects, PROJECTS),
    space.create("projects", projects.create_project, models.Project, "clone"),
    space.get("projects/all", projects.all_projects, PROJECTS),
    space.get("projects/{id}", projects.read_project),
    space.put("projects/{id}", projects.modify_project, models.Project),
    space.delete("projects/{id}", projects.delete_project),
    space.get("projects/{id}/summary", projects.read_summary),
    space.get("projects/{id}/deploymentsettings", projects.read_settings),
    space.put("projects/{id}/deploymentsettings", projects.modify_settings, models.DeploymentSettings),
    space.get("projects/{id}/channels", CHANNELS.of_project, LIST),
    space.create("projects/{id}/channels", CHANNELS.create, models.Channel),
    space.get("projects/{id}/deploymentprocesses", processes.read_process_of_project),
    space.put("projects/{id}/deploymentprocesses", processes.modify_process_of_project, models.DeploymentProcess),
    space.get("projects/{id}/deploymentprocesses/template", processes.read_template_of_project, "channel releaseId"),
    space.get("projects/{id}/variables", processes.read_variables_of_project),
    space.put("projects/{id}/variables", processes.modify_variables_of_project, models.VariableSet),
    *LIBRARY_SETS.routes(space, "libraryvariablesets", f"{LIST} contentType"),
    space.get("libraryvariablesets/{id}/usages", LIBRARY_SETS.usages),
    *CHANNELS.routes(space, "channels"),
    space.get("deploymentprocesses/{id}", processes.read_process),
    space.put("deploymentprocesses/{id}", processes.modify_process, models.DeploymentProcess),
    space.get("deploymentprocesses/{id}/template", processes.read_template, "channel releaseId"),
    space.get("variables/{id}", processes.read_variables),
    space.put("variables/{id}", processes.modify_variables, models.VariableSet),
)
