-- What clients ask about releases.

-- name: by_version
SELECT Id, SpaceId, Version, Assembled, ProjectId, ChannelId, ProjectVariableSetSnapshotId,
    ProjectDeploymentProcessSnapshotId, JSON
FROM Release WHERE ProjectId = $1 AND Version = $2;
