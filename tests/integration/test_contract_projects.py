"""The contract of the stand-in for projects, channels, processes and variables: what each has of its own."""

from typing import Any

import pytest

from tests.octopus_server import Document, Octopus, step

pytestmark = pytest.mark.integration


def shop(space: Octopus, name: str = "Shop") -> Document:
    """Create a project with one step."""
    return space.project(name, space.get("/lifecycles/all")[0]["Id"])


@pytest.mark.proves(
    "POST projects", "GET projectgroups/{id}/projects", "GET projects/pulse", "GET projects/{id}/summary"
)
def test_a_project_is_born_whole(space: Octopus) -> None:
    """With a default channel, an empty process and variable set, and all members that clients read (§A.7)."""
    group, lifecycle = (space.get(f"/{one}/all")[0]["Id"] for one in ("projectgroups", "lifecycles"))
    made = space.post("/projects", {"Name": "Shop", "ProjectGroupId": group, "LifecycleId": lifecycle})
    assert made["VariableSetId"] == f"variableset-{made['Id']}"
    assert made["DeploymentProcessId"] == f"deploymentprocess-{made['Id']}"
    assert (made["IsVersionControlled"], made["PersistenceSettings"]) == (False, {"Type": "Database"})
    assert (made["TenantedDeploymentMode"], made["DefaultGuidedFailureMode"]) == ("Untenanted", "EnvironmentDefault")
    assert made["ProjectConnectivityPolicy"]["SkipMachineBehavior"] == "None"
    channel = space.get(f"/projects/{made['Id']}/channels")["Items"]
    assert [(one["Name"], one["IsDefault"]) for one in channel] == [("Default", True)]
    process = space.get(f"/deploymentprocesses/{made['DeploymentProcessId']}")
    assert (process["Version"], process["Steps"], process["ProjectId"]) == (0, [], made["Id"])
    variables = space.get(f"/variables/{made['VariableSetId']}")
    assert (variables["Version"], variables["Variables"], variables["OwnerId"]) == (0, [], made["Id"])
    page = space.get(f"/projectgroups/{group}/projects", skip=0, take=5)
    assert ([one["Id"] for one in page["Items"]], page["ItemsPerPage"]) == ([made["Id"]], 5)
    summary = space.get(f"/projects/{made['Id']}/summary")
    assert (summary["HasDeploymentProcess"], summary["HasRunbooks"], summary["HasBeenDeployed"]) == (
        False,
        False,
        False,
    )
    assert space.get("/projects/pulse", projectIds=made["Id"]) == [
        {"ProjectId": made["Id"], "Queued": 0, "Executing": 0}
    ]
    for member, wrong in (("LifecycleId", "Lifecycles-9999"), ("ProjectGroupId", "x")):
        space.put(f"/projects/{made['Id']}", {**made, member: wrong}, status=400)
    space.put(
        f"/projects/{made['Id']}", {**made, "IncludedLibraryVariableSetIds": ["LibraryVariableSets-9999"]}, status=400
    )


@pytest.mark.proves(
    "GET projects/{id}/deploymentsettings", "PUT projects/{id}/deploymentsettings", "GET projects/{id}/metadata"
)
def test_settings_of_a_project_are_kept_with_it(space: Octopus) -> None:
    """The settings of deployments are members of the project; so are those of extensions (§A.7)."""
    project = shop(space)
    path = f"/projects/{project['Id']}/deploymentsettings"
    settings = space.get(path)
    assert (settings["ProjectId"], settings["CancelRunningTasks"]) == (project["Id"], False)
    policy = {**settings["ConnectivityPolicy"], "SkipMachineBehavior": "SkipUnavailableMachines"}
    changed = space.put(path, {**settings, "CancelQueuedTasks": False, "ConnectivityPolicy": policy})
    assert (changed["CancelQueuedTasks"], changed["ConnectivityPolicy"]) == (False, policy)
    read = space.get(f"/projects/{project['Id']}")
    assert (read["CancelQueuedTasks"], read["ProjectConnectivityPolicy"]) == (False, policy)
    assert space.get(f"/projects/{project['Id']}/metadata") == []
    extended = [{"ExtensionId": "jira-integration", "Values": {"Enabled": True}}]
    space.put(f"/projects/{project['Id']}", {**read, "ExtensionSettings": extended})
    assert [one["ExtensionId"] for one in space.get(f"/projects/{project['Id']}/metadata")] == ["jira-integration"]


@pytest.mark.proves("POST projects", "GET projects/{id}/triggers")
def test_a_clone_has_the_process_and_variables_of_the_original(space: Octopus) -> None:
    """Not its releases, and not its triggers; lists find clones by their original (§A.7)."""
    original = shop(space)
    path = f"/variables/{original['VariableSetId']}"
    space.put(path, {**space.get(path), "Variables": [{"Name": "Colour", "Value": "red"}]})
    trigger = space.post("/projecttriggers", {"Name": "Nightly", "ProjectId": original["Id"]})
    members = {name: original[name] for name in ("ProjectGroupId", "LifecycleId")}
    clone = space.call("POST", f"/projects?clone={original['Id']}", {"Name": "Copy", **members}, 201)
    assert clone["ClonedFromProjectId"] == original["Id"]
    steps = space.get(f"/projects/{clone['Id']}/deploymentprocesses")["Steps"]
    assert [one["Name"] for one in steps] == ["Say hello"]
    assert space.get(f"/projects/{clone['Id']}/variables")["Variables"][0]["Value"] == "red"
    found = space.get("/projects", clonedFromProjectId=original["Id"])
    assert [one["Id"] for one in found["Items"]] == [clone["Id"]]
    assert [one["Id"] for one in space.get(f"/projects/{original['Id']}/triggers")["Items"]] == [trigger["Id"]]
    assert space.get(f"/projects/{clone['Id']}/triggers")["TotalResults"] == 0
    space.delete(f"/projects/{original['Id']}")
    space.get(f"/projecttriggers/{trigger['Id']}", status=404)


@pytest.mark.proves(
    "POST projects/{id}/channels",
    "GET projects/{id}/channels",
    "GET channels/{id}/releases",
    "GET channels/rule-test",
    "POST channels/rule-test",
)
def test_a_project_has_one_default_channel(space: Octopus) -> None:
    """The one that was made so last; rules take ranges and tags of versions; a channel lists its releases (§A.8)."""
    project = shop(space)
    old = space.get(f"/projects/{project['Id']}/channels")["Items"][0]
    rule = {"VersionRange": "[1.0,2.0)", "Tag": "^$", "ActionPackages": []}
    made = space.post(f"/projects/{project['Id']}/channels", {"Name": "Stable", "IsDefault": True, "Rules": [rule]})
    assert (made["ProjectId"], made["LifecycleId"]) == (project["Id"], None)
    assert made["Rules"][0]["Id"]
    assert space.get(f"/channels/{old['Id']}")["IsDefault"] is False
    assert (
        space.delete(f"/channels/{made['Id']}", status=400)["ErrorMessage"] == "You cannot delete the default channel."
    )
    release = space.release(project, "1.2.3")
    assert release["ChannelId"] == made["Id"]
    assert [one["Id"] for one in space.get(f"/channels/{made['Id']}/releases")["Items"]] == [release["Id"]]
    space.delete(f"/channels/{old['Id']}")
    last = space.delete(f"/channels/{made['Id']}", status=400)
    assert last["ErrorMessage"] == "You cannot delete the only remaining channel."
    space.post("/channels", {"Name": "Odd", "ProjectId": project["Id"], "Rules": [{"VersionRange": "[1"}]}, status=400)
    asked = {"version": "1.5.0-beta", "versionRange": "[1.0,2.0)", "preReleaseTag": "^$"}
    answer = space.get("/channels/rule-test", **asked)
    assert (answer["SatisfiesVersionRange"], answer["SatisfiesPreReleaseTag"]) == (True, False)
    sent = {"version": "2.0", "versionRange": "[1.0,2.0)", "FeedType": "NuGet"}
    assert space.post("/channels/rule-test", sent, status=200)["SatisfiesVersionRange"] is False
    space.get("/channels/rule-test", version="1.0", versionRange="1..2", status=400)


@pytest.mark.proves(
    "GET deploymentprocesses",
    "GET deploymentprocesses/{id}",
    "PUT deploymentprocesses/{id}",
    "GET projects/{id}/deploymentprocesses",
    "PUT projects/{id}/deploymentprocesses",
)
def test_a_process_keeps_what_a_client_puts_into_it(space: Octopus) -> None:
    """The server gives ids and slugs; a sensitive property is kept and not shown; a snapshot is frozen (§A.9)."""
    project = shop(space)
    path = f"/projects/{project['Id']}/deploymentprocesses"
    process = space.get(path)
    hidden = {"HasValue": True, "NewValue": "hunter2hunter2"}
    second: dict[str, Any] = {**step("Second", "true"), "StartTrigger": "StartWithPrevious", "Condition": "Always"}
    second["Actions"][0]["Properties"]["Secret"] = hidden
    second["Actions"][0]["Environments"] = [space.environment("Dev")]
    saved = space.put(path, {**process, "Steps": [*process["Steps"], second]})
    assert saved["Version"] == process["Version"] + 1
    one, two = saved["Steps"]
    assert (one["Id"], two["StartTrigger"], two["Slug"]) == (process["Steps"][0]["Id"], "StartWithPrevious", "second")
    assert (two["Actions"][0]["Id"] != two["Id"], two["PackageRequirement"]) == (True, "LetOctopusDecide")
    assert two["Actions"][0]["Properties"]["Secret"] == {"HasValue": True, "NewValue": None, "Hint": None}
    assert space.get(f"/deploymentprocesses/{saved['Id']}") == saved
    again = space.put(f"/deploymentprocesses/{saved['Id']}", saved)
    assert again["Steps"] == saved["Steps"]
    assert space.get("/deploymentprocesses")["TotalResults"] == 1
    release = space.release(project, "1.0.0")
    frozen = space.get(f"/deploymentprocesses/{release['ProjectDeploymentProcessSnapshotId']}")
    assert (frozen["IsFrozen"], len(frozen["Steps"])) == (True, 2)
    assert "frozen" in space.put(f"/deploymentprocesses/{frozen['Id']}", frozen, status=400)["ErrorMessage"]
    assert space.get("/deploymentprocesses")["TotalResults"] == 1
    twice = {**again, "Steps": [step("Same", "true"), step("same", "true")]}
    assert "unique" in space.put(path, twice, status=400)["ErrorMessage"]
    told = space.get("/events", regarding=[saved["Id"], project["Id"]])["Items"]
    assert {name["Category"] for name in told} == {"Modified"}


@pytest.mark.proves("GET deploymentprocesses/{id}/template", "GET projects/{id}/deploymentprocesses/template")
def test_the_template_says_what_the_next_release_needs(space: Octopus) -> None:
    """The next version after the last one by the project's mask, and a version of each package to choose (§A.9)."""
    project = shop(space)
    path = f"/projects/{project['Id']}/deploymentprocesses"
    process = space.get(path)
    feed = space.get("/feeds/all")[0]
    action = process["Steps"][0]["Actions"][0]
    action["Packages"] = [{"Name": "web", "PackageId": "Acme.Web", "FeedId": feed["Id"]}]
    space.put(path, process)
    first = space.get(f"{path}/template", channel="")
    assert (first["LastReleaseVersion"], first["NextVersionIncrement"]) == (None, "0.0.1")
    package = first["Packages"][0]
    assert (package["ActionName"], package["PackageId"], package["PackageReferenceName"]) == (
        "Say hello",
        "Acme.Web",
        "web",
    )
    assert (package["FeedName"], package["IsResolvable"], package["VersionSelectedLastRelease"]) == (
        feed["Name"],
        True,
        None,
    )
    strategy = {"Template": "#{Octopus.Version.LastMajor}.#{Octopus.Version.NextMinor}.0", "DonorPackage": None}
    space.put(f"/projects/{project['Id']}", {**project, "VersioningStrategy": strategy})
    selected = [{"ActionName": "Say hello", "PackageReferenceName": "web", "Version": "7.0.0"}]
    space.post("/releases", {"ProjectId": project["Id"], "Version": "1.4.2", "SelectedPackages": selected})
    then = space.get(f"/deploymentprocesses/{process['Id']}/template")
    assert (then["LastReleaseVersion"], then["NextVersionIncrement"]) == ("1.4.2", "1.5.0")
    assert then["Packages"][0]["VersionSelectedLastRelease"] == "7.0.0"


@pytest.mark.proves(
    "GET variables/{id}",
    "PUT variables/{id}",
    "GET projects/{id}/variables",
    "PUT projects/{id}/variables",
    "GET variables/all",
    "GET variables/names",
    "GET variables/preview",
)
def test_variables_hold_where_they_are_scoped_to(space: Octopus) -> None:
    """The narrowest scope wins in the preview; names come from the project and its libraries (§A.10)."""
    dev, test = space.environment("Dev"), space.environment("Test")
    library = space.post("/libraryvariablesets", {"Name": "Shared"})
    path = f"/variables/{library['VariableSetId']}"
    shared = space.put(path, {**space.get(path), "Variables": [{"Name": "Support", "Value": "ops"}]})
    assert (shared["OwnerId"], shared["Version"]) == (library["Id"], 1)
    project = shop(space)
    project = space.put(f"/projects/{project['Id']}", {**project, "IncludedLibraryVariableSetIds": [library["Id"]]})
    path = f"/projects/{project['Id']}/variables"
    prompt = {"Label": "Colour", "Required": True, "DisplaySettings": {}}
    sent = [
        {"Name": "Colour", "Value": "red", "Prompt": prompt},
        {"Name": "Colour", "Value": "blue", "Scope": {"Environment": [dev]}},
        {"Name": "Key", "Value": "hunter2hunter2", "Type": "Sensitive"},
    ]
    before = space.get(path)
    assert [one["Name"] for one in before["ScopeValues"]["Environments"]] == ["Dev", "Test"]
    assert [one["Name"] for one in before["ScopeValues"]["Actions"]] == ["Say hello"]
    assert [one["ProcessType"] for one in before["ScopeValues"]["Processes"]] == ["Deployment"]
    saved = space.put(path, {**before, "Variables": sent})
    assert [(one["Value"], one["IsSensitive"]) for one in saved["Variables"]] == [
        ("red", False),
        ("blue", False),
        (None, True),
    ]
    assert saved["Variables"][0]["Prompt"] == prompt
    assert space.get(f"/variables/{project['VariableSetId']}")["Variables"] == saved["Variables"]
    for environment, colour in ((dev, "blue"), (test, "red")):
        asked = {"project": project["Id"], "environment": environment}
        chosen = {one["Name"]: one["Value"] for one in space.get("/variables/preview", **asked)["Variables"]}
        assert chosen == {"Colour": colour, "Key": None, "Support": "ops"}
    assert space.get("/variables/names", project=project["Id"]) == ["Colour", "Key", "Support"]
    owners = {one["OwnerId"] for one in space.get("/variables/all")}
    assert owners == {one["OwnerId"] for one in space.get("/variables")["Items"]} == {project["Id"], library["Id"]}
    space.put(path, {**saved, "Variables": [{"Name": "X", "Scope": {"Planet": ["Mars"]}}]}, status=400)
    space.get("/variables/preview", status=400)
    again = space.put(f"/variables/{project['VariableSetId']}", saved)
    assert again["Version"] == saved["Version"] + 1
    assert "hunter2" not in space.http.get(f"/api{space.home}{path}").text
    assert "somebody else" in space.put(path, saved, status=400)["ErrorMessage"]


@pytest.mark.proves("GET libraryvariablesets/{id}/usages")
def test_a_library_set_that_a_project_includes_stays(space: Octopus) -> None:
    """Its templates have ids from the server; what it holds is told by its content type (§A.10)."""
    script = space.post("/libraryvariablesets", {"Name": "Tools", "ContentType": "ScriptModule"})
    made = space.post("/libraryvariablesets", {"Name": "Shared", "Templates": [{"Name": "Contact"}]})
    assert made["Templates"][0]["Id"]
    assert [one["Id"] for one in space.get("/libraryvariablesets", contentType="ScriptModule")["Items"]] == [
        script["Id"]
    ]
    project = shop(space)
    space.put(f"/projects/{project['Id']}", {**project, "IncludedLibraryVariableSetIds": [made["Id"]]})
    used = space.get(f"/libraryvariablesets/{made['Id']}/usages")["Projects"]
    assert [one["ProjectId"] for one in used] == [project["Id"]]
    assert len(space.delete(f"/libraryvariablesets/{made['Id']}", status=400)["Errors"]) == 1
    space.delete(f"/projects/{project['Id']}")
    space.delete(f"/libraryvariablesets/{made['Id']}")
    space.get(f"/variables/{made['VariableSetId']}", status=404)
