-- Questions of running tasks.

-- name: answered
SELECT Id, SpaceId, TaskId, Created, IsPending, ResponsibleUserId, RelatedDocumentIds, JSON FROM Interruption
WHERE Id = ANY($1::text[]) AND NOT IsPending AND JSON::json ->> 'SubmittedBy' IS NOT NULL;

-- name: related
SELECT array[t.Id, t.ProjectId, t.EnvironmentId, t.TenantId, d.Id, d.ReleaseId, d.ChannelId, r.Id, r.RunbookId,
    r.RunbookSnapshotId]
FROM ServerTask t LEFT JOIN Deployment d ON d.TaskId = t.Id LEFT JOIN RunbookRun r ON r.TaskId = t.Id
WHERE t.Id = $1;

-- name: pause
UPDATE ServerTask SET HasPendingInterruptions = true, Paused = $2 WHERE Id = $1;

-- name: settle
UPDATE ServerTask SET HasPendingInterruptions = EXISTS (SELECT 1 FROM Interruption WHERE TaskId = $1 AND IsPending)
WHERE Id = $1;

-- name: deployment
SELECT Id FROM Deployment WHERE TaskId = $1;
