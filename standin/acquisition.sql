-- Packages of the built-in feed.

-- name: package
SELECT Id, SpaceId, Name, PackageId, Version, SortVersion, PackageSizeBytes, Published, JSON FROM NuGetPackage
WHERE SpaceId = $1 AND lower(Name) = lower($2);
