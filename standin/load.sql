-- The bulk loader.

-- name: allocated
SELECT CollectionName, Allocated FROM KeyAllocation;

-- name: allocate
INSERT INTO KeyAllocation (CollectionName, Allocated) VALUES ($1, $2)
ON CONFLICT (CollectionName) DO UPDATE SET Allocated = excluded.Allocated;

-- name: event_sequence
SELECT setval(pg_get_serial_sequence('event', 'autoid'), (SELECT max(AutoId) FROM Event));

-- The default space's own event is related already.

-- name: relate_all
INSERT INTO EventRelatedDocument (RelatedDocumentId, EventAutoId)
SELECT unnest(string_to_array(trim(BOTH '|' FROM RelatedDocumentIds), '|')), AutoId FROM Event
WHERE AutoId > (SELECT max(EventAutoId) FROM EventRelatedDocument);

-- name: remember_all
INSERT INTO DeploymentHistory
SELECT d.Id, d.SpaceId, d.Name, d.ProjectId, p.Name, d.EnvironmentId, e.Name, d.ReleaseId, r.Version, d.TaskId,
    t.State, d.ChannelId, d.TenantId, d.Created, t.QueueTime, t.StartTime, t.CompletedTime, t.DurationSeconds, d.DeployedBy
FROM Deployment d
JOIN ServerTask t ON t.Id = d.TaskId
JOIN Release r ON r.Id = d.ReleaseId
JOIN Project p ON p.Id = d.ProjectId
JOIN DeploymentEnvironment e ON e.Id = d.EnvironmentId;
