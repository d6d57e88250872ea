-- Nodes of the cluster.

-- name: register
INSERT INTO OctopusServerNode (Id, Name, LastSeen, Url) VALUES ($1, $2, $3, $4)
ON CONFLICT (Id) DO UPDATE SET LastSeen = excluded.LastSeen, Url = excluded.Url;

-- A node that was deleted while it lives comes back with its next heartbeat (octopus-facts §1.3).

-- name: heartbeat
INSERT INTO OctopusServerNode (Id, Name, Url, LastSeen) VALUES ($1, $2, $3, $4)
ON CONFLICT (Id) DO UPDATE SET LastSeen = excluded.LastSeen;
