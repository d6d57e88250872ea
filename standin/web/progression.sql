-- The overview of one project: it ranks all deployments of the project, as Octopus' own view does (octopus-facts §3.3).

-- name: releases
WITH ranked AS (
    SELECT d.ReleaseId, row_number() OVER (
        PARTITION BY d.EnvironmentId, d.TenantId, d.ChannelId ORDER BY d.Created DESC, length(d.Id) DESC, d.Id DESC) AS place
    FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
    WHERE d.ProjectId = $1)
SELECT Id FROM (SELECT Id FROM Release WHERE ProjectId = $1 ORDER BY Assembled DESC LIMIT $2) newest
UNION
SELECT ReleaseId FROM ranked WHERE place = 1;

-- name: items
WITH ranked AS (
    SELECT d.*, t.State, t.QueueTime, t.StartTime, t.CompletedTime, t.HasPendingInterruptions, t.HasWarningsOrErrors,
        t.ErrorMessage,
        row_number() OVER (
            PARTITION BY d.EnvironmentId, d.TenantId, d.ChannelId
            ORDER BY d.Created DESC, length(d.Id) DESC, d.Id DESC) AS place,
        row_number() OVER (
            PARTITION BY d.ReleaseId, d.EnvironmentId, d.TenantId
            ORDER BY d.Created DESC, length(d.Id) DESC, d.Id DESC) AS attempt
    FROM Deployment d JOIN ServerTask t ON t.Id = d.TaskId
    WHERE d.ProjectId = $1)
SELECT i.Id, i.ProjectId, i.EnvironmentId, i.ReleaseId, i.TaskId, i.TenantId, i.ChannelId,
    r.Version AS ReleaseVersion, i.Created, i.QueueTime, i.StartTime, i.CompletedTime, i.State,
    i.HasPendingInterruptions, i.HasWarningsOrErrors, i.ErrorMessage,
    CASE i.place WHEN 1 THEN 'C' WHEN 2 THEN 'P' END AS Kind
FROM ranked i JOIN Release r ON r.Id = i.ReleaseId
WHERE i.attempt = 1 AND i.ReleaseId = ANY($2::text[])
ORDER BY i.Created DESC, length(i.Id) DESC, i.Id DESC;

-- name: environments
SELECT Id, Name FROM DeploymentEnvironment WHERE SpaceId = $1 ORDER BY SortOrder, length(Id), Id;
