-- The audit trail.

-- name: agents
SELECT DISTINCT JSON::json ->> 'UserAgent' AS agent FROM Event WHERE $1::text IS NULL OR SpaceId = $1 ORDER BY agent;
