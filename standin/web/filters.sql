-- The conditions of all lists. `$value` stands for what a client asks for; one that it does not ask for is left out, so
-- that each statement has the plan that its own conditions deserve. Python chooses names, never text (filters.py).

-- What who asks may see: grants as JSON, each with its `space`, `projects`, `environments` and `tenants`; null is all.

-- name: granted_projects
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId AND (g -> 'projects' = 'null' OR g -> 'projects' ? Id))

-- name: granted_environments
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId AND (g -> 'environments' = 'null' OR g -> 'environments' ? Id))

-- name: granted_tenants
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId AND (g -> 'tenants' = 'null' OR g -> 'tenants' ? Id))

-- name: granted_targets
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId AND (g -> 'environments' = 'null' OR EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(g -> 'environments') AS e WHERE strpos(EnvironmentIds, '|' || e || '|') > 0)))

-- name: granted_of_projects
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId AND (g -> 'projects' = 'null' OR g -> 'projects' ? ProjectId))

-- name: granted_places
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId, '') = coalesce(SpaceId, '')
        AND (g -> 'projects' = 'null' OR ProjectId IS NULL OR g -> 'projects' ? ProjectId)
        AND (g -> 'environments' = 'null' OR EnvironmentId IS NULL OR g -> 'environments' ? EnvironmentId)
        AND (g -> 'tenants' = 'null' OR TenantId IS NULL OR g -> 'tenants' ? TenantId))

-- name: granted_related
EXISTS (
    SELECT 1 FROM jsonb_array_elements($value::jsonb) AS g
    WHERE coalesce(g ->> 'space', SpaceId) = SpaceId
        AND (g -> 'projects' = 'null' OR strpos(RelatedDocumentIds, '|Projects-') = 0
            OR g -> 'projects' ?| string_to_array(RelatedDocumentIds, '|'))
        AND (g -> 'environments' = 'null' OR strpos(RelatedDocumentIds, '|Environments-') = 0
            OR g -> 'environments' ?| string_to_array(RelatedDocumentIds, '|'))
        AND (g -> 'tenants' = 'null' OR strpos(RelatedDocumentIds, '|Tenants-') = 0
            OR g -> 'tenants' ?| string_to_array(RelatedDocumentIds, '|')))

-- name: ids
Id = ANY($value::text[])

-- name: space
SpaceId = $value::text

-- name: spaces
SpaceId = ANY($value::text[])

-- name: spaces_or_system
(SpaceId = ANY($value::text[]) OR SpaceId IS NULL)

-- name: in_a_space
(SpaceId IS NOT NULL) = $value::boolean

-- name: partial_name
strpos(lower(Name), lower($value::text)) > 0

-- name: project
ProjectId = $value::text

-- name: projects
ProjectId = ANY($value::text[])

-- name: environment
EnvironmentId = $value::text

-- name: environments
EnvironmentId = ANY($value::text[])

-- name: tenant
TenantId = $value::text

-- name: tenants
TenantId = ANY($value::text[])

-- name: channel
ChannelId = $value::text

-- name: channels
ChannelId = ANY($value::text[])

-- Users and teams.

-- name: user
(strpos(lower(Username), lower($value::text)) > 0
    OR strpos(lower(JSON::json ->> 'DisplayName'), lower($value::text)) > 0
    OR strpos(lower(JSON::json ->> 'EmailAddress'), lower($value::text)) > 0)

-- name: team
TeamId = $value::text

-- Projects, deployment targets and tenants.

-- name: group
ProjectGroupId = $value::text

-- name: lifecycle
LifecycleId = $value::text

-- name: cloned_from
JSON::json ->> 'ClonedFromProjectId' = $value::text

-- name: in_environments
EXISTS (SELECT 1 FROM unnest($value::text[]) AS e WHERE strpos(EnvironmentIds, '|' || e || '|') > 0)

-- name: roles
EXISTS (SELECT 1 FROM unnest($value::text[]) AS r WHERE strpos(lower(Roles), '|' || lower(r) || '|') > 0)

-- name: disabled
IsDisabled = $value::boolean

-- name: health
JSON::json ->> 'HealthStatus' = ANY($value::text[])

-- name: communication_styles
JSON::json #>> '{Endpoint,CommunicationStyle}' = ANY($value::text[])

-- name: shells
JSON::json ->> 'ShellName' = ANY($value::text[])

-- name: systems
JSON::json ->> 'OperatingSystem' = ANY($value::text[])

-- name: thumbprint
coalesce(JSON::json #>> '{Endpoint,Thumbprint}', JSON::json ->> 'Thumbprint') = $value::text

-- name: policy
JSON::json ->> 'MachinePolicyId' = $value::text

-- name: with_tenants
JSON::jsonb -> 'TenantIds' ?| $value::text[]

-- name: deployed_to
Id IN (SELECT MachineId FROM DeploymentRelatedMachine WHERE DeploymentId = $value::text)

-- name: in_pools
EXISTS (SELECT 1 FROM unnest($value::text[]) AS p WHERE strpos(WorkerPoolIds, '|' || p || '|') > 0)

-- name: frozen
IsFrozen = $value::boolean

-- name: account_type
AccountType = $value::text

-- name: content_type
lower(ContentType) = lower($value::text)

-- name: cloned_from_tenant
JSON::json ->> 'ClonedFromTenantId' = $value::text

-- name: connected_to
JSON::jsonb -> 'ProjectEnvironments' ? $value::text

-- name: tags
JSON::jsonb -> 'TenantTags' ?& $value::text[]

-- Releases and deployments.

-- name: partial_version
strpos(lower(Version), lower($value::text)) > 0

-- name: release
ReleaseId = $value::text

-- name: task_states
EXISTS (SELECT 1 FROM ServerTask t WHERE t.Id = Deployment.TaskId AND t.State = ANY($value::text[]))

-- Runbooks and interruptions.

-- name: owner
RunbookId = $value::text

-- name: runbooks
RunbookId = ANY($value::text[])

-- name: snapshot
RunbookSnapshotId = $value::text

-- name: run_states
EXISTS (SELECT 1 FROM ServerTask t WHERE t.Id = RunbookRun.TaskId AND t.State = ANY($value::text[]))

-- name: concerns
EXISTS (SELECT 1 FROM unnest($value::text[]) AS r WHERE strpos(RelatedDocumentIds, '|' || r || '|') > 0)

-- name: partial_file
strpos(lower(Filename), lower($value::text)) > 0

-- name: pending
IsPending = $value::boolean

-- Feeds, packages and build information.

-- name: feed_types
FeedType = ANY($value::text[])

-- name: package
lower(PackageId) = lower($value::text)

-- name: partial_package
strpos(lower(PackageId), lower($value::text)) > 0

-- name: latest_package
NOT EXISTS (
    SELECT 1 FROM NuGetPackage n WHERE n.SpaceId = NuGetPackage.SpaceId AND $value::boolean
    AND lower(n.PackageId) = lower(NuGetPackage.PackageId) AND n.SortVersion > NuGetPackage.SortVersion)

-- name: latest_build
NOT EXISTS (
    SELECT 1 FROM BuildInformation b WHERE b.SpaceId = BuildInformation.SpaceId AND $value::boolean
    AND lower(b.PackageId) = lower(BuildInformation.PackageId) AND b.SortVersion > BuildInformation.SortVersion)

-- Tasks.

-- name: names
Name = ANY($value::text[])

-- name: node
ServerNodeId = $value::text

-- name: runbook
JSON::json #>> '{Arguments,RunbookId}' = $value::text

-- name: states
State = ANY($value::text[])

-- name: active
(State IN ('Queued', 'Executing', 'Cancelling')) = $value::boolean

-- name: running
(State = 'Executing') = $value::boolean

-- name: interrupted
HasPendingInterruptions = $value::boolean

-- name: batch
JSON::json #>> '{Arguments,BatchId}' = $value::text

-- name: of_tenants_tagged
TenantId IN (SELECT Id FROM Tenant WHERE JSON::jsonb -> 'TenantTags' ?| $value::text[])

-- name: nothing
NOT $value::boolean

-- name: troubled
HasWarningsOrErrors = $value::boolean

-- name: description
strpos(lower(Description), lower($value::text)) > 0

-- name: queued_from
QueueTime >= $value::timestamptz

-- name: queued_to
QueueTime <= $value::timestamptz

-- name: started_from
StartTime >= $value::timestamptz

-- name: started_to
StartTime <= $value::timestamptz

-- name: completed_from
CompletedTime >= $value::timestamptz

-- name: completed_to
CompletedTime <= $value::timestamptz

-- name: on_machine
(Id IN (SELECT d.TaskId FROM Deployment d JOIN DeploymentRelatedMachine m ON m.DeploymentId = d.Id WHERE m.MachineId = $value::text)
    OR JSON::jsonb #> '{Arguments,MachineIds}' ? $value::text)

-- Events.

-- name: regarding
AutoId IN (
    SELECT EventAutoId FROM EventRelatedDocument WHERE RelatedDocumentId = ANY($value::text[])
    GROUP BY EventAutoId HAVING count(DISTINCT RelatedDocumentId) = cardinality($value::text[]))

-- name: regarding_any
AutoId IN (SELECT EventAutoId FROM EventRelatedDocument WHERE RelatedDocumentId = ANY($value::text[]))

-- name: categories
Category = ANY($value::text[])

-- name: users
UserId = ANY($value::text[])

-- name: project_groups
ProjectId IN (SELECT Id FROM Project WHERE ProjectGroupId = ANY($value::text[]))

-- name: agents
JSON::json ->> 'UserAgent' = ANY($value::text[])

-- name: document_types
EXISTS (
    SELECT 1 FROM unnest($value::text[]) AS kind WHERE strpos(lower(RelatedDocumentIds), '|' || lower(kind) || '-') > 0)

-- name: occurred_from
Occurred >= $value::timestamptz

-- name: occurred_to
Occurred <= $value::timestamptz

-- name: from_auto_id
AutoId >= $value::bigint

-- name: to_auto_id
AutoId <= $value::bigint
