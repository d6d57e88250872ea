"""Project groups, projects, channels, processes and variables (octopus-api §A.6 to §A.10)."""

from standin.web import equipment, models
from standin.web.endpoints import channels, logos, processes, projects, templates, variables
from standin.web.endpoints.channels import CHANNELS
from standin.web.endpoints.librarysets import LIBRARY_SETS
from standin.web.endpoints.projects import GROUPS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
FILTERS = "ids partialName name projectGroupId lifecycleId clonedFromProjectId"
PROJECTS = f"skip take {FILTERS}"

ROUTES = (
    *GROUPS.routes(space, "projectgroups"),
    space.get("projectgroups/{id}/projects", GROUPS.projects, LIST),
    space.get("projects", projects.list_projects, PROJECTS),
    space.create("projects", projects.create_project, models.Project, "clone"),
    space.get("projects/all", projects.all_projects, FILTERS),
    space.get("projects/{id}", projects.read_project),
    space.put("projects/{id}", projects.modify_project, models.Project),
    space.delete("projects/{id}", projects.delete_project),
    space.get("projects/pulse", projects.read_pulse, "projectIds"),
    space.get("projects/{id}/metadata", projects.read_metadata),
    space.get("projects/{id}/logo", logos.read_project_logo),
    space.put("projects/{id}/logo", logos.modify_project_logo),
    space.post("projects/{id}/logo", logos.modify_project_logo),
    space.get("projects/{id}/summary", projects.read_summary),
    space.get("projects/{id}/deploymentsettings", projects.read_settings),
    space.put("projects/{id}/deploymentsettings", projects.modify_settings, models.DeploymentSettings),
    space.get("projects/{id}/channels", CHANNELS.of_project, LIST),
    space.create("projects/{id}/channels", CHANNELS.create, models.Channel),
    space.get("projects/{id}/deploymentprocesses", processes.read_process_of_project),
    space.put("projects/{id}/deploymentprocesses", processes.modify_process_of_project, models.DeploymentProcess),
    space.get("projects/{id}/deploymentprocesses/template", templates.read_template_of_project, "channel releaseId"),
    space.get("projects/{id}/variables", variables.read_variables_of_project),
    space.put("projects/{id}/variables", variables.modify_variables_of_project, models.VariableSet),
    *LIBRARY_SETS.routes(space, "libraryvariablesets", f"{LIST} contentType"),
    space.get("libraryvariablesets/{id}/usages", LIBRARY_SETS.usages),
    *CHANNELS.routes(space, "channels"),
    space.get("channels/rule-test", channels.test_rule, "version versionRange preReleaseTag feedType"),
    space.post("channels/rule-test", channels.test_sent_rule, equipment.RuleTest),
    space.get("deploymentprocesses", processes.list_processes, "skip take ids"),
    space.get("deploymentprocesses/{id}", processes.read_process),
    space.put("deploymentprocesses/{id}", processes.modify_process, models.DeploymentProcess),
    space.get("deploymentprocesses/{id}/template", templates.read_template, "channel releaseId"),
    space.get("variables", variables.list_sets, "skip take ids"),
    space.get("variables/all", variables.every_set),
    space.get("variables/names", variables.names, "project runbook projectEnvironmentsFilter"),
    space.get("variables/preview", variables.preview, "project runbook environment channel tenant action machine role"),
    space.get("variables/{id}", variables.read_variables),
    space.put("variables/{id}", variables.modify_variables, models.VariableSet),
)
