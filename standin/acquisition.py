"""Package acquisition: before its steps a deployment makes sure that the packages it needs are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from standin.documents import Document
from standin.newspace import builtin_feed_id
from standin.process import Scope
from standin.references import chosen_version, packages_of
from standin.statements import queries
from standin.tasklog import TaskLog


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a package that a deployment needs from the built-in feed."""

    #: its id
    package: str
    #: its version
    version: str
    #: bytes, or None when the feed has no such package
    size: int | None


async def needed(
    conn: Any, process: Document, selected: Iterable[Document], scope: Scope, space: str
) -> tuple[Package, ...]:
    """Return the packages of the built-in feed that a process needs; those of external feeds are not looked at."""
    selected, found = list(selected), []
    for one in packages_of(process, scope.channel or None):
        version = chosen_version(one, selected)
        if version and one["FeedId"] in {None, "", "feeds-builtin", builtin_feed_id(space)}:
            name = f"{one['PackageId']}.{version}"
            row = await conn.fetchrow(queries("web/packages")["package"], space, name)
            found.append(Package(one["PackageId"], version, row["packagesizebytes"] if row else None))
    return tuple(found)


def acquire(packages: Iterable[Package], log: TaskLog) -> bool:
    """Write down which packages are there; False when one is not. Nothing is written where none is needed."""
    packages = list(packages)
    if not packages:
        return True
    element, whole = log.open("", "Acquire packages"), True
    for one in packages:
        if one.size is None:
            log.write(element, f"The built-in feed has no package {one.package} version {one.version}.", "Fatal")
            whole = False
        else:
            log.write(element, f"Package {one.package} version {one.version} is there ({one.size} bytes).")
    log.close(element, "Success" if whole else "Failed")
    return whole
