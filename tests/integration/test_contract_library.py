"""The contract of the stand-in for its library: packages, feeds and build information (octopus-api §A.13)."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.octopus_server import Document, Octopus, StandIn

pytestmark = pytest.mark.integration

MIB = 1 << 20


def push(space: Octopus, name: str, content: Any = b"content", *, status: int = 201, **query: str) -> Any:
    """Push a package as the TypeScript client does."""
    files = {"fileToUpload": (name, content, "application/octet-stream")}
    answer = space.http.post(f"/api{space.home}/packages/raw", params=query, files=files)
    assert answer.status_code == status, answer.text
    return answer.json()


def events(space: Octopus, document: str) -> list[str]:
    """The categories of a document's events, oldest first."""
    return [event["Category"] for event in reversed(space.get("/events", regarding=document)["Items"])]


@pytest.mark.proves(
    "POST packages/raw",
    "GET packages/{id}",
    "GET packages/{id}/raw",
    "DELETE packages/{id}",
    "GET packages/{packageId}/{version}/delta-signature",
)
def test_a_package_is_pushed_read_and_deleted(space: Octopus) -> None:
    """Id and version come from the file's name, the hash from its bytes; it comes back byte by byte, until deleted."""
    content = bytes(range(256)) * 5000
    space.get("/packages/Acme.Web/1.2.0/delta-signature", status=404)
    package = push(space, "Acme.Web.1.2.0-beta.1.tar.gz", content)
    assert package == space.get(f"/packages/{package['Id']}")
    assert (package["Id"], package["PackageId"], package["NuGetPackageId"], package["Version"]) == (
        *("packages-Acme.Web.1.2.0-beta.1", "Acme.Web", "Acme.Web"),
        "1.2.0-beta.1",
    )
    assert (package["FileExtension"], package["PackageSizeBytes"]) == (".tar.gz", len(content))
    assert package["Hash"] == hashlib.sha1(content).hexdigest()
    assert package["FeedId"] == package["NuGetFeedId"] == f"feeds-builtin-{space.home[1:]}"
    assert space.http.get(package["Links"]["Raw"]).content == content
    assert space.http.get(package["Links"]["Self"]).json() == package
    space.delete(f"/packages/{package['Id']}")
    space.get(f"/packages/{package['Id']}", status=404)
    space.get(f"/packages/{package['Id']}/raw", status=404)
    assert events(space, package["Id"]) == ["Created", "Deleted"]


def test_a_package_that_is_there_fails_stays_or_is_replaced(space: Octopus) -> None:
    """409 unless the client says what to do; the old `replace=true` replaces as well."""
    first = push(space, "App.1.0.zip", b"one")
    refused = push(space, "app.1.0.zip", b"two", status=409)
    assert refused["ErrorMessage"].startswith("A package with the same name and version already exists")
    assert push(space, "App.1.0.zip", b"two", status=200, overwriteMode="IgnoreIfExists")["Hash"] == first["Hash"]
    for content, query in ((b"three", {"overwriteMode": "overwriteexisting"}), (b"four", {"replace": "true"})):
        assert push(space, "App.1.0.zip", content, **query)["Id"] == first["Id"]
        assert space.http.get(first["Links"]["Raw"]).content == content
    push(space, "App.1.0.zip", status=400, overwriteMode="Sometimes")
    assert space.get("/packages")["TotalResults"] == 1
    assert events(space, first["Id"]) == ["Created", "Modified", "Modified"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../evil.1.0.0.zip", "a/../../evil.1.0.0.zip", "C:\\evil.1.0.0.zip", "evil..1.0.0.zip", ".1.0.0.zip"),
        *(
            "evil.1.0.0",
            "evil.zip",
            "evil.1.0.0/../x.zip",
            "ev\til.1.0.0.zip",
            "evil.1.0.0.exe",
            "e" * 300 + ".1.0.zip",
        ),
    ],
)
def test_a_file_name_that_names_no_package_is_refused(space: Octopus, name: str) -> None:
    """Nothing that leads out of the folder, and nothing without an id, a version and an ending."""
    push(space, name, status=400)
    assert space.get("/packages")["TotalResults"] == 0


def test_a_body_without_a_file_is_refused(space: Octopus) -> None:
    """An empty file, a form without files, no form at all, and forms that break off: 400, and the server goes on."""
    push(space, "App.1.0.zip", b"", status=400)
    path = f"/api{space.home}/packages/raw"
    half = b'--x\r\nContent-Disposition: form-data; name="a"; filename="App.1.0.zip"\r\n\r\nhalf'
    for body, kind in (
        (b"", "application/json"),
        (b"PK", "application/octet-stream"),
        (b"PK", "multipart/form-data"),
        (half, "multipart/form-data; boundary=x"),
        (b"-" * 3 * MIB, "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ):
        answer = space.http.post(path, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, set(answer.json())) == (400, {"ErrorMessage", "Errors"}), (body[:50], answer.text)
    assert space.get("/packages")["TotalResults"] == 0


@pytest.mark.proves(
    "GET packages",
    "DELETE packages/bulk",
    "GET packages/notes",
    "GET feeds/stats",
)
def test_packages_are_listed_by_id_the_newest_first(space: Octopus) -> None:
    """Versions are ordered as versions are, not as texts; filters choose by id, by a part of it, and the latest."""
    for name in ("App.1.9.0.zip", "App.1.10.0.zip", "App.1.10.0-rc.2.zip", "App.1.10.0-rc.11.zip", "Other.2.0.zip"):
        push(space, name)
    assert space.get("/feeds/stats")["TotalPackages"] == 5
    listed = space.get("/packages")
    assert (listed["ItemType"], listed["TotalResults"]) == ("PackageFromBuiltInFeed", 5)
    versions = ["1.10.0", "1.10.0-rc.11", "1.10.0-rc.2", "1.9.0"]
    assert [one["Version"] for one in listed["Items"]] == [*versions, "2.0"]
    assert [one["Version"] for one in space.get("/packages", nuGetPackageId="app")["Items"]] == versions
    assert [one["Version"] for one in space.get("/packages", latest=True)["Items"]] == ["1.10.0", "2.0"]
    assert space.get("/packages", filter="OTH")["TotalResults"] == 1
    space.get("/packages", filter="a", nuGetPackageId="App", status=400)
    (notes,) = space.get("/packages/notes", packageIds="App:1.9.0")["Packages"]
    assert (notes["PackageId"], notes["Notes"]["Succeeded"]) == ("App", True)
    space.delete("/packages/bulk?ids=packages-App.1.9.0,packages-App.1.10.0,packages-Nobody.1.0")
    assert space.get("/packages", nuGetPackageId="App")["TotalResults"] == 2


@pytest.mark.proves(
    "POST packages/{packageId}/{baseVersion}/delta",
)
def test_a_delta_is_refused(space: Octopus) -> None:
    """The server offers no signature, so no delta can follow it; the client pushes the whole package."""
    space.post("/packages/App/1.0/delta", {}, status=400)


@pytest.mark.proves(
    "GET feeds",
    "GET feeds/all",
    "GET feeds/{id}",
    "POST feeds",
    "PUT feeds/{id}",
    "DELETE feeds/{id}",
)
def test_feeds_keep_their_secrets(space: Octopus) -> None:
    """A space has its built-in feed, which stays; an external one is put back whole, its password never returned."""
    (builtin,) = space.get("/feeds", feedType="BuiltIn")["Items"]
    assert (builtin["Name"], builtin["FeedType"]) == ("Octopus Server (built-in)", "BuiltIn")
    assert space.get("/feeds/feeds-builtin") == builtin
    sent = {"Name": "Registry", "FeedType": "Docker", "FeedUri": "https://r.example", "Username": "me"}
    feed = space.post("/feeds", {**sent, "Password": {"HasValue": True, "NewValue": "hunter2"}})
    assert feed["Password"] == {"HasValue": True, "NewValue": None, "Hint": None}
    again = space.put(f"/feeds/{feed['Id']}", {**feed, "Name": "Images", "FeedType": "NuGet"})
    assert (again["Name"], again["FeedType"], again["Password"]["HasValue"]) == ("Images", "Docker", True)
    assert [one["Name"] for one in space.get("/feeds/all")] == ["Images", builtin["Name"]]
    assert "hunter2" not in space.http.get(f"/api{space.home}/feeds").text
    assert "hunter2" not in space.http.get(f"/api{space.home}/events").text
    space.post("/feeds", {"Name": "Another", "FeedType": "BuiltIn"}, status=400)
    space.delete(f"/feeds/{builtin['Id']}", status=400)
    space.delete(f"/feeds/{feed['Id']}")
    assert space.get("/feeds")["TotalResults"] == 1
    assert events(space, feed["Id"]) == ["Created", "Modified", "Deleted"]


@pytest.mark.proves(
    "GET feeds/{id}/packages/versions",
    "GET feeds/{id}/packages/search",
)
def test_a_feed_is_asked_for_versions(space: Octopus) -> None:
    """By range, by pre-release part and by text, newest first; a search finds a package once."""
    for version in ("1.0.0", "1.5.0-beta.1", "1.5.0", "2.0.0"):
        push(space, f"App.{version}.zip")
    path = "/feeds/feeds-builtin/packages"

    def versions(**query: Any) -> list[str]:
        found = space.get(f"{path}/versions", packageId="App", **query)["Items"]
        return [one["Version"] for one in found]

    assert versions() == ["2.0.0", "1.5.0", "1.5.0-beta.1", "1.0.0"]
    assert versions(take=1) == ["2.0.0"]
    assert versions(versionRange="[1.0,2.0)", includePreRelease=False) == ["1.5.0", "1.0.0"]
    assert versions(preReleaseTag="beta.*") == ["1.5.0-beta.1"]
    assert versions(preReleaseTag="^$") == ["2.0.0", "1.5.0", "1.0.0"]
    assert versions(filter="5.0") == ["1.5.0", "1.5.0-beta.1"]
    space.get(f"{path}/versions", status=400)
    space.get(f"{path}/versions", packageId="App", versionRange="[1", status=400)
    (found,) = space.get(f"{path}/search", term="ap")["Items"]
    assert (found["Id"], found["LatestVersion"]) == ("App", "2.0.0")
    external = space.post("/feeds", {"Name": "Far", "FeedUri": "https://far.example"})
    assert space.get(f"/feeds/{external['Id']}/packages/versions", packageId="App")["Items"] == []


@pytest.mark.proves(
    "POST build-information",
    "GET build-information",
    "GET build-information/{id}",
    "DELETE build-information/{id}",
    "DELETE build-information/bulk",
)
def test_build_information_belongs_to_a_version_of_a_package(space: Octopus) -> None:
    """It shows on the package, is not doubled unless asked for, and goes by id or in bulk."""
    commits = [{"Id": "abc123", "Comment": "A change"}]
    details = {"BuildEnvironment": "Jenkins", "BuildNumber": "7", "Branch": "main", "Commits": commits}
    sent = {"PackageId": "App", "Version": "1.0.0", "OctopusBuildInformation": details}
    build = space.post("/build-information", sent, status=200)
    assert (build["PackageId"], build["BuildNumber"], build["Commits"][0]["Id"]) == ("App", "7", "abc123")
    assert build["WorkItems"] == []
    assert space.get(f"/build-information/{build['Id']}") == build
    assert push(space, "App.1.0.0.zip")["PackageVersionBuildInformation"]["Branch"] == "main"
    refused = space.post("/build-information", sent, status=409)
    assert refused["ErrorMessage"].startswith("Metadata for the specified Package ID and version already exists.")
    ignored = {**sent, "OctopusBuildInformation": {"BuildNumber": "8"}}
    path = "/build-information?overwriteMode="
    assert space.post(f"{path}IgnoreIfExists", ignored, status=200)["BuildNumber"] == "7"
    assert space.post(f"{path}OverwriteExisting", ignored, status=200)["BuildNumber"] == "8"
    space.post("/build-information", {**sent, "PackageId": "../App"}, status=400)
    others = [space.post("/build-information", {**sent, "Version": f"1.{n}.0"}, status=200) for n in (2, 10)]
    listed = space.get("/build-information", packageId="app")["Items"]
    assert [one["Version"] for one in listed] == ["1.10.0", "1.2.0", "1.0.0"]
    assert [one["Version"] for one in space.get("/build-information", latest=True)["Items"]] == ["1.10.0"]
    space.delete(f"/build-information/{build['Id']}")
    space.get(f"/build-information/{build['Id']}", status=404)
    space.delete("/build-information/bulk?ids=" + ",".join(one["Id"] for one in others))
    assert space.get("/build-information")["TotalResults"] == 0
    assert events(space, build["Id"]) == ["Created", "Modified", "Deleted"]


class Zeros:
    """A file of zeros, read in pieces: it takes no memory in this process either."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return bytes(size)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(MIB):
            yield piece


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_a_large_package_takes_no_memory(space: Octopus, standin: StandIn) -> None:
    """64 MB go through the node, in and out, and its peak of memory grows by less than 24 MB."""
    (node,) = (one for one in psutil.Process(standin.pid).children() if "standin.node" in one.cmdline())
    push(space, "Small.1.0.zip", Zeros(2 * MIB))
    before, size = peak(node.pid), 64 * MIB
    package: Document = push(space, "Large.1.0.zip", Zeros(size))
    assert package["PackageSizeBytes"] == size
    with space.http.stream("GET", package["Links"]["Raw"]) as answer:
        assert sum(len(piece) for piece in answer.iter_bytes()) == size
    assert peak(node.pid) - before < 24 * MIB


def peak(pid: int) -> int:
    """The most memory that a process has had so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
