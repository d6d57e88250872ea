"""A seeding that is disturbed ends as one that is not: killed, cut off, limited and refused, nothing is made twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
import pytest

from octoload.api import Octopus
from seeders import api, manifest, plan, stream
from seeders.history import History
from tests.octopus_server import StandIn, until
from tests.rude_proxy import CUT_AFTER, CUT_BEFORE, LIMITED, UNAVAILABLE, RudeProxy
from tests.seed_commands import program

pytestmark = pytest.mark.integration

#: Kills in one seeding, and seedings; `make calibrate` asks for more of them.
KILLS, SEEDINGS = 10, int(os.environ.get("OCTOLOAD_KILLED_SEEDINGS", "1"))
MANY = History(
    name="Killed", environments=2, projects=20, releases_per_project=100, deployments_per_release=0.05, machines=5,
    tenants=3, variables=3, channels=1, packages=1, runbooks=1, runs_per_runbook=2, users=3,
)  # fmt: skip
FEW = msgspec.structs.replace(MANY, name="Cut", projects=10, releases_per_project=20, deployments_per_release=0.3)
#: What happens to requests of a disturbed seeding.
RUDENESS = (CUT_BEFORE, CUT_AFTER, LIMITED, UNAVAILABLE)
SEED = """
import sys
from pathlib import Path
import msgspec
from octoload.api import Octopus
from seeders import api, history
octopus = Octopus(sys.argv[1], sys.stdin.readline().strip())
def tell(done, total, label):
    print(done, flush=True)
print("begins", flush=True)
api.write(history.load(Path(sys.argv[2])), octopus, Path(sys.argv[3]), tell)
"""


@pytest.fixture(scope="module")
def octopus(standin: StandIn) -> Iterator[Octopus]:
    with Octopus(standin.url, standin.api_key) as octopus:
        yield octopus


def comparable(written: manifest.Manifest) -> dict:
    """Return what the manifests of two seedings of one history have in common: all but times and the server's ids."""
    told = msgspec.to_builtins(written)
    told["ids"] = {kind: sorted(ids) if isinstance(ids, dict) else ids for kind, ids in told["ids"].items()}
    return {name: value for name, value in told.items() if name not in ("started", "finished", "server")}


def assert_as_planned(octopus: Octopus, history: History, written: manifest.Manifest) -> None:
    """Each project has its releases in their order and its deployments in theirs, each once, by lists and by events."""
    space = octopus.space(written.ids["space"]["s1"])
    projects = {identifier: key.partition("/")[2] for key, identifier in written.ids["project"].items()}
    environments = {identifier: key.partition("/")[2] for key, identifier in written.ids["environment"].items()}
    planned: dict[type, dict[str, list]] = {stream.Release: defaultdict(list), stream.Deployment: defaultdict(list)}
    for record in plan.draw(history):
        if isinstance(record, stream.Release):
            planned[stream.Release][record.project].append(record.version)
        elif isinstance(record, stream.Deployment):
            planned[stream.Deployment][record.release].append(record.environment)
    made: dict[str, list[str]] = defaultdict(list)
    versions = {}
    for item in space.pages("releases", take=1000):
        made[projects[item["ProjectId"]]].insert(0, item["Version"])
        versions[item["Id"]] = f"{projects[item['ProjectId']]}-{item['Version']}"
    assert made == planned[stream.Release]
    deployed: dict[str, list[str]] = defaultdict(list)
    for item in space.pages("deployments", take=1000):
        deployed[versions[item["ReleaseId"]]].insert(0, environments[item["EnvironmentId"]])
    assert deployed == planned[stream.Deployment]
    events = Counter(
        event["RelatedDocumentIds"][0].partition("-")[0]
        for event in space.pages("events", eventCategories="Created", take=1000)
    )
    assert events["Releases"] == history.releases
    assert len(list(space.pages("runbookRuns", take=1000))) == history.runs


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A seeding that nobody disturbed."""

    written: manifest.Manifest
    #: Seconds until its first release was there: all before are settings.
    settings: float
    #: Releases, deployments and runs that it told of.
    total: int


@pytest.fixture(scope="module")
def undisturbed(octopus: Octopus, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Seed once without disturbance; what it made is gone again."""
    told: list[tuple[float, int]] = []
    began = time.monotonic()
    written = api.write(
        MANY, octopus, tmp_path_factory.mktemp("undisturbed"), lambda *said: told.append((time.monotonic(), said[1]))
    )
    remove(octopus, written)
    return Undisturbed(written, told[0][0] - began, told[0][1])


@pytest.mark.parametrize("seed", range(SEEDINGS))
def test_killed_at_random_it_ends_as_if_undisturbed(octopus, standin, undisturbed, tmp_path, seed):
    """After `kill -9` at ten random moments the manifest is that of an undisturbed seeding, and nothing is doubled.

    Every second seeding is cut off, limited and refused besides.
    """
    (tmp_path / "history.yaml").write_bytes(msgspec.yaml.encode(MANY))
    random = Random(seed)
    # One kill in ten falls among the settings, the others when so much is there.
    amounts = sorted(random.randrange(-undisturbed.total // 9, round(0.95 * undisturbed.total)) for _ in range(KILLS))
    with RudeProxy(standin.url, dict.fromkeys(RUDENESS, 0.01 * (seed % 2)), Random(seed)) as proxy:
        words = [proxy.url if seed % 2 else standin.url, str(tmp_path / "history.yaml"), str(tmp_path / "killed")]
        for amount in amounts:
            pause = random.uniform(0, undisturbed.settings) if amount < 0 else random.uniform(0, 0.05)
            kill_at(amount, pause, standin.api_key, *words)
        with seeding(standin.api_key, *words) as last:
            last.communicate(timeout=240)
    assert last.returncode == 0
    assert all(proxy.happened[rudeness] for rudeness in RUDENESS if seed % 2)
    written = manifest.load(tmp_path / "killed" / "manifest.json")
    try:
        assert comparable(written) == comparable(undisturbed.written)
        assert_as_planned(octopus, MANY, written)
    finally:
        remove(octopus, written)


@contextlib.contextmanager
def seeding(key: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Have a process seed; it is gone at the end."""
    command = [sys.executable, "-c", SEED, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdin.write(f"{key}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "begins\n"
            yield process
        finally:
            process.kill()


def kill_at(amount: int, pause: float, key: str, *words: str) -> None:
    """Kill a seeding so many seconds after so much is there; below 0, after it began."""
    with seeding(key, *words) as process:
        if amount >= 0:
            assert any(int(line) > amount for line in process.stdout), "the seeding was over before it could be killed"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "the seeding was over before it could be killed"


@pytest.mark.parametrize("seed", range(SEEDINGS))
def test_cut_off_limited_and_refused_it_ends_as_if_undisturbed(octopus, standin, tmp_path, seed):
    """One request in ten is cut, before or after the server did it, or answered 429 or 503: nothing is made twice."""
    with (
        RudeProxy(standin.url, dict.fromkeys(RUDENESS, 0.025), Random(seed)) as proxy,
        Octopus(proxy.url, standin.api_key, sleep=lambda _: None) as disturbed,
    ):
        written = api.write(FEW, disturbed, tmp_path)
    assert min(proxy.happened[fate] for fate in RUDENESS) > 3
    assert written.verified.grew["release"] == FEW.releases
    assert written.verified.grew["deployment"] == FEW.deployments
    assert_as_planned(octopus, FEW, written)
    remove(octopus, written)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_gives_the_space_free(octopus: Octopus, standin: StandIn, tmp_path: Path, how: signal.Signals):
    """Ctrl-C and a request to end give exit code 130 and one message; then another folder may go on and finish."""
    history = msgspec.structs.replace(
        MANY, name=f"Ended {how.name}", deployments_per_release=0.0, runs_per_runbook=0, users=0
    )
    node = octopus.get("/api/octopusservernodes/summary")["Nodes"][0]["Name"]
    words = ("seed", "--url", standin.url, "--this-is-a-test-instance", node)
    command = program(*words, folder=tmp_path, history=history)
    env = {**os.environ, "OCTOPUS_API_KEY": standin.api_key}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        until(lambda: releases(octopus, history), lambda count: count > 0)
        process.send_signal(how)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    written = api.write(history, octopus, tmp_path / "second")
    assert written.ids["release"] == history.releases
    remove(octopus, written)


def releases(octopus: Octopus, history: History) -> int:
    """Return how many releases a history's space has."""
    found = [one for one in octopus.get("/api/spaces/all") if one["Name"] == history.name]
    return octopus.space(found[0]["Id"]).get("releases", take=1)["TotalResults"] if found else 0


def remove(octopus: Octopus, written: manifest.Manifest) -> None:
    """Delete a history's spaces."""
    for identifier in written.ids["space"].values():
        space = octopus.get(f"/api/spaces/{identifier}")
        octopus.put(f"/api/spaces/{identifier}", {**space, "TaskQueueStopped": True})
        octopus.delete(f"/api/spaces/{identifier}")
    for kind in ("team", "user"):
        for identifier in written.ids.get(kind, {}).values():
            octopus.delete(f"/api/{kind}s/{identifier}")
