-- The teams of a user, and the deletion of a space with all that it holds.

-- name: teams_with
SELECT Id, SpaceId, Name, Slug, MemberUserIds, JSON FROM Team
WHERE Id = 'teams-everyone' OR strpos(MemberUserIds, '|' || $1::text || '|') > 0
ORDER BY SpaceId NULLS FIRST, lower(Name), Id;

-- name: search
SELECT Id, Name, type FROM (
    SELECT Id, Name, SpaceId, 'Project' AS type FROM Project
    UNION ALL SELECT Id, Name, SpaceId, 'Environment' FROM DeploymentEnvironment
    UNION ALL SELECT Id, Name, SpaceId, 'DeploymentTarget' FROM Machine
    UNION ALL SELECT Id, Name, SpaceId, 'Tenant' FROM Tenant
    UNION ALL SELECT Id, Name, SpaceId, 'Lifecycle' FROM Lifecycle
    UNION ALL SELECT Id, Name, SpaceId, 'ProjectGroup' FROM ProjectGroup
    UNION ALL SELECT Id, Name, SpaceId, 'LibraryVariableSet' FROM LibraryVariableSet) found
WHERE SpaceId = $1 AND strpos(lower(Name), lower($2::text)) > 0
ORDER BY lower(Name), Id LIMIT 100;

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

-- name: delete_machine_policies
DELETE FROM MachinePolicy WHERE SpaceId = $1;

-- name: delete_pools
DELETE FROM WorkerPool WHERE SpaceId = $1;

-- name: delete_workers
DELETE FROM Worker WHERE SpaceId = $1;

-- name: delete_tag_sets
DELETE FROM TagSet WHERE SpaceId = $1;

-- name: delete_library_sets
DELETE FROM LibraryVariableSet WHERE SpaceId = $1;

-- name: delete_teams
DELETE FROM Team WHERE SpaceId = $1;

-- name: delete_grants
DELETE FROM ScopedUserRole WHERE SpaceId = $1;

-- name: delete_account
DELETE FROM Account WHERE SpaceId = $1;

-- name: delete_certificate
DELETE FROM Certificate WHERE SpaceId = $1;

-- name: delete_proxy
DELETE FROM Proxy WHERE SpaceId = $1;

-- name: delete_subscription
DELETE FROM Subscription WHERE SpaceId = $1;

-- name: delete_projecttrigger
DELETE FROM ProjectTrigger WHERE SpaceId = $1;

-- name: delete_actiontemplate
DELETE FROM ActionTemplate WHERE SpaceId = $1;

-- name: delete_artifacts
DELETE FROM Artifact WHERE SpaceId = $1;

-- name: delete_defects
DELETE FROM Defect WHERE SpaceId = $1;
