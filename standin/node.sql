-- Nodes of the cluster.

-- name: register
INSERT INTO OctopusServerNode (Id, Name, LastSeen, Url) VALUES ($1, $2, $3, $4)
ON CONFLICT (Id) DO UPDATE SET LastSeen = excluded.LastSeen, Url = excluded.Url;

-- name: heartbeat
UPDATE OctopusServerNode SET LastSeen = $2 WHERE Id = $1;
