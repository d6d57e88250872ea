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

-- name: channel_uses
SELECT 'The channel has ' || count(*) || ' releases.' AS reason FROM Release WHERE ChannelId = $1 HAVING count(*) > 0;

-- name: order_environments
UPDATE DeploymentEnvironment e SET SortOrder = o.place
FROM unnest($1::text[]) WITH ORDINALITY AS o (id, place) WHERE e.Id = o.id AND e.SpaceId = $2;

-- name: next_sort_order
SELECT coalesce(max(SortOrder) + 1, 0) FROM DeploymentEnvironment WHERE SpaceId = $1;

-- name: roles
SELECT DISTINCT r FROM Machine, unnest(string_to_array(trim(BOTH '|' FROM Roles), '|')) AS r
WHERE SpaceId = $1 AND r <> '' ORDER BY r;
