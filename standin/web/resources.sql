-- What refers to a document, and what lists need besides their filters.

-- name: referenced
SELECT r FROM unnest($1::text[]) AS r WHERE NOT EXISTS (SELECT 1 FROM DeploymentEnvironment WHERE Id = r AND SpaceId = $2);

-- name: lifecycle_uses
SELECT 'The project ' || Name || ' uses this lifecycle.' AS reason FROM Project WHERE LifecycleId = $1
UNION ALL
SELECT 'The channel ' || Name || ' uses this lifecycle.' FROM Channel WHERE LifecycleId = $1;

-- name: group_uses
SELECT 'The project ' || Name || ' is in this project group.' AS reason FROM Project WHERE ProjectGroupId = $1;

-- name: environment_uses
SELECT 'The lifecycle ' || Name || ' uses this environment.' AS reason FROM Lifecycle
WHERE SpaceId = $2 AND strpos(JSON, '"' || $1 || '"') > 0
UNION ALL
SELECT 'The deployment target ' || Name || ' is in this environment.' FROM Machine
WHERE SpaceId = $2 AND strpos(EnvironmentIds, '|' || $1 || '|') > 0;

-- name: policy_uses
SELECT 'The deployment target ' || Name || ' is under this policy.' AS reason FROM Machine
WHERE SpaceId = $2 AND JSON::json ->> 'MachinePolicyId' = $1
UNION ALL
SELECT 'The worker ' || Name || ' is under this policy.' FROM Worker
WHERE SpaceId = $2 AND JSON::json ->> 'MachinePolicyId' = $1;

-- name: pool_uses
SELECT 'The worker ' || Name || ' is in this pool.' AS reason FROM Worker
WHERE SpaceId = $2 AND strpos(WorkerPoolIds, '|' || $1 || '|') > 0;

-- name: tag_uses
SELECT 'The tenant ' || Name || ' has the tag ' || $1::text || '.' AS reason FROM Tenant
WHERE SpaceId = $2 AND JSON::jsonb -> 'TenantTags' ? $1::text
UNION ALL
SELECT 'The deployment target ' || Name || ' has the tag ' || $1::text || '.' FROM Machine
WHERE SpaceId = $2 AND JSON::jsonb -> 'TenantTags' ? $1::text;

-- name: library_uses
SELECT 'The project ' || Name || ' includes this library variable set.' AS reason FROM Project
WHERE SpaceId = $2 AND JSON::jsonb -> 'IncludedLibraryVariableSetIds' ? $1::text;

-- name: projects_with_library
SELECT Id, Name, Slug FROM Project WHERE SpaceId = $2 AND JSON::jsonb -> 'IncludedLibraryVariableSetIds' ? $1::text
ORDER BY lower(Name), Id;

-- name: channel_uses
SELECT 'The channel has ' || count(*) || ' releases.' AS reason FROM Release WHERE ChannelId = $1 HAVING count(*) > 0;

-- name: order_environments
UPDATE DeploymentEnvironment e SET SortOrder = o.place
FROM unnest($1::text[]) WITH ORDINALITY AS o (id, place) WHERE e.Id = o.id AND e.SpaceId = $2;

-- name: order_pools
UPDATE WorkerPool p SET SortOrder = o.place
FROM unnest($1::text[]) WITH ORDINALITY AS o (id, place) WHERE p.Id = o.id AND p.SpaceId = $2;

-- name: order_tag_sets
UPDATE TagSet t SET SortOrder = o.place
FROM unnest($1::text[]) WITH ORDINALITY AS o (id, place) WHERE t.Id = o.id AND t.SpaceId = $2;

-- name: next_sort_order
SELECT coalesce(max(SortOrder) + 1, 0) FROM DeploymentEnvironment WHERE SpaceId = $1;

-- name: operating_systems
SELECT DISTINCT JSON::json ->> 'OperatingSystem' AS r FROM Machine
WHERE SpaceId = $1 AND JSON::json ->> 'OperatingSystem' IS NOT NULL ORDER BY r;

-- name: shells
SELECT DISTINCT JSON::json ->> 'ShellName' AS r FROM Machine
WHERE SpaceId = $1 AND JSON::json ->> 'ShellName' IS NOT NULL ORDER BY r;

-- name: project_summary
SELECT (SELECT count(*) FROM Runbook WHERE ProjectId = $1) AS runbooks,
    EXISTS (SELECT 1 FROM Deployment WHERE ProjectId = $1) AS deployed;

-- name: pulse
SELECT p.Id, count(t.Id) FILTER (WHERE t.State = 'Queued') AS queued,
    count(t.Id) FILTER (WHERE t.State IN ('Executing', 'Cancelling')) AS executing
FROM Project p LEFT JOIN ServerTask t ON t.ProjectId = p.Id AND t.State IN ('Queued', 'Executing', 'Cancelling')
WHERE p.SpaceId = $1 AND ($2::text[] IS NULL OR p.Id = ANY($2))
GROUP BY p.Id, p.Name ORDER BY lower(p.Name), p.Id;

-- name: any_tenant
SELECT 1 FROM Tenant WHERE SpaceId = $1 LIMIT 1;

-- name: roles
SELECT DISTINCT r FROM Machine, unnest(string_to_array(trim(BOTH '|' FROM Roles), '|')) AS r
WHERE SpaceId = $1 AND r <> '' ORDER BY r;
