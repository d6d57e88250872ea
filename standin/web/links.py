"""The links of each resource (octopus-api §A, §B.6): names and templates as data, filled in with one formatting each.

A template names members of the document as `%(Id)s`; all of them are ids that the server made and need no escaping.
`~` stands for `/api/` and the document's space.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

_SPACE = "/api/%(SpaceId)s"

TEMPLATES: dict[str, dict[str, str]] = {
    "Space": {
        "Self": "/api/spaces/%(Id)s",
        "SpaceHome": "/api/%(Id)s",
        "Logo": "/api/spaces/%(Id)s/logo",
        "Search": "/api/spaces/%(Id)s/search{?keyword}",
        "Web": "/app#/spaces/%(Id)s",
    },
    "User": {
        "Self": "/api/users/%(Id)s",
        "ApiKeys": "/api/users/%(Id)s/apikeys{/id}{?skip,take}",
        "Avatar": "/api/users/%(Id)s/avatar",
        "Permissions": "/api/users/%(Id)s/permissions",
        "Spaces": "/api/users/%(Id)s/spaces",
        "Teams": "/api/users/%(Id)s/teams{?spaces,includeSystem}",
        "AccessToken": "/api/users/access-token",
    },
    "ApiKey": {"Self": "/api/users/%(UserId)s/apikeys/%(Id)s"},
    "Team": {"Self": "/api/teams/%(Id)s", "ScopedUserRoles": "/api/teams/%(Id)s/scopeduserroles{?skip,take}"},
    "UserRole": {"Self": "/api/userroles/%(Id)s"},
    "ScopedUserRole": {
        "Self": "/api/scopeduserroles/%(Id)s",
        "Team": "/api/teams/%(TeamId)s",
        "UserRole": "/api/userroles/%(UserRoleId)s",
    },
    "Environment": {
        "Self": "~/environments/%(Id)s",
        "Machines": "~/environments/%(Id)s/machines{?skip,take,partialName,roles,isDisabled,healthStatuses,commStyles}",
        "Metadata": "~/environments/%(Id)s/metadata",
    },
    "Lifecycle": {
        "Self": "~/lifecycles/%(Id)s",
        "Preview": "~/lifecycles/%(Id)s/preview",
        "Projects": "~/lifecycles/%(Id)s/projects",
    },
    "ProjectGroup": {
        "Self": "~/projectgroups/%(Id)s",
        "Projects": "~/projectgroups/%(Id)s/projects{?skip,take}",
    },
    "Project": {
        "Self": "~/projects/%(Id)s",
        "Releases": "~/projects/%(Id)s/releases{/version}{?skip,take,searchByVersion}",
        "Channels": "~/projects/%(Id)s/channels{?skip,take,partialName}",
        "Triggers": "~/projects/%(Id)s/triggers{?skip,take,partialName}",
        "Runbooks": "~/projects/%(Id)s/runbooks{?skip,take,partialName}",
        "RunbookSnapshots": "~/projects/%(Id)s/runbookSnapshots{/name}{?skip,take,searchByName}",
        "DeploymentProcess": "~/deploymentprocesses/%(DeploymentProcessId)s",
        "DeploymentSettings": "~/projects/%(Id)s/deploymentsettings",
        "Variables": "~/variables/%(VariableSetId)s",
        "Progression": "~/projects/%(Id)s/progression{?releaseHistoryCount}",
        "Summary": "~/projects/%(Id)s/summary",
        "Logo": "~/projects/%(Id)s/logo",
        "Metadata": "~/projects/%(Id)s/metadata",
        "Web": "/app#/%(SpaceId)s/projects/%(Id)s",
    },
    "Channel": {
        "Self": "~/channels/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Releases": "~/channels/%(Id)s/releases{?skip,take,searchByVersion}",
    },
    "DeploymentProcess": {
        "Self": "~/deploymentprocesses/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Template": "~/deploymentprocesses/%(Id)s/template{?channel,releaseId}",
    },
    "VariableSet": {
        "Self": "~/variables/%(Id)s",
        "Project": "~/projects/%(OwnerId)s",
    },
    "MachinePolicy": {
        "Self": "~/machinepolicies/%(Id)s",
        "Machines": "~/machinepolicies/%(Id)s/machines{?skip,take,partialName}",
    },
    "WorkerPool": {
        "Self": "~/workerpools/%(Id)s",
        "Workers": "~/workerpools/%(Id)s/workers{?skip,take,partialName,isDisabled,healthStatuses,commStyles}",
    },
    "Worker": {
        "Self": "~/workers/%(Id)s",
        "Connection": "~/workers/%(Id)s/connection",
    },
    "Account": {"Self": "~/accounts/%(Id)s"},
    "Certificate": {"Self": "~/certificates/%(Id)s"},
    "Proxy": {"Self": "~/proxies/%(Id)s"},
    "Subscription": {"Self": "~/subscriptions/%(Id)s"},
    "ProjectTrigger": {"Self": "~/projecttriggers/%(Id)s", "Project": "~/projects/%(ProjectId)s"},
    "ActionTemplate": {"Self": "~/actiontemplates/%(Id)s"},
    "TagSet": {"Self": "~/tagsets/%(Id)s"},
    "LibraryVariableSet": {
        "Self": "~/libraryvariablesets/%(Id)s",
        "Variables": "~/variables/variableset-%(Id)s",
        "Usages": "~/libraryvariablesets/%(Id)s/usages",
    },
    "LibraryVariables": {
        "Self": "~/variables/%(Id)s",
        "LibraryVariableSet": "~/libraryvariablesets/%(OwnerId)s",
    },
    "TenantVariables": {"Self": "~/tenants/%(TenantId)s/variables", "Tenant": "~/tenants/%(TenantId)s"},
    "Machine": {
        "Self": "~/machines/%(Id)s",
        "Connection": "~/machines/%(Id)s/connection",
        "TasksTemplate": "~/machines/%(Id)s/tasks{?skip,take,type}",
        "Web": "/app#/%(SpaceId)s/infrastructure/machines/%(Id)s",
    },
    "Tenant": {
        "Self": "~/tenants/%(Id)s",
        "Variables": "~/tenants/%(Id)s/variables",
        "Logo": "~/tenants/%(Id)s/logo",
        "Web": "/app#/%(SpaceId)s/tenants/%(Id)s",
    },
    "Release": {
        "Self": "~/releases/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Channel": "~/channels/%(ChannelId)s",
        "Deployments": "~/releases/%(Id)s/deployments{?skip,take}",
        "DeploymentTemplate": "~/releases/%(Id)s/deployments/template",
        "Artifacts": "~/artifacts?regarding=%(Id)s",
        "Progression": "~/releases/%(Id)s/progression",
        "ProjectVariableSnapshot": "~/variables/%(ProjectVariableSetSnapshotId)s",
        "ProjectDeploymentProcessSnapshot": "~/deploymentprocesses/%(ProjectDeploymentProcessSnapshotId)s",
        "SnapshotVariables": "~/releases/%(Id)s/snapshot-variables",
        "Defects": "~/releases/%(Id)s/defects",
        "ReportDefect": "~/releases/%(Id)s/defects",
        "ResolveDefect": "~/releases/%(Id)s/defects/resolve",
        "Web": "/app#/%(SpaceId)s/releases/%(Id)s",
    },
    "Deployment": {
        "Self": "~/deployments/%(Id)s",
        "Environment": "~/environments/%(EnvironmentId)s",
        "Project": "~/projects/%(ProjectId)s",
        "Release": "~/releases/%(ReleaseId)s",
        "Task": "~/tasks/%(TaskId)s",
        "Artifacts": "~/artifacts?regarding=%(Id)s",
        "Interruptions": "~/interruptions?regarding=%(Id)s",
        "Web": "/app#/%(SpaceId)s/deployments/%(Id)s",
    },
    "Task": {
        "Self": "/api/tasks/%(Id)s",
        "Web": "/app#/%(Home)s/tasks/%(Id)s",
        "Raw": "/api/tasks/%(Id)s/raw",
        "Rerun": "/api/tasks/rerun/%(Id)s",
        "Cancel": "/api/tasks/%(Id)s/cancel",
        "State": "/api/tasks/%(Id)s/state",
        "BlockedBy": "/api/tasks/%(Id)s/blockedby",
        "QueuedBehind": "/api/tasks/%(Id)s/queued-behind{?skip,take}",
        "Details": "/api/tasks/%(Id)s/details{?verbose,tail,ranges}",
        "StatusMessages": "/api/tasks/%(Id)s/status/messages",
        "Prioritize": "/api/tasks/%(Id)s/prioritize",
        "Artifacts": "/api/%(Home)s/artifacts?regarding=%(Id)s",
        "Interruptions": "/api/%(Home)s/interruptions?regarding=%(Id)s",
    },
    "Event": {"Self": "/api/events/%(Id)s"},
    "DashboardItem": {
        "Self": "~/deployments/%(DeploymentId)s",
        "Release": "~/releases/%(ReleaseId)s",
        "Task": "/api/tasks/%(TaskId)s",
    },
    "Feed": {
        "Self": "~/feeds/%(Id)s",
        "SearchPackageVersionsTemplate": "~/feeds/%(Id)s/packages/versions{?packageId,take,skip,includePreRelease,"
        "versionRange,preReleaseTag,filter,includeReleaseNotes}",
        "SearchPackagesTemplate": "~/feeds/%(Id)s/packages/search{?term,take,skip}",
    },
    "PackageFromBuiltInFeed": {
        "Self": "~/packages/%(Id)s",
        "Raw": "~/packages/%(Id)s/raw",
        "Feed": "~/feeds/%(FeedId)s",
        "AllVersions": "~/packages?nuGetPackageId=%(PackageId)s",
    },
    "BuildInformation": {"Self": "~/build-information/%(Id)s"},
    "Runbook": {
        "Self": "~/runbooks/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "RunbookProcesses": "~/runbookProcesses/%(RunbookProcessId)s",
        "RunbookSnapshots": "~/runbooks/%(Id)s/runbookSnapshots{?skip,take,searchByName}",
        "RunbookSnapshotTemplate": "~/runbooks/%(Id)s/runbookSnapshotTemplate",
        "RunbookRunTemplate": "~/runbooks/%(Id)s/runbookRunTemplate",
        "RunbookEnvironments": "~/runbooks/%(Id)s/environments",
        "CreateRunbookRun": "~/runbooks/%(Id)s/run",
        "Progression": "~/progression/runbooks/%(Id)s",
        "Web": "/app#/%(SpaceId)s/projects/%(ProjectId)s/operations/runbooks/%(Id)s",
    },
    "RunbookProcess": {
        "Self": "~/runbookProcesses/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Runbook": "~/runbooks/%(RunbookId)s",
        "RunbookSnapshotTemplate": "~/runbookProcesses/%(Id)s/runbookSnapshotTemplate",
    },
    "RunbookSnapshot": {
        "Self": "~/runbookSnapshots/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Runbook": "~/runbooks/%(RunbookId)s",
        "RunbookRuns": "~/runbookSnapshots/%(Id)s/runbookRuns{?skip,take}",
        "RunbookRunTemplate": "~/runbookSnapshots/%(Id)s/runbookRuns/template",
        "RunbookProcess": "~/runbookProcesses/%(FrozenRunbookProcessId)s",
        "ProjectVariableSnapshot": "~/variables/%(ProjectVariableSetSnapshotId)s",
        "SnapshotVariables": "~/runbookSnapshots/%(Id)s/snapshot-variables",
        "Artifacts": "~/artifacts?regarding=%(Id)s",
        "Web": "/app#/%(SpaceId)s/projects/%(ProjectId)s/operations/runbooks/%(RunbookId)s/snapshots/%(Id)s",
    },
    "RunbookRun": {
        "Self": "~/runbookRuns/%(Id)s",
        "Project": "~/projects/%(ProjectId)s",
        "Environment": "~/environments/%(EnvironmentId)s",
        "Runbook": "~/runbooks/%(RunbookId)s",
        "RunbookSnapshot": "~/runbookSnapshots/%(RunbookSnapshotId)s",
        "Task": "~/tasks/%(TaskId)s",
        "Artifacts": "~/artifacts?regarding=%(Id)s",
        "Interruptions": "~/interruptions?regarding=%(Id)s",
        "Web": "/app#/%(SpaceId)s/projects/%(ProjectId)s/operations/runbooks/%(RunbookId)s/runs/%(Id)s",
    },
    "Interruption": {
        "Self": "~/interruptions/%(Id)s",
        "Submit": "~/interruptions/%(Id)s/submit",
        "Responsible": "~/interruptions/%(Id)s/responsible",
    },
    "RunbooksDashboardItem": {
        "Self": "~/runbookRuns/%(Id)s",
        "RunbookSnapshot": "~/runbookSnapshots/%(RunbookSnapshotId)s",
        "Task": "/api/tasks/%(TaskId)s",
    },
    "Defect": {"Self": "~/releases/%(ReleaseId)s/defects"},
    "Artifact": {"Self": "~/artifacts/%(Id)s", "Content": "~/artifacts/%(Id)s/content"},
    "RetentionPolicy": {"Self": "~/retentionpolicies/%(Id)s"},
}


def links_of(resource: str, document: Mapping[str, Any]) -> msgspec.Raw:
    """Return the links of one document as JSON."""
    return msgspec.Raw(_filled(resource) % document)


@cache
def _filled(resource: str) -> str:
    expanded = {name: target.replace("~", _SPACE) for name, target in TEMPLATES[resource].items()}
    return msgspec.json.encode(expanded).decode()


@cache
def root_links(space: str) -> dict[str, str]:
    """Return the links of the root document; those of space resources lead to `space`."""
    text = resources.files("standin.web").joinpath("links.json").read_text("utf-8")
    found: dict[str, str] = msgspec.json.decode(text.replace("/api/Spaces-1/", f"/api/{space}/"))
    return found


@cache
def space_links(space: str) -> dict[str, str]:
    """Return the links of a space's home: those that lead into the space."""
    inside = {name: link for name, link in root_links(space).items() if link.startswith(f"/api/{space}/")}
    return {"Self": f"/api/{space}", **inside, "Web": f"/app#/{space}"}
