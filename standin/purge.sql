-- The retention task.

-- name: projects
SELECT Id, Name FROM Project WHERE $1::text IS NULL OR SpaceId = $1 ORDER BY length(Id), Id;

-- name: releases
SELECT Id, Version, Assembled, ChannelId FROM Release WHERE ProjectId = $1;

-- name: deployed
SELECT ReleaseId, EnvironmentId, max(Created) AS Last FROM Deployment WHERE ProjectId = $1 GROUP BY ReleaseId, EnvironmentId;

-- Releases on a dashboard (C: the last deployment to an environment, and any that has not ended) and those they could
-- be rolled back to (P: the last successful deployment of another release there).

-- name: shown
WITH ranked AS (
    SELECT d.ReleaseId, d.EnvironmentId, d.TenantId, d.Created, d.Id, t.State,
        row_number() OVER newest AS Place, first_value(d.ReleaseId) OVER newest AS Current
    FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
    WHERE d.ProjectId = $1 AND NOT (t.State IN ('Canceled', 'Cancelling') AND t.StartTime IS NULL)
    WINDOW newest AS (PARTITION BY d.EnvironmentId, d.TenantId ORDER BY d.Created DESC, length(d.Id) DESC, d.Id DESC))
SELECT ReleaseId, 'C' AS Kind FROM ranked WHERE Place = 1 OR State IN ('Queued', 'Executing', 'Cancelling')
UNION
(SELECT DISTINCT ON (EnvironmentId, TenantId) ReleaseId, 'P' FROM ranked
    WHERE State = 'Success' AND ReleaseId <> Current ORDER BY EnvironmentId, TenantId, Place);

-- name: shown_by_channel
WITH ranked AS (
    SELECT d.ReleaseId, d.EnvironmentId, d.TenantId, d.ChannelId, d.Created, d.Id, t.State,
        row_number() OVER newest AS Place, first_value(d.ReleaseId) OVER newest AS Current
    FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
    WHERE d.ProjectId = $1 AND NOT (t.State IN ('Canceled', 'Cancelling') AND t.StartTime IS NULL)
    WINDOW newest AS (
        PARTITION BY d.EnvironmentId, d.TenantId, d.ChannelId ORDER BY d.Created DESC, length(d.Id) DESC, d.Id DESC))
SELECT ReleaseId, 'C' AS Kind FROM ranked WHERE Place = 1 OR State IN ('Queued', 'Executing', 'Cancelling')
UNION
(SELECT DISTINCT ON (EnvironmentId, TenantId, ChannelId) ReleaseId, 'P' FROM ranked
    WHERE State = 'Success' AND ReleaseId <> Current ORDER BY EnvironmentId, TenantId, ChannelId, Place);

-- name: lock_releases
SELECT Id FROM Release WHERE Id = ANY($1::text[]) ORDER BY Id FOR UPDATE;

-- name: deployed_since
SELECT d.ReleaseId, d.EnvironmentId, max(d.Created) AS Last,
    bool_or(t.State IN ('Queued', 'Executing', 'Cancelling')) AS Active
FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
WHERE d.ReleaseId = ANY($1::text[]) GROUP BY d.ReleaseId, d.EnvironmentId;

-- name: delete_deployments
WITH gone AS (DELETE FROM Deployment WHERE ReleaseId = ANY($1::text[]) RETURNING Id, TaskId),
    machines AS (DELETE FROM DeploymentRelatedMachine m USING gone WHERE m.DeploymentId = gone.Id)
SELECT TaskId FROM gone;

-- name: delete_tasks
DELETE FROM ServerTask WHERE Id = ANY($1::text[]);

-- name: delete_releases
WITH defects AS (DELETE FROM Defect WHERE ReleaseId = ANY($1::text[]))
DELETE FROM Release WHERE Id = ANY($1::text[]);

-- A snapshot stays while a release needs it, or while the next release may take it again.

-- name: delete_processes
DELETE FROM DeploymentProcess s WHERE s.OwnerId = $1 AND s.IsFrozen
    AND NOT EXISTS (SELECT 1 FROM Release r WHERE r.ProjectId = $1 AND r.ProjectDeploymentProcessSnapshotId = s.Id)
    AND NOT EXISTS (SELECT 1 FROM DeploymentProcess c
        WHERE c.OwnerId = $1 AND NOT c.IsFrozen AND c.JSON::json ->> 'LastSnapshotId' = s.Id);

-- name: delete_variables
DELETE FROM VariableSet s WHERE s.OwnerId = $1 AND s.IsFrozen
    AND NOT EXISTS (SELECT 1 FROM Release r WHERE r.ProjectId = $1 AND r.ProjectVariableSetSnapshotId = s.Id)
    AND NOT EXISTS (SELECT 1 FROM RunbookSnapshot b WHERE b.ProjectId = $1 AND b.ProjectVariableSetSnapshotId = s.Id)
    AND NOT EXISTS (SELECT 1 FROM VariableSet c
        WHERE c.OwnerId = $1 AND NOT c.IsFrozen AND c.JSON::json ->> 'LastSnapshotId' = s.Id);

-- Those of libraries are shared by the projects of a space.

-- name: delete_library_variables
WITH named AS (
    SELECT jsonb_path_query(JSON::jsonb, '$.LibraryVariableSetSnapshotIds[*]') #>> '{}' AS Id FROM Release
    WHERE $1::text IS NULL OR SpaceId = $1
    UNION
    SELECT jsonb_path_query(JSON::jsonb, '$.LibraryVariableSetSnapshotIds[*]') #>> '{}' FROM RunbookSnapshot
    WHERE $1::text IS NULL OR SpaceId = $1
    UNION
    SELECT JSON::json ->> 'LastSnapshotId' FROM VariableSet WHERE NOT IsFrozen AND OwnerId LIKE 'LibraryVariableSets-%')
DELETE FROM VariableSet s
WHERE s.IsFrozen AND s.OwnerId LIKE 'LibraryVariableSets-%' AND ($1::text IS NULL OR s.SpaceId = $1)
    AND NOT EXISTS (SELECT 1 FROM named n WHERE n.Id = s.Id);
