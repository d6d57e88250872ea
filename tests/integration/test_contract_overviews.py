"""The contract of the stand-in for its overviews: dashboard, progression, reports (octopus-api §A.19)."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.octopus_server import Shop, step

pytestmark = pytest.mark.integration


@pytest.mark.proves(
    "GET dashboard", "GET dashboard/dynamic", "GET dashboardconfiguration", "PUT dashboardconfiguration"
)
def test_the_dashboard_shows_what_is_where(shop: Shop) -> None:
    """The newest deployment of each cell and the one before it; narrowed by the query and by what the user wants."""
    space, project, (dev, live) = shop
    other = space.project("Other", project["LifecycleId"])
    first, second = (space.release(project, version) for version in ("1.0", "1.1"))
    old, new = space.deploy(first, dev), space.deploy(second, dev)
    top = space.deploy(first, live)
    aside = space.deploy(space.release(other, "7.0"), dev)

    def items(path: str = "/dashboard", **query: Any) -> set[str]:
        return {one["DeploymentId"] for one in space.get(path, **query)["Items"]}

    board = space.get("/dashboard")
    assert [one["Name"] for one in board["Projects"]] == ["Other", "Shop"]
    assert [one["Id"] for one in board["Environments"]] == [dev, live]
    assert board["Projects"][1]["EnvironmentIds"] == [dev, live]
    cells = {one["DeploymentId"]: one for one in board["Items"]}
    assert set(cells) == {new["Id"], top["Id"], aside["Id"]}
    cell = cells[new["Id"]]
    assert (cell["ReleaseVersion"], cell["State"], cell["IsCurrent"], cell["IsCompleted"]) == (
        *("1.1", "Success", True, True),
    )
    assert [one["DeploymentId"] for one in board["PreviousItems"]] == [old["Id"]]
    assert items(projectId=project["Id"]) == {new["Id"], top["Id"]}
    assert items(releaseId=first["Id"]) == {top["Id"]}
    assert items(selectedTenants="Tenants-999999") == set()
    assert items(highestLatestVersionPerProjectAndEnvironment=True) == set(cells)
    dynamic = "/dashboard/dynamic"
    assert items(dynamic, projects=project["Id"], environments=live) == {top["Id"]}
    assert space.get(dynamic, projects=project["Id"], includePrevious=True)["PreviousItems"][0]["IsPrevious"] is True
    assert space.get(dynamic, projects=project["Id"])["PreviousItems"] == []
    kept = space.get("/dashboardconfiguration")
    assert (kept["IncludedProjectIds"], kept["ProjectLimit"]) == ([], None)
    wanted = {**kept, "IncludedProjectIds": [project["Id"]], "IncludedEnvironmentIds": [dev], "ProjectLimit": 1}
    assert space.put("/dashboardconfiguration", wanted) == wanted
    assert space.get("/dashboardconfiguration") == wanted
    assert items() == {new["Id"]}
    assert [one["Id"] for one in space.get("/dashboard")["Environments"]] == [dev]
    assert items(showAll=True) == set(cells)
    space.put("/dashboardconfiguration", {"ProjectLimit": 1})
    limited = space.get("/dashboard")
    assert (limited["ProjectLimit"], limited["IsFiltered"], len(limited["Projects"])) == (1, True, 1)
    space.put("/dashboardconfiguration", {"ProjectLimit": -1}, status=400)


@pytest.mark.proves("GET progression/{id}", "GET projects/{id}/progression")
def test_progression_shows_the_newest_releases_and_where_they_are(shop: Shop) -> None:
    """So many releases as asked for, and those deployed somewhere; what comes next; environments by channel."""
    space, project, (dev, live) = shop
    first = space.release(project, "1.0")
    space.deploy(first, dev)
    space.deploy(first, live)
    for number in range(1, 5):
        space.release(project, f"1.{number}")
    progression = space.get(f"/progression/{project['Id']}", releaseHistoryCount=2)
    assert progression == space.get(f"/projects/{project['Slug']}/progression", releaseHistoryCount=2) | {
        "Links": progression["Links"]
    }
    shown = progression["Releases"]
    assert [one["Release"]["Version"] for one in shown] == ["1.4", "1.3", "1.0"]
    assert [one["NextDeployments"] for one in shown] == [[dev], [dev], []]
    assert set(shown[2]["Deployments"]) == {dev, live}
    assert shown[2]["Channel"]["Name"] == "Default"
    (environments,) = progression["ChannelEnvironments"].values()
    assert [one["Id"] for one in environments] == [one["Id"] for one in progression["Environments"]] == [dev, live]
    for count in (0, 101):
        space.get(f"/progression/{project['Id']}", releaseHistoryCount=count, status=400)


@pytest.mark.proves(
    "GET progression/runbooks/{id}", "GET progression/runbooks/{id}/v1", "GET progression/runbooks/taskRuns"
)
def test_runbooks_have_overviews_of_their_own(shop: Shop) -> None:
    """The newest run in each environment, and all runs with their tasks, newest first."""
    space, project, (dev, live) = shop
    runbook = space.post(f"/projects/{project['Id']}/runbooks", {"Name": "Clean"})
    process = space.get(f"/runbookProcesses/{runbook['RunbookProcessId']}")
    space.put(f"/runbookProcesses/{process['Id']}", {**process, "Steps": [step("Clean", "echo ok")]})
    space.post("/runbookSnapshots?publish=true", {"Name": "One", "RunbookId": runbook["Id"], "Notes": "first"})
    runs = []
    for environment in (dev, dev, live):
        (run,) = space.post(f"/runbooks/{runbook['Id']}/run", {"EnvironmentId": environment})
        space.wait(run["TaskId"])
        runs.append(run["Id"])
    overview = space.get(f"/progression/runbooks/{runbook['Id']}")
    assert {place: [one["Id"] for one in shown] for place, shown in overview["RunbookRuns"].items()} == {
        dev: [runs[1]],
        live: [runs[2]],
    }
    assert [one["Id"] for one in overview["Environments"]] == [dev, live]
    assert space.get(f"/progression/runbooks/{runbook['Id']}/v1")["RunbookRuns"] == overview["RunbookRuns"]
    page = space.get("/progression/runbooks/taskRuns", projectIds=project["Id"])
    assert (page["ItemType"], [one["Id"] for one in page["Items"]]) == ("RunbooksDashboardItem", runs[::-1])
    item = page["Items"][0]
    assert (item["State"], item["RunbookSnapshotName"], item["RunbookSnapshotNotes"], item["RunBy"]) == (
        *("Success", "One", "first", "admin"),
    )
    assert space.get("/progression/runbooks/taskRuns", environmentIds=live, take=1)["TotalResults"] == 1
    assert space.get("/progression/runbooks/taskRuns", runbookIds="Runbooks-999999")["Items"] == []


@pytest.mark.proves("GET reporting/deployments-counted-by-week", "GET reporting/deployments/xml")
def test_reports_outlive_what_they_tell_about(shop: Shop) -> None:
    """A deleted release's deployments stay in the history: in the count by week and in the XML feed."""
    space, project, (dev, live) = shop
    release = space.release(project, "1.0")
    deployments = [space.deploy(release, one) for one in (dev, live)]
    space.delete(f"/releases/{release['Id']}")
    space.get("/reporting/deployments-counted-by-week", status=400)
    (report,) = space.get("/reporting/deployments-counted-by-week", projectIds=project["Id"])
    data = report["ReportData"]
    assert (report["ProjectId"], sum(data["Series"][0]["Data"])) == (project["Id"], 2)
    assert len(data["Labels"]) == len(data["Series"][0]["Data"])
    answer = space.http.get(f"/api{space.home}/reporting/deployments/xml?projectId={project['Id']}")
    assert answer.headers["content-type"].startswith("text/xml")
    rows = ET.fromstring(answer.text).findall("Deployment")
    assert [row.findtext("DeploymentId") for row in rows] == [one["Id"] for one in deployments]
    assert (rows[0].findtext("ProjectName"), rows[0].findtext("TaskState")) == ("Shop", "Success")
    later = space.http.get(f"/api{space.home}/reporting/deployments/xml?fromCompletedTime=2099-01-01")
    assert ET.fromstring(later.text).findall("Deployment") == []
