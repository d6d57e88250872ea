"""The contract of the stand-in for people: who they are, how they prove it, what they may do, and how often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.octopus_server import Document, Octopus, key_of, user

pytestmark = pytest.mark.integration

Connect = Callable[..., Octopus]
PASSWORD = "correct horse battery staple"


def grant(server: Octopus, owner: Document, role: str, space: str | None) -> Document:
    """Put a user into a team of his own that has a role in a space."""
    team = server.post("/teams", {"Name": f"Team of {owner['Username']}", "MemberUserIds": [owner["Id"]]})
    return dict(server.post("/scopeduserroles", {"TeamId": team["Id"], "UserRoleId": role, "SpaceId": space}))


@pytest.mark.proves(
    "POST users", "GET users", "GET users/all", "GET users/{id}", "PUT users/{id}", "DELETE users/{id}", "GET users/me"
)
def test_a_user_is_made_found_changed_and_deleted(server: Octopus) -> None:
    """His password never comes back; each step leaves an event about him (§A.1)."""
    made = user(server, "ada", EmailAddress="ada@example.com", Password=PASSWORD, Unknown=1)
    assert (made["IsActive"], made["IsService"], made["CanPasswordBeEdited"], made["IsRequestor"]) == (
        True,
        False,
        True,
        False,
    )
    assert server.get(f"/users/{made['Id']}")["DisplayName"] == "Ada"
    found = server.get("/users", filter="ADA@exam")
    assert ([one["Id"] for one in found["Items"]], found["ItemType"]) == ([made["Id"]], "User")
    changed = server.put(f"/users/{made['Id']}", {**made, "DisplayName": "Countess"})
    assert (changed["DisplayName"], changed["Username"]) == ("Countess", "ada")
    assert made["Id"] in [one["Id"] for one in server.get("/users/all")]
    assert server.get("/users/me")["IsRequestor"] is True
    assert "ada" in server.post("/users", {"Username": "ADA", "DisplayName": "x"}, status=400)["ErrorMessage"].lower()
    server.delete(f"/users/{made['Id']}")
    server.get(f"/users/{made['Id']}", status=404)
    told = server.get("/events", regarding=made["Id"])
    assert [one["Category"] for one in told["Items"]] == ["Deleted", "Modified", "Created"]
    assert PASSWORD not in server.http.get("/api/events", params={"take": 100}).text


@pytest.mark.proves(
    "POST users/{id}/apikeys",
    "GET users/{id}/apikeys",
    "GET users/{id}/apikeys/{keyId}",
    "DELETE users/{id}/apikeys/{keyId}",
    "B.1 the API key in the header, in the query, as NuGet key or as bearer token",
)
def test_a_key_is_shown_once_and_holds_until_it_is_deleted(server: Octopus, connect: Connect) -> None:
    """In the header, in the query, for NuGet or as bearer; a deleted or expired key opens nothing (§A.1, §B.1)."""
    owner = user(server, "grace")
    created = server.post(f"/users/{owner['Id']}/apikeys", {"Purpose": "nightly build"})
    key, path = created["ApiKey"], f"/users/{owner['Id']}/apikeys/{created['Id']}"
    assert (key[:4], created["Purpose"], created["UserId"], created["Expires"]) == (
        "API-",
        "nightly build",
        owner["Id"],
        None,
    )
    read = server.get(path)
    assert read["ApiKey"] == {"HasValue": True, "Hint": key[:7], "NewValue": None}
    assert key not in server.http.get(f"/api/users/{owner['Id']}/apikeys").text
    assert server.get(f"/users/{owner['Id']}/apikeys")["TotalResults"] == 1
    ways = [{"X_Octopus_ApiKey": key}, {"X_NuGet_ApiKey": key}, {"Authorization": f"Bearer {key}"}]
    clients = [connect(**way) for way in ways]
    assert [one.get("/users/me")["Username"] for one in clients] == ["grace"] * 3
    assert connect().get("/users/me", ApiKey=key)["Username"] == "grace"
    server.delete(path)
    assert [one.get("/users/me", status=401)["Errors"] for one in clients] == [[]] * 3
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    server.post(f"/users/{owner['Id']}/apikeys", {"Purpose": "late", "Expires": past}, status=400)
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert connect(X_Octopus_ApiKey=key_of(server, owner, Expires=soon)).get("/users/me")["Username"] == "grace"


@pytest.mark.proves("POST users/login", "POST users/logout", "B.1 requests with cookies need the CSRF token")
def test_a_password_opens_a_session_with_two_cookies(server: Octopus, connect: Connect) -> None:
    """With cookies, a change needs the CSRF token in a header; after the logout the cookies open nothing (§B.1)."""
    owner = user(server, "alan", Password=PASSWORD)
    browser, root = connect(), server.get("")
    wrong = browser.post("/users/login", {"Username": "alan", "Password": "guess"}, status=400)
    assert wrong["ErrorMessage"] == "The username or password is not correct."
    browser.post("/users/login", {"Username": "nobody", "Password": "guess"}, status=400)
    credentials = {
        "Username": "ALAN",
        "Password": PASSWORD,
        "RememberMe": False,
        "State": {"UsingSecureConnection": False},
    }
    assert browser.post("/users/login", credentials, status=200)["Id"] == owner["Id"]
    cookies = dict(browser.http.cookies)
    identity, csrf = (
        f"{name}_{root['InstallationId']}" for name in ("OctopusIdentificationToken", "Octopus-Csrf-Token")
    )
    assert set(cookies) == {identity, csrf}
    assert browser.get("/users/me")["Username"] == "alan"
    path, sent = f"/users/{owner['Id']}/apikeys", {"Purpose": "from the browser"}
    browser.post(path, sent, status=403)
    browser.call("POST", path, sent, 403, headers={"X-Octopus-Csrf-Token": "forged"})
    browser.call("POST", path, sent, 201, headers={"X-Octopus-Csrf-Token": cookies[csrf]})
    browser.post("/users/logout", {}, status=200)
    assert not dict(browser.http.cookies)
    connect(Cookie=f"{identity}={cookies[identity]}").get("/users/me", status=401)
    told = server.get("/events", regarding=owner["Id"], eventCategories="LoginSucceeded,LoginFailed")
    assert [one["Category"] for one in told["Items"]] == ["LoginSucceeded", "LoginFailed"]


@pytest.mark.proves("B.1 an access token in place of a key")
def test_an_access_token_stands_for_its_user(server: Octopus, connect: Connect) -> None:
    """It is sent as bearer, and events say how its user was known."""
    token = server.post("/users/access-token", None, status=200)["AccessToken"]
    bearer = connect(Authorization=f"Bearer {token}")
    made = bearer.post("/environments", {"Name": "By token"})
    told = server.get("/events", regarding=made["Id"])["Items"][0]
    assert (told["Username"], told["IdentityEstablishedWith"]) == ("admin", "Access token")


@pytest.mark.proves("GET users/authentication", "GET authentication")
def test_a_client_learns_how_to_log_in(server: Octopus, connect: Connect) -> None:
    """Before it logs in, and afterwards whether it may change identities."""
    provider = connect().get("/authentication")["AuthenticationProviders"][0]
    assert (provider["Name"], provider["FormsLoginEnabled"]) == ("Username / Password", True)
    assert server.get("/users/authentication")["CanCurrentUserEditIdentitiesForUsers"] is True
    plain = connect(X_Octopus_ApiKey=key_of(server, user(server, "konrad")))
    assert plain.get("/users/authentication")["CanCurrentUserEditIdentitiesForUsers"] is False


@pytest.mark.proves(
    "POST scopeduserroles",
    "GET scopeduserroles",
    "GET scopeduserroles/{id}",
    "PUT scopeduserroles/{id}",
    "DELETE scopeduserroles/{id}",
    "GET users/{id}/spaces",
    "GET users/{id}/permissions",
    "GET users/{id}/permissions/configuration",
    "B.1 without valid credentials 401, without permission 403",
)
def test_a_user_may_do_what_the_roles_of_his_teams_grant(server: Octopus, space: Octopus, connect: Connect) -> None:
    """Nothing at first; to look in one space, then to create there, as roles come and go; never elsewhere."""
    here = space.home[1:]
    owner = user(server, "edsger")
    client = connect(X_Octopus_ApiKey=key_of(server, owner))
    mine = Octopus(client.http, space.home)
    assert "EnvironmentView" in mine.get("/environments", status=403)["ErrorMessage"]
    assert client.get("/spaces")["TotalResults"] == 0
    granted = grant(server, owner, "userroles-projectviewer", here)
    assert mine.get("/environments")["TotalResults"] == 0
    assert "EnvironmentCreate" in mine.post("/environments", {"Name": "Mine"}, status=403)["ErrorMessage"]
    assert [one["Id"] for one in client.get(f"/users/{owner['Id']}/spaces")] == [here]
    assert [one["Id"] for one in client.get("/spaces")["Items"]] == [here]
    client.get("/Spaces-1/environments", status=403)
    changed = server.put(f"/scopeduserroles/{granted['Id']}", {**granted, "UserRoleId": "userroles-spacemanager"})
    assert (
        server.get(f"/scopeduserroles/{granted['Id']}")["UserRoleId"]
        == changed["UserRoleId"]
        == "userroles-spacemanager"
    )
    mine.post("/environments", {"Name": "Mine"})
    held = server.get(f"/users/{owner['Id']}/permissions")
    assert server.get(f"/users/{owner['Id']}/permissions/configuration") == held
    assert [one["SpaceId"] for one in held["SpacePermissions"]["EnvironmentCreate"]] == [here]
    assert held["SystemPermissions"] == []
    client.post("/spaces", {"Name": "x", "SpaceManagersTeamMembers": [owner["Id"]]}, status=403)
    assert granted["Id"] in [one["Id"] for one in server.get("/scopeduserroles", take=1000)["Items"]]
    server.delete(f"/scopeduserroles/{granted['Id']}")
    mine.get("/environments", status=403)


@pytest.mark.proves(
    "POST teams",
    "GET teams",
    "GET teams/all",
    "GET teams/{id}",
    "PUT teams/{id}",
    "DELETE teams/{id}",
    "GET teams/{id}/scopeduserroles",
    "GET users/{id}/teams",
    "GET teammembership",
)
def test_teams_have_members_and_roles(server: Octopus, space: Octopus) -> None:
    """A team belongs to a space or to the server; built-in ones stay; its roles go with it."""
    owner = user(server, "barbara")
    team = space.post("/teams", {"Name": "Reviewers", "MemberUserIds": [owner["Id"]]})
    assert (team["SpaceId"], team["CanBeDeleted"], team["MemberUserIds"]) == (space.home[1:], True, [owner["Id"]])
    role = {"TeamId": team["Id"], "UserRoleId": "userroles-projectviewer"}
    granted = space.post("/scopeduserroles", role)
    assert server.get(f"/teams/{team['Id']}/scopeduserroles")["Items"][0]["Id"] == granted["Id"]
    assert {one["Name"] for one in server.get(f"/users/{owner['Id']}/teams")} == {"Everyone", "Reviewers"}
    assert server.get("/teammembership", userId=owner["Id"]) == server.get(f"/users/{owner['Id']}/teams")
    renamed = server.put(f"/teams/{team['Id']}", {**team, "Name": "Readers", "MemberUserIds": []})
    assert (server.get(f"/teams/{team['Id']}")["Name"], renamed["MemberUserIds"]) == ("Readers", [])
    assert [one["Name"] for one in space.get("/teams")["Items"]] == ["Readers", "Space Managers"]
    assert {"teams-administrators", "teams-everyone"} <= {one["Id"] for one in server.get("/teams/all")}
    server.delete("/teams/teams-administrators", status=400)
    everyone = server.get("/teams/teams-everyone")
    server.put("/teams/teams-everyone", {**everyone, "MemberUserIds": [owner["Id"]]}, status=400)
    server.post("/teams", {"Name": "Ghosts", "MemberUserIds": ["Users-99999"]}, status=400)
    server.delete(f"/teams/{team['Id']}")
    server.get(f"/scopeduserroles/{granted['Id']}", status=404)


@pytest.mark.proves(
    "POST userroles",
    "GET userroles",
    "GET userroles/all",
    "GET userroles/{id}",
    "PUT userroles/{id}",
    "DELETE userroles/{id}",
    "GET permissions/all",
)
def test_roles_are_made_of_permissions_that_exist(server: Octopus) -> None:
    """A role in use stays, a built-in one always does."""
    permissions = server.get("/permissions/all")
    assert permissions["SpaceCreate"]["CanApplyAtSpaceLevel"] is False
    assert permissions["ReleaseCreate"] == {
        "Description": "Release create",
        "SupportedRestrictions": [],
        "CanApplyAtSpaceLevel": True,
        "CanApplyAtSystemLevel": False,
    }
    role = server.post("/userroles", {"Name": "Shipper", "GrantedSpacePermissions": ["ReleaseCreate", "ReleaseView"]})
    assert role["SpacePermissionDescriptions"] == ["Release create", "Release view"]
    server.post("/userroles", {"Name": "Wizard", "GrantedSpacePermissions": ["Levitate"]}, status=400)
    server.put(f"/userroles/{role['Id']}", {**role, "GrantedSpacePermissions": ["ReleaseView"]})
    assert server.get(f"/userroles/{role['Id']}")["GrantedSpacePermissions"] == ["ReleaseView"]
    assert server.get("/userroles", partialName="shipp")["TotalResults"] == 1
    built_in = {one["Id"]: one["CanBeDeleted"] for one in server.get("/userroles/all")}
    assert (built_in["userroles-systemadministrator"], built_in[role["Id"]]) == (False, True)
    granted = grant(server, user(server, "linus"), role["Id"], None)
    assert server.delete(f"/userroles/{role['Id']}", status=400)["Errors"]
    server.delete(f"/scopeduserroles/{granted['Id']}")
    server.delete(f"/userroles/{role['Id']}")
    server.delete("/userroles/userroles-projectviewer", status=400)


@pytest.mark.proves(
    "POST spaces",
    "POST spaces/v1",
    "GET spaces",
    "GET spaces/all",
    "GET spaces/{id}",
    "PUT spaces/{id}",
    "DELETE spaces/{id}",
    "GET spaces/{id}/search",
)
def test_a_space_is_born_with_what_it_needs_and_is_managed(server: Octopus, connect: Connect) -> None:
    """A default lifecycle, group, machine policy and worker pool; its managers get in, and lose it with the space."""
    owner = user(server, "margaret")
    made = server.post("/spaces/v1", {"Name": "Apollo", "SpaceManagersTeamMembers": [owner["Id"]]})["Space"]
    assert (made["Slug"], made["TaskQueueStopped"], made["IsDefault"]) == ("apollo", False, False)
    assert made["SpaceManagersTeams"] == [f"teams-spacemanagers-{made['Id']}"]
    inside = Octopus(server.http, f"/{made['Id']}")
    born = [
        inside.get(f"/{path}/all")[0]["Name"]
        for path in ("lifecycles", "projectgroups", "machinepolicies", "workerpools")
    ]
    assert born == ["Default Lifecycle", "Default Project Group", "Default Machine Policy", "Default Worker Pool"]
    manager = connect(X_Octopus_ApiKey=key_of(server, owner))
    Octopus(manager.http, f"/{made['Id']}").environment("Moon")
    found = server.get(f"/spaces/{made['Id']}/search", keyword="MOO")
    assert [(one["Name"], one["Type"]) for one in found] == [("Moon", "Environment")]
    changed = server.put(f"/spaces/{made['Id']}", {**made, "SpaceManagersTeamMembers": ["Users-1"], "Description": "x"})
    assert (changed["Description"], server.get(f"/spaces/{made['Slug']}")["Description"]) == ("x", "x")
    manager.get(f"/{made['Id']}/environments", status=403)
    assert server.get("/spaces", partialName="APOLLO", take=2147483647)["TotalResults"] == 1
    assert server.post("/spaces", {"Name": "Apollo", "SpaceManagersTeamMembers": ["Users-1"]}, status=400)["Errors"]
    server.post("/spaces", {"Name": "Ghostly", "SpaceManagersTeamMembers": ["Users-99999"]}, status=400)
    assert "stopped" in server.delete(f"/spaces/{made['Id']}", status=400)["ErrorMessage"]
    server.put(f"/spaces/{made['Id']}", {**changed, "TaskQueueStopped": True})
    server.delete(f"/spaces/{made['Id']}")
    assert made["Id"] not in [one["Id"] for one in server.get("/spaces/all")]
    server.get(f"/teams/teams-spacemanagers-{made['Id']}", status=404)
    other = server.post("/spaces", {"Name": "Gemini", "SpaceManagersTeamMembers": ["Users-1"]})
    assert [one["Category"] for one in server.get("/events", regarding=other["Id"])["Items"]] == ["Created"]


@pytest.mark.proves(
    "GET ratelimitingpolicies",
    "GET ratelimitingpolicies/{id}",
    "PUT ratelimitingpolicies/{id}",
    "B.5 a policy that is enabled limits, with 429 and Retry-After",
)
def test_a_rate_limit_really_limits(server: Octopus, connect: Connect) -> None:
    """Off at first; enabled, a service account gets its burst and then 429; nobody else is held up (§B.5)."""
    page = server.get("/ratelimitingpolicies")
    scopes = {one["ScopeType"]: one for one in page["Items"]}
    assert set(scopes) == {"Unauthenticated", "AuthenticatedHuman", "AuthenticatedAgent"}
    assert (page["ItemType"], [one["IsEnabled"] for one in page["Items"]]) == ("RateLimitingPolicy", [False] * 3)
    policy = scopes["AuthenticatedAgent"]
    assert (policy["RequestsPerMinute"], policy["BurstLimit"]) == (200, 200)
    path = f"/ratelimitingpolicies/{policy['Id']}"
    robot = user(server, "robot", IsService=True)
    client = connect(X_Octopus_ApiKey=key_of(server, robot))
    limit = {**policy, "IsEnabled": True, "RequestsPerMinute": 1, "BurstLimit": 5}
    try:
        server.put(path, limit)
        assert server.get(path)["BurstLimit"] == 5
        answers = [client.http.get("/api/users/me") for _ in range(8)]
        assert [one.status_code for one in answers] == [200] * 5 + [429] * 3
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert set(answers[-1].json()) == {"ErrorMessage", "Errors"}
        assert server.get("/events", regarding=robot["Id"], eventCategories="RateLimitExceeded")["TotalResults"] == 1
        server.put(path, {**limit, "AuditMode": True})
        assert [client.http.get("/api/users/me").status_code for _ in range(8)] == [200] * 8
    finally:
        server.put(path, policy)
    server.put(path, {**policy, "RequestsPerMinute": 0}, status=400)
