"""The kinds of load: one user, client or task stream a file."""

from octoload.edge.poller import Poller
from octoload.edge.scenario import Scenario
from scenarios.audit_search import AuditSearch
from scenarios.dashboard import Dashboard
from scenarios.deployment_stream import DeploymentStream, ScheduledDeployment
from scenarios.maintenance import HealthCheck, RetentionRun
from scenarios.nonstop_reader import NonstopReader
from scenarios.portal_session import PortalSession
from scenarios.portal_tabs import DashboardTab, HiddenDashboardTab, HiddenTaskTab, TaskTab
from scenarios.project_page import ProjectPage
from scenarios.release_and_deploy import ReleaseAndDeploy
from scenarios.runbook_run import RunbookRun
from scenarios.task_list import TaskList
from scenarios.waiting import WaitingAgent, WaitingClient

#: What arrives on schedule.
SCENARIOS: tuple[type[Scenario], ...] = (
    Dashboard,
    ProjectPage,
    TaskList,
    AuditSearch,
    ReleaseAndDeploy,
    PortalSession,
    DeploymentStream,
    ScheduledDeployment,
    RunbookRun,
    HealthCheck,
    RetentionRun,
)
#: What asks again and again.
POLLERS: tuple[type[Poller], ...] = (
    DashboardTab,
    HiddenDashboardTab,
    TaskTab,
    HiddenTaskTab,
    NonstopReader,
    WaitingAgent,
    WaitingClient,
)
