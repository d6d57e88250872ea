"""The contract of the stand-in for the audit trail and its archives (octopus-api §A.20)."""

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract import Calls, proving_client
from tests.integration.test_standin_load import run, write
from tests.integration.test_standin_processes import KEY, running
from tests.octopus_server import Octopus

pytestmark = pytest.mark.integration


@pytest.mark.proves("GET events", "GET events/{id}", "GET events/agents")
def test_each_change_leaves_an_event_that_is_found(space: Octopus, server: Octopus) -> None:
    """Newest first, with who did it by what; found by document, category, group, user, agent, time and number."""
    agent = "octoload/1 (load-test; run=7)"
    dev = space.call("POST", "/environments", {"Name": "Dev"}, status=201, headers={"User-Agent": agent})
    space.put(f"/environments/{dev['Id']}", {**dev, "Name": "Development", "Description": "new"})
    space.delete(f"/environments/{dev['Id']}")
    page = space.get("/events", regarding=dev["Id"])
    deleted, modified, created = page["Items"]
    assert (page["ItemType"], page["TotalResults"]) == ("Event", 3)
    assert [one["Category"] for one in page["Items"]] == ["Deleted", "Modified", "Created"]
    assert (created["Username"], created["UserId"], created["IsService"]) == ("admin", "Users-1", False)
    assert (created["IdentityEstablishedWith"], created["UserAgent"], created["IpAddress"]) == (
        "API key",
        agent,
        "127.0.0.1",
    )
    assert created["RelatedDocumentIds"] == [dev["Id"]]
    (reference,) = created["MessageReferences"]
    start, length = reference["StartIndex"], reference["Length"]
    assert created["Message"][start : start + length] == "Environment Dev"
    assert f"#/environments/{dev['Id']}" in created["MessageHtml"]
    changes = modified["ChangeDetails"]["Differences"]
    assert {"op": "replace", "path": "/Name", "value": "Development"} in changes
    assert {one["path"] for one in changes} == {"/Name", "/Description"}
    plain = space.get("/events", regarding=dev["Id"], excludeDifference=True)["Items"]
    assert plain[1]["ChangeDetails"]["Differences"] is None
    assert server.get(f"/events/{created['Id']}") == created

    def found(**query: Any) -> list[str]:
        return [one["Id"] for one in space.get("/events", **query)["Items"] if dev["Id"] in one["RelatedDocumentIds"]]

    every = [deleted["Id"], modified["Id"], created["Id"]]
    assert found(eventCategories="Deleted") == [deleted["Id"]]
    assert found(eventCategories=["Created", "Modified"]) == [modified["Id"], created["Id"]]
    assert found(eventGroups="Document") == every
    assert found(eventGroups="Deployment") == found(user="Users-999999") == []
    assert found(users="Users-1", documentTypes="Environments") == every
    assert found(eventAgents=agent) == [created["Id"]]
    assert found(regarding=[dev["Id"], "Environments-999999"]) == []
    assert found(regardingAny=[dev["Id"], "Environments-999999"]) == every
    assert found(**{"from": created["Occurred"]}, includeInternalEvents=True) == every
    assert found(to="2000-01-01") == []
    assert found(projects="Projects-999999") == found(tags="Ring/One") == []
    assert space.get("/events", take=1)["Links"]["Page.Next"]
    agents = {one["Id"]: one["Name"] for one in space.get("/events/agents")}
    assert agents[agent] == agent
    space.get("/events/Events-99999999", status=404)
    rows = list(csv.DictReader(io.StringIO(space.http.get(f"/api{space.home}/events?asCsv=true").text)))
    assert [row["Id"] for row in rows][:3] == every
    assert rows[0]["RelatedDocumentIds"] == dev["Id"]


@pytest.mark.proves("GET events/categories", "GET events/groups", "GET events/documenttypes")
def test_categories_groups_and_types_are_named(server: Octopus) -> None:
    """Each group holds categories that there are; what applies to machines only is chosen."""
    categories = {one["Id"]: one["Name"] for one in server.get("/events/categories")}
    assert (categories["Created"], categories["RunbookRunQueued"]) == ("Document created", "Runbook run queued")
    groups = {one["Id"]: one["EventCategories"] for one in server.get("/events/groups")}
    assert groups["Document"] == ["Created", "Modified", "Deleted"]
    assert all(set(listed) <= set(categories) for listed in groups.values())
    machines = server.get("/events/groups", appliesTo="Machine")
    assert {one["Id"] for one in machines} == {name for name in groups if name.startswith("Machine")}
    assert all(one["Id"].startswith("Machine") for one in server.get("/events/categories", appliesTo="machine"))
    types = {one["Id"]: one["Name"] for one in server.get("/events/documenttypes")}
    assert (types["ProjectGroups"], types["RunbookRuns"]) == ("Project Group", "Runbook Run")


@pytest.mark.proves("GET events/archives", "DELETE events/archives/{fileName}")
def test_old_events_move_to_files(tmp_path: Path, calls: Calls) -> None:
    """One file a day with one event a line: together with what is left they are all; old files can be deleted."""
    long_ago = time.time() - 40 * 86_400

    def set_back(lines: list[bytes]) -> None:
        lines[0] = json.dumps({**json.loads(lines[0]), "until": long_ago}).encode() + b"\n"

    data = tmp_path / "data"
    run("load", str(write(tmp_path / "history.jsonl", set_back)), "--data", str(data))
    with (
        running("--data", str(data), "--port", "0", "--time-scale", "100") as (_, lines),
        proving_client(lines[-1].split()[1], {"X-Octopus-ApiKey": KEY}, calls, timeout=60) as http,
    ):
        server = Octopus(http)
        before = server.get("/events")["TotalResults"]
        path = "/configuration/eventretention/values"
        server.put(path, {**server.get(path), "EventRetentionDays": 50})
        server.get("/scheduler/trigger", task="EventRetention")
        archives = server.get("/events/archives")
        files = {one["Name"]: (data / "EventArchives" / one["Name"]) for one in archives["Items"]}
        assert (archives["ItemType"], archives["TotalResults"]) == ("ArchivedEventFile", len(files))
        moved = [json.loads(line) for file in files.values() for line in file.read_text().splitlines()]
        left = server.get("/events", take=100_000)["Items"]
        limit = (datetime.now(UTC) - timedelta(days=50)).date().isoformat()
        assert all(one["Occurred"][:10] < limit for one in moved)
        assert all(one["Occurred"][:10] >= limit for one in left)
        # The setting and its change are new; nothing is lost and nothing is in both.
        assert len({one["Id"] for one in (*moved, *left)}) == len(moved) + len(left) == before + 1
        assert [one["Name"] for one in archives["Items"]] == sorted(files, reverse=True)
        name, file = next(iter(files.items()))
        assert archives["Items"][0]["FileBytes"] == file.stat().st_size
        server.get("/scheduler/trigger", task="EventRetention")
        assert server.get("/events/archives")["TotalResults"] == len(files)
        server.delete(f"/events/archives/{name}")
        assert not file.exists()
        assert server.get("/events/archives")["TotalResults"] == len(files) - 1
        assert name in server.get("/events", eventCategories="Deleted")["Items"][0]["Message"]
        for wrong in (name, "..%2F..%2FPostgreSQL.log", "PostgreSQL.password"):
            server.delete(f"/events/archives/{wrong}", status=404)
