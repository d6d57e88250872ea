-- The list of tasks. A statement is `space` or `spaces`, and then `filters`; what is NULL does not filter.

-- name: space
SpaceId = $1 AND $2::boolean IS NOT NULL

-- name: spaces
($1::text[] IS NULL OR SpaceId = ANY($1) OR SpaceId IS NULL) AND ($2 OR SpaceId IS NOT NULL)

-- name: filters
($3::text[] IS NULL OR Id = ANY($3)) AND ($4::text[] IS NULL OR Name = ANY($4))
AND ($5::text IS NULL OR ServerNodeId = $5) AND ($6::text IS NULL OR ProjectId = $6)
AND ($7::text IS NULL OR EnvironmentId = $7) AND ($8::text IS NULL OR TenantId = $8)
AND ($9::text IS NULL OR JSON::json #>> '{Arguments,RunbookRunId}' = $9)
AND ($10::text[] IS NULL OR State = ANY($10))
AND ($11::boolean IS NULL OR (State IN ('Queued', 'Executing', 'Cancelling')) = $11)
AND ($12::boolean IS NULL OR (State = 'Executing') = $12)
AND ($13::boolean IS NULL OR HasPendingInterruptions = $13)
AND ($14::boolean IS NULL OR HasWarningsOrErrors = $14)
AND ($15::text IS NULL OR strpos(lower(Description), lower($15)) > 0)
AND ($16::timestamptz IS NULL OR QueueTime >= $16) AND ($17::timestamptz IS NULL OR QueueTime <= $17)
AND ($18::timestamptz IS NULL OR StartTime >= $18) AND ($19::timestamptz IS NULL OR StartTime <= $19)
AND ($20::timestamptz IS NULL OR CompletedTime >= $20) AND ($21::timestamptz IS NULL OR CompletedTime <= $21)

-- name: order
ORDER BY QueueTime DESC, length(Id) DESC, Id DESC LIMIT $22 OFFSET $23

-- name: total_counts
SELECT State, HasPendingInterruptions, count(*) AS number FROM ServerTask
WHERE $1::text IS NULL OR SpaceId = $1 GROUP BY State, HasPendingInterruptions;

-- name: total_counts_elsewhere
SELECT State, HasPendingInterruptions, count(*) AS number FROM ServerTask
WHERE SpaceId <> $1 GROUP BY State, HasPendingInterruptions;

-- name: queued_behind
FROM ServerTask ahead, ServerTask this
WHERE this.Id = $1 AND this.State = 'Queued' AND ahead.Id <> this.Id AND (
    ahead.State IN ('Executing', 'Cancelling') AND ahead.ConcurrencyTag = this.ConcurrencyTag
    OR ahead.State = 'Queued' AND (ahead.Priority, this.QueueTime, this.Id) > (this.Priority, ahead.QueueTime, ahead.Id))

-- name: queued_behind_order
ORDER BY ahead.State = 'Queued', ahead.Priority DESC, ahead.QueueTime, ahead.Id LIMIT $2 OFFSET $3
