"""The pure parts of the stand-in's contract: routes, queries, bodies, pages."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin.errors import Rejected
from standin.masks import next_version
from standin.versions import in_range, parse_file_name, sort_key
from standin.web import models
from standin.web.body import convert, decode
from standin.web.endpoints.releases import checked
from standin.web.paging import envelope, number_of_pages, page_links
from standin.web.query import ALL, Query, Window
from standin.web.routes import ROUTES
from standin.web.routing import Router
from standin.web.tasks import duration_text

pytestmark = pytest.mark.unit

ROUTER = Router(ROUTES)


@pytest.mark.parametrize(
    ("path", "space"),
    [
        ("/api/spaces/Spaces-1/projects/Projects-7/releases", "Spaces-1"),
        ("/api/spaces/my-space/projects/Projects-7/releases", "my-space"),
        ("/api/Spaces-22/projects/Projects-7/releases", "Spaces-22"),
        ("/api/projects/Projects-7/releases", None),
        ("/API/Projects/Projects-7/RELEASES/", None),
    ],
)
def test_a_resource_has_three_routes_in_any_case(path: str, space: str | None) -> None:
    """A space's resource is found under its space by id or slug, under the bare id, and under none."""
    match = ROUTER.match("GET", path)
    assert (match.route.path, match.space) == ("projects/{id}/releases", space)
    assert match.params == {"id": "Projects-7"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api", ""),
        ("/api/", ""),
        ("/api/Spaces-1", ""),
        ("/api/spaces/all", "spaces/all"),
        ("/api/spaces/Spaces-1", "spaces/{id}"),
        ("/api/environments/all", "environments/all"),
        ("/api/tasks/taskTypes", "tasks/tasktypes"),
        ("/api/Spaces-1/deploymentProcesses/deploymentprocess-Projects-1", "deploymentprocesses/{id}"),
    ],
)
def test_a_literal_segment_goes_before_a_variable_one(path: str, found: str) -> None:
    """`/all` and its like are no ids."""
    assert ROUTER.match("GET", path).route.path == found


def test_the_root_and_a_space_home_differ() -> None:
    """`/api` is the root document, `/api/Spaces-1` the home of a space."""
    assert ROUTER.match("GET", "/api").route is not ROUTER.match("GET", "/api/Spaces-1").route


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/api/Spaces-1/dashboardx", 404),
        ("GET", "/", 404),
        ("GET", "/app", 404),
        ("GET", "/api/Spaces-1/octopusservernodes", 404),
        ("DELETE", "/api/projects", 405),
        ("PATCH", "/api/tasks/ServerTasks-1", 405),
    ],
)
def test_an_unknown_path_is_404_and_an_unknown_method_405(method: str, path: str, status: int) -> None:
    """What is missing and what is not allowed are told apart; system resources are in no space."""
    with pytest.raises(Rejected) as caught:
        ROUTER.match(method, path)
    assert caught.value.status == status


def test_no_route_is_listed_twice() -> None:
    """A later route would silently replace an earlier one."""
    keys = [(route.method, route.path.lower(), route.scope.value) for route in ROUTES]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "raw", [b"States=Queued&STATES=Executing", b"states=Queued,Executing", b"states=Queued%2CExecuting"]
)
def test_lists_are_repeated_or_joined_with_commas(raw: bytes) -> None:
    """python-requests repeats a name, other clients join with commas, some escape the comma."""
    assert Query(raw).many("states") == ["Queued", "Executing"]


@pytest.mark.parametrize(
    "raw",
    [
        b"from=2024-09-23T14:45:00.123%2B00:00",
        b"from=2024-09-23+14:45:00.123000%2B00:00",
        b"from=2024-09-23%2014%3A45%3A00.123000%2B00%3A00",
        b"from=2024-09-23T16:45:00.123+02:00",
        b"from=2024-09-23T14:45:00.123Z",
        b"From=2024-09-23T14:45:00.123",
    ],
)
def test_a_date_may_come_with_a_t_or_a_blank(raw: bytes) -> None:
    """Both forms that clients send are the same moment, also where the plus was not escaped."""
    assert Query(raw).time("from") == datetime(2024, 9, 23, 14, 45, 0, 123000, UTC)


@pytest.mark.parametrize(
    "raw", [b"take=-1", b"skip=-5", b"take=many", b"take=2147483648", b"skip=99999999999999999999", b"take=1.5"]
)
def test_a_page_that_cannot_be_is_refused(raw: bytes) -> None:
    """Negative, huge and wordy pages are the client's mistake."""
    with pytest.raises(Rejected) as caught:
        Query(raw).window()
    assert caught.value.status == 400


@pytest.mark.parametrize(("name", "raw"), [("active", b"active=perhaps"), ("from", b"from=yesterday")])
def test_a_value_of_the_wrong_type_is_refused(name: str, raw: bytes) -> None:
    """A truth value and a date are read strictly."""
    with pytest.raises(Rejected):
        Query(raw).flag(name) if name == "active" else Query(raw).time(name)


@given(st.integers(0, 5_000), st.integers(1, 500))
def test_following_next_links_sees_every_item_once(total: int, take: int) -> None:
    """From the first page, `Page.Next` leads over all items without gap or overlap, and ends."""
    seen, skip, pages = 0, 0, 0
    while True:
        pages += 1
        seen += min(take, max(total - skip, 0))
        following = page_links(total, Window(skip, take), "/api/x", "").get("Page.Next")
        if following is None:
            break
        skip = int(following.split("skip=")[1].split("&")[0])
    assert seen == total
    assert pages == max(number_of_pages(total, take), 1)


def test_a_page_counts_as_recorded_servers_do() -> None:
    """Three items on a page of thirty are one page, whose number is 0, with no next and no previous one."""
    page = envelope("Task", [1, 2, 3], 3, Window(0, 30), "/api/tasks", "&states=Queued")
    assert (page["TotalResults"], page["NumberOfPages"], page["LastPageNumber"], page["ItemsPerPage"]) == (3, 1, 0, 30)
    assert not {"Page.Next", "Page.Previous"} & set(page["Links"])
    assert page["Links"]["Page.All"] == f"/api/tasks?skip=0&take={ALL}&states=Queued"


def test_the_middle_page_keeps_its_filters_but_not_the_key() -> None:
    """Links lead to neighbouring pages under the same filters; a key in the query is not repeated in them."""
    query = Query(b"ApiKey=API-X&partialName=a%20b&skip=20&take=10")
    links = page_links(45, query.window(), "/api/projects", query.filters())
    assert links["Page.Next"] == "/api/projects?skip=30&take=10&partialname=a+b"
    assert links["Page.Previous"] == "/api/projects?skip=10&take=10&partialname=a+b"
    assert links["Page.Last"] == "/api/projects?skip=40&take=10&partialname=a+b"
    assert "API-X" not in "".join(links.values())


def test_a_body_is_read_in_any_case_and_unknown_names_are_ignored() -> None:
    """Names of members are folded at every depth; a user's own names, such as properties of an action, are not."""
    body = {
        "version": 3,
        "links": {"Self": "x"},
        "steps": [{"name": "A", "Actions": [{"NAME": "B", "properties": {"Octopus.Action.Script.ScriptBody": "x"}}]}],
    }
    process = convert(body, models.DeploymentProcess)
    assert process.version == 3
    assert process.steps[0].actions[0].properties == {"Octopus.Action.Script.ScriptBody": "x"}
    assert "StartTrigger" in msgspec.to_builtins(process.steps[0])


def test_a_null_where_none_belongs_counts_as_not_sent() -> None:
    """Clients send null for lists that they leave alone."""
    assert convert({"Name": "L", "Phases": None}, models.Lifecycle).phases == []


@pytest.mark.parametrize(
    "body", [[], "x", 5, None, {"Name": 5}, {"Name": ""}, {"Name": "x" * 300}, {"Name": "L", "Phases": {"a": 1}}]
)
def test_a_body_of_the_wrong_shape_is_refused(body: Any) -> None:
    """A wrong type is a validation error with the place of the fault."""
    with pytest.raises(Rejected) as caught:
        convert(body, models.Lifecycle)
    assert caught.value.status == 400
    assert caught.value.errors


@pytest.mark.parametrize("raw", [b"", b"  ", b"{", b'{"Name": "a"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """An empty, cut or endless body is the client's mistake."""
    with pytest.raises(Rejected) as caught:
        decode(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("sent", "strategy", "quantity", "forever"),
    [
        ({"QuantityToKeep": 3, "Unit": "Items"}, "Count", 3, False),
        ({"QuantityToKeep": 3, "Unit": "Items", "ShouldKeepForever": False, "Strategy": "Count"}, "Count", 3, False),
        ({"Strategy": "Forever"}, "Forever", 0, True),
        ({"QuantityToKeep": 0, "Unit": "Items"}, "Default", 0, True),
        ({"QuantityToKeep": 0, "Unit": "Items", "ShouldKeepForever": True}, "Forever", 0, True),
        ({"QuantityToKeep": 0, "Unit": "Items", "ShouldKeepForever": True, "Strategy": "Default"}, "Default", 0, True),
        ({"QuantityToKeep": 0, "Unit": "Days"}, "Forever", 0, True),
        ({"QuantityToKeep": 30, "Unit": "Days"}, "Count", 30, False),
    ],
)
def test_retention_is_read_as_old_and_new_clients_write_it(
    sent: dict[str, Any], strategy: str, quantity: int, *, forever: bool
) -> None:
    """A policy without a strategy has the one that its numbers stand for; nothing is kept for ever."""
    policy = convert(sent, models.RetentionPeriod).normal()
    assert (policy.strategy, policy.quantity_to_keep, policy.should_keep_forever) == (strategy, quantity, forever)
    assert policy.normal() == policy


@pytest.mark.parametrize("version", ["1", "1.2.3.4", "1.0.0-beta.1", "2024.1.0+build.7", "v1.0"])
def test_versions_of_one_to_four_numbers_are_taken(version: str) -> None:
    """A version has one to four numbers, a pre-release part and metadata."""
    assert checked(f" {version} ") == version


@pytest.mark.parametrize("version", ["", "latest", "1.2.3.4.5", "1..2", "1.0 beta", "1.0'; drop table release"])
def test_other_versions_are_refused(version: str) -> None:
    """What is no version is refused with the rule."""
    with pytest.raises(Rejected):
        checked(version)


@pytest.mark.parametrize(
    ("last", "mask", "following"),
    [
        (None, None, "0.0.1"),
        ("0.0.9", None, "0.0.10"),
        ("1.2.3-beta.4", None, "1.2.4"),
        ("7", None, "7.0.1"),
        ("v2.5", None, "2.5.1"),
        ("1.2.3", "#{Octopus.Version.NextMajor}.0.0", "2.0.0"),
        ("1.2.3", "#{Octopus.Date.Year}.#{Octopus.Date.Month}.#{Octopus.Version.NextPatch}", "2026.03.4"),
        ("1.2.3", "#{Octopus.Version.Channel.NextMinor}.x", "6.x"),
        ("1.2.3", "1.2.i", "1.2.4"),
        ("1.2.3", "1.c.0-beta", "1.2.0-beta"),
        ("1.2.3", "#{Octopus.Action.Package.PackageVersion}", "#{Octopus.Action.Package.PackageVersion}"),
    ],
)
def test_the_next_version_follows_the_mask(last: str | None, mask: str | None, following: str) -> None:
    """Without a mask the third number counts; parts of the last version, of the channel's last and of the date."""
    assert next_version(last, mask, datetime(2026, 3, 4, tzinfo=UTC), "4.5.6") == following


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 seconds"), (1, "1 second"), (6.2, "6 seconds"), (60, "1 minute"), (7200, "2 hours")]
)
def test_a_duration_is_written_in_words(seconds: float, text: str) -> None:
    """As recorded servers write it."""
    assert duration_text(seconds) == text


ORDER = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.2 1.10"


def test_versions_sort_as_semver_says() -> None:
    """The order of semver.org §11.4, with NuGet's fourth number; texts would put 1.10 before 1.2."""
    versions = ORDER.split()
    assert sorted(set(versions), key=sort_key) == versions


@pytest.mark.parametrize(
    ("name", "package", "version"),
    [
        ("Acme.Web.1.0.0.zip", "Acme.Web", "1.0.0"),
        ("a.b.1.2.3-beta.4.tar.gz", "a.b", "1.2.3-beta.4"),
        ("My.2.App.1.0.0.NUPKG", "My.2.App", "1.0.0"),
        ("x_y-z.1.zip", "x_y-z", "1"),
        ("hello.1.0.0+build.5.jar", "hello", "1.0.0+build.5"),
        ("five.1.2.3.4.5.zip", "five.1", "2.3.4.5"),
    ],
)
def test_a_file_name_says_package_and_version(name: str, package: str, version: str) -> None:
    """The version is the longest that the end of the name can be read as."""
    found = parse_file_name(name)
    assert (found.package, found.version) == (package, version)


@given(st.text(max_size=60))
def test_no_file_name_leads_out_of_its_folder(name: str) -> None:
    """Whatever is sent, a package's id and version hold no separator, and no dot follows a dot."""
    try:
        found = parse_file_name(f"{name}.1.0.0.zip")
    except Rejected:
        return
    assert not set("/\\\0:") & set(found.package + found.version)
    assert ".." not in found.package + found.version


@pytest.mark.parametrize(
    ("version", "limits", "inside"),
    [
        ("1.5", "[1.0,2.0)", True),
        ("2.0", "[1.0,2.0)", False),
        ("2.0.0", "[1.0,2.0]", True),
        ("1.0", "(1.0,)", False),
        ("9.9", "(,9.9]", True),
        ("1.0.0-beta", "1.0", False),
        ("1.0.0", "[1.0]", True),
    ],
)
def test_a_range_of_versions_has_ends(version: str, limits: str, *, inside: bool) -> None:
    """Square brackets take the end in, round ones leave it out, a bare version is the least."""
    assert in_range(version, limits) is inside
