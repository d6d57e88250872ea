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

-- The head of the queue lies before all tasks of priority (1) and what was moved there earlier.

-- name: prioritize
UPDATE ServerTask SET LastUpdatedTime = $2,
    Priority = 1 + (SELECT greatest(1, max(Priority)) FROM ServerTask WHERE State = 'Queued')
WHERE Id = $1 AND State = 'Queued';

-- name: superseded
SELECT t.Id, d.JSON FROM ServerTask t JOIN Deployment d ON d.TaskId = t.Id
WHERE t.ConcurrencyTag = $1 AND t.State = 'Queued' AND t.Name = 'Deploy' AND t.Id <> $2
ORDER BY t.QueueTime, length(t.Id), t.Id;
