"""The contract of the stand-in for releases (octopus-api §A.15)."""

from typing import Any

import pytest

from tests.integration.test_contract_library import push
from tests.octopus_server import Document, Octopus, Shop, step

pytestmark = pytest.mark.integration


def with_package(name: str, package: str, reference: str = "") -> Document:
    """Return a step that needs a package of the built-in feed."""
    made = step(name, f"echo {name}")
    made["Actions"][0]["Packages"] = [
        {"Name": reference, "PackageId": package, "FeedId": "feeds-builtin", "AcquisitionLocation": "Server"}
    ]
    return made


def set_variable(space: Octopus, project: Document, value: str) -> None:
    """Give a project one variable."""
    path = f"/projects/{project['Id']}/variables"
    space.put(path, {**space.get(path), "Variables": [{"Name": "Who", "Value": value}]})


def categories(space: Octopus, document: str) -> list[str]:
    """The categories of a document's events, oldest first."""
    return [event["Category"] for event in reversed(space.get("/events", regarding=document)["Items"])]


@pytest.mark.proves(
    "GET releases",
    "GET releases/{id}",
    "POST releases",
    "PUT releases/{id}",
    "DELETE releases/{id}",
    "GET projects/{id}/releases",
    "GET projects/{id}/releases/{version}",
    "GET releases/{id}/deployments",
)
def test_a_release_is_made_changed_and_deleted(shop: Shop) -> None:
    """Its snapshots are of the moment; versions are checked and unique; lists show the newest first."""
    space, project, (dev, _) = shop
    first = space.post("/releases", {"projectId": project["Slug"], "version": " 1.0.0 ", "releaseNotes": "first"})
    assert (first["Version"], first["ProjectId"], first["ReleaseNotes"]) == ("1.0.0", project["Id"], "first")
    assert first["ProjectDeploymentProcessSnapshotId"].startswith(f"{project['DeploymentProcessId']}-s-1-")
    assert first["ProjectVariableSetSnapshotId"].startswith(f"{project['VariableSetId']}-s-0-")
    second = space.release(project, "1.0.1-beta.2+build.7")
    assert second["ProjectDeploymentProcessSnapshotId"] == first["ProjectDeploymentProcessSnapshotId"]
    space.rewrite(project, step("Other", "echo other"))
    third = space.release(project, "1.1")
    assert third["ProjectDeploymentProcessSnapshotId"] != first["ProjectDeploymentProcessSnapshotId"]
    for version in ("1.0.0", "one", "1.2.3.4.5", "../1", "1..0", "1" * 400):
        space.post("/releases", {"ProjectId": project["Id"], "Version": version}, status=400)
    space.post("/releases", {"ProjectId": "Projects-999999", "Version": "2.0"}, status=400)
    newest = [third["Id"], second["Id"], first["Id"]]
    assert [one["Id"] for one in space.get("/releases")["Items"]] == newest
    listed = f"/projects/{project['Id']}/releases"
    assert [one["Id"] for one in space.get(listed, take=2)["Items"]] == newest[:2]
    assert [one["Id"] for one in space.get(listed, searchByVersion="BETA")["Items"]] == [second["Id"]]
    assert space.get(f"{listed}/1.0.0") == space.get(f"/releases/{first['Id']}") == first
    space.get(f"{listed}/9.9", status=404)
    changed = space.put(f"/releases/{first['Id']}", {**first, "ReleaseNotes": "new", "Version": "1.0.9"})
    assert (changed["Version"], changed["ReleaseNotes"], changed["Assembled"]) == ("1.0.9", "new", first["Assembled"])
    assert changed["LastModifiedBy"] == "admin"
    space.put(f"/releases/{first['Id']}", {**first, "Version": "1.1"}, status=400)
    deployment = space.deploy(changed, dev)
    assert [one["Id"] for one in space.get(f"/releases/{first['Id']}/deployments")["Items"]] == [deployment["Id"]]
    space.delete(f"/releases/{first['Id']}")
    space.get(f"/releases/{first['Id']}", status=404)
    space.get(f"/deployments/{deployment['Id']}", status=404)
    found = categories(space, first["Id"])
    assert (found[:2], found[-1]) == (["Created", "Modified"], "Deleted")


@pytest.mark.proves("POST releases/create/v1", "GET releases/{id}/missingpackages")
def test_a_release_chooses_its_packages(shop: Shop) -> None:
    """One version for each package: as named, by default, or the newest that the channel takes; else it is refused."""
    space, project, (dev, _) = shop
    space.rewrite(project, with_package("Web", "App.Web"), with_package("Database", "App.Db", "scripts"))
    for name in ("App.Web.1.0.0.zip", "App.Web.1.9.0.zip", "App.Web.2.0.0-rc.1.zip", "App.Db.1.0.0.zip"):
        push(space, name)
    build = {"BuildNumber": "7", "Commits": [{"Id": "abc", "Comment": "A change"}]}
    told = {"PackageId": "App.Web", "Version": "1.9.0", "OctopusBuildInformation": build}
    space.post("/build-information", told, status=200)
    refused = space.post("/releases", {"ProjectId": project["Id"], "Version": "1.0"}, status=400)
    assert "A version must be specified for every included package." in refused["Errors"]
    selected = [
        {"ActionName": "Web", "PackageReferenceName": "", "Version": "1.9.0"},
        {"StepName": "Database", "PackageReferenceName": "scripts", "Version": "1.0.0"},
    ]
    release = space.post("/releases", {"ProjectId": project["Id"], "Version": "1.0", "SelectedPackages": selected})
    assert [one["Version"] for one in release["SelectedPackages"]] == ["1.9.0", "1.0.0"]
    assert [one["BuildNumber"] for one in release["BuildInformation"]] == ["7"]
    assert space.get(f"/releases/{release['Id']}/missingpackages") == {"Packages": []}
    task = space.get(f"/tasks/{space.deploy(release, dev)['TaskId']}/details")["ActivityLogs"][0]
    assert [one["Name"] for one in task["Children"]] == ["Acquire packages", "Step 1: Web", "Step 2: Database"]
    told = [one["MessageText"] for one in task["Children"][0]["LogElements"]]
    assert sorted(told) == [
        f"Package App.{one} was copied to 1 place." for one in ("Db version 1.0.0", "Web version 1.9.0")
    ]
    home = {"projectName": project["Name"], "spaceId": space.home[1:], "spaceIdOrName": "any"}

    def versions(**more: Any) -> list[str]:
        made = space.post("/releases/create/v1", {**home, **more})
        chosen = space.get(f"/releases/{made['ReleaseId']}")["SelectedPackages"]
        return [one["Version"] for one in chosen]

    assert versions() == ["1.9.0", "1.0.0"]
    assert versions(packageVersion="1.0.0") == ["1.0.0", "1.0.0"]
    assert versions(packages=["Web:1.0.0"]) == ["1.0.0", "1.0.0"]
    assert versions(packages=["App.Web:1.0.0", "Database:scripts:1.0.0"]) == ["1.0.0", "1.0.0"]
    assert versions(packagePrerelease="rc.*", packages=["Database:scripts:1.0.0"]) == ["2.0.0-rc.1", "1.0.0"]
    space.post("/releases/create/v1", {**home, "packages": ["nonsense"]}, status=400)
    (channel,) = space.get(f"/projects/{project['Id']}/channels")["Items"]
    rule = {"VersionRange": "[1.0,1.5]", "ActionPackages": [{"DeploymentAction": "Web", "PackageReference": ""}]}
    space.put(f"/channels/{channel['Id']}", {**channel, "Rules": [rule]})
    assert versions() == ["1.0.0", "1.0.0"]
    space.post("/releases/create/v1", {**home, "packageVersion": "1.9.0"}, status=400)
    assert versions(packages=["Web:1.9.0"], ignoreChannelRules=True) == ["1.9.0", "1.0.0"]
    body = {"ProjectId": project["Id"], "Version": "9.0", "SelectedPackages": selected}
    space.post("/releases", body, status=400)
    assert space.post("/releases?ignoreChannelRules=true", body)["IgnoreChannelRules"] is True
    space.delete("/packages/packages-App.Db.1.0.0")
    (missing,) = space.get(f"/releases/{release['Id']}/missingpackages")["Packages"]
    assert (missing["Id"], missing["Version"]) == ("App.Db", "1.0.0")
    failed = space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": dev})
    assert space.wait(failed["TaskId"])["State"] == "Failed"
    assert "no package App.Db" in space.http.get(f"/api/tasks/{failed['TaskId']}/raw").text


@pytest.mark.proves("POST releases/{id}/snapshot-variables")
def test_variables_are_frozen_until_they_are_refreshed(shop: Shop) -> None:
    """A deployment uses the variables of its release's snapshot, those of the project before those of the library."""
    space, project, (dev, _) = shop
    library = space.post("/libraryvariablesets", {"Name": "Shared"})
    shared = space.get(f"/variables/variableset-{library['Id']}")
    values = [{"Name": "Who", "Value": "library"}, {"Name": "Where", "Value": "shelf"}]
    space.put(f"/variables/{shared['Id']}", {**shared, "Variables": values})
    whole = space.get(f"/projects/{project['Id']}")
    space.put(f"/projects/{project['Id']}", {**whole, "IncludedLibraryVariableSetIds": [library["Id"]]})
    space.rewrite(project, step("Say", 'echo "#{Who} #{Where}"'))
    release = space.release(project, "1.0")
    (frozen,) = release["LibraryVariableSetSnapshotIds"]
    assert frozen.startswith(f"variableset-{library['Id']}-s-1-")

    def said() -> str:
        return str(space.http.get(f"/api/tasks/{space.deploy(release, dev)['TaskId']}/raw").text)

    assert "library shelf" in said()
    set_variable(space, project, "project")
    assert "library shelf" in said()
    fresh = space.call("POST", f"/releases/{release['Id']}/snapshot-variables")
    assert fresh["ProjectVariableSetSnapshotId"] != release["ProjectVariableSetSnapshotId"]
    assert "Modified" in categories(space, release["Id"])
    assert "project shelf" in said()


@pytest.mark.proves(
    "GET releases/{id}/defects",
    "POST releases/{id}/defects",
    "POST releases/{id}/defects/resolve",
    "GET releases/{id}/progression",
)
def test_a_release_with_a_defect_goes_no_further(shop: Shop) -> None:
    """It stays where it is, and can be deployed there again; when the defect is resolved it goes on."""
    space, project, (dev, live) = shop
    release = space.release(project, "1.0")
    space.deploy(release, dev)
    path = f"/releases/{release['Id']}"
    assert space.get(f"{path}/progression")["NextDeployments"] == [live]
    defect = space.post(f"{path}/defects", {"Description": "It leaks"}, status=200)
    assert (defect["Status"], defect["Description"]) == ("Unresolved", "It leaks")
    for description in ("It leaks", ""):
        space.post(f"{path}/defects", {"Description": description}, status=400)
    progression = space.get(f"{path}/progression")
    assert progression["NextDeployments"] == []
    assert [phase["Progress"] for phase in progression["Phases"]] == ["Complete", "Current"]
    assert [len(phase["Deployments"]) for phase in progression["Phases"]] == [1, 0]
    assert space.get(f"/progression/{project['Id']}")["Releases"][0]["HasUnresolvedDefect"] is True
    space.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": live}, status=400)
    space.deploy(release, dev)
    resolved = space.call("POST", f"{path}/defects/resolve")
    assert (resolved["Id"], resolved["Status"]) == (defect["Id"], "Resolved")
    space.call("POST", f"{path}/defects/resolve", status=400)
    assert [one["Status"] for one in space.get(f"{path}/defects")["Items"]] == ["Resolved"]
    space.deploy(release, live)
    assert categories(space, defect["Id"]) == ["Created", "Modified"]


@pytest.mark.proves(
    "GET releases/{id}/deployments/template",
    "GET releases/{id}/deployments/preview/{environment}",
    "GET releases/{id}/deployments/preview/{environment}/{tenant}",
    "POST releases/{id}/deployments/previews",
)
def test_a_deployment_can_be_looked_at_before(shop: Shop) -> None:
    """Where it may go, for whom, what has changed; the steps there with their targets, and what must be filled in."""
    space, project, (dev, live) = shop
    target = {"Name": "web-1", "EnvironmentIds": [dev], "Roles": ["web"], "Endpoint": {"CommunicationStyle": "None"}}
    machine = space.post("/machines", target)
    tenant = space.post("/tenants", {"Name": "Anna", "ProjectEnvironments": {project["Id"]: [dev]}})
    on_web = {**step("On web", "echo web"), "Properties": {"Octopus.Action.TargetRoles": "web"}}
    only_live = step("Only live", "echo live")
    only_live["Actions"][0]["Environments"] = [live]
    space.rewrite(project, on_web, only_live)
    path = f"/projects/{project['Id']}/variables"
    prompt = {"Label": "Who is it?", "Description": "A name", "Required": True}
    asked = {"Name": "Who", "Value": "nobody", "Prompt": prompt}
    saved = space.put(path, {**space.get(path), "Variables": [asked]})
    release = space.release(project, "1.0")
    base = f"/releases/{release['Id']}/deployments"
    assert space.get(f"{base}/template")["TenantPromotions"] == []
    whole = space.get(f"/projects/{project['Id']}")
    space.put(f"/projects/{project['Id']}", {**whole, "TenantedDeploymentMode": "TenantedOrUntenanted"})
    template = space.get(f"{base}/template")
    assert [one["Id"] for one in template["PromoteTo"]] == [dev]
    assert [(one["Id"], [to["Id"] for to in one["PromoteTo"]]) for one in template["TenantPromotions"]] == [
        (tenant["Id"], [dev])
    ]
    assert (template["IsDeploymentProcessModified"], template["IsVariableSetModified"]) == (False, False)
    preview = space.http.get(template["PromoteTo"][0]["Links"]["Preview"]).json()
    (shown,) = preview["StepsToExecute"]
    assert (shown["ActionName"], shown["ActionNumber"], shown["Roles"], shown["MachineNames"]) == (
        *("On web", "1", ["web"], ["web-1"]),
    )
    assert shown["Machines"][0]["Id"] == machine["Id"]
    (element,) = preview["Form"]["Elements"]
    assert (element["Name"], element["Control"]["Label"], element["IsValueRequired"]) == (
        *(saved["Variables"][0]["Id"], "Who is it?", True),
    )
    assert preview["Form"]["Values"] == {element["Name"]: "nobody"}
    both = space.get(f"{base}/preview/{live}")["StepsToExecute"]
    assert [(one["ActionName"], one["HasNoApplicableMachines"]) for one in both] == [
        ("On web", True),
        ("Only live", False),
    ]
    assert space.get(f"{base}/preview/{dev}/{tenant['Id']}")["TenantId"] == tenant["Id"]
    asked_for = [{"EnvironmentId": dev, "TenantId": tenant["Id"]}, {"EnvironmentId": live}]
    found = space.post(f"{base}/previews", {"DeploymentPreviews": asked_for}, status=200)
    assert [(one["EnvironmentId"], one["TenantId"]) for one in found] == [(dev, tenant["Id"]), (live, None)]
    space.get(f"{base}/preview/Environments-999999", status=400)
    space.rewrite(project, step("New", "echo new"))
    set_variable(space, project, "new")
    changed = space.get(f"{base}/template")
    assert (changed["IsDeploymentProcessModified"], changed["IsVariableSetModified"]) == (True, True)


def test_packages_of_steps_that_do_not_run_are_not_acquired(shop: Shop) -> None:
    """A package that the feed has not fails a deployment only where the step that needs it runs."""
    space, project, (dev, live) = shop
    elsewhere = with_package("Ghost", "App.Ghost")
    elsewhere["Actions"][0]["ExcludedEnvironments"] = [dev]
    space.rewrite(project, step("Here", "echo here"), elsewhere)
    selected = [{"ActionName": "Ghost", "Version": "1.0.0"}]
    release = space.post("/releases", {"ProjectId": project["Id"], "Version": "1.0", "SelectedPackages": selected})
    missing = space.get(f"/releases/{release['Id']}/missingpackages")["Packages"]
    assert [(one["Id"], one["Version"]) for one in missing] == [("App.Ghost", "1.0.0")]
    space.deploy(release, dev)
    body = {"ReleaseId": release["Id"], "EnvironmentId": live}
    assert space.wait(space.post("/deployments", body)["TaskId"])["State"] == "Failed"
    ghost = space.get(f"/deploymentprocesses/{project['DeploymentProcessId']}")["Steps"][1]["Actions"][0]["Id"]
    skipping = space.post("/deployments", {**body, "SkipActions": [ghost]})
    assert space.wait(skipping["TaskId"])["State"] == "Success"
    for wrong in (["1.0.0"], [{"ActionName": "Ghost", "Version": {}}]):
        body = {"ProjectId": project["Id"], "Version": "2.0", "SelectedPackages": wrong}
        space.post("/releases", body, status=400)


def test_a_template_knows_the_library_and_the_rules_of_deployments(shop: Shop) -> None:
    """Library sets that were changed, dropped and deleted count; it goes where a deployment may go, and only there."""
    space, project, (dev, live) = shop
    library = space.post("/libraryvariablesets", {"Name": "Shared"})
    path = f"/variables/{library['VariableSetId']}"
    variable = {"Name": "Who", "Value": "nobody", "Prompt": {"Label": "Who?", "Required": True}}
    space.put(path, {**space.get(path), "Variables": [variable]})

    def change(**members: Any) -> None:
        space.put(f"/projects/{project['Id']}", {**space.get(f"/projects/{project['Id']}"), **members})

    change(IncludedLibraryVariableSetIds=[library["Id"]])
    base = f"/releases/{space.release(project, '1.0')['Id']}"
    (element,) = space.get(f"{base}/deployments/preview/{dev}")["Form"]["Elements"]
    assert element["Control"]["Label"] == "Who?"

    def template() -> tuple[list[str], bool]:
        shown = space.get(f"{base}/deployments/template")
        return [one["Id"] for one in shown["PromoteTo"]], shown["IsLibraryVariableSetModified"]

    assert template() == ([dev], False)
    space.put(path, {**space.get(path), "Variables": [{**variable, "Value": "somebody"}]})
    assert template() == ([dev], True)
    space.call("POST", f"{base}/snapshot-variables")
    assert template() == ([dev], False)
    change(IncludedLibraryVariableSetIds=[])
    space.delete(f"/libraryvariablesets/{library['Id']}")
    assert template() == ([dev], True)
    space.call("POST", f"{base}/snapshot-variables")
    space.deploy(space.get(base), dev)
    assert template() == ([dev, live], False)
    space.post(f"{base}/defects", {"Description": "It is broken"}, status=200)
    assert template() == ([dev], False)
    space.deploy(space.get(base), dev)
    space.post("/deployments", {"ReleaseId": base.rpartition("/")[2], "EnvironmentId": live}, status=400)
    change(TenantedDeploymentMode="Tenanted")
    assert template() == ([], False)
    space.post("/deployments", {"ReleaseId": base.rpartition("/")[2], "EnvironmentId": dev}, status=400)


def test_retention_forgets_library_variables_that_nothing_needs(shop: Shop) -> None:
    """Frozen ones stay while a release or a runbook's snapshot names them, or the next release may take them."""
    space, project, _ = shop
    library = space.post("/libraryvariablesets", {"Name": "Shared"})
    whole = space.get(f"/projects/{project['Id']}")
    space.put(f"/projects/{project['Id']}", {**whole, "IncludedLibraryVariableSetIds": [library["Id"]]})
    runbook = space.post(f"/projects/{project['Id']}/runbooks", {"Name": "Clean"})
    path, frozen = f"/variables/{library['VariableSetId']}", []
    for number in range(4):
        space.put(path, {**space.get(path), "Variables": [{"Name": "Number", "Value": str(number)}]})
        release = space.release(project, f"1.{number}")
        frozen += release["LibraryVariableSetSnapshotIds"]
        if number == 1:
            body = {"Name": "One", "RunbookId": runbook["Id"], "ProjectId": project["Id"]}
            assert space.post("/runbookSnapshots", body)["LibraryVariableSetSnapshotIds"] == frozen[1:]
        if number != 2:
            space.delete(f"/releases/{release['Id']}")
    space.wait(space.post("/tasks", {"Name": "Retention", "SpaceId": space.home[1:]})["Id"])
    found = [space.http.get(f"/api{space.home}/variables/{one}").status_code for one in frozen]
    assert found == [404, 200, 200, 200]
