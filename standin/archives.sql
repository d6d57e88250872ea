-- Events that leave the database for files.

-- name: days
SELECT DISTINCT (Occurred AT TIME ZONE 'UTC')::date AS day FROM Event WHERE Occurred < $1 ORDER BY day;

-- name: events
SELECT AutoId, Id, SpaceId, RelatedDocumentIds, ProjectId, EnvironmentId, TenantId, Category, UserId, Username, Occurred, Message,
    JSON
FROM Event WHERE Occurred >= $1 AND Occurred < $2 ORDER BY AutoId FOR UPDATE;

-- name: forget_related
DELETE FROM EventRelatedDocument WHERE EventAutoId = ANY($1::bigint[]);

-- name: forget
DELETE FROM Event WHERE AutoId = ANY($1::bigint[]);
