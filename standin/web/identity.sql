-- name: user_of_key
SELECT u.Id, u.Username
FROM ApiKey k JOIN UserAccount u ON u.Id = k.UserId
WHERE k.KeyHash = $1 AND u.IsActive;

-- name: space
SELECT Id FROM Space
WHERE CASE WHEN $1::text = '' THEN IsDefault ELSE lower(Id) = $1 OR lower(Slug) = $1 END
LIMIT 1;
