"""Databases of the stand-in: loaded, refused, copied, settled, inspected, and thinned by retention."""

import asyncio
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from standin.database import open_pool
from standin.documents import KeyAllocator
from standin.errors import Rejected
from standin.history import create_deployment
from standin.purge import lock_unused
from standin.retention import Candidate
from standin.statements import queries
from standin.work import Work
from tests.integration.test_standin_processes import running
from tests.octopus_server import Octopus

pytestmark = pytest.mark.integration

RELEASES = 30
ENVIRONMENTS = ("dev", "test", "live")
Line = dict[str, Any]


def settings() -> list[Line]:
    space: Line = {"space": "s"}
    return [
        {"kind": "space", "key": "s", "name": "Loaded", "description": ""},
        *(
            {"kind": "environment", "key": key, **space, "name": key.title(), "sort_order": order}
            for order, key in enumerate(ENVIRONMENTS)
        ),
        {
            "kind": "lifecycle",
            "key": "l",
            **space,
            "name": "Life",
            "phases": [{"name": key, "environments": [key]} for key in ENVIRONMENTS],
            "keep": 0,
        },
        {"kind": "project_group", "key": "g", **space, "name": "Group"},
        {"kind": "machine", "key": "m", **space, "name": "web1", "environments": list(ENVIRONMENTS), "roles": ["web"]},
        {"kind": "project", "key": "p", **space, "name": "Web", "group": "g", "lifecycle": "l", "description": "x"},
        {
            "kind": "process",
            "project": "p",
            **space,
            "steps": [{"name": "Say", "syntax": "Bash", "script": "echo #{Greeting}"}],
        },
        {
            "kind": "variables",
            "project": "p",
            **space,
            "variables": [{"name": "Greeting", "value": "hello", "environments": ["dev"]}],
        },
        {
            "kind": "runbook",
            "key": "b",
            **space,
            "project": "p",
            "name": "Clean",
            "steps": [{"name": "Wipe", "syntax": "Bash", "script": "echo wiped #{Greeting}"}],
        },
        {"kind": "tenant", "key": "t", **space, "name": "Acme", "projects": {"p": ["dev"]}},
    ]


def releases() -> Iterator[Line]:
    """30 releases a day apart, each deployed to the three environments; every tenth fails in the last."""
    for number in range(RELEASES):
        day = -86400.0 * (RELEASES - number)
        key = f"r{number}"
        yield {
            "kind": "release",
            "key": key,
            "space": "s",
            "project": "p",
            "version": f"1.0.{number}",
            "assembled": day,
        }
        for order, environment in enumerate(ENVIRONMENTS, start=1):
            failed = environment == "live" and number % 10 == 5
            yield {
                "kind": "deployment",
                "key": f"{key}-{environment}",
                "space": "s",
                "release": key,
                "project": "p",
                "environment": environment,
                "queued": day + 100 * order,
                "started": day + 100 * order + 10,
                "completed": day + 100 * order + 70,
                "outcome": "Failed" if failed else "Success",
            }


def write(path: Path, spoil: Callable[[list[bytes]], None] = lambda _: None) -> Path:
    """Write the history; `spoil` may damage its lines."""
    resources = [*settings(), *releases()]
    counts: dict[str, int] = {}
    for resource in resources:
        counts[resource["kind"]] = counts.get(resource["kind"], 0) + 1
    body = [json.dumps(resource).encode() + b"\n" for resource in resources]
    fingerprint = "sha256:" + hashlib.sha256(b"".join(body)).hexdigest()
    header = {
        "kind": "header",
        "format": "octoload.history",
        "version": 1,
        "until": 1_790_000_000.0,
        "history": {"name": "tiny", "age_days": 40},
    }
    footer = {"kind": "footer", "counts": counts, "fingerprint": fingerprint}
    lines = [json.dumps(header).encode() + b"\n", *body, json.dumps(footer).encode() + b"\n"]
    spoil(lines)
    content = b"".join(lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def run(*words: str, code: int = 0) -> str:
    """Run a command of the stand-in; return what it says, on standard error when it is to fail."""
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid())}
    command = [sys.executable, "-m", "standin", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return (done.stderr if code else done.stdout).strip()


def rows(dsn: str, question: str, *arguments: Any) -> list[Any]:
    """Ask a database."""

    async def ask() -> list[Any]:
        conn = await asyncpg.connect(dsn)
        try:
            found: list[Any] = await conn.fetch(question, *arguments)
            return found
        finally:
            await conn.close()

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL; its address up to the name of a database."""
    with running("postgres", "--data", str(tmp_path_factory.mktemp("postgres"))) as (_, lines):
        yield lines[-1].removeprefix("ready: ").removesuffix("postgres")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history as a file."""
    return write(tmp_path_factory.mktemp("history") / "history.jsonl.gz")


@pytest.fixture(scope="module")
def loaded(server: str, history: Path) -> str:
    """A database with the history in it, which no test changes."""
    run("load", str(history), "--database", server + "loaded")
    return server + "loaded"


def test_what_is_loaded_is_what_was_written(server: str, history: Path) -> None:
    """The loader counts what it read and what it made: a task and a row of history a deployment, three events."""
    said = json.loads(run("load", str(history), "--database", server + "counted"))
    deployments = RELEASES * 3
    assert said["counts"]["deployment"] == deployments
    made = said["rows"]
    assert (made["Release"], made["Deployment"], made["ServerTask"]) == (RELEASES, deployments, deployments)
    assert (made["DeploymentHistory"], made["DeploymentRelatedMachine"]) == (deployments, deployments)
    created = 1 + 3 + 1 + 1 + 1 + 1 + 2 + 1 + RELEASES  # space … runbook and its snapshot, tenant, releases
    assert made["Event"] == 3 * deployments + created + 1  # and the one of the default space
    per_release, per_setting, runbook = 3, 1, 2 + 3  # a runbook is its project's, a snapshot of it both's
    assert made["EventRelatedDocument"] == 18 * deployments + per_release * RELEASES + per_setting * 9 + runbook + 1


def spoil_fingerprint(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b"Test", b"Tent")


def spoil_end(lines: list[bytes]) -> None:
    del lines[-1]


def spoil_middle(lines: list[bytes]) -> None:
    lines[-2] = lines[-2][:20] + b"\n"


def spoil_order(lines: list[bytes]) -> None:
    lines[2:6] = lines[5:1:-1]


def spoil_start(lines: list[bytes]) -> None:
    lines[0] = b'{"some": "json"}\n'


def spoil_version(lines: list[bytes]) -> None:
    lines[0] = lines[0].replace(b'"version": 1', b'"version": 2')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_fingerprint, "fingerprint"),
        (spoil_end, "half-written"),
        (spoil_middle, "line "),
        (spoil_order, "has not come before"),
        (spoil_start, "no octoload.history"),
        (spoil_version, "version 2"),
    ],
)
def test_a_damaged_history_leaves_no_database(
    server: str, tmp_path: Path, spoil: Callable[[list[bytes]], None], said: str
) -> None:
    """A half-written, changed or newer file is refused with code 2, and the database is not made."""
    path = write(tmp_path / "history.jsonl", spoil)
    assert said in run("load", str(path), "--database", server + "damaged", code=2)
    assert rows(server + "postgres", "SELECT 1 FROM pg_database WHERE datname = 'damaged'") == []


def test_a_database_with_something_in_it_is_not_loaded_into(loaded: str, history: Path) -> None:
    """Loading twice is refused, and what was there stays."""
    assert "not empty" in run("load", str(history), "--database", loaded, code=2)
    assert rows(loaded, "SELECT count(*) FROM Deployment")[0][0] == RELEASES * 3


def test_a_clone_is_a_copy(server: str, loaded: str) -> None:
    """A clone has all rows; its name must be free unless it is to be replaced, and its source must exist."""
    dsn = run("clone", "--database", loaded, "--to", "copy").removeprefix("cloned: ")
    assert dsn == server + "copy"
    first, second = (json.loads(run("inspect", "--database", one)) for one in (loaded, dsn))
    assert first["rows"] == second["rows"]
    assert "exists already" in run("clone", "--database", loaded, "--to", "copy", code=2)
    assert "no database" in run("clone", "--database", server + "nowhere", "--to", "other", code=2)
    rows(dsn, "DELETE FROM Deployment")
    assert "no database" in run("clone", "--database", server + "nowhere", "--to", "copy", "--replace", code=2)
    assert rows(dsn, "SELECT count(*) FROM Deployment")[0][0] == 0, "the older copy is still there"
    run("clone", "--database", loaded, "--to", "copy", "--replace")
    assert json.loads(run("inspect", "--database", dsn))["rows"] == first["rows"]


def test_a_settled_database_is_read_into_memory(loaded: str) -> None:
    """Settling rebuilds the indexes that grow, reads all blocks, leaves no dead rows; then none is read again."""
    files = "SELECT indexrelid::regclass::text, pg_relation_filenode(indexrelid) FROM pg_index JOIN pg_class c"
    files += " ON c.oid = indrelid WHERE c.relname IN ('deployment', 'event', 'deploymenthistory')"
    before = rows(loaded, files)
    assert json.loads(run("settle", "--database", loaded))["blocks"] > 50
    assert len(before) > 10
    assert not set(before) & set(rows(loaded, files))
    assert rows(loaded, "SELECT sum(n_dead_tup) FROM pg_stat_user_tables")[0][0] == 0
    seen = json.loads(run("inspect", "--database", loaded, "--space", "Spaces-2"))
    assert (seen["format"], seen["version"]) == ("octoload.database", 1)
    assert seen["rows"]["Deployment"] == RELEASES * 3
    assert seen["bytes"] > 1_000_000
    assert "WindowAgg" in seen["dashboard"]["plan"]
    assert seen["dashboard"]["shared_hit"] > 0
    assert seen["dashboard"]["shared_read"] == 0
    other = json.loads(run("inspect", "--database", loaded, "--space", "Spaces-2", "--dashboard-sql", "lateral"))
    assert other["dashboard"]["sql"] == queries("dashboard")["lateral"]
    assert "WindowAgg" not in other["dashboard"]["plan"]


def test_all_dashboards_show_the_same(loaded: str) -> None:
    """Ranking all deployments, some of them twice, and stepping into an index find the same deployments."""
    found = [rows(loaded, queries("dashboard")[name], "Spaces-2", None) for name in ("ranked", "lateral", "more")]
    ranked, lateral, more = ({tuple(row.values()) for row in one} for one in found)
    assert ranked == lateral == more
    plan = json.loads(run("inspect", "--database", loaded, "--space", "Spaces-2", "--dashboard-sql", "more"))
    assert plan["dashboard"]["plan"].count("WindowAgg") == 2, "the work is done, though nothing of it is shown"
    assert len(ranked) == 2 * len(ENVIRONMENTS)


def test_a_live_deployment_looks_like_a_loaded_one(server: str, loaded: str, tmp_path: Path) -> None:
    """Rows that the server writes have the same columns filled and the same members in JSON as rows of the loader.

    A loaded runbook runs as it was published, with its project's variables.
    """
    dsn = run("clone", "--database", loaded, "--to", "live").removeprefix("cloned: ")
    with running("--database", dsn, "--data", str(tmp_path), "--port", "0", "--time-scale", "200") as (_, lines):
        url, key = lines[-1].split()[1::2]
        with httpx.Client(base_url=url, headers={"X-Octopus-ApiKey": key}, timeout=30) as http:
            space = Octopus(http, "/Spaces-2")
            runbook = space.get("/runbooks/all")[0]
            order = {"RunbookId": runbook["Id"], "RunbookSnapshotId": runbook["PublishedRunbookSnapshotId"]}
            started = space.post("/runbookRuns", {**order, "EnvironmentId": "Environments-1"})
            assert space.wait(started["TaskId"])["State"] == "Success"
            assert "wiped hello" in http.get(f"/api/tasks/{started['TaskId']}/raw").text
            deployment = space.deploy(space.release(space.get("/projects/all")[0], "2.0.0"), "Environments-1")
            assert "hello" in http.get(f"/api/tasks/{deployment['TaskId']}/raw").text
    for table in ("Release", "Deployment", "ServerTask", "Event", "DeploymentHistory"):
        key_column = "DeploymentId" if table == "DeploymentHistory" else "Id"
        alike = "WHERE Category = 'DeploymentSucceeded'" if table == "Event" else ""
        found = rows(dsn, f"SELECT * FROM {table} {alike} ORDER BY length({key_column}), {key_column}")
        assert shape(found[0]) == shape(found[-1]), table


def shape(row: Any) -> tuple[set[str], set[str]]:
    """Which columns of a row hold something, and which members its JSON has."""
    filled = {name for name, value in row.items() if value is not None and name not in ("json", "deployedtomachineids")}
    return filled, set(json.loads(row["json"])) if "json" in dict(row) else set()


def test_retention_thins_a_loaded_history_and_nothing_else(server: str, loaded: str, tmp_path: Path) -> None:
    """A policy of 3 deletes releases and what belongs to them; events only grow, the history of deployments stays."""
    dsn = run("clone", "--database", loaded, "--to", "thinned").removeprefix("cloned: ")
    options = ("--database", dsn, "--data", str(tmp_path), "--port", "0", "--time-scale", "200")
    with running(*options) as (_, lines):
        url, key = lines[-1].split()[1::2]
        with httpx.Client(base_url=url, headers={"X-Octopus-ApiKey": key}, timeout=30) as http:
            space = Octopus(http, "/Spaces-2")
            project = space.get("/projects/all")[0]
            space.deploy(space.release(project, "2.0.0"), "Environments-1")
            lifecycle = next(one for one in space.get("/lifecycles/all") if one["Phases"])
            lifecycle["ReleaseRetentionPolicy"] = {"Strategy": "Default", "QuantityToKeep": 0, "Unit": "Items"}
            space.put(f"/lifecycles/{lifecycle['Id']}", lifecycle)
            policy = space.get("/retentionpolicies", RetentionType="LifecycleRelease")
            keep_three = {**policy, "Strategy": "Count", "QuantityToKeep": 3, "Unit": "Items"}
            space.put(f"/retentionpolicies/{policy['Id']}", keep_three)
            task = Octopus(http).post("/tasks", {"Name": "Retention", "Description": "now", "SpaceId": "Spaces-2"})
            assert space.wait(task["Id"])["State"] == "Success"
    # 2.0.0 is shown in Dev and 1.0.29 elsewhere; 1.0.29 and 1.0.28 are what they could be rolled back to; and 3 more.
    versions = [row["version"] for row in rows(dsn, "SELECT Version FROM Release ORDER BY Assembled DESC")]
    assert versions == ["2.0.0", "1.0.29", "1.0.28", "1.0.27", "1.0.26", "1.0.25"]
    counts = json.loads(run("inspect", "--database", dsn))["rows"]
    assert (counts["Deployment"], counts["DeploymentRelatedMachine"]) == (16, 15)
    assert counts["ServerTask"] == 17
    assert counts["DeploymentHistory"] == RELEASES * 3 + 1
    before = json.loads(run("inspect", "--database", loaded))["rows"]
    grown = (counts[table] - before[table] for table in ("Event", "DeploymentProcess", "VariableSet"))
    assert next(grown) == 1 + 3 + 2 + 1 + (RELEASES + 1 - 6)  # release, deployment, two policies, task, deletions
    assert list(grown) == [0, 0]  # the one snapshot is still shared
    assert rows(dsn, "SELECT 1 FROM Deployment d LEFT JOIN ServerTask t ON t.Id = d.TaskId WHERE t.Id IS NULL") == []


def test_retention_leaves_a_release_that_is_deployed_meanwhile(server: str, loaded: str) -> None:
    """Between the decision and the deletion a deployment may come: its release stays, and what waits sees the end."""
    dsn = run("clone", "--database", loaded, "--to", "raced").removeprefix("cloned: ")
    kept, left = asyncio.run(race(dsn))
    assert kept == ["Releases-2"]
    assert left == 404


async def race(dsn: str) -> tuple[list[str], int]:
    """Deploy Releases-1 after the decision, unlocked until retention waits; then Releases-2, which is being deleted."""
    pool = await open_pool(dsn, 4)
    keys = KeyAllocator(lambda: asyncpg.connect(dsn))
    sql = "SELECT EnvironmentId, max(Created) FROM Deployment WHERE ReleaseId = $1 GROUP BY 1"
    decided = [
        Candidate(one, "", datetime.now(UTC), dict(await pool.fetch(sql, one))) for one in ("Releases-1", "Releases-2")
    ]
    works = [Work(await pool.acquire(), keys) for _ in range(3)]
    early, purge, late = (work.conn.transaction() for work in works)
    await asyncio.gather(early.start(), purge.start(), late.start())
    await create_deployment(works[0], "Releases-1", "Environments-1")
    locking = asyncio.create_task(lock_unused(works[1].conn, decided))
    assert await waits(locking)
    await early.commit()
    kept = [release.id for release in await locking]
    deploying = asyncio.create_task(create_deployment(works[2], "Releases-2", "Environments-1"))
    assert await waits(deploying)
    await works[1].conn.execute("DELETE FROM Release WHERE Id = 'Releases-2'")
    await purge.commit()
    with pytest.raises(Rejected) as refusal:
        await deploying
    await late.rollback()
    await keys.close()
    pool.terminate()
    return kept, refusal.value.status


async def waits(task: "asyncio.Task[Any]") -> bool:
    """Whether a task has not ended after a while in which it would have."""
    _, pending = await asyncio.wait({task}, timeout=0.5)
    return bool(pending)
