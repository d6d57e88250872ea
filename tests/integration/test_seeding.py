"""Both writers against the stand-in: what they leave is what a history asks for, by the server's own counts."""

import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from octoload.api import Octopus
from octoload.errors import ServerError, UsageError
from seeders import api, bulk, manifest, plan, stream
from seeders.history import History

pytestmark = pytest.mark.integration

KEY = "API-SEEDINGSEEDINGSEEDING"
BULK = History(name="Bulk", projects=4, releases_per_project=15, age_days=60, tenants=3)
TINY = History(
    name="Tiny", environments=2, projects=3, releases_per_project=4, machines=3, tenants=2, failure_share=0.2
)

EVERYTHING = History(
    name="Everything", environments=3, projects=3, releases_per_project=4, deployments_per_release=1.5, machines=6,
    tenants=4, variables=12, steps=8, channels=2, tag_sets=2, packages=2, runbooks=2, runs_per_runbook=2, users=9,
)  # fmt: skip


@pytest.fixture(scope="module")
def footer() -> stream.Footer:
    return stream.write(plan.draw(BULK))


@pytest.fixture(scope="module")
def octopus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Octopus]:
    """Return a stand-in that serves a loaded history, its timers 100 times faster."""
    folder = tmp_path_factory.mktemp("seeding")
    bulk.write(BULK, folder / "history.jsonl.gz")
    program = [sys.executable, "-m", "standin"]
    env = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": KEY}
    loading = [*program, "load", str(folder / "history.jsonl.gz"), "--data", str(folder / "data")]
    subprocess.run(loading, env=env, check=True, capture_output=True, timeout=120)
    serving = [*program, "serve", "--port", "0", "--data", str(folder / "data"), "--time-scale", "100"]
    with subprocess.Popen(serving, env=env, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = next(line for line in server.stdout if line.startswith("ready:"))
            with Octopus(ready.split()[1], KEY) as octopus:
                yield octopus
        finally:
            server.terminate()
            server.wait(30)
            server.stdout.close()


def deployments_by_state(octopus: Octopus, space: str) -> Counter[str]:
    return Counter(task["State"] for task in octopus.space(space).pages("tasks", name="Deploy", take=100))


def test_a_loaded_history_is_complete(octopus: Octopus, footer: stream.Footer, tmp_path: Path):
    """After the loader, the server's counts agree and every named resource has its id; the manifest reads back."""
    written = manifest.complete(octopus, BULK, footer)
    written.save(tmp_path / "manifest.json")
    assert manifest.load(tmp_path / "manifest.json") == written
    assert written.verified.agrees
    assert written.ids["deployment"] == BULK.deployments
    assert len(written.ids["project"]) == BULK.projects
    project = octopus.get(f"/api/{written.ids['space']['s1']}/projects/{written.ids['project']['s1/p1']}")
    names = [record.name for record in plan.draw(BULK).settings if isinstance(record, stream.Project)]
    assert project["Name"] == names[0]


def test_a_history_that_is_there_is_left_as_it_is(octopus: Octopus, tmp_path: Path):
    """The API writer takes up what a history has already, whoever wrote it, and adds nothing."""
    before = octopus.counts()
    written = api.write(BULK, octopus, tmp_path)
    assert octopus.counts() == before
    assert set(written.verified.grew.values()) == {0}


def test_the_api_writes_what_bulk_writes(octopus: Octopus, tmp_path: Path):
    """The same history has the same fingerprint and counts through the API, and deployments end as it says."""
    told: list[tuple[int, int]] = []
    written = api.write(TINY, octopus, tmp_path, lambda done, total, _label: told.append((done, total)))
    planned = bulk.write(TINY, tmp_path / "tiny.jsonl")
    assert (written.fingerprint, written.counts) == (planned.fingerprint, planned.counts)
    assert written.verified.agrees
    assert manifest.load(tmp_path / "manifest.json") == written
    total = TINY.releases + TINY.deployments
    assert told == [(done, total) for done in range(1, total + 1)]
    outcomes = Counter(record.outcome for record in plan.draw(TINY) if isinstance(record, stream.Deployment))
    assert deployments_by_state(octopus, written.ids["space"]["s1"]) == outcomes


def test_a_history_has_everything(octopus: Octopus, tmp_path: Path):
    """Processes with parallel and rolling steps and packages, channels, tags, runbooks that ran, users and teams."""
    written = api.write(EVERYTHING, octopus, tmp_path)
    ids, space = written.ids, octopus.space(written.ids["space"]["s1"])
    steps = [
        step
        for project in ids["project"].values()
        for step in space.get(f"projects/{project}/deploymentprocesses")["Steps"]
    ]
    assert {step["StartTrigger"] for step in steps} == {"StartAfterPrevious", "StartWithPrevious"}
    rolling = [step for step in steps if step["Properties"]]
    assert {step["Properties"]["Octopus.Action.MaxParallelism"] for step in rolling} == {"2"}
    assert {step["Actions"][0]["Properties"]["Octopus.Action.RunOnServer"] for step in rolling} == {"false"}
    releases = list(space.pages("releases", take=100))
    chosen = {package["Version"] for release in releases for package in release["SelectedPackages"]}
    assert chosen == {"1.0.0", "1.1.0", "2.0.0"}
    feed = space.get("packages", take=100)
    assert feed["TotalResults"] == EVERYTHING.packages * 3
    assert all(item["PackageSizeBytes"] > 20_000 for item in feed["Items"])
    channels = {release["ChannelId"] for release in releases}
    assert channels & set(ids["channel"].values())
    assert channels - set(ids["channel"].values())
    assert all(len(tenant["TenantTags"]) == 2 for tenant in space.pages("tenants", take=100))
    runs = list(space.pages("runbookRuns", take=100))
    assert len(runs) == EVERYTHING.runs == written.counts["runbook_run"]
    assert {octopus.get(f"/api/tasks/{run['TaskId']}")["State"] for run in runs} == {"Success"}
    teams = [octopus.get(f"/api/teams/{team}") for team in ids["team"].values()]
    assert sorted(len(team["MemberUserIds"]) for team in teams) == [1, 8]
    assert {team["Description"] for team in teams} == {EVERYTHING.mark}
    before = octopus.counts()
    again = api.write(EVERYTHING, octopus, tmp_path)
    assert again.ids == written.ids
    assert octopus.counts() == before


def test_deployments_of_one_release_need_not_wait(octopus: Octopus, tmp_path: Path):
    """Without promotion a release goes to all environments side by side: their times in the queue overlap."""
    history = History(
        name="Wide", environments=10, promotion=False, projects=1, releases_per_project=1, deployments_per_release=30,
        machines=0, failure_share=0,
    )  # fmt: skip
    written = api.write(history, octopus, tmp_path)
    space = octopus.space(written.ids["space"]["s1"])
    tasks = sorted(space.pages("tasks", name="Deploy", take=100), key=lambda task: task["QueueTime"])
    assert len(tasks) == 30
    assert sum(two["QueueTime"] < one["CompletedTime"] for one, two in itertools.pairwise(tasks)) > 15
    assert len({item["EnvironmentId"] for item in space.pages("deployments", take=100)}) == 10


@pytest.mark.parametrize("word", ["channels", "packages", "runs_per_runbook", "users"])
def test_the_bulk_writer_says_what_it_cannot(tmp_path: Path, word: str):
    """What no loader takes is refused before a file is written."""
    with pytest.raises(UsageError, match=word):
        bulk.write(msgspec.structs.replace(TINY, **{word: 1}), tmp_path / "never.jsonl")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_writing_goes_on(octopus: Octopus, tmp_path: Path):
    """Ctrl-C in the middle loses nothing: writing again adds what is missing, as if nothing had happened."""
    history = msgspec.structs.replace(TINY, name="Interrupted", seed=2)
    before = octopus.counts()["deployment"]

    def interrupt(done: int, *_: object) -> None:
        if done == TINY.releases:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.write(history, octopus, tmp_path, interrupt)
    assert not (tmp_path / "manifest.json").exists()
    assert before < octopus.counts()["deployment"] < before + history.deployments
    written = api.write(history, octopus, tmp_path)
    assert written.verified.grew["deployment"] == written.ids["deployment"] == history.deployments


def test_two_seeders_on_one_space_refuse_each_other(octopus: Octopus, tmp_path: Path):
    """The second is refused in the same folder and in another one, and let in when the first is done."""
    history = msgspec.structs.replace(TINY, name="Contended", seed=3)
    refused: list[str] = []

    def intrude(done: int, *_: object) -> None:
        if done != TINY.releases:
            return
        for folder in ("first", "second"):
            with ThreadPoolExecutor(1) as other, pytest.raises(UsageError) as caught:
                other.submit(intruder, folder).result()
            refused.append(caught.value.message)

    def intruder(folder: str) -> None:
        with Octopus(octopus.access.url, KEY) as another:
            api.write(history, another, tmp_path / folder)

    written = api.write(history, octopus, tmp_path / "first", intrude)
    assert "in use by process" in refused[0]
    assert "is at work here" in refused[1]
    assert written.verified.agrees
    assert set(api.write(history, octopus, tmp_path / "second").verified.grew.values()) == {0}


def test_a_space_of_others_is_not_touched(octopus: Octopus, tmp_path: Path):
    """A space of the history's name that octoload did not make is refused before anything is written."""
    me = octopus.get("/api/users/me")["Id"]
    octopus.post("/api/spaces", {"Name": "Theirs", "SpaceManagersTeams": [], "SpaceManagersTeamMembers": [me]})
    before = octopus.counts()
    with pytest.raises(UsageError, match="'Theirs' already"):
        api.write(msgspec.structs.replace(TINY, name="Theirs"), octopus, tmp_path)
    assert octopus.counts() == before


def test_what_is_missing_is_listed(octopus: Octopus, footer: stream.Footer):
    """A manifest of more than the server has is refused, and the difference is told by kind."""
    more = msgspec.structs.replace(footer, counts={**footer.counts, "release": footer.counts["release"] + 3})
    with pytest.raises(ServerError, match=r"3 release\(s\) too few"):
        manifest.verify(dict.fromkeys(footer.counts, 0), footer.counts, more.counts)
    with pytest.raises(UsageError, match="not made from this history"):
        manifest.complete(octopus, msgspec.structs.replace(BULK, seed=2), footer)
