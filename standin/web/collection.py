"""A collection: the six operations that the resources of the contract have alike (octopus-api §A, §B.3)."""

from typing import Any

from standin.documents import Document
from standin.web.call import Call, Reply, created
from standin.web.endpoints.common import named
from standin.web.filters import Filters
from standin.web.resources import ResourceType, create, fetch_all, fetch_one, fetch_page, modify, remove
from standin.web.routing import LIST, Route, Table
from standin.work import Work


class Collection:
    """The documents of one resource; a resource with rules of its own overrides what is not an operation."""

    def __init__(self, resource: ResourceType) -> None:
        """`resource` says how a document is kept and shown."""
        self.resource = resource

    def filters(self, call: Call) -> Filters:
        """Return what lists are filtered by: the space, ids, a part of the name."""
        return named(call)

    def show(self, document: Document) -> Document:
        """Return a document as the API shows it."""
        return self.resource.show(document)

    async def check(self, _work: Work, _model: Any, _space: str | None, _current: Document | None) -> Document:
        """Return the members that the server decides on, `_current` being the document that is replaced.

        Raises:
            Rejected: 400, the model breaks a rule of the resource.
        """
        return {}

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Do what follows when a document has been created, or has replaced `current`."""

    async def release(self, work: Work, document: Document) -> None:
        """Undo what hangs on a document that will be deleted.

        Raises:
            Rejected: 400, it is in use.
        """

    async def page(self, call: Call) -> Any:
        """Return one page of the list."""
        return await fetch_page(call, self.resource, self.filters(call), self.show)

    async def every(self, call: Call) -> Any:
        """Return the whole list as a bare array."""
        return await fetch_all(call, self.resource, self.filters(call), self.show)

    async def read(self, call: Call) -> Any:
        """Return one document, found by its id, slug or name."""
        return self.show(await self.find(call.state.pool, call))

    async def create(self, call: Call) -> Reply:
        """Create a document."""
        model = await self.model(call)
        async with call.begin() as work:
            return await self.keep(work, call, model, {})

    async def keep(self, work: Work, call: Call, model: Any, more: Document) -> Reply:
        """Keep a new document, `more` being members that no client can send."""
        more = {**more, **await self.check(work, model, call.space_id, None)}
        document = await create(work, self.resource, model, call.space_id, **more)
        await self.settle(work, document, None)
        return created(self.show(document))

    async def modify(self, call: Call) -> Any:
        """Replace a document."""
        model = await self.model(call)
        async with call.begin() as work:
            current = await self.find(work.conn, call)
            more = await self.check(work, model, call.space_id, current)
            document = await modify(work, self.resource, current, model, **more)
            await self.settle(work, document, current)
        return self.show(document)

    async def delete(self, call: Call) -> Any:
        """Delete a document."""
        async with call.begin() as work:
            current = await self.find(work.conn, call)
            await self.release(work, current)
            await remove(work, self.resource, current)
        return self.show(current)

    async def model(self, call: Call) -> Any:
        """Return what a client sent."""
        return await call.read(self.resource.model)

    async def find(self, conn: Any, call: Call) -> Document:
        """Return the document that the path names."""
        return call.check(await fetch_one(conn, self.resource, call.id, call.space_id))

    def routes(self, table: Table, path: str, query: str = LIST) -> tuple[Route, ...]:
        """Return the routes of the six operations; `query` is that of the lists."""
        model = self.resource.model
        whole = " ".join(name for name in query.split() if name not in {"skip", "take"})
        return (
            table.get(path, self.page, query),
            table.create(path, self.create, model),
            table.get(f"{path}/all", self.every, whole),
            table.get(f"{path}/{{id}}", self.read),
            table.put(f"{path}/{{id}}", self.modify, model),
            table.delete(f"{path}/{{id}}", self.delete),
        )
