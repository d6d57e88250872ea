-- Databases looked at from outside.

-- name: size
SELECT pg_database_size(current_database());

-- name: busiest
SELECT coalesce((SELECT SpaceId FROM Deployment GROUP BY SpaceId ORDER BY count(*) DESC LIMIT 1), 'Spaces-1');

-- name: prewarm
SELECT sum(pg_prewarm(c.oid)) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i');

-- name: blocks
SELECT sum(c.relpages) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i');
