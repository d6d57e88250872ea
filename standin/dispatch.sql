-- How tasks come to nodes and leave dead ones.

-- A node that is frozen while it holds the queue must not stop the others: its session is ended, its claim undone.

-- name: lock
SET LOCAL idle_in_transaction_session_timeout = '5s'; SELECT pg_advisory_xact_lock(20181);

-- name: anything
SELECT EXISTS (SELECT 1 FROM ServerTask WHERE State = 'Queued' AND (QueueTime <= $1 OR QueueTimeExpiry <= $1));

-- name: expired
SELECT Id FROM ServerTask WHERE State = 'Queued' AND QueueTimeExpiry <= $1 ORDER BY QueueTime, length(Id), Id FOR UPDATE;

-- name: waiting
SELECT t.Id, t.ConcurrencyTag
FROM ServerTask t LEFT JOIN Space s ON s.Id = t.SpaceId
WHERE t.State = 'Queued' AND t.QueueTime <= $1 AND s.TaskQueueStopped IS NOT TRUE
ORDER BY t.Priority DESC, t.QueueTime, length(t.Id), t.Id
LIMIT 5000;

-- name: busy_tags
SELECT DISTINCT ConcurrencyTag FROM ServerTask
WHERE State IN ('Executing', 'Cancelling') AND ConcurrencyTag IS NOT NULL AND Paused <> 'Released';

-- name: loads
SELECT n.Id, n.MaxConcurrentTasks, n.IsInMaintenanceMode, count(t.Id) AS Active
FROM OctopusServerNode n
LEFT JOIN ServerTask t ON t.ServerNodeId = n.Id AND t.State IN ('Executing', 'Cancelling') AND t.Paused = ''
WHERE n.LastSeen >= $1 OR n.Id = $2
GROUP BY n.Id;

-- name: claim
UPDATE ServerTask SET State = 'Executing', ServerNodeId = $2, StartTime = $3, LastUpdatedTime = $3
WHERE Id = ANY($1::text[]) AND State = 'Queued'
RETURNING Id, Name, JSON, SpaceId, Description;

-- name: wanted
SELECT Id FROM ServerTask WHERE Id = ANY($1::text[]) AND ServerNodeId = $2 AND State = 'Executing';

-- name: left
SELECT Id FROM ServerTask WHERE ServerNodeId = $1 AND State IN ('Executing', 'Cancelling') ORDER BY QueueTime FOR UPDATE;

-- name: other_nodes
SELECT DISTINCT t.ServerNodeId AS Id, n.LastSeen FROM ServerTask t LEFT JOIN OctopusServerNode n ON n.Id = t.ServerNodeId
WHERE t.State IN ('Executing', 'Cancelling') AND t.ServerNodeId <> $1;

-- name: orphans
SELECT t.Id FROM ServerTask t LEFT JOIN OctopusServerNode n ON n.Id = t.ServerNodeId
WHERE t.State IN ('Executing', 'Cancelling') AND t.ServerNodeId = ANY($1::text[]) AND (n.Id IS NULL OR n.LastSeen < $2)
ORDER BY t.QueueTime
FOR UPDATE OF t SKIP LOCKED;

-- name: still_mine
SELECT State FROM ServerTask WHERE Id = $1 AND ServerNodeId = $2 AND State IN ('Executing', 'Cancelling') FOR UPDATE;

-- A task whose question is answered goes on when nobody else holds its tag.

-- name: tag_is_taken
SELECT EXISTS (SELECT 1 FROM ServerTask o JOIN ServerTask t ON t.ConcurrencyTag = o.ConcurrencyTag
    WHERE t.Id = $1 AND t.Paused = 'Released' AND o.Id <> t.Id AND o.State IN ('Executing', 'Cancelling')
    AND o.Paused <> 'Released');

-- name: resume
UPDATE ServerTask SET Paused = '' WHERE Id = $1 AND ServerNodeId = $2 AND State = 'Executing' RETURNING Id;
