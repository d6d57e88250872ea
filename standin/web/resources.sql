-- The filters of the lists; the statement before and after them is the same for all (resources.py).
-- $1 is the space, $2 a list of ids, $3 a part of the name; what is NULL does not filter.

-- name: named
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)

-- name: environments
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)

-- name: spaces
($1::text[] IS NULL OR Id = ANY($1)) AND ($2::text IS NULL OR strpos(lower(Name), lower($2)) > 0)

-- name: projects
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)
AND ($4::text IS NULL OR ProjectGroupId = $4) AND ($5::text IS NULL OR LifecycleId = $5)
AND ($6::text IS NULL OR JSON::json ->> 'ClonedFromProjectId' = $6)

-- name: channels
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)
AND ($4::text IS NULL OR ProjectId = $4)

-- name: machines
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)
AND ($4::text[] IS NULL OR EXISTS (SELECT 1 FROM unnest($4) AS e WHERE strpos(EnvironmentIds, '|' || e || '|') > 0))
AND ($5::text[] IS NULL OR EXISTS (SELECT 1 FROM unnest($5) AS r WHERE strpos(lower(Roles), '|' || lower(r) || '|') > 0))
AND ($6::boolean IS NULL OR IsDisabled = $6)
AND ($7::text[] IS NULL OR JSON::json ->> 'HealthStatus' = ANY($7))
AND ($8::text[] IS NULL OR JSON::json #>> '{Endpoint,CommunicationStyle}' = ANY($8))

-- name: tenants
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)
AND ($4::text IS NULL OR JSON::jsonb -> 'ProjectEnvironments' ? $4)
AND ($5::text[] IS NULL OR JSON::jsonb -> 'TenantTags' ?& $5)

-- name: look_up_by_id
Id = $1 AND SpaceId = $2

-- name: look_up
SpaceId = $2 AND (lower(Id) = $1 OR lower(Slug) = $1 OR lower(Name) = $1) LIMIT 1

-- name: look_up_by_id_space
Id = $1 AND $2::text IS NULL

-- name: look_up_space
(lower(Id) = $1 OR lower(Slug) = $1 OR lower(Name) = $1) AND $2::text IS NULL LIMIT 1

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

-- name: releases
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR ProjectId = $3)
AND ($4::text IS NULL OR ChannelId = $4) AND ($5::text IS NULL OR strpos(lower(Version), lower($5)) > 0)

-- name: deployments
SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) AND ($3::text IS NULL OR strpos(lower(Name), lower($3)) > 0)
AND ($4::text[] IS NULL OR ProjectId = ANY($4)) AND ($5::text[] IS NULL OR EnvironmentId = ANY($5))
AND ($6::text[] IS NULL OR TenantId = ANY($6)) AND ($7::text[] IS NULL OR ChannelId = ANY($7))
AND ($8::text IS NULL OR ReleaseId = $8)
AND ($9::text[] IS NULL OR EXISTS (SELECT 1 FROM ServerTask t WHERE t.Id = Deployment.TaskId AND t.State = ANY($9)))
