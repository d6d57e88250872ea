"""The contract of the stand-in for the root, its links, and the settings of the instance."""

import re

import pytest

from tests.octopus_server import Octopus

pytestmark = pytest.mark.integration


@pytest.mark.proves("GET /", "GET {spaceId}", "B.3 each link of the root leads somewhere")
def test_each_link_of_the_root_leads_somewhere(server: Octopus) -> None:
    """Whatever a client or the portal looks up in the root is served: no link is a dead end (§B.6)."""
    root = server.get("")
    assert {"Application", "Version", "ApiVersion", "InstallationId", "Links"} <= set(root)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", root["InstallationId"])
    assert server.get("/Spaces-1")["Links"]["Projects"] == root["Links"]["Projects"]
    dead = set()
    for name, link in root["Links"].items():
        path = re.sub(r"\{[/?][^}]*\}", "", link)
        if path.startswith("/api") and "{" not in path and name not in WRITTEN | ELSEWHERE:
            # A route that needs a value of the query says 400.
            status = server.http.get(path).status_code
            dead |= set() if status in {200, 400} else {f"{name}: {status}"}
    assert {one.partition(":")[0] for one in dead} <= NOT_YET, str(dead)


#: links that are only written to, each under a test of its own
WRITTEN = {
    *("EnvironmentSortOrder", "TagSetSortOrder", "WorkerPoolsSortOrder"),
    *("SignIn", "SignOut", "PackageUpload", "PackagesBulk", "BuildInformationBulk"),
}
#: links to what this server does not do: it neither imports, nor registers, nor asks other services
ELSEWHERE = {
    *("MigrationsImport", "MigrationsPartialExport", "Register", "LoginInitiated", "TeamMembershipPreviewTeam"),
    *("AzureDevOpsConnectivityCheck", "JiraConnectAppCredentialsTest", "JiraCredentialsTest"),
    "VersionControlClearCache",
}
#: links that are not served yet
NOT_YET = {
    *("Artifacts", "CurrentLicense", "DashboardConfiguration", "ExtensionStats", "MaintenanceConfiguration"),
    *("PackageMetadata", "PerformanceConfiguration", "Reporting/DeploymentsCountedByWeek", "Timezones"),
    *("UserOnboarding", "ArchivedEventFiles"),
}


@pytest.mark.proves(
    "GET configuration",
    "GET configuration/{id}",
    "GET configuration/{id}/metadata",
    "GET configuration/{id}/values",
    "PUT configuration/{id}/values",
    "GET configuration/retention-default",
    "PUT configuration/retention-default",
)
def test_settings_of_the_instance_are_listed_read_and_written(server: Octopus) -> None:
    """Each section with its members and its values; a value of the wrong kind is refused (§A.5)."""
    sections = {one["Id"]: one for one in server.get("/configuration")["Items"]}
    page = server.get("/configuration", skip=1, take=1)
    assert ([one["Id"] for one in page["Items"]], page["TotalResults"]) == ([list(sections)[1]], len(sections))
    assert {"retentionpolicies", "eventretention", "smtp"} <= set(sections)
    assert server.get("/configuration/eventretention")["Links"] == sections["eventretention"]["Links"]
    members = server.get("/configuration/eventretention/metadata")["Types"][0]["Properties"]
    assert [(one["Name"], one["Type"]) for one in members] == [("EventRetentionDays", "integer")]
    path = "/configuration/eventretention/values"
    values, before = server.get(path), server.get("/events", regarding="eventretention")["TotalResults"]
    try:
        assert server.put(path, {**values, "EventRetentionDays": 30})["EventRetentionDays"] == 30
        assert server.get(path)["EventRetentionDays"] == 30
        server.put(path, {**values, "EventRetentionDays": "many"}, status=400)
        server.put(path, {**values, "EventRetentionDays": 0}, status=400)
        assert server.put("/configuration/retention-default", {"RetentionDays": 7}) == {"RetentionDays": 7}
        assert server.get("/configuration/retention-default") == {"RetentionDays": 7}
    finally:
        server.put(path, values)
        server.put("/configuration/retention-default", {"RetentionDays": 0})
    server.get("/configuration/nothing/values", status=404)
    told = server.get("/events", regarding="eventretention")
    assert told["TotalResults"] == before + 2
    assert {one["Category"] for one in told["Items"]} == {"Modified"}


@pytest.mark.parametrize(
    ("path", "member", "value"),
    [
        pytest.param(
            "featuresconfiguration",
            "IsHelpSidebarEnabled",
            False,
            marks=pytest.mark.proves("GET featuresconfiguration", "PUT featuresconfiguration"),
        ),
        pytest.param(
            "letsencryptconfiguration",
            "DnsName",
            "octopus.example.com",
            marks=pytest.mark.proves("GET letsencryptconfiguration", "PUT letsencryptconfiguration"),
        ),
        pytest.param(
            "upgradeconfiguration",
            "NotificationMode",
            "NeverShow",
            marks=pytest.mark.proves("GET upgradeconfiguration", "PUT upgradeconfiguration"),
        ),
        pytest.param(
            "serverconfiguration",
            "ServerUri",
            "https://octopus.example.com",
            marks=pytest.mark.proves(
                "GET serverconfiguration", "PUT serverconfiguration", "GET serverconfiguration/settings"
            ),
        ),
        pytest.param(
            "smtpconfiguration",
            "SmtpHost",
            "mail.example.com",
            marks=pytest.mark.proves(
                "GET smtpconfiguration", "PUT smtpconfiguration", "GET smtpconfiguration/isconfigured"
            ),
        ),
    ],
)
def test_a_setting_with_an_address_of_its_own_is_kept(server: Octopus, path: str, member: str, value: object) -> None:
    """It is put back whole, with its links; passwords in it are kept and not shown."""
    before = server.get(f"/{path}")
    secret = {"Details": {"Password": {"HasValue": True, "NewValue": "hunter2hunter2"}}} if "smtp" in path else {}
    try:
        changed = server.put(f"/{path}", {**before, member: value, **secret})
        assert changed[member] == value
        assert server.get(f"/{path}") == changed
        assert "hunter2" not in str(changed)
        if "smtp" in path:
            assert changed["Details"]["Password"]["HasValue"] is True
            assert server.get("/smtpconfiguration/isconfigured")["IsConfigured"] is True
        if path == "serverconfiguration":
            settings = server.get("/serverconfiguration/settings")[0]["ConfigurationValues"]
            assert [one["Value"] for one in settings] == [value]
    finally:
        server.put(f"/{path}", before)
    assert server.get(f"/{path}")[member] == before[member]


def test_what_is_not_worth_building_is_an_empty_list(server: Octopus) -> None:
    """Pages and arrays without items, not 404."""
    for path in ("/issuetrackers", "/Spaces-1/gitcredentials"):
        page = server.get(path)
        assert (page["Items"], page["TotalResults"], "Page.Next" in page["Links"]) == ([], 0, False)
    assert server.get("/users/invitations") == []


@pytest.mark.proves("GET externalsecuritygroupproviders")
def test_who_logs_in_by_password_belongs_to_no_outer_group(server: Octopus) -> None:
    """As many ways to log in know groups as the list of all ways says: none."""
    known = server.get("/authentication")["AuthenticationProviders"]
    grouped = [one["Name"] for one in known if one["SupportsGroups"]]
    assert [one["Name"] for one in server.get("/externalsecuritygroupproviders")] == grouped == []


@pytest.mark.proves(
    "GET communityactiontemplates",
    "GET communityactiontemplates/{id}",
    "POST communityactiontemplates/{id}/installation",
    "POST communityactiontemplates/{id}/installation/{spaceId}",
)
def test_a_community_template_is_installed_in_a_space(space: Octopus, server: Octopus) -> None:
    """It becomes a step template there, with the library's properties, and can be installed once."""
    page = server.get("/communityactiontemplates")
    first, second = page["Items"]
    assert (page["ItemType"], page["TotalResults"]) == ("CommunityActionTemplate", 2)
    assert server.get("/communityactiontemplates", ids=second["Id"])["Items"] == [second]
    path = f"/communityactiontemplates/{first['Id']}"
    assert server.get(path) == first
    made = server.post(f"{path}/installation{space.home}", None)
    assert (made["SpaceId"], made["Name"], made["ActionType"], made["CommunityActionTemplateId"]) == (
        *(space.home[1:], first["Name"], first["Type"], first["Id"]),
    )
    assert space.get("/actiontemplates")["Items"] == [made]
    assert made["Properties"] == first["Properties"]
    server.post(f"{path}/installation{space.home}", None, status=400)
    default = server.post(f"{path}/installation", None)
    assert default["SpaceId"] == "Spaces-1"
    server.delete(f"/actiontemplates/{default['Id']}")
    server.get("/communityactiontemplates/CommunityActionTemplates-99", status=404)


@pytest.mark.proves("B.2 dates with a T or a blank")
def test_dates_come_in_both_forms(server: Octopus) -> None:
    """`T` and offset as .NET writes them, a blank as Python prints them: both find the same events."""
    occurred = server.get("/events", take=1)["Items"][0]["Occurred"]
    counts = {server.get("/events", to=form)["TotalResults"] for form in (occurred, occurred.replace("T", " "))}
    assert len(counts) == 1
    assert counts.pop() > 0
