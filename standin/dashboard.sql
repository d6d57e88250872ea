-- What a dashboard shows of a space: for each project, environment and tenant the current deployment (C), and the last
-- successful one before it (P), which a rollback would go to.
-- $1 is the space; $2 limits the projects (null: all). Both statements answer with the same rows.

-- Every deployment of the space is ranked, twice, as the public schema's Dashboard view does it (octopus-facts §3.3): the
-- cost follows the depth of history. Only keys are ranked; what is shown is joined to the few rows that are left.

-- name: ranked
WITH deployed AS (
    SELECT d.Id, d.TaskId, d.ReleaseId, t.State, d.EnvironmentId, d.ProjectId, d.TenantId, d.Created
    FROM Deployment d
    JOIN ServerTask t ON t.Id = d.TaskId
    JOIN Release r ON r.Id = d.ReleaseId
    WHERE d.SpaceId = $1 AND ($2::text[] IS NULL OR d.ProjectId = ANY($2))
        AND NOT (t.State IN ('Canceled', 'Cancelling') AND t.StartTime IS NULL)),
current AS (
    SELECT Id, TaskId, ReleaseId FROM (
        SELECT Id, TaskId, ReleaseId,
            row_number() OVER (PARTITION BY EnvironmentId, ProjectId, TenantId ORDER BY Created DESC) AS Place
        FROM deployed) ranked
    WHERE Place = 1),
previous AS (
    SELECT Id, TaskId, ReleaseId FROM (
        SELECT Id, TaskId, ReleaseId,
            row_number() OVER (PARTITION BY EnvironmentId, ProjectId, TenantId ORDER BY Created DESC) AS Place
        FROM deployed WHERE State = 'Success' AND Id NOT IN (SELECT Id FROM current)) ranked
    WHERE Place = 1)
SELECT i.Kind, d.Id, d.ProjectId, d.EnvironmentId, d.ReleaseId, d.TaskId, d.TenantId, d.ChannelId, d.Created,
    r.Version AS ReleaseVersion, t.State, t.QueueTime, t.StartTime, t.CompletedTime, t.ErrorMessage, t.DurationSeconds,
    t.HasPendingInterruptions, t.HasWarningsOrErrors
FROM (SELECT 'C' AS Kind, * FROM current UNION ALL SELECT 'P', * FROM previous) i
JOIN Deployment d ON d.Id = i.Id
JOIN ServerTask t ON t.Id = i.TaskId
JOIN Release r ON r.Id = i.ReleaseId;

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
        ORDER BY d.Created DESC LIMIT 1) p)
SELECT i.Kind, d.Id, d.ProjectId, d.EnvironmentId, d.ReleaseId, d.TaskId, d.TenantId, d.ChannelId, d.Created,
    r.Version AS ReleaseVersion, t.State, t.QueueTime, t.StartTime, t.CompletedTime, t.ErrorMessage, t.DurationSeconds,
    t.HasPendingInterruptions, t.HasWarningsOrErrors
FROM (SELECT 'C' AS Kind, Id, TaskId, ReleaseId FROM current UNION ALL SELECT 'P', * FROM previous) i
JOIN Deployment d ON d.Id = i.Id
JOIN ServerTask t ON t.Id = i.TaskId
JOIN Release r ON r.Id = i.ReleaseId;
