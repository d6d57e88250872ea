"""Tag sets, whose tags tell tenants apart (octopus-api §A.12)."""

from typing import Any

import msgspec

from standin import kinds
from standin.documents import Document, find
from standin.statements import queries
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import order_by, refuse_when_used
from standin.web.refusals import invalid
from standin.web.resources import TAG_SET
from standin.work import Work


class TagSets(Collection):
    """Tag sets, in their own order; a tag that a tenant has stays."""

    async def check(self, work: Work, model: Any, space: str | None, current: Document | None) -> Document:
        """Return the tags with their ids and canonical names, and the place of the set."""
        names = [tag.name.lower() for tag in model.tags]
        if len(set(names)) < len(names):
            raise invalid("The names of tags must be unique in their set.")
        tags = [
            {**msgspec.to_builtins(tag), "CanonicalTagName": f"{model.name}/{tag.name}", "SortOrder": place}
            for place, tag in enumerate(model.tags)
        ]
        if current is not None:
            kept = {tag["CanonicalTagName"] for tag in tags}
            for tag in current["Tags"]:
                if tag["CanonicalTagName"] not in kept:
                    await refuse_when_used(work, "tag_uses", tag["CanonicalTagName"], space)
        order = model.sort_order if model.sort_order is not None else (current or {}).get("SortOrder")
        if order is None:
            order = len(await find(work.conn, kinds.TAG_SET, SpaceId=space))
        return {"SortOrder": order, "Tags": tags}

    def show(self, document: Document) -> Document:
        """Return a tag set, each tag with the id that its place in the set gives it."""
        tags = [{**tag, "Id": tag["Id"] or f"{document['Id']}/{tag['Name']}"} for tag in document["Tags"]]
        return {**super().show(document), "Tags": tags}

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete a set with a tag that a tenant has."""
        for tag in document["Tags"]:
            await refuse_when_used(work, "tag_uses", tag["CanonicalTagName"], document["SpaceId"])

    async def sort(self, call: Call) -> Any:
        """Put the tag sets into the order of the ids sent."""
        await order_by(call, kinds.TAG_SET, "tag set", queries("web/resources")["order_tag_sets"])
        return await self.every(call)


TAG_SETS = TagSets(TAG_SET)


async def known_tags(conn: Any, space: str | None) -> set[str]:
    """Return the canonical names of all tags of a space."""
    return {tag["CanonicalTagName"] for one in await find(conn, kinds.TAG_SET, SpaceId=space) for tag in one["Tags"]}
