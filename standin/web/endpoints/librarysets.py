"""Library variable sets, which projects share (octopus-api §A.10)."""

import uuid
from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, delete, insert
from standin.spaces import library_variables
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import named, refuse_when_used
from standin.web.filters import Filters
from standin.web.resources import LIBRARY_VARIABLE_SET
from standin.work import Work


class LibraryVariableSets(Collection):
    """Library variable sets, each with a variable set of its own; one that a project includes stays."""

    def filters(self, call: Call) -> Filters:
        """Return what sets are filtered by."""
        return {**named(call), "content_type": call.query.text("contenttype")}

    def show(self, document: Document) -> Document:
        """Return a set with the id of its variables."""
        return {**super().show(document), "VariableSetId": f"variableset-{document['Id']}"}

    async def check(self, _work: Work, model: Any, _space: str | None, current: Document | None) -> Document:
        """Return the templates with ids of their own; what a set contains never changes."""
        more: Document = {"Templates": with_ids(model.templates)}
        return {**more, "ContentType": current["ContentType"]} if current is not None else more

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Give a new set its variables."""
        if current is None:
            await insert(work.conn, kinds.VARIABLE_SET, library_variables(document))

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a set that a project includes; its variables go with it."""
        await refuse_when_used(work, "library_uses", document["Id"], document["SpaceId"])
        await delete(work.conn, kinds.VARIABLE_SET, f"variableset-{document['Id']}")

    async def usages(self, call: Call) -> Any:
        """Return which projects include a set."""
        document = await self.find(call.state.pool, call)
        rows = await call.state.pool.fetch(
            queries("web/resources")["projects_with_library"], document["Id"], call.space
        )
        return {
            "Id": document["Id"],
            "Projects": [
                {
                    "ProjectId": row["id"],
                    "ProjectName": row["name"],
                    "ProjectSlug": row["slug"],
                    "IsCurrentlyBeingUsedInProject": True,
                    "Releases": [],
                    "RunbookSnapshots": [],
                }
                for row in rows
            ],
            "CountOfProjectsUserCannotSee": 0,
            "CountOfReleasesUserCannotSee": 0,
            "CountOfRunbookSnapshotsUserCannotSee": 0,
            "Links": {"Self": call.path},
        }


LIBRARY_SETS = LibraryVariableSets(LIBRARY_VARIABLE_SET)


def with_ids(templates: Any) -> list[Document]:
    """Give templates the ids that the server assigns."""
    return [{**msgspec.to_builtins(one), "Id": one.id or str(uuid.uuid4())} for one in templates]
