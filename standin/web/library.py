"""What clients send of the library: feeds and build information (octopus-api §A.13)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from standin.web.models import Name, Resource

FeedType = Literal[
    "None",
    "NuGet",
    "Docker",
    "Maven",
    "OctopusProject",
    "GitHub",
    "BuiltIn",
    "Helm",
    "OciRegistry",
    "AwsElasticContainerRegistry",
    "S3",
    "AzureContainerRegistry",
    "GoogleContainerRegistry",
    "ArtifactoryGeneric",
    "Npm",
    "GcsStorage",
    "PyPi",
]


class Feed(Resource, frozen=True, kw_only=True):
    """A feed of packages; the stand-in keeps external ones, and asks none of them for packages."""

    name: Name
    slug: str | None = None
    feed_type: FeedType = "NuGet"
    feed_uri: str | None = None
    username: str | None = None
    password: Any = None
    access_key: str | None = None
    secret_key: Any = None
    region: str | None = None
    registry_path: str | None = None
    api_version: str | None = None
    enhanced_mode: bool = False
    download_attempts: int = 5
    download_retry_backoff_seconds: int = 10
    package_acquisition_location_options: list[str] = msgspec.field(
        default_factory=lambda: ["Server", "ExecutionTarget", "NotAcquired"]
    )
    delete_unreleased_packages_after_days: int | None = None
    is_built_in_repo_sync_enabled: bool = False


class Commit(Resource, frozen=True, kw_only=True):
    """A commit that went into a build."""

    id: str
    comment: str | None = ""
    link_url: str | None = None


class BuildDetails(Resource, frozen=True, kw_only=True):
    """Where a package was built, and from what."""

    build_environment: str | None = None
    build_number: str | None = None
    build_url: str | None = None
    branch: str | None = None
    vcs_type: str | None = None
    vcs_root: str | None = None
    vcs_commit_number: str | None = None
    vcs_commit_url: str | None = None
    commits: list[Commit] = []


class BuildInformation(Resource, frozen=True, kw_only=True):
    """What a build server tells of a version of a package."""

    package_id: Name
    version: Annotated[str, Meta(min_length=1, max_length=349)]
    octopus_build_information: BuildDetails
