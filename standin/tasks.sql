-- Server tasks: what changes their state.

-- name: lock_task
SELECT Id, SpaceId, Name, State, ServerNodeId, StartTime, QueueTime FROM ServerTask WHERE Id = $1 FOR UPDATE;

-- name: cancel_executing
UPDATE ServerTask SET State = 'Cancelling', LastUpdatedTime = $2 WHERE Id = $1;

-- name: complete
UPDATE ServerTask SET State = $2, ErrorMessage = $3, CompletedTime = $4, LastUpdatedTime = $4,
    HasWarningsOrErrors = HasWarningsOrErrors OR $5,
    DurationSeconds = extract(epoch FROM $4::timestamptz - coalesce(StartTime, $4::timestamptz))
WHERE Id = $1;

-- name: change_state
UPDATE ServerTask SET State = $2, ErrorMessage = $3, LastUpdatedTime = $4 WHERE Id = $1;

-- name: remember
UPDATE DeploymentHistory h SET TaskState = t.State, StartTime = t.StartTime, CompletedTime = t.CompletedTime,
    DurationSeconds = t.DurationSeconds
FROM ServerTask t JOIN Deployment d ON d.TaskId = t.Id
WHERE t.Id = $1 AND h.DeploymentId = d.Id
RETURNING h.DeploymentId;

-- name: prioritize
UPDATE ServerTask SET Priority = 1 + (SELECT max(Priority) FROM ServerTask WHERE State = 'Queued'), LastUpdatedTime = $2
WHERE Id = $1 AND State = 'Queued';

-- name: superseded
SELECT Id FROM ServerTask WHERE ConcurrencyTag = $1 AND State = 'Queued' AND Name = 'Deploy' AND Id <> $2;
