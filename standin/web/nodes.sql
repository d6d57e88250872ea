-- The nodes of the cluster.

-- name: all_draining
SELECT coalesce(bool_and(IsInMaintenanceMode), false) FROM OctopusServerNode;

-- name: nodes
SELECT n.Id, n.Name, n.MaxConcurrentTasks, n.IsInMaintenanceMode, n.LastSeen, n.Url, n.JSON,
    (SELECT count(*) FROM ServerTask t WHERE t.ServerNodeId = n.Id AND t.State IN ('Executing', 'Cancelling')) AS Running
FROM OctopusServerNode n
WHERE ($1::text[] IS NULL OR n.Id = ANY($1)) AND ($2::text IS NULL OR strpos(lower(n.Name), lower($2)) > 0)
ORDER BY n.Name, n.Id;
