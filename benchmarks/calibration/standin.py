"""Cells on the running stand-in: whole experiments, of the same build twice and of one that does more work."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.calibration import rows
from benchmarks.calibration.rows import Row
from experiments.calibration import unfinished
from experiments.experiment import load
from experiments.standin import Laboratory
from octoload.api import Octopus
from octoload.errors import InvalidRunError
from reports import planning, results
from reports import rig as rigs
from reports.effects import Effect
from reports.plan import Design
from seeders import bulk
from seeders.history import History

#: Folders of these runs.
RUNS = Path("runs")
#: Half the depth of the demonstration: dashboards of both builds are answered before the next one is asked for.
HISTORY = History(name="Known", projects=50, environments=4, releases_per_project=100, deployments_per_release=3.0)
#: The builds: name -> options of the server.
BUILDS = {"as-is": (), "more-work": ("--dashboard-sql", "more")}
#: How much more work, as a ratio: a quarter of the deployments is ranked twice.
MORE = 1.25
#: Experiments of the first cell; of the second those that must be valid, and those that are made at most; comparisons
#: of its A/A, and pairs of requests that show the truth.
ALARMS, FOUND, MADE, BEFORE, TRUTHS = 20, 10, 20, 2, 300


def alarms(_: int) -> list[Row]:
    """On the running stand-in, in the design of the demonstration: false alarms where both arms are the same.

    One that was interrupted goes on.
    """
    begun = unfinished("standin-alarms")
    folder, how = (begun[-1], ["--resume"]) if begun else (_folder("standin-alarms"), [])
    _octoload("calibrate", "--times", str(ALARMS), "--out", str(folder), *how)
    found = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    valid, raised = found["comparisons"], len(found["alarms"])
    flagged, judged = len(found["flagged"]), found["judged"]
    case, what = "6 pairs of 10 s", "report whose primary verdict claims anything"
    return [
        _share(case, what, raised, valid, "at most 3 of 20", holds=raised <= 3),
        _share(case, "INVALID comparisons, which are not counted", found["invalid"], ALARMS, ""),
        _share(case, "95 % intervals of latencies that exclude 1", flagged, judged, "5 %"),
    ]


def more_work(seed: int) -> list[Row]:
    """On the running stand-in: a build whose dashboard query does a quarter more work."""
    folder = _folder("standin-more-work")
    with _two_builds(folder) as builds:
        truth, error = _truth(builds, seed)
        file = folder / "experiment.yaml"
        file.write_bytes(msgspec.yaml.encode(_experiment(builds, 6)))
        _octoload("calibrate", str(file), "--times", str(BEFORE), "--out", str(folder / "before"))
        pairs = _asked_for(file, folder / "before")
        effects: list[Effect] = []
        made = 0
        while len(effects) < FOUND and made < MADE:
            made += 1
            file.write_bytes(msgspec.yaml.encode(_experiment(builds, pairs, seed + made)))
            effects += _measure(file, folder / f"{made:02d}")
    case = f"{pairs} pairs of 10 s, as `octoload plan` asked for"
    ratios = [effect.ratio for effect in effects]
    seen = sum(effect.claimed and effect.ratio > 1 for effect in effects)
    held = sum(effect.ci_low <= truth <= effect.ci_high for effect in effects)
    valid, void = len(effects), made - len(effects)
    if valid < FOUND:
        raise SystemExit(f"{void} of {made} experiments were INVALID: their reports in {folder} say why")
    return [
        Row(f"{TRUTHS} pairs of single requests", "true ratio", truth, error, TRUTHS, "about 1.25", unit="x"),
        rows.mean(case, "measured ratio", ratios, "", unit="x"),
        _share(case, "found", seen, valid, "at least 8 of 10", holds=seen >= 8),
        _share(case, "interval holds the true ratio", held, valid, "at least 9 of 10", holds=held >= 9),
        _share(case, "INVALID experiments, which are not counted", void, made, ""),
    ]


def _measure(file: Path, place: Path) -> list[Effect]:
    """Run an experiment and return its primary effect; an INVALID one has none, and tells nothing."""
    _octoload("run", str(file), "--out", str(place))
    found = results.build(place, time.time())
    return found.of("primary") if found.valid else []


def _share(case: str, what: str, hits: int, of: int, specified: str, *, holds: bool | None = None) -> Row:
    """Reduce hits to a share; what is demanded is a count, without an allowance."""
    each = [True] * hits + [False] * (of - hits)
    return replace(rows.rate(case, what, each, specified), holds=holds)


def _folder(name: str) -> Path:
    folder = RUNS / f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}-{name}"
    folder.mkdir(parents=True)
    return folder


def _octoload(*words: str) -> None:
    """Run octoload as its users do; an alarm and an INVALID run are results, anything else that goes wrong the end."""
    done = subprocess.run([sys.executable, "-m", "experiments", *words], check=False)
    if done.returncode not in {0, 1, InvalidRunError.exit_code}:
        raise SystemExit(f"octoload {' '.join(words)} ended with {done.returncode}")


@dataclass(frozen=True, slots=True)
class _Builds:
    """The servers of both builds."""

    #: build -> URL
    urls: dict[str, str]
    #: API key of both
    key: str
    #: the space with the history
    space: str

    def ask(self, octopus: Octopus) -> float:
        """Return the seconds of one dashboard."""
        began = time.perf_counter()
        octopus.get(f"/api/{self.space}/dashboard")
        return time.perf_counter() - began


@contextlib.contextmanager
def _two_builds(folder: Path) -> Iterator[_Builds]:
    """Serve one history by two builds, each on a database of its own."""
    laboratory = Laboratory(folder / "standin", 20, 1)
    stream, (first, second) = folder / "history.jsonl.gz", BUILDS
    bulk.write(HISTORY, stream)
    laboratory.start()
    try:
        laboratory.load(stream, first)
        laboratory.clone(first, second)
        urls = {name: laboratory.serve(name, *options)[0] for name, options in BUILDS.items()}
        for name in BUILDS:
            laboratory.settle(name)
        os.environ["OCTOPUS_API_KEY"] = laboratory.key
        with Octopus(urls[first], laboratory.key) as octopus:
            (space,) = [one["Id"] for one in octopus.get("/api/spaces/all") if not one["IsDefault"]]
        yield _Builds(urls, laboratory.key, space)
    finally:
        laboratory.stop()


def _truth(builds: _Builds, seed: int) -> tuple[float, float]:
    """Ask both builds in turns, one request at a time: (ratio of the medians, its standard error by resampling)."""
    generator, taken = random.Random(seed), {name: np.zeros(TRUTHS) for name in BUILDS}
    with contextlib.ExitStack() as opened:
        clients = {name: opened.enter_context(Octopus(url, builds.key)) for name, url in builds.urls.items()}
        for number in range(-5, TRUTHS):
            for name in generator.sample(list(BUILDS), 2):
                taken[name][max(number, 0)] = builds.ask(clients[name])
    first, second = taken.values()
    chosen = np.random.default_rng(seed).integers(0, TRUTHS, (2000, TRUTHS))
    drawn = np.median(second[chosen], axis=1) / np.median(first[chosen], axis=1)
    return float(np.median(second) / np.median(first)), float(np.std(drawn))


def _experiment(builds: _Builds, pairs: int, seed: int = 1) -> dict[str, Any]:
    """Compare the builds under steady load of which each answers a request before the next one comes."""
    first, second = BUILDS
    arms = {name: {"subject": f"build {name}", "url": builds.urls[name], "space": builds.space} for name in BUILDS}
    return {
        "name": "known-effect",
        "question": "Is a dashboard query found that does a quarter more work?",
        "compare": {"baseline": first, "contender": second},
        "arms": arms,
        "workload": {"arrivals": "constant", "mix": {"dashboard": 5.1, "audit-search": 5.1, "task-list": 1}},
        "objectives": {"primary": ["dashboard p50"]},
        "design": {"pairs": pairs, "seconds": 10, "warm_up": 3, "seed": seed},
    }


def _asked_for(file: Path, before: Path) -> int:
    """Return the pairs that `octoload plan --effect 1.25` asks for after the A/A."""
    experiment = load(file)
    noise = rigs.read(before / "rig.json").of("dashboard", "p50")
    if noise is None:
        raise SystemExit("the A/A carried no dashboard p50")
    own = experiment.design
    design = Design(own.pairs, own.seconds, own.warm_up, own.seed)
    asked = planning.outlook(noise.planning_sd, design, MORE, experiment.objectives.margin)
    return asked.pairs_to_see
