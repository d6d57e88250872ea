"""The API writer beside wrk, which does nothing but send: releases a second on one stand-in, and its memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from octoload.api import Octopus
from seeders import api
from seeders.history import History

#: What the writer must reach of wrk's rate; rounds, and seconds of wrk in each.
RATIO, ROUNDS, SECONDS = 0.7, 6, 8
#: Connections of wrk. The writer finds by itself how many requests the server bears at once, 64 at most.
CONNECTIONS = 16
#: Releases of the writer in each round.
RELEASES = 5_000
#: Releases that are put in through the API, and what the writer's process may have resident at most, bytes.
AMOUNTS, MEMORY = (1_000, 10_000, 100_000), 200e6
#: Projects that share the releases.
PROJECTS = 50
#: Run by a process of its own, so that its memory is the writer's alone. Its rate is taken from the first release to
#: the last, as wrk's is.
SEED = """
import json, sys, time
from pathlib import Path
from octoload.api import Octopus
from seeders import api
from seeders.history import History
url, name, projects, releases, folder = sys.argv[1:]
moments = []
def tell(done, total, label):
    if done in (1, total):
        moments.append((time.perf_counter(), done))
history = History(
    name=name, projects=int(projects), releases_per_project=int(releases) // int(projects), deployments_per_release=0.0,
    machines=0, variables=0,
)
with Octopus(url, sys.stdin.readline().strip()) as octopus:
    api.write(history, octopus, Path(folder), tell)
(began, first), (ended, last) = moments
status = Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
cpu = time.process_time()
print(json.dumps({"releases": last, "seconds": ended - began, "peak_bytes": peak, "cpu_seconds": cpu}))
"""


def rates(octopus: Octopus, folder: Path) -> dict[str, Any]:
    """Return releases a second of wrk and of the writer, who take turns at being first."""
    rounds = []
    for number in range(ROUNDS):
        turns = [wrk, seeder] if number % 2 == 0 else [seeder, wrk]
        rounds.append({turn.__name__: turn(octopus, number, folder) for turn in turns})
    ratios = [one["seeder"]["rate"] / one["wrk"]["rate"] for one in rounds]
    ratio = statistics.median(ratios)
    return {"rounds": rounds, "ratio": ratio, "ratios": ratios, "target": RATIO, "holds": ratio >= RATIO}


def wrk(octopus: Octopus, number: int, folder: Path) -> dict[str, float]:
    """Let wrk create releases in new projects for some seconds."""
    empty = History(name=f"Raw {number}", projects=PROJECTS, releases_per_project=0, machines=0, variables=0)
    ids = api.write(empty, octopus, folder / f"raw-{number}").ids
    spaces, projects = ids["space"], ids["project"]
    assert isinstance(spaces, dict)
    assert isinstance(projects, dict)
    script = str(Path(__file__).with_name("releases.lua"))
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "-s", script, octopus.access.url, "--"]
    command += [spaces["s1"], ",".join(projects.values())]
    environment = {**os.environ, "OCTOLOAD_KEY": octopus.access.key}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    told = json.loads(said.strip().rpartition("\n")[2])
    assert not told["refused"], said
    made = octopus.space(spaces["s1"]).get("releases", take=1)["TotalResults"]
    assert made >= told["requests"], "wrk counted answers for releases that are not there"
    return {"rate": told["requests"] / told["seconds"], "releases": told["requests"]}


def seeder(octopus: Octopus, number: int, folder: Path) -> dict[str, float]:
    """Let the writer create releases in new projects."""
    return _put(octopus, f"Seeded {number}", RELEASES, folder)


def memory(octopus: Octopus, releases: int, folder: Path) -> dict[str, Any]:
    """Put so many releases in; return how long that took and the writer's memory."""
    written = _put(octopus, f"Amount {releases}", releases, folder)
    return {**written, "target_bytes": MEMORY, "holds": written["peak_bytes"] <= MEMORY}


def lines(results: dict[str, Any]) -> list[str]:
    """Return the results as lines of text."""
    said = []
    if one := results.get("rates"):
        rounds = ", ".join(f"{turn['seeder']['rate']:.0f} of {turn['wrk']['rate']:.0f}" for turn in one["rounds"])
        spread = f"{min(one['ratios']):.2f} to {max(one['ratios']):.2f}"
        said.append(
            f"API releases/s of wrk's: {rounds}\n  median ratio {one['ratio']:.2f} ({spread}, n = {len(one['ratios'])})"
            f" of {RATIO}: {_verdict(one)}"
        )
    said += [
        f"API {one['releases']:,} releases in {one['seconds']:.0f} s, {one['rate']:.0f}/s, CPU"
        f" {one['cpu_seconds']:.1f} s; {one['peak_bytes'] / 1e6:.0f} MB of {MEMORY / 1e6:.0f} MB: {_verdict(one)}"
        for one in results.get("memory", ())
    ]
    return said


def _put(octopus: Octopus, name: str, releases: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", SEED, octopus.access.url, name, str(PROJECTS), str(releases), str(folder / name)]
    with tempfile.TemporaryFile("w+") as said:
        subprocess.run(command, check=True, input=f"{octopus.access.key}\n", stdout=said, text=True)
        said.seek(0)
        told: dict[str, float] = json.loads(said.read())
    assert told["releases"] == releases
    return {**told, "rate": releases / told["seconds"]}


def _verdict(one: dict[str, Any]) -> str:
    return "ok" if one["holds"] else "MISSED"
