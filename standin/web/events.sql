-- The audit trail. A statement is `space` or `spaces`, and then `filters`; what is NULL does not filter.

-- name: space
SpaceId = $1 AND $2::boolean IS NOT NULL

-- name: spaces
($1::text[] IS NULL OR SpaceId = ANY($1) OR SpaceId IS NULL) AND ($2 OR SpaceId IS NOT NULL)

-- name: filters
($3::text[] IS NULL OR Id = ANY($3))
AND ($4::text[] IS NULL OR AutoId IN (
    SELECT EventAutoId FROM EventRelatedDocument WHERE RelatedDocumentId = ANY($4)
    GROUP BY EventAutoId HAVING count(DISTINCT RelatedDocumentId) = cardinality($4)))
AND ($5::text[] IS NULL OR AutoId IN (SELECT EventAutoId FROM EventRelatedDocument WHERE RelatedDocumentId = ANY($5)))
AND ($6::text[] IS NULL OR Category = ANY($6))
AND ($7::text[] IS NULL OR ProjectId = ANY($7)) AND ($8::text[] IS NULL OR EnvironmentId = ANY($8))
AND ($9::text[] IS NULL OR TenantId = ANY($9)) AND ($10::text[] IS NULL OR UserId = ANY($10))
AND ($11::text[] IS NULL OR ProjectId IN (SELECT Id FROM Project WHERE ProjectGroupId = ANY($11)))
AND ($12::text[] IS NULL OR JSON::json ->> 'UserAgent' = ANY($12))
AND ($13::text[] IS NULL OR EXISTS (
    SELECT 1 FROM unnest($13) AS kind WHERE strpos(lower(RelatedDocumentIds), '|' || lower(kind) || '-') > 0))
AND ($14::timestamptz IS NULL OR Occurred >= $14) AND ($15::timestamptz IS NULL OR Occurred <= $15)
AND ($16::bigint IS NULL OR AutoId >= $16) AND ($17::bigint IS NULL OR AutoId <= $17)

-- name: order
ORDER BY AutoId DESC LIMIT $18 OFFSET $19

-- name: agents
SELECT DISTINCT JSON::json ->> 'UserAgent' AS agent FROM Event WHERE $1::text IS NULL OR SpaceId = $1 ORDER BY agent;
