-- What a node does beside answering requests.

-- name: last_retention
SELECT max(QueueTime) FROM ServerTask WHERE Name = 'Retention';

-- name: targets
SELECT Id, Name, Roles FROM Machine WHERE SpaceId = $1 AND EnvironmentIds LIKE $2 AND NOT IsDisabled ORDER BY length(Id), Id;

-- name: touch
INSERT INTO DeploymentRelatedMachine (DeploymentId, MachineId) SELECT $1, m FROM unnest($2::text[]) AS m;

-- name: deployed_to
UPDATE Deployment SET DeployedToMachineIds = $2 WHERE Id = $1;
