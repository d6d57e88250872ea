"""Packages, feeds and build information (octopus-api §A.13)."""

from standin.web import library
from standin.web.endpoints import builds, feeds, packages
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
VERSIONS = "packageId take skip versionRange preReleaseTag filter includePreRelease includeReleaseNotes"

ROUTES = (
    space.create("packages/raw", packages.push_package, None, "replace overwriteMode"),
    space.get("packages", packages.list_packages, "nuGetPackageId filter latest includeNotes skip take"),
    space.get("packages/notes", packages.package_notes, "packageIds"),
    space.delete("packages/bulk", packages.delete_packages, "ids"),
    space.get("packages/{id}", packages.read_package),
    space.delete("packages/{id}", packages.delete_package),
    space.get("packages/{id}/raw", packages.download_package),
    space.get("packages/{packageId}/{version}/delta-signature", packages.delta_signature),
    space.create("packages/{packageId}/{baseVersion}/delta", packages.push_delta, None, "replace overwriteMode"),
    *feeds.FEEDS.routes(space, "feeds", f"{LIST} feedType"),
    space.get("feeds/stats", feeds.feed_stats),
    space.get("feeds/{id}/packages/versions", feeds.list_versions, VERSIONS),
    space.get("feeds/{id}/packages/search", feeds.search_packages, "term skip take"),
    space.get("build-information", builds.list_builds, "packageId filter latest skip take"),
    space.post("build-information", builds.push_build, library.BuildInformation, "overwriteMode"),
    space.delete("build-information/bulk", builds.delete_builds, "ids"),
    space.get("build-information/{id}", builds.read_build),
    space.delete("build-information/{id}", builds.delete_build),
)
