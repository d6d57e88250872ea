-- Packages of the built-in feed, and what build servers tell of them.

-- Two pushes of one package wait for each other.

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || lower($2), 0));

-- name: versions
SELECT Id, SpaceId, Name, PackageId, Version, SortVersion, PackageSizeBytes, Published, JSON FROM NuGetPackage
WHERE SpaceId = $1 AND lower(PackageId) = lower($2) ORDER BY SortVersion DESC;

-- name: search
SELECT DISTINCT ON (lower(PackageId)) Id, SpaceId, Name, PackageId, Version, SortVersion, PackageSizeBytes, Published, JSON
FROM NuGetPackage WHERE SpaceId = $1 AND strpos(lower(PackageId), lower($2)) > 0
ORDER BY lower(PackageId), SortVersion DESC;

-- name: count
SELECT count(*) FROM NuGetPackage WHERE $1::text IS NULL OR SpaceId = $1;

-- name: build
SELECT Id, SpaceId, Name, PackageId, Version, SortVersion, Created, JSON FROM BuildInformation
WHERE SpaceId = $1 AND lower(Name) = lower($2);

-- name: builds
SELECT Id, SpaceId, Name, PackageId, Version, SortVersion, Created, JSON FROM BuildInformation
WHERE SpaceId = $1 AND lower(Name) = ANY($2::text[]);
