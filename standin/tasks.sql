-- Server tasks: what changes their state.

-- name: lock_task
SELECT Id, SpaceId, Name, State, ServerNodeId, StartTime, QueueTime, LastUpdatedTime FROM ServerTask WHERE Id = $1 FOR UPDATE;

-- name: cancel_executing
UPDATE ServerTask SET State = 'Cancelling', LastUpdatedTime = $2 WHERE Id = $1;

-- name: complete
UPDATE ServerTask SET State = $2, ErrorMessage = $3, CompletedTime = $4, LastUpdatedTime = $4, Paused = '',
    HasWarningsOrErrors = HasWarningsOrErrors OR $5,
    DurationSeconds = extract(epoch FROM $4::timestamptz - coalesce(StartTime, $4::timestamptz))
WHERE Id = $1 RETURNING Name, HasPendingInterruptions;

-- name: interruptions_end
WITH ended AS (UPDATE Interruption SET IsPending = false WHERE TaskId = $1 AND IsPending)
UPDATE ServerTask SET HasPendingInterruptions = false WHERE Id = $1;

-- name: run_of
SELECT Id FROM RunbookRun WHERE TaskId = $1;

-- name: deployment_failed
UPDATE Deployment SET JSON = replace(JSON, '"FailureEncountered":false', '"FailureEncountered":true') WHERE TaskId = $1;

-- name: run_failed
UPDATE RunbookRun SET JSON = replace(JSON, '"FailureEncountered":false', '"FailureEncountered":true') WHERE TaskId = $1;

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
SELECT t.Id, coalesce(d.JSON, r.JSON) AS JSON
FROM ServerTask t LEFT JOIN Deployment d ON d.TaskId = t.Id LEFT JOIN RunbookRun r ON r.TaskId = t.Id
WHERE t.ConcurrencyTag = $1 AND t.State = 'Queued' AND t.Name IN ('Deploy', 'RunbookRun') AND t.Id <> $2
ORDER BY t.QueueTime, length(t.Id), t.Id;
