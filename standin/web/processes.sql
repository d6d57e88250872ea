-- What clients ask about processes and variable sets.

-- name: scope_values
SELECT 'Environments' AS scope, Id, Name, SortOrder AS place FROM DeploymentEnvironment WHERE SpaceId = $1
UNION ALL
SELECT 'Machines', Id, Name, 0 FROM Machine WHERE SpaceId = $1
UNION ALL
SELECT 'Channels', Id, Name, 0 FROM Channel WHERE ProjectId = $2
UNION ALL
SELECT 'Processes', Id, Name, 0 FROM Project WHERE Id = $2
UNION ALL
SELECT 'Processes', Id, Name, 1 FROM Runbook WHERE ProjectId = $2
UNION ALL
SELECT DISTINCT 'Roles', r, r, 0 FROM Machine, unnest(string_to_array(trim(BOTH '|' FROM Roles), '|')) AS r
WHERE SpaceId = $1 AND r <> ''
ORDER BY scope, place, Name;

-- name: steps
SELECT JSON::json ->> 'Steps' FROM DeploymentProcess WHERE Id = $1;

-- name: last_releases
(SELECT 'project' AS place, Version FROM Release WHERE ProjectId = $1 ORDER BY Assembled DESC LIMIT 1)
UNION ALL
(SELECT 'channel', Version FROM Release WHERE ProjectId = $1 AND ChannelId = $2 ORDER BY Assembled DESC LIMIT 1);
