"""The members that answers must have, as octopus-api §A and §B list them: written down apart from the stand-in.

Every answer that a contract test gets is held to them, so that a handler that drops one turns its tests red.
"""

from collections.abc import Iterator
from typing import Any

from standin.web.routing import Route

#: members of a page (§B.2), and of a refusal (§B.4)
PAGE = frozenset({"ItemType", "TotalResults", "ItemsPerPage", "NumberOfPages", "LastPageNumber", "Items", "Links"})
REFUSAL = frozenset({"ErrorMessage", "Errors"})
_ORDERED = """
    Id SpaceId EnvironmentId TenantId Comments FormValues QueueTime QueueTimeExpiry ForcePackageDownload
    ForcePackageRedeployment UseGuidedFailure SkipActions SpecificMachineIds ExcludedMachineIds ProjectId TaskId Name
    Created DeployedBy DeployedById DeployedToMachineIds FailureEncountered Links
"""
#: kind of item → its members, as §A lists them
_LISTED = {
    "Environment": """
        Id Name SpaceId Description SortOrder UseGuidedFailure AllowDynamicInfrastructure Slug ExtensionSettings Links
    """,
    "Lifecycle": "Id Name SpaceId Description Slug Phases ReleaseRetentionPolicy TentacleRetentionPolicy Links",
    "ProjectGroup": "Id Name SpaceId Description EnvironmentIds RetentionPolicyId Links",
    "Project": """
        Id Name SpaceId Slug Description ProjectGroupId LifecycleId IsDisabled TenantedDeploymentMode
        DefaultGuidedFailureMode IncludedLibraryVariableSetIds ProjectConnectivityPolicy VersioningStrategy
        ReleaseCreationStrategy AutoCreateRelease DiscreteChannelRelease DefaultToSkipIfAlreadyInstalled Templates
        VariableSetId DeploymentProcessId IsVersionControlled PersistenceSettings ClonedFromProjectId
        AutoDeployReleaseOverrides Links
    """,
    "Channel": """
        Id Name SpaceId ProjectId Description LifecycleId IsDefault Rules TenantTags GitReferenceRules GitResourceRules
        Links
    """,
    "Machine": """
        Id Name SpaceId Slug EnvironmentIds Roles Endpoint MachinePolicyId IsDisabled TenantedDeploymentParticipation
        TenantIds TenantTags Thumbprint Uri HealthStatus StatusSummary HasLatestCalamari IsInProcess OperatingSystem
        OperatingSystemVersion         ShellName ShellVersion Architecture Links
    """,
    "Tenant": "Id Name SpaceId Slug Description ProjectEnvironments TenantTags ClonedFromTenantId IsDisabled Links",
    "TagSet": "Id Name SpaceId Description SortOrder Tags Links",
    "Space": """
        Id Name Slug Description IsDefault IsPrivate TaskQueueStopped SpaceManagersTeams SpaceManagersTeamMembers Links
    """,
    "User": """
        Id Username DisplayName IsActive IsService EmailAddress CanPasswordBeEdited IsRequestor Identities Links
    """,
    "Team": "Id Name SpaceId Description MemberUserIds ExternalSecurityGroups Links",
    "UserRole": "Id Name Description GrantedSpacePermissions GrantedSystemPermissions Links",
    "ScopedUserRole": """
        Id TeamId UserRoleId SpaceId ProjectGroupIds ProjectIds EnvironmentIds TenantIds Links
    """,
    "MachinePolicy": """
        Id Name SpaceId Description IsDefault MachineHealthCheckPolicy MachineConnectivityPolicy MachineCleanupPolicy
        MachineUpdatePolicy Links
    """,
    "WorkerPool": "Id Name SpaceId Description SortOrder IsDefault WorkerPoolType Links",
    "Worker": "Id Name SpaceId WorkerPoolIds Endpoint IsDisabled HealthStatus MachinePolicyId Links",
    "LibraryVariableSet": "Id Name SpaceId Description ContentType VariableSetId Templates Links",
    "DeploymentProcess": "Id ProjectId SpaceId Version LastSnapshotId Steps Links",
    "RunbookProcess": "Id ProjectId RunbookId SpaceId Version LastSnapshotId Steps Links",
    "VariableSet": "Id OwnerId Version Variables ScopeValues SpaceId Links",
    "PackageFromBuiltInFeed": """
        Id PackageId Version NuGetPackageId NuGetFeedId FeedId Title Summary Description Published ReleaseNotes
        FileExtension PackageSizeBytes Hash PackageVersionBuildInformation Links
    """,
    "PackageVersion": "Id PackageId Version FeedId Published SizeBytes Title ReleaseNotes",
    "Feed": "Id Name SpaceId FeedType Links",
    "Task": """
        Id SpaceId Name Description Arguments State Completed QueueTime QueueTimeExpiry StartTime LastUpdatedTime
        CompletedTime ServerNode Duration ErrorMessage HasBeenPickedUpByProcessor IsCompleted FinishedSuccessfully
        HasPendingInterruptions PendingInterruptionTypes CanRerun HasWarningsOrErrors ProjectId
        EstimatedRemainingQueueDurationSeconds Links
    """,
    "Release": """
        Id SpaceId ProjectId ChannelId Version ReleaseNotes Assembled IgnoreChannelRules ProjectVariableSetSnapshotId
        ProjectDeploymentProcessSnapshotId LibraryVariableSetSnapshotIds SelectedPackages BuildInformation
        VersionControlReference CustomFields Links
    """,
    "Deployment": f"""
        {_ORDERED} ReleaseId ChannelId DeploymentProcessId ManifestVariableSetId Changes ChangesMarkdown Priority
        DebugMode FailTargetDiscovery TentacleRetentionPeriod
    """,
    "Runbook": """
        Id Name SpaceId Slug ProjectId Description EnvironmentScope Environments MultiTenancyMode
        DefaultGuidedFailureMode ConnectivityPolicy RunRetentionPolicy ForcePackageDownload RunbookTags
        RunbookProcessId PublishedRunbookSnapshotId Links
    """,
    "RunbookSnapshot": """
        Id Name SpaceId ProjectId RunbookId Notes SelectedPackages SelectedGitResources FrozenRunbookProcessId
        FrozenProjectVariableSetId LibraryVariableSetSnapshotIds ProjectVariableSetSnapshotId Assembled
        VariableSnapshotConcurrencyToken Links
    """,
    "RunbookRun": f"{_ORDERED} RunbookId RunbookSnapshotId FrozenRunbookProcessId",
    "Interruption": """
        Id Title Type Created IsPending Form RelatedDocumentIds ResponsibleTeamIds ResponsibleUserId
        CanTakeResponsibility HasResponsibility TaskId CorrelationId IsLinkedToOtherInterruption SpaceId Links
    """,
    "Event": """
        Id RelatedDocumentIds Category UserId Username IsService IdentityEstablishedWith UserAgent Occurred Message
        MessageHtml MessageReferences Comments Details ChangeDetails IpAddress ApiKeyId ApiKeyHint SpaceId Links
    """,
    "OctopusServerNode": "Id Name MaxConcurrentTasks IsInMaintenanceMode Links",
    "RateLimitingPolicy": "Id IsBuiltIn Name IsEnabled ScopeType RequestsPerMinute BurstLimit AuditMode",
}
FIELDS = {item: frozenset(text.split()) for item, text in _LISTED.items()}
#: where the items are listed, read one by one, made and replaced
PATHS = {
    "environments": "Environment",
    "lifecycles": "Lifecycle",
    "projectgroups": "ProjectGroup",
    "projects": "Project",
    "channels": "Channel",
    "machines": "Machine",
    "tenants": "Tenant",
    "tagsets": "TagSet",
    "spaces": "Space",
    "users": "User",
    "teams": "Team",
    "userroles": "UserRole",
    "scopeduserroles": "ScopedUserRole",
    "machinepolicies": "MachinePolicy",
    "workerpools": "WorkerPool",
    "workers": "Worker",
    "libraryvariablesets": "LibraryVariableSet",
    "deploymentprocesses": "DeploymentProcess",
    "runbookprocesses": "RunbookProcess",
    "variables": "VariableSet",
    "packages": "PackageFromBuiltInFeed",
    "feeds": "Feed",
    "tasks": "Task",
    "releases": "Release",
    "deployments": "Deployment",
    "runbooks": "Runbook",
    "runbooksnapshots": "RunbookSnapshot",
    "runbookruns": "RunbookRun",
    "interruptions": "Interruption",
    "events": "Event",
    "octopusservernodes": "OctopusServerNode",
    "ratelimitingpolicies": "RateLimitingPolicy",
}


def lacking(route: Route, status: int, answer: Any) -> list[str]:
    """Return the members that an answer should have and has not; 418 says how a node is, and refuses nothing."""
    if status >= 400 and status != 418:
        return sorted(REFUSAL - set(answer))
    return sorted({name for part, members in _parts(route, answer) for name in members - set(part)})


def item_of(route: Route) -> str | None:
    """Return what a route answers with, one or an array of it, if that is known."""
    first, _, rest = route.path.lower().partition("/")
    usual = {"GET": {"all", "{id}"}, "POST": {""}, "PUT": {"{id}"}, "DELETE": {"{id}"}}
    return PATHS.get(first) if rest in usual[route.method] else None


def _parts(route: Route, answer: Any) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Yield the objects of an answer whose members are known, each with them."""
    if isinstance(answer, dict) and "ItemType" in answer:
        yield answer, PAGE
        members = FIELDS.get(answer["ItemType"], frozenset())
        yield from ((one, members) for one in answer.get("Items", ()))
    elif item := item_of(route):
        for one in answer if isinstance(answer, list) else [answer]:
            yield one, FIELDS[item]
