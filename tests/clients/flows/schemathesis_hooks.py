"""What schemathesis checks beside server errors, and ids that exist, so that its calls reach more than a 404."""

import json
import os
import zlib
from typing import Any

import schemathesis

#: name of a collection in the path, in lower case → an id that exists
KNOWN: dict[str, str] = json.loads(os.environ["OCTOPUS_KNOWN_IDS"])
#: no refusal: what a node says of itself while it drains
TEAPOT = 418


@schemathesis.check
def refusals_have_the_envelope(_context: Any, response: Any, case: Any) -> None:
    """Each refusal is JSON with a message and a list of errors (octopus-api §B.4)."""
    if response.status_code < 400 or response.status_code == TEAPOT or case.method.upper() == "HEAD":
        return
    try:
        said = json.loads(response.content)
    except ValueError:
        said = None
    message, errors = (said.get("ErrorMessage"), said.get("Errors")) if isinstance(said, dict) else (None, None)
    whole = isinstance(message, str) and message.strip() and isinstance(errors, list)
    assert whole, f"{response.status_code} without the envelope"


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put an id that exists into two of three paths."""
    if not path_parameters:
        return path_parameters
    parts = context.operation.path.lower().strip("/").split("/")
    found = dict(path_parameters)
    for name, value in path_parameters.items():
        place = "{" + name.lower() + "}"
        collection = parts[parts.index(place) - 1] if place in parts else ""
        known = KNOWN.get("space" if "space" in name.lower() else collection)
        if known and zlib.crc32(str(value).encode()) % 3:
            found[name] = known
    return found
