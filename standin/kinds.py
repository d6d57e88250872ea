"""The kinds of documents that the stand-in keeps; columns follow schema.sql."""

from standin.documents import DocumentType

SPACE = DocumentType(
    "Space",
    "Spaces",
    ("Name", "Slug", "IsDefault", "TaskQueueStopped"),
    defaults={"IsDefault": False, "TaskQueueStopped": False},
)
USER = DocumentType("UserAccount", "Users", ("Username", "IsActive"), defaults={"IsActive": True})
API_KEY = DocumentType("ApiKey", "apikeys", ("UserId", "KeyHash"))
NODE = DocumentType(
    "OctopusServerNode",
    "OctopusServerNodes",
    ("Name", "MaxConcurrentTasks", "IsInMaintenanceMode", "LastSeen", "Url"),
    times=frozenset({"LastSeen"}),
    defaults={"MaxConcurrentTasks": 5, "IsInMaintenanceMode": False},
)
ENVIRONMENT = DocumentType(
    "DeploymentEnvironment", "Environments", ("SpaceId", "Name", "Slug", "SortOrder"), defaults={"SortOrder": 0}
)
LIFECYCLE = DocumentType("Lifecycle", "Lifecycles", ("SpaceId", "Name", "Slug"))
PROJECT_GROUP = DocumentType("ProjectGroup", "ProjectGroups", ("SpaceId", "Name", "Slug"))
PROJECT = DocumentType(
    "Project",
    "Projects",
    ("SpaceId", "Name", "Slug", "ProjectGroupId", "LifecycleId", "IsDisabled"),
    defaults={"IsDisabled": False},
)
CHANNEL = DocumentType(
    "Channel",
    "Channels",
    ("SpaceId", "Name", "Slug", "ProjectId", "LifecycleId", "IsDefault"),
    defaults={"IsDefault": False},
)
_OWNED = ("SpaceId", "OwnerId", "Version", "IsFrozen", "RelatedDocumentIds")
PROCESS = DocumentType(
    "DeploymentProcess",
    "deploymentprocess",
    _OWNED,
    lists=frozenset({"RelatedDocumentIds"}),
    defaults={"IsFrozen": False},
)
VARIABLE_SET = DocumentType(
    "VariableSet",
    "variableset",
    _OWNED,
    lists=frozenset({"RelatedDocumentIds"}),
    defaults={"IsFrozen": False},
)
MACHINE = DocumentType(
    "Machine",
    "Machines",
    ("SpaceId", "Name", "Slug", "EnvironmentIds", "Roles", "IsDisabled"),
    lists=frozenset({"EnvironmentIds", "Roles"}),
    defaults={"IsDisabled": False},
)
TENANT = DocumentType("Tenant", "Tenants", ("SpaceId", "Name", "Slug"))
RELEASE = DocumentType(
    "Release",
    "Releases",
    (
        "SpaceId",
        "Version",
        "Assembled",
        "ProjectId",
        "ChannelId",
        "ProjectVariableSetSnapshotId",
        "ProjectDeploymentProcessSnapshotId",
    ),
    times=frozenset({"Assembled"}),
)
DEPLOYMENT = DocumentType(
    "Deployment",
    "Deployments",
    (
        "SpaceId",
        "Name",
        "Created",
        "EnvironmentId",
        "ProjectId",
        "ReleaseId",
        "ProjectGroupId",
        "TaskId",
        "ChannelId",
        "TenantId",
        "DeployedBy",
        "DeployedToMachineIds",
    ),
    lists=frozenset({"DeployedToMachineIds"}),
    times=frozenset({"Created"}),
)
TASK = DocumentType(
    "ServerTask",
    "ServerTasks",
    (
        "SpaceId",
        "Name",
        "Description",
        "QueueTime",
        "StartTime",
        "CompletedTime",
        "LastUpdatedTime",
        "QueueTimeExpiry",
        "ErrorMessage",
        "ConcurrencyTag",
        "State",
        "Priority",
        "HasPendingInterruptions",
        "HasWarningsOrErrors",
        "ServerNodeId",
        "Paused",
        "ProjectId",
        "EnvironmentId",
        "TenantId",
        "DurationSeconds",
    ),
    times=frozenset({"QueueTime", "StartTime", "CompletedTime", "LastUpdatedTime", "QueueTimeExpiry"}),
    defaults={
        "ErrorMessage": "",
        "Priority": 0,
        "HasPendingInterruptions": False,
        "HasWarningsOrErrors": False,
        "Paused": "",
    },
)
EVENT = DocumentType(
    "Event",
    "Events",
    (
        "SpaceId",
        "RelatedDocumentIds",
        "ProjectId",
        "EnvironmentId",
        "TenantId",
        "Category",
        "UserId",
        "Username",
        "Occurred",
        "Message",
    ),
    lists=frozenset({"RelatedDocumentIds"}),
    times=frozenset({"Occurred"}),
)
FEED = DocumentType("Feed", "Feeds", ("SpaceId", "Name", "Slug", "FeedType"))
PACKAGE = DocumentType(
    "NuGetPackage",
    "NuGetPackages",
    ("SpaceId", "Name", "PackageId", "Version", "SortVersion", "PackageSizeBytes", "Published"),
    times=frozenset({"Published"}),
)
BUILD_INFORMATION = DocumentType(
    "BuildInformation",
    "BuildInformation",
    ("SpaceId", "Name", "PackageId", "Version", "SortVersion", "Created"),
    times=frozenset({"Created"}),
)
RUNBOOK = DocumentType("Runbook", "Runbooks", ("SpaceId", "Name", "Slug", "ProjectId", "PublishedRunbookSnapshotId"))
RUNBOOK_PROCESS = DocumentType(
    "RunbookProcess",
    "RunbookProcess",
    _OWNED,
    lists=frozenset({"RelatedDocumentIds"}),
    defaults={"IsFrozen": False},
)
RUNBOOK_SNAPSHOT = DocumentType(
    "RunbookSnapshot",
    "RunbookSnapshots",
    (
        "SpaceId",
        "Name",
        "Assembled",
        "ProjectId",
        "RunbookId",
        "FrozenRunbookProcessId",
        "ProjectVariableSetSnapshotId",
    ),
    times=frozenset({"Assembled"}),
)
RUNBOOK_RUN = DocumentType(
    "RunbookRun",
    "RunbookRuns",
    (
        "SpaceId",
        "Name",
        "Created",
        "EnvironmentId",
        "ProjectId",
        "RunbookId",
        "RunbookSnapshotId",
        "TaskId",
        "TenantId",
        "DeployedBy",
        "DeployedToMachineIds",
    ),
    lists=frozenset({"DeployedToMachineIds"}),
    times=frozenset({"Created"}),
)
INTERRUPTION = DocumentType(
    "Interruption",
    "Interruptions",
    ("SpaceId", "TaskId", "Created", "IsPending", "ResponsibleUserId", "RelatedDocumentIds"),
    lists=frozenset({"RelatedDocumentIds"}),
    times=frozenset({"Created"}),
)
TEAM = DocumentType("Team", "Teams", ("SpaceId", "Name", "Slug", "MemberUserIds"), lists=frozenset({"MemberUserIds"}))
USER_ROLE = DocumentType("UserRole", "UserRoles", ("Name", "Slug"))
SCOPED_USER_ROLE = DocumentType("ScopedUserRole", "ScopedUserRoles", ("SpaceId", "TeamId", "UserRoleId"))
MACHINE_POLICY = DocumentType(
    "MachinePolicy", "MachinePolicies", ("SpaceId", "Name", "Slug", "IsDefault"), defaults={"IsDefault": False}
)
WORKER_POOL = DocumentType(
    "WorkerPool",
    "WorkerPools",
    ("SpaceId", "Name", "Slug", "SortOrder", "IsDefault"),
    defaults={"SortOrder": 0, "IsDefault": False},
)
WORKER = DocumentType(
    "Worker",
    "Workers",
    ("SpaceId", "Name", "Slug", "WorkerPoolIds", "IsDisabled"),
    lists=frozenset({"WorkerPoolIds"}),
    defaults={"IsDisabled": False},
)
TAG_SET = DocumentType("TagSet", "TagSets", ("SpaceId", "Name", "Slug", "SortOrder"), defaults={"SortOrder": 0})
LIBRARY_VARIABLE_SET = DocumentType(
    "LibraryVariableSet", "LibraryVariableSets", ("SpaceId", "Name", "Slug", "ContentType")
)
ACCOUNT = DocumentType("Account", "Accounts", ("SpaceId", "Name", "Slug", "AccountType"))
CERTIFICATE = DocumentType("Certificate", "Certificates", ("SpaceId", "Name", "Slug"))
PROXY = DocumentType("Proxy", "Proxies", ("SpaceId", "Name", "Slug"))
SUBSCRIPTION = DocumentType("Subscription", "Subscriptions", ("SpaceId", "Name", "Slug"))
TRIGGER = DocumentType("ProjectTrigger", "ProjectTriggers", ("SpaceId", "Name", "Slug", "ProjectId"))
ACTION_TEMPLATE = DocumentType("ActionTemplate", "ActionTemplates", ("SpaceId", "Name", "Slug"))
ARTIFACT = DocumentType(
    "Artifact",
    "Artifacts",
    ("SpaceId", "Filename", "Created", "ServerTaskId", "RelatedDocumentIds"),
    lists=frozenset({"RelatedDocumentIds"}),
    times=frozenset({"Created"}),
)
DEFECT = DocumentType("Defect", "Defects", ("SpaceId", "ReleaseId", "Created", "Status"), times=frozenset({"Created"}))
