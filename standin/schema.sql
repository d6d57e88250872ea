-- The stand-in's tables: Octopus' public shape, a document a row.
-- A document is its mapped columns plus the rest of its members in JSON; a mapped column is never repeated in JSON.
-- Names are written as Octopus writes them; PostgreSQL folds them to lower case.
-- Column sets and indexes follow the public dumps that octopus-facts §3.2 names.

CREATE TABLE KeyAllocation (CollectionName text PRIMARY KEY, Allocated bigint NOT NULL);
CREATE TABLE Configuration (Id text PRIMARY KEY, JSON text NOT NULL);

CREATE TABLE OctopusServerNode (
    Id text PRIMARY KEY, Name text NOT NULL, MaxConcurrentTasks int NOT NULL DEFAULT 5,
    IsInMaintenanceMode boolean NOT NULL DEFAULT false, LastSeen timestamptz, Url text, JSON text NOT NULL DEFAULT '{}');

CREATE TABLE UserAccount (Id text PRIMARY KEY, Username text NOT NULL, IsActive boolean NOT NULL DEFAULT true, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_UserAccount_Username ON UserAccount (lower(Username));
CREATE TABLE ApiKey (Id text PRIMARY KEY, UserId text NOT NULL, KeyHash text NOT NULL UNIQUE, JSON text NOT NULL);

CREATE TABLE Session (
    TokenHash text PRIMARY KEY, UserId text NOT NULL, Kind text NOT NULL, CsrfToken text NOT NULL, Expires timestamptz NOT NULL);
CREATE TABLE Team (Id text PRIMARY KEY, SpaceId text, Name text NOT NULL, Slug text NOT NULL, MemberUserIds text NOT NULL,
    JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Team_Name ON Team (coalesce(SpaceId, ''), lower(Name));
CREATE TABLE UserRole (Id text PRIMARY KEY, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_UserRole_Name ON UserRole (lower(Name));
CREATE TABLE ScopedUserRole (
    Id text PRIMARY KEY, SpaceId text, TeamId text NOT NULL, UserRoleId text NOT NULL, JSON text NOT NULL);

CREATE TABLE Space (Id text PRIMARY KEY, Name text NOT NULL, Slug text NOT NULL, IsDefault boolean NOT NULL DEFAULT false,
    TaskQueueStopped boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Space_Name ON Space (lower(Name));

CREATE TABLE DeploymentEnvironment (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    SortOrder int NOT NULL DEFAULT 0, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_DeploymentEnvironment_Name ON DeploymentEnvironment (SpaceId, lower(Name));
CREATE UNIQUE INDEX UQ_DeploymentEnvironment_Slug ON DeploymentEnvironment (SpaceId, Slug);
CREATE TABLE Lifecycle (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Lifecycle_Name ON Lifecycle (SpaceId, lower(Name));
CREATE TABLE ProjectGroup (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_ProjectGroup_Name ON ProjectGroup (SpaceId, lower(Name));
CREATE TABLE Project (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    ProjectGroupId text NOT NULL, LifecycleId text NOT NULL, IsDisabled boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Project_Name ON Project (SpaceId, lower(Name));
CREATE UNIQUE INDEX UQ_Project_Slug ON Project (SpaceId, Slug);
CREATE TABLE Channel (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, ProjectId text NOT NULL,
    LifecycleId text, IsDefault boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Channel_Name ON Channel (ProjectId, lower(Name));
CREATE UNIQUE INDEX UQ_Channel_Slug ON Channel (ProjectId, Slug);
CREATE TABLE DeploymentProcess (Id text PRIMARY KEY, SpaceId text NOT NULL, OwnerId text NOT NULL, Version int NOT NULL,
    IsFrozen boolean NOT NULL DEFAULT false, RelatedDocumentIds text NOT NULL DEFAULT '', JSON text NOT NULL);
CREATE TABLE VariableSet (Id text PRIMARY KEY, SpaceId text NOT NULL, OwnerId text NOT NULL, Version int NOT NULL,
    IsFrozen boolean NOT NULL DEFAULT false, RelatedDocumentIds text NOT NULL DEFAULT '', JSON text NOT NULL);
CREATE TABLE Machine (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    EnvironmentIds text NOT NULL, Roles text NOT NULL, IsDisabled boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Machine_Name ON Machine (SpaceId, lower(Name));
CREATE UNIQUE INDEX UQ_Machine_Slug ON Machine (SpaceId, Slug);
CREATE TABLE Tenant (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Tenant_Name ON Tenant (SpaceId, lower(Name));
CREATE UNIQUE INDEX UQ_Tenant_Slug ON Tenant (SpaceId, Slug);

CREATE TABLE Feed (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, FeedType text NOT NULL,
    JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Feed_Name ON Feed (SpaceId, lower(Name));
-- Name is `PackageId.Version`; SortVersion sorts as versions do, byte by byte.
CREATE TABLE NuGetPackage (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, PackageId text NOT NULL, Version text NOT NULL,
    SortVersion text COLLATE "C" NOT NULL, PackageSizeBytes bigint NOT NULL, Published timestamptz NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_NuGetPackage_Name ON NuGetPackage (SpaceId, lower(Name));
CREATE INDEX IX_NuGetPackage_Version ON NuGetPackage (SpaceId, lower(PackageId), SortVersion DESC);
CREATE TABLE BuildInformation (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, PackageId text NOT NULL, Version text NOT NULL,
    SortVersion text COLLATE "C" NOT NULL, Created timestamptz NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_BuildInformation_Name ON BuildInformation (SpaceId, lower(Name));
CREATE INDEX IX_BuildInformation_Version ON BuildInformation (SpaceId, lower(PackageId), SortVersion DESC);
CREATE TABLE MachinePolicy (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    IsDefault boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_MachinePolicy_Name ON MachinePolicy (SpaceId, lower(Name));
CREATE TABLE WorkerPool (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    SortOrder int NOT NULL DEFAULT 0, IsDefault boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_WorkerPool_Name ON WorkerPool (SpaceId, lower(Name));
CREATE TABLE Worker (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    WorkerPoolIds text NOT NULL, IsDisabled boolean NOT NULL DEFAULT false, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Worker_Name ON Worker (SpaceId, lower(Name));
CREATE TABLE TagSet (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    SortOrder int NOT NULL DEFAULT 0, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_TagSet_Name ON TagSet (SpaceId, lower(Name));
CREATE TABLE LibraryVariableSet (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    ContentType text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_LibraryVariableSet_Name ON LibraryVariableSet (SpaceId, lower(Name));

CREATE TABLE Runbook (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, ProjectId text NOT NULL,
    PublishedRunbookSnapshotId text, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Runbook_Name ON Runbook (ProjectId, lower(Name));
CREATE UNIQUE INDEX UQ_Runbook_Slug ON Runbook (ProjectId, Slug);
CREATE TABLE RunbookProcess (Id text PRIMARY KEY, SpaceId text NOT NULL, OwnerId text NOT NULL, Version int NOT NULL,
    IsFrozen boolean NOT NULL DEFAULT false, RelatedDocumentIds text NOT NULL DEFAULT '', JSON text NOT NULL);
CREATE TABLE RunbookSnapshot (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Assembled timestamptz NOT NULL, ProjectId text NOT NULL,
    RunbookId text NOT NULL, FrozenRunbookProcessId text NOT NULL, ProjectVariableSetSnapshotId text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_RunbookSnapshot_Name ON RunbookSnapshot (RunbookId, lower(Name));
CREATE INDEX IX_RunbookSnapshot_Assembled ON RunbookSnapshot (ProjectId, Assembled DESC);
CREATE TABLE RunbookRun (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Created timestamptz NOT NULL, EnvironmentId text NOT NULL,
    ProjectId text NOT NULL, RunbookId text NOT NULL, RunbookSnapshotId text NOT NULL, TaskId text NOT NULL, TenantId text,
    DeployedBy text NOT NULL, DeployedToMachineIds text NOT NULL DEFAULT '', JSON text NOT NULL);
CREATE INDEX IX_RunbookRun_Runbook ON RunbookRun (RunbookId, EnvironmentId, Created DESC);
CREATE INDEX IX_RunbookRun_Created ON RunbookRun (SpaceId, Created DESC);
CREATE INDEX IX_RunbookRun_Task ON RunbookRun (TaskId);
CREATE INDEX IX_RunbookRun_Snapshot ON RunbookRun (RunbookSnapshotId);
CREATE TABLE Interruption (
    Id text PRIMARY KEY, SpaceId text NOT NULL, TaskId text NOT NULL, Created timestamptz NOT NULL,
    IsPending boolean NOT NULL DEFAULT true, ResponsibleUserId text, RelatedDocumentIds text NOT NULL, JSON text NOT NULL);
CREATE INDEX IX_Interruption_Task ON Interruption (TaskId);
CREATE TABLE Artifact (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Filename text NOT NULL, Created timestamptz NOT NULL, ServerTaskId text,
    RelatedDocumentIds text NOT NULL, JSON text NOT NULL);
CREATE INDEX IX_Artifact_Created ON Artifact (SpaceId, Created DESC);

CREATE TABLE Account (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, AccountType text NOT NULL,
    JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Account_Name ON Account (SpaceId, lower(Name));
CREATE TABLE Certificate (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Certificate_Name ON Certificate (SpaceId, lower(Name));
CREATE TABLE Proxy (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Proxy_Name ON Proxy (SpaceId, lower(Name));
CREATE TABLE Subscription (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_Subscription_Name ON Subscription (SpaceId, lower(Name));
CREATE TABLE ProjectTrigger (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL,
    ProjectId text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_ProjectTrigger_Name ON ProjectTrigger (ProjectId, lower(Name));
CREATE TABLE ActionTemplate (Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Slug text NOT NULL, JSON text NOT NULL);
CREATE UNIQUE INDEX UQ_ActionTemplate_Name ON ActionTemplate (SpaceId, lower(Name));
CREATE TABLE Defect (
    Id text PRIMARY KEY, SpaceId text NOT NULL, ReleaseId text NOT NULL, Created timestamptz NOT NULL, Status text NOT NULL,
    JSON text NOT NULL);
CREATE INDEX IX_Defect_Release ON Defect (ReleaseId);

CREATE TABLE Release (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Version text NOT NULL, Assembled timestamptz NOT NULL, ProjectId text NOT NULL,
    ChannelId text NOT NULL, ProjectVariableSetSnapshotId text NOT NULL, ProjectDeploymentProcessSnapshotId text NOT NULL,
    JSON text NOT NULL);

CREATE TABLE Deployment (
    Id text PRIMARY KEY, SpaceId text NOT NULL, Name text NOT NULL, Created timestamptz NOT NULL, EnvironmentId text NOT NULL,
    ProjectId text NOT NULL, ReleaseId text NOT NULL, ProjectGroupId text NOT NULL, TaskId text NOT NULL, ChannelId text NOT NULL,
    TenantId text, DeployedBy text NOT NULL, DeployedToMachineIds text NOT NULL DEFAULT '', JSON text NOT NULL);

-- Paused says what a task that waits for somebody's answer holds: '' it runs, it has its slot and its tag; 'Blocking' it has
-- its tag, so that none of its kind can overtake it; 'Released' it has neither.
CREATE TABLE ServerTask (
    Id text PRIMARY KEY, SpaceId text, Name text NOT NULL, Description text NOT NULL, QueueTime timestamptz NOT NULL,
    StartTime timestamptz, CompletedTime timestamptz, LastUpdatedTime timestamptz, QueueTimeExpiry timestamptz,
    ErrorMessage text NOT NULL DEFAULT '', ConcurrencyTag text, State text NOT NULL, Priority int NOT NULL DEFAULT 0,
    HasPendingInterruptions boolean NOT NULL DEFAULT false, HasWarningsOrErrors boolean NOT NULL DEFAULT false,
    ServerNodeId text, Paused text NOT NULL DEFAULT '', ProjectId text, EnvironmentId text, TenantId text, DurationSeconds double precision, JSON text NOT NULL);

CREATE TABLE Event (
    AutoId bigint GENERATED BY DEFAULT AS IDENTITY, Id text PRIMARY KEY, SpaceId text, RelatedDocumentIds text NOT NULL,
    ProjectId text, EnvironmentId text, TenantId text, Category text NOT NULL, UserId text NOT NULL, Username text NOT NULL,
    Occurred timestamptz NOT NULL, Message text NOT NULL, JSON text NOT NULL);
CREATE TABLE EventRelatedDocument (Id bigint GENERATED BY DEFAULT AS IDENTITY, RelatedDocumentId text NOT NULL, EventAutoId bigint NOT NULL);
CREATE TABLE DeploymentRelatedMachine (Id bigint GENERATED BY DEFAULT AS IDENTITY, DeploymentId text NOT NULL, MachineId text NOT NULL);
CREATE TABLE DeploymentHistory (
    DeploymentId text PRIMARY KEY, SpaceId text NOT NULL, DeploymentName text NOT NULL, ProjectId text NOT NULL, ProjectName text NOT NULL,
    EnvironmentId text NOT NULL, EnvironmentName text NOT NULL, ReleaseId text NOT NULL, ReleaseVersion text NOT NULL, TaskId text NOT NULL,
    TaskState text NOT NULL, ChannelId text NOT NULL, TenantId text, Created timestamptz NOT NULL, QueueTime timestamptz NOT NULL,
    StartTime timestamptz, CompletedTime timestamptz, DurationSeconds double precision, DeployedBy text NOT NULL);

-- Nobody searches documents by their text: the planner needs no statistics of it, and ANALYZE is shorter without.
ALTER TABLE Release ALTER JSON SET STATISTICS 0;
ALTER TABLE Deployment ALTER JSON SET STATISTICS 0;
ALTER TABLE ServerTask ALTER JSON SET STATISTICS 0;
ALTER TABLE Event ALTER JSON SET STATISTICS 0, ALTER Message SET STATISTICS 0;
