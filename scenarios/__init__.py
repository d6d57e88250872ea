"""The kinds of load: one user, client or task stream a file."""

from octoload.edge.scenario import Scenario
from scenarios.audit_search import AuditSearch
from scenarios.dashboard import Dashboard
from scenarios.project_page import ProjectPage
from scenarios.release_and_deploy import ReleaseAndDeploy
from scenarios.task_list import TaskList

SCENARIOS: tuple[type[Scenario], ...] = (Dashboard, ProjectPage, TaskList, AuditSearch, ReleaseAndDeploy)
