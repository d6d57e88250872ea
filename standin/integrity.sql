-- Documents that refer to what is not there, a hundred of each kind at most.

-- name: releases_have_their_snapshots
SELECT r.Id FROM Release r
WHERE NOT EXISTS (SELECT 1 FROM DeploymentProcess p WHERE p.Id = r.ProjectDeploymentProcessSnapshotId)
    OR NOT EXISTS (SELECT 1 FROM VariableSet v WHERE v.Id = r.ProjectVariableSetSnapshotId) LIMIT 100;

-- name: releases_have_their_channel
SELECT r.Id FROM Release r LEFT JOIN Channel c ON c.Id = r.ChannelId WHERE c.Id IS NULL LIMIT 100;

-- name: deployments_have_their_release_and_task
SELECT d.Id FROM Deployment d LEFT JOIN Release r ON r.Id = d.ReleaseId LEFT JOIN ServerTask t ON t.Id = d.TaskId
WHERE r.Id IS NULL OR t.Id IS NULL LIMIT 100;

-- name: runs_have_their_snapshot_and_task
SELECT u.Id FROM RunbookRun u
LEFT JOIN RunbookSnapshot s ON s.Id = u.RunbookSnapshotId LEFT JOIN ServerTask t ON t.Id = u.TaskId
WHERE s.Id IS NULL OR t.Id IS NULL LIMIT 100;

-- name: snapshots_have_their_process_and_variables
SELECT s.Id FROM RunbookSnapshot s
WHERE NOT EXISTS (SELECT 1 FROM RunbookProcess p WHERE p.Id = s.FrozenRunbookProcessId)
    OR NOT EXISTS (SELECT 1 FROM VariableSet v WHERE v.Id = s.ProjectVariableSetSnapshotId) LIMIT 100;

-- name: projects_have_their_parts
SELECT p.Id FROM Project p
WHERE NOT EXISTS (SELECT 1 FROM ProjectGroup g WHERE g.Id = p.ProjectGroupId)
    OR NOT EXISTS (SELECT 1 FROM Lifecycle l WHERE l.Id = p.LifecycleId)
    OR NOT EXISTS (SELECT 1 FROM DeploymentProcess d WHERE d.OwnerId = p.Id AND NOT d.IsFrozen)
    OR NOT EXISTS (SELECT 1 FROM Channel c WHERE c.ProjectId = p.Id) LIMIT 100;

-- name: tags_run_once
SELECT min(Id) AS Id FROM ServerTask WHERE State IN ('Executing', 'Cancelling') AND Paused <> 'Released'
GROUP BY ConcurrencyTag HAVING ConcurrencyTag IS NOT NULL AND count(*) > 1;
