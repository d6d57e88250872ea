"""The packages of a release: chosen by clients or found in the built-in feed, held to the channel's rules (§A.15)."""

from collections.abc import Sequence
from typing import Any

from standin import kinds
from standin.acquisition import from_feed
from standin.documents import Document
from standin.newspace import builtin_feed_id
from standin.references import broken_rules, chosen_version, is_builtin, packages_of
from standin.statements import queries
from standin.versions import check_version, is_prerelease, matches_tag, prerelease_tag
from standin.web.commands import CreateReleaseV1
from standin.web.endpoints.builds import builds_of, show_build
from standin.web.refusals import invalid
from standin.work import Work

MISSING = "A version must be specified for every included package."
#: members of build information that a release keeps
_KEPT = (
    *("PackageId", "Version", "BuildEnvironment", "BuildNumber", "BuildUrl", "Branch", "VcsType", "VcsRoot"),
    *("VcsCommitNumber", "VcsCommitUrl", "IssueTrackerName", "WorkItems", "Commits"),
)


class Chosen:
    """The packages of a release as a client has chosen them, each by step and reference."""

    def __init__(self, selected: Sequence[Document], *, ignore_rules: bool) -> None:
        self._selected = selected
        self._ignore_rules = ignore_rules

    async def __call__(self, work: Work, process: Document, channel: Document) -> Document:
        """Return the members of the release that tell of its packages."""
        packages = list(packages_of(process, channel["Id"]))
        if not packages:
            return {}
        versions = [await self.version(work, one, channel) for one in packages]
        missing = [_name(one) for one, version in zip(packages, versions, strict=True) if not version]
        if missing:
            raise invalid(MISSING, *missing)
        selected = [_selection(one, str(version)) for one, version in zip(packages, versions, strict=True)]
        if not self._ignore_rules:
            _check_rules(channel, packages, selected)
        return {"SelectedPackages": selected, "BuildInformation": await _builds(work, channel, packages, selected)}

    async def version(self, _work: Work, package: Document, _channel: Document) -> str | None:
        """Return the version of a package, or None where nobody has chosen one."""
        return chosen_version(package, self._selected)


class Found(Chosen):
    """The packages of a release by names and defaults, as newer clients choose them; else the newest that fits."""

    def __init__(self, sent: CreateReleaseV1) -> None:
        super().__init__((), ignore_rules=sent.ignore_channel_rules)
        self._default = sent.package_version
        self._tag = sent.package_prerelease
        self._named = [_parse(one) for one in sent.packages]

    async def version(self, work: Work, package: Document, channel: Document) -> str | None:
        """Return the version that a client has named, its default one, or the newest in the built-in feed."""
        for step, reference, version in self._named:
            if _is_meant(package, step, reference):
                return version
        if self._default:
            return check_version(self._default)
        return chosen_version(package, ()) or await self._newest(work, package, channel)

    async def _newest(self, work: Work, package: Document, channel: Document) -> str | None:
        space = channel["SpaceId"]
        if not is_builtin(package, space):
            return None
        for row in await work.conn.fetch(queries("web/packages")["versions"], space, package["PackageId"]):
            version: str = row["version"]
            fits = matches_tag(prerelease_tag(version), self._tag) if self._tag else not is_prerelease(version)
            if fits and not list(broken_rules(channel, package, version)):
                return version
        return None


async def missing_packages(conn: Any, release: Document) -> list[Document]:
    """Return the packages of a release that the built-in feed has not; external feeds are not asked."""
    frozen = release["ProjectDeploymentProcessSnapshotId"]
    row, space = await conn.fetchrow(queries("web/releases")["frozen_process"], frozen), release["SpaceId"]
    packages = await from_feed(conn, kinds.PROCESS.read(row), release["ChannelId"], release)
    feed = builtin_feed_id(space)
    return [{"Id": one.package, "Version": one.version, "FeedId": feed} for one in packages if not one.file]


def _parse(text: str) -> tuple[str, str, str]:
    """Read `Step:Version`, `Package:Version` or `Step:Reference:Version`; `*` and "" stand for any.

    Raises:
        Rejected: 400, it is none of them.
    """
    parts = [part.strip() for part in text.replace("/", ":").replace("=", ":").split(":")]
    if len(parts) == 2:
        return parts[0], "*", check_version(parts[1])
    if len(parts) == 3:
        return parts[0] or "*", parts[1], check_version(parts[2])
    raise invalid(f"'{text[:200]}' does not say which package has which version; write Step:Version.")


def _is_meant(package: Document, step: str, reference: str) -> bool:
    names = {package["ActionName"].lower(), package["StepName"].lower(), package["PackageId"].lower(), "*"}
    return (step.lower() in names or not step) and reference.lower() in {"*", (package["Name"] or "").lower()}


def _check_rules(channel: Document, packages: Sequence[Document], selected: Sequence[Document]) -> None:
    broken = [
        problem
        for package, one in zip(packages, selected, strict=True)
        for problem in broken_rules(channel, package, one["Version"])
    ]
    if broken:
        raise invalid(*broken)


async def _builds(
    work: Work, channel: Document, packages: Sequence[Document], selected: Sequence[Document]
) -> list[Document]:
    pairs = zip(packages, selected, strict=True)
    names = list(dict.fromkeys(f"{package['PackageId']}.{one['Version']}" for package, one in pairs))
    known = await builds_of(work.conn, channel["SpaceId"], names)
    shown = [show_build(known[name.lower()]) for name in names if name.lower() in known]
    return [{member: build.get(member) for member in _KEPT} for build in shown]


def _selection(package: Document, version: str) -> Document:
    return {
        "ActionName": package["ActionName"],
        "StepName": package["StepName"],
        "PackageReferenceName": package["Name"] or "",
        "Version": version,
    }


def _name(package: Document) -> str:
    return f"{package['StepName']}: {package['PackageId']}"
