"""Machine policies (octopus-api §A.11)."""

from typing import Any

from standin.documents import Document
from standin.newspace import machine_policy_parts
from standin.web.call import Call
from standin.web.collection import Collection
from standin.web.endpoints.common import refuse_when_used
from standin.web.endpoints.defaults import keep_one_default
from standin.web.endpoints.machines import MACHINES
from standin.web.refusals import bad_request
from standin.web.resources import MACHINE, MACHINE_POLICY, fetch_page
from standin.work import Work


class MachinePolicies(Collection):
    """Machine policies; one of a space is the default."""

    async def settle(self, work: Work, document: Document, current: Document | None) -> None:
        """Leave a space with one default policy: the one that was made so last."""
        if not document["IsDefault"] and current is not None and current["IsDefault"]:
            raise bad_request("A space needs a default machine policy; make another one the default.")
        if document["IsDefault"]:
            await keep_one_default(work, self.resource.kind, document)

    async def release(self, work: Work, document: Document) -> None:
        """Refuse to delete the default policy, or one that a machine has."""
        if document["IsDefault"]:
            raise bad_request("The default machine policy cannot be deleted.")
        await refuse_when_used(work, "policy_uses", document["Id"], document["SpaceId"])

    async def template(self, _call: Call) -> Any:
        """Return what a new policy holds."""
        shown = self.show({"Id": "", "SpaceId": "", "Name": "", **machine_policy_parts()})
        return {**shown, "Id": None, "SpaceId": None, "Links": {}}

    async def machines(self, call: Call) -> Any:
        """Return one page of the deployment targets under a policy."""
        policy = await self.find(call.state.pool, call)
        return await fetch_page(call, MACHINE, {**MACHINES.filters(call), "policy": policy["Id"]})


MACHINE_POLICIES = MachinePolicies(MACHINE_POLICY)
