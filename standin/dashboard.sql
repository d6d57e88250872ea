-- What a dashboard shows of a space: for each project, environment and tenant the current deployment (C), and the last
-- successful one before it (P), which a rollback would go to.
-- $1 is the space; $2 limits the projects (null: all). All builds answer with the same rows.

-- The first build, and what the others share with it: every deployment of the space is ranked, as the public schema's
-- Dashboard view does it (octopus-facts §3.3): the cost follows the depth of history. One pass ranks both kinds: Place
-- counts deployments of a cell from the newest, Successes those among them that succeeded. Only keys are ranked; what is
-- shown is joined to the few rows that are left.

-- name: ranking
    SELECT d.Id, d.TaskId, d.ReleaseId, t.State,
        row_number() OVER cell AS Place,
        count(*) FILTER (WHERE t.State = 'Success') OVER cell AS Successes,
        first_value(t.State) OVER cell AS CurrentState
    FROM Deployment d
    JOIN ServerTask t ON t.Id = d.TaskId
    JOIN Release r ON r.Id = d.ReleaseId
    WHERE d.SpaceId = $1 AND ($2::text[] IS NULL OR d.ProjectId = ANY($2))
        AND NOT (t.State IN ('Canceled', 'Cancelling') AND t.StartTime IS NULL)

-- name: window
    WINDOW cell AS (
        PARTITION BY d.ProjectId, d.EnvironmentId, d.TenantId ORDER BY d.Created DESC ROWS UNBOUNDED PRECEDING)

-- name: item
    SELECT CASE WHEN Place = 1 THEN 'C' ELSE 'P' END AS Kind, Id, TaskId, ReleaseId
    FROM deployed
    WHERE Place = 1
        OR (State = 'Success' AND Successes = CASE CurrentState WHEN 'Success' THEN 2 ELSE 1 END)

-- name: shown
SELECT i.Kind, d.Id, d.ProjectId, d.EnvironmentId, d.ReleaseId, d.TaskId, d.TenantId, d.ChannelId, d.Created,
    r.Version AS ReleaseVersion, t.State, t.QueueTime, t.StartTime, t.CompletedTime, t.ErrorMessage, t.DurationSeconds,
    t.HasPendingInterruptions, t.HasWarningsOrErrors
FROM item i
JOIN Deployment d ON d.Id = i.Id
JOIN ServerTask t ON t.Id = i.TaskId
JOIN Release r ON r.Id = i.ReleaseId;

-- name: ranked
WITH deployed AS (
    {ranking}
    {window}),
item AS (
    {item})
{shown};

-- The second build: for each project, environment and tenant that has been deployed to, one step into an index. The cost
-- follows the number of projects and environments, not the depth of history.

-- name: lateral
WITH cells AS (
    SELECT p.Id AS ProjectId, e.Id AS EnvironmentId FROM Project p JOIN DeploymentEnvironment e ON e.SpaceId = p.SpaceId
    WHERE p.SpaceId = $1 AND ($2::text[] IS NULL OR p.Id = ANY($2))),
tenanted AS (
    SELECT c.ProjectId, c.EnvironmentId, NULL::text AS TenantId FROM cells c
    UNION ALL
    SELECT c.ProjectId, c.EnvironmentId, n.Id FROM cells c JOIN Tenant n ON n.SpaceId = $1),
current AS (
    SELECT c.*, d.Id, d.TaskId, d.ReleaseId, d.Created FROM tenanted c CROSS JOIN LATERAL (
        SELECT d.Id, d.TaskId, d.ReleaseId, d.Created FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
        WHERE d.ProjectId = c.ProjectId AND d.EnvironmentId = c.EnvironmentId AND d.TenantId IS NOT DISTINCT FROM c.TenantId
            AND NOT (t.State IN ('Canceled', 'Cancelling') AND t.StartTime IS NULL)
        ORDER BY d.Created DESC LIMIT 1) d),
previous AS (
    SELECT p.Id, p.TaskId, p.ReleaseId FROM current c CROSS JOIN LATERAL (
        SELECT d.Id, d.TaskId, d.ReleaseId FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
        WHERE d.ProjectId = c.ProjectId AND d.EnvironmentId = c.EnvironmentId AND d.TenantId IS NOT DISTINCT FROM c.TenantId
            AND t.State = 'Success' AND d.Id <> c.Id
        ORDER BY d.Created DESC LIMIT 1) p),
item AS (
    SELECT 'C' AS Kind, Id, TaskId, ReleaseId FROM current UNION ALL SELECT 'P', * FROM previous)
{shown};

-- The third build: the first one, which ranks a quarter of the deployments once more and shows nothing of it. About 25 %
-- more work, so that it can be tried out whether a comparison of versions finds it.

-- name: more
WITH deployed AS (
    {ranking}
    {window}),
again AS (
    {ranking} AND mod(hashtext(d.Id), 4) = 0
    {window}),
item AS (
    {item}
    UNION ALL
    SELECT 'again', Id, TaskId, ReleaseId FROM again WHERE Place + Successes + length(CurrentState) < 0)
{shown};
