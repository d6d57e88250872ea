"""The version of the next release: a mask filled in from the last one; pure rules (octopus-api §A.7, §A.9)."""

import re
from datetime import datetime

#: what a project has when nobody says otherwise
MASK = "#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}"
_PARTS = ("Major", "Minor", "Patch", "Revision")
_PLACE = re.compile(r"#\{\s*Octopus\.(?P<name>[A-Za-z.]+)\s*\}")
_NUMBERS = re.compile(r"\d{1,18}(?:\.\d{1,18}){0,3}", re.ASCII)


def next_version(last: str | None, mask: str | None, now: datetime, in_channel: str | None = None) -> str:
    """Return the version after `last`, `in_channel` being the last one of the channel.

    `Last…` and `Next…` stand for a part of the last version and the one after it, without a last version for 0 and 1;
    `i` in place of a number counts it up, `c` keeps it. What the mask says otherwise stays as it is.
    """
    wanted = mask or MASK

    def fill(place: re.Match[str]) -> str:
        words = place["name"].split(".")
        if words[0] == "Date" and len(words) == 2:
            found = {"Year": f"{now:%Y}", "Month": f"{now:%m}", "Day": f"{now:%d}"}.get(words[1])
        elif words[0] == "Version" and len(words) in {2, 3}:
            found = _part(words[-1], in_channel if words[1] == "Channel" else last)
        else:
            found = None
        return place[0] if found is None else found

    return _count(_PLACE.sub(fill, wanted), last)


def _part(name: str, version: str | None) -> str | None:
    """Return `LastMinor` or `NextPatch` of a version."""
    if name == "LastSuffix":
        return (version or "").partition("-")[2]
    for prefix in ("Last", "Next"):
        if name.startswith(prefix) and name.removeprefix(prefix) in _PARTS:
            number = _numbers(version)[_PARTS.index(name.removeprefix(prefix))]
            return str(number + (prefix == "Next"))
    return None


def _count(mask: str, last: str | None) -> str:
    """Fill in `i` and `c` where they stand for a whole number."""
    head, dash, suffix = mask.partition("-")
    parts = head.split(".")
    if len(parts) > len(_PARTS):
        return mask
    known = _numbers(last)
    filled = [str(known[place] + (part == "i")) if part in {"i", "c"} else part for place, part in enumerate(parts)]
    return ".".join(filled) + dash + suffix


def _numbers(version: str | None) -> tuple[int, int, int, int]:
    found = _NUMBERS.match((version or "0").removeprefix("v"))
    numbers = [int(one) for one in found[0].split(".")] if found else []
    major, minor, patch, revision = (*numbers, 0, 0, 0, 0)[:4]
    return major, minor, patch, revision
