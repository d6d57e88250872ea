-- The audit trail.

-- name: relate
INSERT INTO EventRelatedDocument (RelatedDocumentId, EventAutoId)
SELECT r, e.AutoId FROM unnest($1::text[]) AS r, Event AS e WHERE e.Id = $2;

-- name: deployment_names
SELECT d.SpaceId, d.ProjectId, d.ReleaseId, d.EnvironmentId, d.TaskId, d.ChannelId, d.TenantId,
    p.Name AS Project, r.Version, e.Name AS Environment, n.Name AS Tenant
FROM Deployment d
JOIN Release r ON r.Id = d.ReleaseId
JOIN Project p ON p.Id = d.ProjectId
JOIN DeploymentEnvironment e ON e.Id = d.EnvironmentId
LEFT JOIN Tenant n ON n.Id = d.TenantId
WHERE d.Id = $1;

-- name: run_names
SELECT u.SpaceId, u.ProjectId, u.RunbookId, u.RunbookSnapshotId, u.EnvironmentId, u.TaskId, u.TenantId,
    b.Name AS Runbook, s.Name AS Snapshot, e.Name AS Environment, n.Name AS Tenant
FROM RunbookRun u
JOIN Runbook b ON b.Id = u.RunbookId
JOIN RunbookSnapshot s ON s.Id = u.RunbookSnapshotId
JOIN DeploymentEnvironment e ON e.Id = u.EnvironmentId
LEFT JOIN Tenant n ON n.Id = u.TenantId
WHERE u.Id = $1;

-- name: relate_many
INSERT INTO EventRelatedDocument (RelatedDocumentId, EventAutoId)
SELECT unnest(string_to_array(trim(BOTH '|' FROM RelatedDocumentIds), '|')), AutoId FROM Event WHERE Id = ANY($1::text[]);
