"""The resources that people configure: how each is listed, found, shown and kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from standin import events, kinds
from standin.documents import Document, DocumentType, delete, insert, time_text, update
from standin.errors import not_found
from standin.spaces import slug
from standin.statements import queries
from standin.web import commands, models, paging
from standin.web.call import Call
from standin.web.links import links_of
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
    #: the filter of its lists in resources.sql
    listing: str
    #: the order of its lists
    order: str = "lower(Name), Id"
    #: items on a page when a client does not say
    take: int = 30

    def show(self, document: Document) -> Document:
        """Return a document as the API shows it: members that it lacks have their defaults, and it has links."""
        return {"Id": document["Id"], **_defaults(self.model), **document, "Links": links_of(self.item, document)}


SPACE = ResourceType(kinds.SPACE, models.Space, "Space", "Space", "spaces")
ENVIRONMENT = ResourceType(
    kinds.ENVIRONMENT,
    models.Environment,
    "Environment",
    "Environment",
    "environments",
    order="SortOrder, length(Id), Id",
    take=10,
)
LIFECYCLE = ResourceType(kinds.LIFECYCLE, models.Lifecycle, "Lifecycle", "Lifecycle", "named")
PROJECT_GROUP = ResourceType(kinds.PROJECT_GROUP, models.ProjectGroup, "ProjectGroup", "Project group", "named")
PROJECT = ResourceType(kinds.PROJECT, models.Project, "Project", "Project", "projects")
CHANNEL = ResourceType(kinds.CHANNEL, models.Channel, "Channel", "Channel", "channels")
MACHINE = ResourceType(kinds.MACHINE, models.Machine, "Machine", "Deployment target", "machines")
TENANT = ResourceType(kinds.TENANT, models.Tenant, "Tenant", "Tenant", "tenants")

RELEASE = ResourceType(
    kinds.RELEASE,
    commands.CreateRelease,
    "Release",
    "Release",
    "releases",
    order="Assembled DESC, length(Id) DESC, Id DESC",
)
DEPLOYMENT = ResourceType(
    kinds.DEPLOYMENT,
    commands.CreateDeployment,
    "Deployment",
    "Deployment",
    "deployments",
    order="Created DESC, length(Id) DESC, Id DESC",
)


@dataclass(frozen=True, slots=True)
class Listing:
    """The statements of a list."""

    #: counts; takes the arguments of the filter
    count: str
    #: fetches; takes limit and offset as well
    page: str


async def fetch_page(
    call: Call, resource: ResourceType, arguments: Sequence[Any], show: Show | None = None
) -> dict[str, Any]:
    """Return one page of a list: how many there are under the same filter, and the page itself."""
    window = call.query.window(resource.take)
    listing = _listing(resource, len(arguments))
    async with call.state.pool.acquire() as conn:
        total = await conn.fetchval(listing.count, *arguments)
        rows = await conn.fetch(listing.page, *arguments, window.take, window.skip)
    items = [(show or resource.show)(resource.kind.read(row)) for row in rows]
    return paging.envelope(resource.item, items, total, window, call.path, call.query.filters())


async def fetch_all(
    call: Call, resource: ResourceType, arguments: Sequence[Any], show: Show | None = None
) -> list[Document]:
    """Return a whole list, shown."""
    rows = await call.state.pool.fetch(_listing(resource, len(arguments)).page, *arguments, None, 0)
    return [(show or resource.show)(resource.kind.read(row)) for row in rows]


async def fetch_one(conn: Any, resource: ResourceType, name: str, space: str | None) -> Document:
    """Return a document of a space by its id, slug or name, in any case.

    Raises:
        Rejected: 404, the space has none such.
    """
    row = await conn.fetchrow(_look_up(resource, "look_up_by_id"), name, space)
    if row is None:
        row = await conn.fetchrow(_look_up(resource, "look_up"), name.lower(), space)
    if row is None:
        raise not_found(name)
    return resource.kind.read(row)


async def create(work: Work, resource: ResourceType, model: models.Resource, space: str, **more: Any) -> Document:
    """Keep a new document, with its event."""
    members = msgspec.to_builtins(model)
    document = {
        **members,
        **more,
        "Id": await work.keys.next(resource.kind),
        "SpaceId": space,
        "Slug": slug(members.get("Slug") or members["Name"]),
    }
    await insert(work.conn, resource.kind, document)
    await events.created(work, document, f"{resource.label} {document['Name']}")
    return document


async def modify(
    work: Work, resource: ResourceType, current: Document, model: models.Resource, **more: Any
) -> Document:
    """Replace a document by what a client sent, with its event; what clients cannot send stays as it was."""
    members = msgspec.to_builtins(model)
    document = {
        **current,
        **members,
        **more,
        "Slug": slug(members.get("Slug") or current["Slug"]),
        "LastModifiedOn": time_text(work.now),
        "LastModifiedBy": work.actor.username,
    }
    await update(work.conn, resource.kind, document)
    await events.modified(work, document, f"{resource.label} {document['Name']}")
    return document


async def remove(work: Work, resource: ResourceType, document: Document) -> None:
    """Delete a document, with its event."""
    await delete(work.conn, resource.kind, document["Id"])
    await events.deleted(work, document, f"{resource.label} {document['Name']}")


@cache
def columns(kind: DocumentType, prefix: str = "") -> str:
    """Return the columns that `kind.read` needs, each after `prefix`."""
    return ", ".join(f"{prefix}{name}" for name in ("Id", *kind.columns, "JSON"))


@cache
def _listing(resource: ResourceType, arguments: int) -> Listing:
    """Spell the statements of a list, from its filter and the names of its table and columns: no value is in them."""
    source = f"FROM {resource.kind.table} WHERE {queries('web/resources')[resource.listing]}"
    page = f"ORDER BY {resource.order} LIMIT ${arguments + 1} OFFSET ${arguments + 2}"
    return Listing(f"SELECT count(*) {source}", f"SELECT {columns(resource.kind)} {source} {page}")


@cache
def _look_up(resource: ResourceType, query: str) -> str:
    """Spell a look-up; a space is found among all spaces, everything else within its own."""
    where = queries("web/resources")[f"{query}_space" if resource is SPACE else query]
    return f"SELECT {columns(resource.kind)} FROM {resource.kind.table} WHERE {where}"  # noqa: S608 - names only


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
