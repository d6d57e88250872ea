-- Releases and deployments.

-- name: version_exists
SELECT 1 FROM Release WHERE ProjectId = $1 AND Version = $2;

-- name: environments
SELECT Id FROM DeploymentEnvironment WHERE SpaceId = $1 ORDER BY SortOrder, length(Id), Id;

-- name: succeeded
SELECT DISTINCT d.EnvironmentId FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
WHERE d.ReleaseId = $1 AND t.State = 'Success';

-- name: remember
INSERT INTO DeploymentHistory
SELECT d.Id, d.SpaceId, d.Name, d.ProjectId, p.Name, d.EnvironmentId, e.Name, d.ReleaseId, r.Version, d.TaskId,
    t.State, d.ChannelId, d.TenantId, d.Created, t.QueueTime, t.StartTime, t.CompletedTime, t.DurationSeconds, d.DeployedBy
FROM Deployment d
JOIN ServerTask t ON t.Id = d.TaskId
JOIN Release r ON r.Id = d.ReleaseId
JOIN Project p ON p.Id = d.ProjectId
JOIN DeploymentEnvironment e ON e.Id = d.EnvironmentId
WHERE d.Id = $1;
