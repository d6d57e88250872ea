-- What stands around the cells of a dashboard. $1 is the space; $2 limits the projects (null: all).

-- name: projects
SELECT Id, SpaceId, Name, Slug, ProjectGroupId, LifecycleId, IsDisabled, JSON FROM Project
WHERE SpaceId = $1 AND ($2::text[] IS NULL OR Id = ANY($2)) ORDER BY lower(Name), Id;

-- name: groups
SELECT Id, Name, JSON::json -> 'EnvironmentIds' AS EnvironmentIds FROM ProjectGroup WHERE SpaceId = $1
ORDER BY lower(Name), Id;

-- name: environments
SELECT Id, Name FROM DeploymentEnvironment WHERE SpaceId = $1 ORDER BY SortOrder, length(Id), Id;

-- name: tenants
SELECT Id, Name, JSON FROM Tenant WHERE SpaceId = $1 ORDER BY lower(Name), Id;

-- name: lifecycles
SELECT Id, SpaceId, Name, Slug, JSON FROM Lifecycle WHERE SpaceId = $1;

-- name: included
SELECT Id FROM Project WHERE SpaceId = $1 AND (Id = ANY($2::text[]) OR ProjectGroupId = ANY($3::text[]));

-- name: tagged
SELECT Id FROM Tenant WHERE SpaceId = $1 AND JSON::jsonb -> 'TenantTags' ?& $2::text[];
