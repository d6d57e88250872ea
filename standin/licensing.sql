-- What a licence limits.

-- name: usage
SELECT (SELECT count(*) FROM Project) AS projects, (SELECT count(*) FROM Tenant) AS tenants,
    (SELECT count(*) FROM Machine WHERE NOT IsDisabled) AS machines, (SELECT count(*) FROM Space) AS spaces,
    (SELECT count(*) FROM UserAccount WHERE IsActive) - 1 AS users, (SELECT count(*) FROM OctopusServerNode) AS nodes;
