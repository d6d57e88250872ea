-- name: user_of_key
SELECT u.Id, u.Username, u.JSON::json ->> 'IsService' = 'true' AS service, k.Id AS key_id, k.JSON::json ->> 'Hint' AS hint
FROM ApiKey k JOIN UserAccount u ON u.Id = k.UserId
WHERE k.KeyHash = $1 AND u.IsActive
    AND coalesce((k.JSON::json ->> 'Expires')::timestamptz, 'infinity') > now();

-- name: user_of_session
SELECT u.Id, u.Username, u.JSON::json ->> 'IsService' = 'true' AS service, s.CsrfToken
FROM Session s JOIN UserAccount u ON u.Id = s.UserId
WHERE s.TokenHash = $1 AND s.Kind = $2 AND u.IsActive AND s.Expires > now();

-- name: open_session
INSERT INTO Session (TokenHash, UserId, Kind, CsrfToken, Expires) VALUES ($1, $2, $3, $4, $5);

-- name: close_session
DELETE FROM Session WHERE TokenHash = $1 RETURNING UserId;

-- name: forget_sessions
DELETE FROM Session WHERE UserId = $1 OR Expires < now();

-- name: user_named
SELECT Id, Username, IsActive, JSON FROM UserAccount WHERE lower(Username) = lower($1);

-- name: rights
SELECT s.SpaceId, r.JSON::json ->> 'GrantedSpacePermissions' AS space, r.JSON::json ->> 'GrantedSystemPermissions' AS system,
    s.JSON::json ->> 'ProjectIds' AS projects, s.JSON::json ->> 'ProjectGroupIds' AS groups,
    s.JSON::json ->> 'EnvironmentIds' AS environments, s.JSON::json ->> 'TenantIds' AS tenants,
    (SELECT array_agg(p.Id) FROM Project p WHERE s.JSON::jsonb -> 'ProjectGroupIds' ? p.ProjectGroupId) AS grouped
FROM ScopedUserRole s JOIN UserRole r ON r.Id = s.UserRoleId JOIN Team t ON t.Id = s.TeamId
WHERE t.Id = 'teams-everyone' OR strpos(t.MemberUserIds, '|' || $1 || '|') > 0;

-- name: space
SELECT Id FROM Space
WHERE CASE WHEN $1::text = '' THEN IsDefault ELSE lower(Id) = $1 OR lower(Slug) = $1 END
LIMIT 1;
