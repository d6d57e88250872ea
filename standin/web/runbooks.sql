-- What clients ask about runbooks.

-- name: last_snapshot
SELECT Name FROM RunbookSnapshot WHERE RunbookId = $1 ORDER BY Assembled DESC, length(Id) DESC, Id DESC LIMIT 1;

-- name: runs_of_snapshot
SELECT 1 FROM RunbookRun WHERE RunbookSnapshotId = $1 LIMIT 1;

-- Columns of a run in an overview.

-- name: run_columns
u.Id, u.ProjectId, u.EnvironmentId, u.TenantId, u.RunbookId, u.RunbookSnapshotId, u.TaskId, u.Created, u.DeployedBy,
    s.Name AS SnapshotName, s.JSON::json ->> 'Notes' AS SnapshotNotes, t.State, t.QueueTime, t.StartTime, t.CompletedTime,
    t.HasPendingInterruptions, t.HasWarningsOrErrors, t.ErrorMessage

-- name: newest_runs
SELECT DISTINCT ON (u.EnvironmentId, u.TenantId)
    u.Id, u.ProjectId, u.EnvironmentId, u.TenantId, u.RunbookId, u.RunbookSnapshotId, u.TaskId, u.Created, u.DeployedBy,
    s.Name AS SnapshotName, s.JSON::json ->> 'Notes' AS SnapshotNotes, t.State, t.QueueTime, t.StartTime, t.CompletedTime,
    t.HasPendingInterruptions, t.HasWarningsOrErrors, t.ErrorMessage
FROM RunbookRun u JOIN RunbookSnapshot s ON s.Id = u.RunbookSnapshotId JOIN ServerTask t ON t.Id = u.TaskId
WHERE u.RunbookId = $1
ORDER BY u.EnvironmentId, u.TenantId, u.Created DESC, length(u.Id) DESC, u.Id DESC;

-- name: task_runs
FROM RunbookRun u
JOIN RunbookSnapshot s ON s.Id = u.RunbookSnapshotId JOIN ServerTask t ON t.Id = u.TaskId JOIN Runbook b ON b.Id = u.RunbookId
WHERE u.SpaceId = $1 AND ($2::text[] IS NULL OR u.ProjectId = ANY($2)) AND ($3::text[] IS NULL OR u.EnvironmentId = ANY($3))
    AND ($4::text[] IS NULL OR u.RunbookId = ANY($4)) AND ($5::text[] IS NULL OR u.TaskId = ANY($5))
    AND ($6::text[] IS NULL OR u.TenantId = ANY($6)) AND ($7::text[] IS NULL OR b.JSON::jsonb -> 'RunbookTags' ?| $7)
    AND ($8::text[] IS NULL OR u.TenantId IN (SELECT Id FROM Tenant WHERE JSON::jsonb -> 'TenantTags' ?| $8))

-- name: run_order
ORDER BY u.Created DESC, length(u.Id) DESC, u.Id DESC LIMIT $9 OFFSET $10
