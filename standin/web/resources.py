"""The resources that people configure: how each is listed, found, shown and kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from standin import events, kinds, licensing
from standin.documents import Document, DocumentType, delete, insert, time_text, update
from standin.errors import not_found
from standin.slugs import free_slug, new_slug
from standin.web import commands, equipment, library, membership, models, paging, portal, runbooks
from standin.web.call import Call
from standin.web.differences import differences
from standin.web.filters import Filters, columns, count_and_fetch, fetch_rows
from standin.web.granted import granted
from standin.web.links import links_of
from standin.web.secrets import hide_members, keep
from standin.work import Work

#: shows a document as the API does
Show = Callable[[Document], Document]


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """One resource of the contract: the document behind it, and what clients see."""

    #: the document that is kept
    kind: DocumentType
    #: what clients send, with the defaults of what they leave out
    model: type[models.Resource]
    #: `ItemType` of its pages; also names its links
    item: str
    #: how an event calls it
    label: str
    #: the order of its lists, in SQL
    order: str = "lower(Name), Id"
    #: items on a page when a client does not say
    take: int = 30
    #: members with sensitive values inside
    secret: tuple[str, ...] = ()

    def show(self, document: Document) -> Document:
        """Return a document as the API shows it: members that it lacks have their defaults, and it has links."""
        shown = hide_members(document, self.secret) if self.secret else document
        members = {"Id": document["Id"], **_defaults(self.model), **shown, "Links": links_of(self.item, document)}
        for name, value in members.items():  # a document that was made just now holds moments, one that was read text
            if isinstance(value, datetime):
                members[name] = time_text(value)
        return members

    def title(self, document: Document) -> str:
        """Return how an event calls a document: by its name, or by its id when it has none."""
        return f"{self.label} {document.get('Name') or document.get('Username') or document['Id']}"


SPACE = ResourceType(kinds.SPACE, models.Space, "Space", "Space")
ENVIRONMENT = ResourceType(
    kinds.ENVIRONMENT, models.Environment, "Environment", "Environment", "SortOrder, length(Id), Id", take=10
)
LIFECYCLE = ResourceType(kinds.LIFECYCLE, models.Lifecycle, "Lifecycle", "Lifecycle")
PROJECT_GROUP = ResourceType(kinds.PROJECT_GROUP, models.ProjectGroup, "ProjectGroup", "Project group")
PROJECT = ResourceType(kinds.PROJECT, models.Project, "Project", "Project")
CHANNEL = ResourceType(kinds.CHANNEL, models.Channel, "Channel", "Channel")
MACHINE = ResourceType(kinds.MACHINE, models.Machine, "Machine", "Deployment target", secret=("Endpoint",))
TENANT = ResourceType(kinds.TENANT, models.Tenant, "Tenant", "Tenant")
USER = ResourceType(kinds.USER, membership.User, "User", "User", "lower(Username), Id")
TEAM = ResourceType(kinds.TEAM, membership.Team, "Team", "Team")
USER_ROLE = ResourceType(kinds.USER_ROLE, membership.UserRole, "UserRole", "User role")
SCOPED_USER_ROLE = ResourceType(
    kinds.SCOPED_USER_ROLE, membership.ScopedUserRole, "ScopedUserRole", "Scoped user role", "length(Id), Id"
)
MACHINE_POLICY = ResourceType(kinds.MACHINE_POLICY, equipment.MachinePolicy, "MachinePolicy", "Machine policy")
WORKER_POOL = ResourceType(
    kinds.WORKER_POOL, equipment.WorkerPool, "WorkerPool", "Worker pool", "SortOrder, length(Id), Id"
)
WORKER = ResourceType(kinds.WORKER, equipment.Worker, "Worker", "Worker", secret=("Endpoint",))
TAG_SET = ResourceType(kinds.TAG_SET, equipment.TagSet, "TagSet", "Tag set", "SortOrder, length(Id), Id")
LIBRARY_VARIABLE_SET = ResourceType(
    kinds.LIBRARY_VARIABLE_SET, equipment.LibraryVariableSet, "LibraryVariableSet", "Library variable set"
)
ACCOUNT = ResourceType(
    kinds.ACCOUNT,
    portal.Account,
    "Account",
    "Account",
    secret=("Password", "Token", "PrivateKeyFile", "PrivateKeyPassphrase", "SecretKey", "JsonKey"),
)
CERTIFICATE = ResourceType(
    kinds.CERTIFICATE, portal.Certificate, "Certificate", "Certificate", secret=("CertificateData", "Password")
)
PROXY = ResourceType(kinds.PROXY, portal.Proxy, "Proxy", "Proxy", secret=("Password",))
SUBSCRIPTION = ResourceType(kinds.SUBSCRIPTION, portal.Subscription, "Subscription", "Subscription")
TRIGGER = ResourceType(kinds.TRIGGER, portal.Trigger, "ProjectTrigger", "Trigger")
ACTION_TEMPLATE = ResourceType(kinds.ACTION_TEMPLATE, portal.ActionTemplate, "ActionTemplate", "Step template")
RELEASE = ResourceType(kinds.RELEASE, commands.CreateRelease, "Release", "Release", "Assembled DESC, Id DESC")
DEPLOYMENT = ResourceType(
    kinds.DEPLOYMENT, commands.CreateDeployment, "Deployment", "Deployment", "Created DESC, Id DESC"
)
FEED = ResourceType(kinds.FEED, library.Feed, "Feed", "Feed")
PACKAGE = ResourceType(
    kinds.PACKAGE, models.Resource, "PackageFromBuiltInFeed", "Package", "lower(PackageId), SortVersion DESC"
)
BUILD_INFORMATION = ResourceType(
    kinds.BUILD_INFORMATION,
    library.BuildInformation,
    "OctopusPackageVersionBuildInformationMapped",
    "Build information",
    "lower(PackageId), SortVersion DESC",
)
RUNBOOK = ResourceType(kinds.RUNBOOK, runbooks.Runbook, "Runbook", "Runbook")
RUNBOOK_PROCESS = ResourceType(
    kinds.RUNBOOK_PROCESS, runbooks.RunbookProcess, "RunbookProcess", "Runbook process", "length(Id), Id"
)
RUNBOOK_SNAPSHOT = ResourceType(
    kinds.RUNBOOK_SNAPSHOT,
    models.Resource,
    "RunbookSnapshot",
    "Runbook snapshot",
    "Assembled DESC, length(Id) DESC, Id DESC",
)
RUNBOOK_RUN = ResourceType(
    kinds.RUNBOOK_RUN, runbooks.CreateRun, "RunbookRun", "Runbook run", "Created DESC, length(Id) DESC, Id DESC"
)
INTERRUPTION = ResourceType(
    kinds.INTERRUPTION, models.Resource, "Interruption", "Interruption", "Created DESC, length(Id) DESC, Id DESC"
)
ARTIFACT = ResourceType(
    kinds.ARTIFACT, models.Resource, "Artifact", "Artifact", "Created DESC, length(Id) DESC, Id DESC"
)

DEFECT = ResourceType(kinds.DEFECT, models.Resource, "Defect", "Defect", "Created DESC, length(Id) DESC, Id DESC")


async def fetch_page(call: Call, resource: ResourceType, filters: Filters, show: Show | None = None) -> dict[str, Any]:
    """Return one page of a list: how many there are under the same filters, and the page itself."""
    window, filters = call.query.window(resource.take), {**filters, **granted(call, resource.kind)}
    async with call.state.pool.acquire() as conn:
        total, rows = await count_and_fetch(conn, (resource.kind, resource.order), filters, window)
    items = [(show or resource.show)(resource.kind.read(row)) for row in rows]
    return paging.envelope(resource.item, items, total, window, call.path, call.query.filters())


async def fetch_all(call: Call, resource: ResourceType, filters: Filters, show: Show | None = None) -> list[Document]:
    """Return a whole list, shown."""
    filters = {**filters, **granted(call, resource.kind)}
    rows = await fetch_rows(call.state.pool, (resource.kind, resource.order), filters)
    return [(show or resource.show)(resource.kind.read(row)) for row in rows]


async def fetch_one(conn: Any, resource: ResourceType, name: str, space: str | None) -> Document:
    """Return a document of a space by its id, slug or name, in any case.

    Raises:
        Rejected: 404, the space has none such.
    """
    by_id, by_name = _look_ups(resource, everywhere=space is None)
    row = await conn.fetchrow(by_id, name, space)
    if row is None:
        row = await conn.fetchrow(by_name, name.lower(), space)
    if row is None:
        raise not_found(name)
    return resource.kind.read(row)


async def create(work: Work, resource: ResourceType, model: Any, space: str | None, **more: Any) -> Document:
    """Keep a new document, with its event."""
    members = msgspec.to_builtins(model)
    document = {**members, "Id": await work.keys.next(resource.kind)}
    if "SpaceId" in resource.kind.columns:
        document["SpaceId"] = space
    document.update(more)
    if "Slug" in resource.kind.columns:
        document["Slug"] = await new_slug(work.conn, resource.kind, document)
    for name in resource.secret:
        document[name] = keep(document[name])
    await licensing.check(work, resource.kind.table)
    await insert(work.conn, resource.kind, document)
    await events.created(work, document, resource.title(document))
    return document


async def modify(work: Work, resource: ResourceType, current: Document, model: Any, **more: Any) -> Document:
    """Replace a document by what a client sent, with its event; what clients cannot send stays as it was."""
    members = msgspec.to_builtins(model)
    if "SpaceId" in resource.kind.columns:
        members["SpaceId"] = current["SpaceId"]
    if "Slug" in resource.kind.columns:
        members["Slug"] = members.get("Slug") or current["Slug"]
    stamp = {"LastModifiedOn": time_text(work.now), "LastModifiedBy": work.actor.username}
    document = {**current, **members, **more, **stamp}
    if document.get("Slug") != current.get("Slug"):
        document["Slug"] = await free_slug(work.conn, resource.kind, document)
    for name in resource.secret:
        document[name] = keep(document[name], current.get(name))
    await update(work.conn, resource.kind, document)
    await events.modified(work, document, resource.title(document), differences(current, document))
    return document


async def remove(work: Work, resource: ResourceType, document: Document) -> None:
    """Delete a document, with its event."""
    await delete(work.conn, resource.kind, document["Id"])
    await events.deleted(work, document, resource.title(document))


@cache
def _look_ups(resource: ResourceType, *, everywhere: bool) -> tuple[str, str]:
    """Spell the look-ups by id and by all that names a document, $2 being its space: from names only, no values."""
    kind = resource.kind
    select = f"SELECT {columns(kind)} FROM {kind.table} WHERE"  # noqa: S608 - names of the code
    within = "$2::text IS NULL" if everywhere or "SpaceId" not in kind.columns else "SpaceId = $2"
    names = " OR ".join(f"lower({name}) = $1" for name in ("Id", "Slug", "Name") if name in ("Id", *kind.columns))
    return f"{select} Id = $1 AND {within}", f"{select} {within} AND ({names}) LIMIT 1"


@cache
def _defaults(model: type[models.Resource]) -> Mapping[str, Any]:
    """Return the members that a client need not send, as the server fills them in."""
    found = {}
    for field in msgspec.structs.fields(model):
        if field.default is not msgspec.NODEFAULT:
            found[field.encode_name] = msgspec.to_builtins(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            found[field.encode_name] = msgspec.to_builtins(field.default_factory())
    return found
