"""Versions of packages and releases: what a file's name says, their order, and ranges of them; pure rules."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from standin.errors import Rejected

#: one to four numbers, a pre-release part, build metadata
VERSION = re.compile(
    r"v?(?P<numbers>\d{1,18}(?:\.\d{1,18}){0,3})(?:[-_](?P<tag>[0-9A-Za-z._-]+))?(?:\+(?P<meta>[0-9A-Za-z._-]+))?",
    re.ASCII,
)
#: an id as feeds have it: no separator of paths, no blank, no dot at its ends
_PACKAGE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|\.(?=[A-Za-z0-9_+-])){0,149}")
#: endings of two words stand before those of one
EXTENSIONS = (
    *(".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tgz", ".tbz"),
    *(".nupkg", ".zip", ".tar", ".jar", ".war", ".ear", ".rar", ".whl"),
)
_RANGE = re.compile(r"(?P<open>[\[(])(?P<low>[^,\[\]()]*)(?P<comma>,)?(?P<high>[^,\[\]()]*)(?P<close>[\])])")


@dataclass(frozen=True, slots=True)
class PackageName:
    """What the name of a package's file says."""

    #: id of the package
    package: str
    #: its version, as written
    version: str
    #: the file's ending, with its dot
    extension: str


def parse_file_name(name: str) -> PackageName:
    """Read `<id>.<version>.<ending>` (octopus-api §A.13); the version is the longest that can be read.

    Raises:
        Rejected: 400, the name is no such name, or leads out of its folder.
    """
    lower = name.lower()
    extension = next((one for one in EXTENSIONS if lower.endswith(one)), "")
    stem = name[: len(name) - len(extension)]
    starts = [place.start() for place in re.finditer(r"\.(?=v?\d)", stem)] if extension else []
    for start in starts:
        package, version = stem[:start], stem[start + 1 :]
        if _PACKAGE.fullmatch(package) and VERSION.fullmatch(version) and "_" not in version:
            return PackageName(package, version, name[len(stem) :].lower())
    raise Rejected(
        400,
        f"The file name '{name[:200]}' does not name a package. It must be the package's id, its version and an "
        f"ending, with dots between them, such as Acme.Web.1.0.0.zip; endings are {', '.join(EXTENSIONS)}.",
    )


def check_package_id(package: str) -> str:
    """Return a package's id.

    Raises:
        Rejected: 400, no package can have it.
    """
    if not _PACKAGE.fullmatch(package):
        raise Rejected(400, f"'{package[:200]}' cannot be the id of a package.")
    return package


def check_version(version: str) -> str:
    """Return a version.

    Raises:
        Rejected: 400, it is none.
    """
    if len(version) > 349 or not VERSION.fullmatch(version):
        raise Rejected(400, f"'{version[:200]}' is not a version such as 1.4.2 or 1.4.2-beta.1.")
    return version


def sort_key(version: str) -> str:
    """Return a text that sorts as versions do, byte by byte (semver.org §11; four numbers as NuGet has them).

    What is no version sorts before all that are.
    """
    found = VERSION.fullmatch(version)
    if found is None:
        return " " + version.lower()
    numbers = [int(number) for number in found["numbers"].split(".")]
    padded = ".".join(f"{number:018d}" for number in (*numbers, 0, 0, 0)[:4])
    # A pre-release sorts before its release; numbers before words; fewer identifiers before more.
    return padded + ("-" + "!".join(_identifier(one) for one in found["tag"].split(".")) if found["tag"] else "~")


def is_prerelease(version: str) -> bool:
    """Say whether a version has a pre-release part."""
    return bool(prerelease_tag(version))


def prerelease_tag(version: str) -> str:
    """Return the pre-release part of a version, "" where it has none."""
    found = VERSION.fullmatch(version)
    return (found["tag"] or "") if found else ""


def matches_tag(tag: str, pattern: str) -> bool:
    """Say whether a pre-release part is what a rule wants: words with `|` between them, `.*` and `.+` in them.

    `^$` wants versions without a pre-release part. Rules are regular expressions in Octopus; these are the ones people
    write, and no text can make them slow.
    """
    return any(_fits(tag.lower(), one.strip().removeprefix("^").removesuffix("$")) for one in pattern.split("|"))


def in_range(version: str, limits: str) -> bool:
    """Say whether a version lies in a range as NuGet writes it: `[1.0,2.0)`, `(,3.0]`, `[1.5]`, or `1.0` for at least.

    Raises:
        Rejected: 400, it is no range.
    """
    limits = limits.strip()
    if VERSION.fullmatch(limits):
        return sort_key(version) >= sort_key(limits)
    found = _RANGE.fullmatch(limits)
    if found is None:
        raise Rejected(400, f"'{limits[:100]}' is not a range of versions such as [1.0,2.0) or 1.0.")
    low, high = found["low"].strip(), found["high"].strip()
    for end in (low, high):
        if end:
            check_version(end)
    if not found["comma"]:
        return sort_key(version) == sort_key(low)
    key = sort_key(version)
    above = not low or key > sort_key(low) or (found["open"] == "[" and key == sort_key(low))
    below = not high or key < sort_key(high) or (found["close"] == "]" and key == sort_key(high))
    return above and below


def _fits(tag: str, pattern: str) -> bool:
    if not pattern:
        return not tag
    return fnmatchcase(tag, pattern.lower().replace(".*", "*").replace(".+", "?*").replace("[", "[[]"))


def _identifier(text: str) -> str:
    return f"0{int(text):018d}" if text.isdecimal() and len(text) <= 18 else f"1{text.lower()}"
