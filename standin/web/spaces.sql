-- Users, and the deletion of a space with all that it holds.

-- name: users
SELECT Id, Username, IsActive, JSON FROM UserAccount
WHERE ($1::text[] IS NULL OR Id = ANY($1)) AND ($2::text IS NULL OR strpos(lower(Username), lower($2)) > 0)
ORDER BY lower(Username);

-- name: delete_related_machines
DELETE FROM DeploymentRelatedMachine WHERE DeploymentId IN (SELECT Id FROM Deployment WHERE SpaceId = $1);

-- name: delete_deployments
DELETE FROM Deployment WHERE SpaceId = $1;

-- name: delete_releases
DELETE FROM Release WHERE SpaceId = $1;

-- name: delete_tasks
DELETE FROM ServerTask WHERE SpaceId = $1;

-- name: delete_history
DELETE FROM DeploymentHistory WHERE SpaceId = $1;

-- name: delete_channels
DELETE FROM Channel WHERE SpaceId = $1;

-- name: delete_processes
DELETE FROM DeploymentProcess WHERE SpaceId = $1;

-- name: delete_variables
DELETE FROM VariableSet WHERE SpaceId = $1;

-- name: delete_projects
DELETE FROM Project WHERE SpaceId = $1;

-- name: delete_groups
DELETE FROM ProjectGroup WHERE SpaceId = $1;

-- name: delete_lifecycles
DELETE FROM Lifecycle WHERE SpaceId = $1;

-- name: delete_machines
DELETE FROM Machine WHERE SpaceId = $1;

-- name: delete_tenants
DELETE FROM Tenant WHERE SpaceId = $1;

-- name: delete_environments
DELETE FROM DeploymentEnvironment WHERE SpaceId = $1;

-- name: delete_feeds
DELETE FROM Feed WHERE SpaceId = $1;

-- name: delete_packages
DELETE FROM NuGetPackage WHERE SpaceId = $1;

-- name: delete_builds
DELETE FROM BuildInformation WHERE SpaceId = $1;

-- name: delete_runbooks
DELETE FROM Runbook WHERE SpaceId = $1;

-- name: delete_runbook_processes
DELETE FROM RunbookProcess WHERE SpaceId = $1;

-- name: delete_runbook_snapshots
DELETE FROM RunbookSnapshot WHERE SpaceId = $1;

-- name: delete_runbook_runs
DELETE FROM RunbookRun WHERE SpaceId = $1;

-- name: delete_interruptions
DELETE FROM Interruption WHERE SpaceId = $1;
