-- The bulk loader.

-- name: allocated
SELECT CollectionName, Allocated FROM KeyAllocation;

-- name: allocate
INSERT INTO KeyAllocation (CollectionName, Allocated) VALUES ($1, $2)
ON CONFLICT (CollectionName) DO UPDATE SET Allocated = excluded.Allocated;

-- name: event_sequence
SELECT setval(pg_get_serial_sequence('event', 'autoid'), (SELECT max(AutoId) FROM Event));
