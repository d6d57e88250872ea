-- Runbooks and their runs.

-- name: active
SELECT 1 FROM RunbookRun r JOIN ServerTask t ON t.Id = r.TaskId
WHERE r.RunbookId = $1 AND t.State IN ('Queued', 'Executing', 'Cancelling') LIMIT 1;

-- name: delete_runs
DELETE FROM RunbookRun WHERE RunbookId = $1 RETURNING TaskId;

-- name: delete_tasks
DELETE FROM ServerTask WHERE Id = ANY($1::text[]);

-- name: delete_snapshots
DELETE FROM RunbookSnapshot WHERE RunbookId = $1;

-- name: delete_processes
DELETE FROM RunbookProcess WHERE OwnerId = $1;

-- name: delete_runbook
DELETE FROM Runbook WHERE Id = $1;

-- name: deployed_to
UPDATE RunbookRun SET DeployedToMachineIds = $2 WHERE Id = $1;
