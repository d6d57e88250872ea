"""What a modification has changed, as a JSON patch for the audit trail (octopus-api §A.20); secrets stay out of it."""

from typing import Any

from standin.documents import Document
from standin.web.secrets import hide

#: members that change with each modification
_STAMPS = {"LastModifiedOn", "LastModifiedBy", "Links"}


def differences(before: Document, after: Document) -> list[dict[str, Any]]:
    """Return the members that differ, each as one operation on the whole member (RFC 6902)."""
    found: list[dict[str, Any]] = []
    for name in (*before, *(name for name in after if name not in before)):
        if name in _STAMPS or before.get(name) == after.get(name):
            continue
        path = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in after:
            found.append({"op": "remove", "path": path})
        else:
            found.append({"op": "replace" if name in before else "add", "path": path, "value": hide(after[name])})
    return found
