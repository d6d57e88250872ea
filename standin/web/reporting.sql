-- The history of deployments.

-- name: by_week
SELECT ProjectId, date_trunc('week', Created AT TIME ZONE 'UTC')::date AS week, count(*) AS number
FROM DeploymentHistory WHERE SpaceId = $1 AND ProjectId = ANY($2::text[]) GROUP BY ProjectId, week ORDER BY ProjectId, week;

-- name: history
SELECT * FROM DeploymentHistory
WHERE SpaceId = $1 AND ($2::timestamptz IS NULL OR CompletedTime >= $2) AND ($3::timestamptz IS NULL OR CompletedTime <= $3)
    AND ($4::text[] IS NULL OR ProjectId = ANY($4)) AND ($5::text[] IS NULL OR EnvironmentId = ANY($5))
ORDER BY Created, length(DeploymentId), DeploymentId;
