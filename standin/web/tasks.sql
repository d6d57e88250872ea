-- What goes beside and before tasks.

-- name: total_counts
SELECT State, HasPendingInterruptions, coalesce($1::text[] IS NULL OR SpaceId = ANY($1), false) AS here, count(*) AS number
FROM ServerTask GROUP BY State, HasPendingInterruptions, here;

-- name: last_run
SELECT Id FROM ServerTask WHERE Name = $1 AND StartTime IS NOT NULL ORDER BY StartTime DESC LIMIT 1;

-- name: pending
SELECT DISTINCT TaskId, JSON::json ->> 'Type' AS Type FROM Interruption WHERE TaskId = ANY($1::text[]) AND IsPending
ORDER BY TaskId, Type;

-- name: queued_behind
FROM ServerTask ahead, ServerTask this
WHERE this.Id = $1 AND this.State = 'Queued' AND ahead.Id <> this.Id AND (
    ahead.State IN ('Executing', 'Cancelling') AND ahead.Paused <> 'Released' AND ahead.ConcurrencyTag = this.ConcurrencyTag
    OR ahead.State = 'Queued' AND (ahead.Priority, this.QueueTime, this.Id) > (this.Priority, ahead.QueueTime, ahead.Id))

-- name: blocked_by
FROM ServerTask ahead, ServerTask this
WHERE this.Id = $1 AND this.State = 'Queued' AND ahead.Id <> this.Id AND ahead.ConcurrencyTag = this.ConcurrencyTag AND (
    ahead.State IN ('Executing', 'Cancelling') AND ahead.Paused <> 'Released'
    OR ahead.State = 'Queued' AND (ahead.Priority, this.QueueTime, this.Id) > (this.Priority, ahead.QueueTime, ahead.Id))

-- name: ahead_order
ORDER BY ahead.State = 'Queued', ahead.Priority DESC, ahead.QueueTime, ahead.Id LIMIT $2 OFFSET $3
