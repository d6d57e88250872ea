"""Packages that a process refers to, and the versions that a release has chosen of them; pure rules (§A.9, §A.15)."""

from collections.abc import Iterable, Iterator
from typing import Any

from standin.documents import Document
from standin.newspace import builtin_feed_id
from standin.versions import in_range, matches_tag, prerelease_tag


def packages_of(process: Document, channel: str | None) -> Iterator[Document]:
    """Yield the packages that a release of a process in a channel chooses versions of."""
    for step in process["Steps"]:
        for action in step.get("Actions") or []:
            channels = action.get("Channels") or []
            if not action.get("IsDisabled") and (not channels or channel in channels):
                for one in _references(action):
                    yield {**one, "ActionName": action["Name"], "StepName": step["Name"]}


def chosen_version(package: Document, selected: Iterable[Document]) -> str | None:
    """Return the version that a release has chosen of a package, or the one that its process has fixed."""
    for one in selected:
        names = {one.get("ActionName"), one.get("StepName")} - {None, ""}
        step = package["ActionName"] in names or package["StepName"] in names
        if step and (one.get("PackageReferenceName") or "") == (package["Name"] or "") and one.get("Version"):
            return str(one["Version"])
    return package.get("Version") or None


def is_builtin(package: Document, space: str) -> bool:
    """Say whether a package comes from the built-in feed of a space."""
    return package["FeedId"] in {None, "", "feeds-builtin", builtin_feed_id(space)}


def broken_rules(channel: Document, package: Document, version: str) -> Iterator[str]:
    """Yield what a channel's rules have against a version of a package (octopus-api §A.8)."""
    for rule in channel.get("Rules") or []:
        if not any(_is_meant(one, package) for one in rule.get("ActionPackages") or []):
            continue
        limits, tag = rule.get("VersionRange"), rule.get("Tag")
        if (limits and not in_range(version, limits)) or (tag and not matches_tag(prerelease_tag(version), tag)):
            wanted = " and ".join(one for one in (limits, tag) if one)
            yield f"The version {version} of {package['PackageId']} does not fit the channel's rule {wanted}."


def _is_meant(one: Document, package: Document) -> bool:
    return one.get("DeploymentAction") == package["ActionName"] and (one.get("PackageReference") or "") == (
        package["Name"] or ""
    )


def _references(action: Document) -> Iterator[dict[str, Any]]:
    """Yield the packages that an action names: in its list, or, as old clients write it, in its properties."""
    listed = action.get("Packages") or []
    for one in listed:
        yield {name: one.get(name) for name in ("PackageId", "FeedId", "Name", "Version")}
    properties = action.get("Properties") or {}
    package = properties.get("Octopus.Action.Package.PackageId")
    if package and not listed:
        yield {"PackageId": package, "FeedId": properties.get("Octopus.Action.Package.FeedId"), "Name": ""}
