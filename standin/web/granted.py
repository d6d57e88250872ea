"""What who asks may see of a list, when his roles are for some projects, environments or tenants only (§A.1).

Processes, variables, interruptions and artifacts are held by the ids that they are found by. Not held are figures over
many documents: `reporting`, and the totals that a page of tasks counts by state (`TotalCounts`).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from standin import kinds
from standin.documents import Document, DocumentType, encode
from standin.web.call import Call

T = TypeVar("T")
_OWN = {
    kinds.PROJECT: "granted_projects",
    kinds.ENVIRONMENT: "granted_environments",
    kinds.TENANT: "granted_tenants",
    kinds.MACHINE: "granted_targets",
}
_PLACES = {"Projects-": "ProjectId", "Environments-": "EnvironmentId", "Tenants-": "TenantId"}


def granted(call: Call, kind: DocumentType) -> dict[str, Any]:
    """Return the filter of a list of documents; none for who may see all of them."""
    grants = call.rights.grants(call.permission, call.space_id) if call.permission else None
    condition = _condition(kind)
    if grants is None or condition is None:
        return {}
    places = [
        {"space": one.space, "projects": one.projects, "environments": one.environments, "tenants": one.tenants}
        for one in grants
    ]
    return {condition: encode(places)}


def visible(call: Call, found: Sequence[T], place: Callable[[T], Document]) -> Sequence[T]:
    """Return what who asks may see; `place` tells the project, environment and tenant of each, or its own id."""
    grants = call.rights.grants(call.permission, call.space_id) if call.permission else None
    if grants is None:
        return found
    return [one for one in found if any(grant.covers({"SpaceId": call.space_id, **place(one)}) for grant in grants)]


def place_of(related: Iterable[str]) -> Document:
    """Return the project, environment and tenant among the ids by which a document is found."""
    return {name: one for one in related for prefix, name in _PLACES.items() if one.startswith(prefix)}


def _condition(kind: DocumentType) -> str | None:
    """Return the name of the condition in filters.sql for a kind; None for what belongs to its space only."""
    if kind in _OWN:
        return _OWN[kind]
    if "ProjectId" not in kind.columns:
        return "granted_related" if "RelatedDocumentIds" in kind.columns else None
    return "granted_places" if "EnvironmentId" in kind.columns else "granted_of_projects"
