"""SQL by name: the `.sql` files of this package."""

import re
from functools import cache
from importlib import resources


@cache
def queries(name: str) -> dict[str, str]:
    """Load the named queries of `NAME.sql`: what follows a line `-- name: xyz` up to the next such line.

    `{xyz}` stands for the text of that name, which has come before.
    """
    parts = re.split(r"^-- name: (\w+)\s*$", text(f"{name}.sql"), flags=re.MULTILINE)
    found: dict[str, str] = {}
    for key, body in zip(parts[1::2], parts[2::2], strict=True):
        found[key] = re.sub(r"\{(\w+)\}", lambda part: found[part[1]], _statement(body))
    return found


def text(file: str) -> str:
    """Return a file of this package."""
    return resources.files("standin").joinpath(file).read_text("utf-8")


def _statement(body: str) -> str:
    """Return a statement without its comments: what stands before the next name speaks of the next."""
    lines = [line for line in body.splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip().rstrip(";")
