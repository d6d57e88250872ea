-- What clients ask about releases.

-- name: by_version
SELECT Id, SpaceId, Version, Assembled, ProjectId, ChannelId, ProjectVariableSetSnapshotId,
    ProjectDeploymentProcessSnapshotId, JSON
FROM Release WHERE ProjectId = $1 AND Version = $2;

-- name: frozen_process
SELECT Id, SpaceId, OwnerId, Version, IsFrozen, RelatedDocumentIds, JSON FROM DeploymentProcess WHERE Id = $1;

-- name: active
SELECT 1 FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
WHERE d.ReleaseId = ANY($1::text[]) AND t.State IN ('Queued', 'Executing', 'Cancelling') LIMIT 1;

-- name: delete_channels
DELETE FROM Channel WHERE ProjectId = $1;

-- name: delete_triggers
DELETE FROM ProjectTrigger WHERE ProjectId = $1;

-- name: delete_all_processes
DELETE FROM DeploymentProcess WHERE OwnerId = $1;

-- name: delete_all_variables
DELETE FROM VariableSet WHERE OwnerId = $1;

-- name: deployments_with_tasks
SELECT d.EnvironmentId, d.Id, d.TaskId, t.State FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
WHERE d.ReleaseId = $1 ORDER BY d.Created, length(d.Id), d.Id;

-- name: forget_machines
DELETE FROM DeploymentRelatedMachine WHERE DeploymentId = $1;
