"""Promotions: whether a release may be deployed somewhere, for somebody, and how soon (octopus-api §A.15, §A.16)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from standin.documents import Document, get
from standin.errors import Rejected
from standin.kinds import CHANNEL, LIFECYCLE
from standin.lifecycles import Phase, open_environments, phases_of
from standin.statements import queries
from standin.work import Work


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is deployed where: four documents."""

    #: the release
    release: Document
    #: its project
    project: Document
    #: the environment it goes to
    environment: Document
    #: the tenant it is for, or None
    tenant: Document | None = None


def check_space(promotion: Promotion) -> None:
    """Refuse a disabled project, and documents of another space (400)."""
    if promotion.project["IsDisabled"]:
        raise Rejected(400, "The project is disabled, so its releases cannot be deployed.")
    space = promotion.release["SpaceId"]
    for other in (promotion.environment, promotion.tenant):
        if other and other["SpaceId"] != space:
            raise Rejected(400, f"{other['Id']} does not belong to {space}.")


def check_tenant(promotion: Promotion) -> None:
    """Refuse a deployment for a tenant, or for none, that the project or the tenant does not allow (400)."""
    project, tenant = promotion.project, promotion.tenant
    if tenant is None:
        if not goes_untenanted(project):
            raise Rejected(400, f"The project {project['Name']} can be deployed for tenants only.")
        return
    if not goes_to_tenants(project):
        raise Rejected(400, f"The project {project['Name']} cannot be deployed for tenants.")
    if promotion.environment["Id"] not in (tenant.get("ProjectEnvironments") or {}).get(project["Id"], ()):
        raise Rejected(400, f"{tenant['Name']} is not connected to {project['Name']} in this environment.")


def goes_untenanted(project: Document) -> bool:
    """Say whether a project may be deployed for no tenant."""
    return project.get("TenantedDeploymentMode") != "Tenanted"


def goes_to_tenants(project: Document) -> bool:
    """Say whether a project may be deployed for tenants."""
    return project.get("TenantedDeploymentMode") not in {None, "", "Untenanted"}


def open_to(release: Document, phases: Sequence[Phase], reached: Collection[str]) -> list[str]:
    """Return the environments that a release may go to, having succeeded in some.

    With an unresolved defect it goes no further: only where it has succeeded.
    """
    opened = open_environments(phases, reached)
    return [one for one in opened if one in reached] if release.get("HasUnresolvedDefect") else opened


def has_priority(wanted: str | None, *, phase: bool) -> bool:
    """Say whether a deployment goes before regular ones: by its own wish, else by its phase's (octopus-facts §2.2)."""
    return phase if wanted in (None, "LifecycleDefault") else wanted == "On"


async def open_phase(work: Work, promotion: Promotion) -> Phase:
    """Return the phase that a deployment is for.

    Raises:
        Rejected: 400, it is not open for this release.
    """
    release, environment = promotion.release, promotion.environment
    channel = await get(work.conn, CHANNEL, release["ChannelId"])
    lifecycle = await get(work.conn, LIFECYCLE, channel["LifecycleId"] or promotion.project["LifecycleId"])
    everything = await work.conn.fetch(queries("history")["environments"], release["SpaceId"])
    succeeded = await work.conn.fetch(queries("history")["succeeded"], release["Id"])
    phases = phases_of(lifecycle, [row["id"] for row in everything])
    reached = {row["environmentid"] for row in succeeded}
    if environment["Id"] not in open_to(release, phases, reached):
        if release.get("HasUnresolvedDefect") and environment["Id"] not in reached:
            raise Rejected(400, f"Release {release['Version']} has an unresolved defect, so it goes no further.")
        raise Rejected(
            400,
            f"Release {release['Version']} cannot be deployed to {environment['Name']} yet: "
            f"the lifecycle {lifecycle['Name']} has not opened this environment for it.",
        )
    return next(phase for phase in phases if environment["Id"] in phase.environments)
