"""Ten million samples reduced to a report: its time, its memory, and that twice gives the same to the last digit."""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from octoload.edge.samples import LAYOUT, Batch
from octoload.edge.samplesfile import ROW_GROUP, SamplesFile
from octoload.files import write_json

#: Samples of all trials together, and pairs of trials that share them.
SAMPLES, PAIRS = 10_000_000, 6
#: Seconds of load of a trial, and those of them that are left out.
SECONDS, WARM_UP = 900.0, 60.0
#: Share of the requests and median latency in seconds by operation.
OPERATIONS = {"dashboard": (0.4, 0.180), "audit": (0.3, 0.012), "tasks": (0.2, 0.022), "progression": (0.1, 0.030)}
#: Seconds and bytes that a report may take.
TIME, MEMORY = 20.0, 600 * 2**20
_BEGAN = 1_764_000_000.0


def main() -> None:
    """Write a run of simulated samples, report on it twice, hold both against the limits."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=SAMPLES, help="of all trials together (%(default)s)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        written = write_run(folder, chosen.samples)
        first, second = measure(folder), measure(folder)
    holds = max(first["seconds"], second["seconds"]) <= TIME and max(first["peak"], second["peak"]) <= MEMORY
    same = first["results"] == second["results"]
    for one in (first, second):
        used = (
            f"{one['seconds']:.1f} s (limit {TIME:g}), {one['cpu']:.1f} of CPU, {one['peak'] / 2**20:.0f} MiB at most"
        )
        print(f"{written:,} samples: {used} (limit {MEMORY / 2**20:.0f})")
    print(f"results.json {'the same both times' if same else 'DIFFERS'}; {'holds' if holds and same else 'BROKEN'}")
    sys.exit(0 if holds and same else 1)


def measure(folder: Path) -> dict[str, Any]:
    """Run the command as a user does; return seconds, CPU seconds, the most resident bytes, and what it found."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "experiments", "report", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
    watched, peak, used = psutil.Process(process.pid), 0, 0.0
    while process.poll() is None:
        try:
            peak, used = max(peak, watched.memory_info().rss), sum(watched.cpu_times()[:2])
        except psutil.Error:
            break
        time.sleep(0.02)
    if process.wait():
        sys.exit(f"octoload report ended with {process.returncode}")
    seconds, found = time.monotonic() - begin, (folder / "results.json").read_bytes()
    return {"seconds": seconds, "cpu": used, "peak": peak, "results": found}


def write_run(folder: Path, samples: int) -> int:
    """Write a finished run whose contender is x1.3 as fast; return how many samples it has."""
    generator, each = np.random.default_rng(10), math.ceil(samples / (2 * PAIRS))
    arms = ("keep-all", "keep-3")
    order = [(pair, arms[(pair + side) % 2]) for pair in range(PAIRS) for side in (0, 1)]
    trials = [{"index": index, "pair": pair + 1, "arm": arm} for index, (pair, arm) in enumerate(order, start=1)]
    write_json(folder / "plan.json", "plan", 1, _plan(trials))
    for trial in trials:
        place = folder / "trials" / f"{trial['index']:02d}-{trial['arm']}"
        place.mkdir(parents=True)
        begin = _BEGAN + trial["index"] * 1.1 * SECONDS
        sent = _write(place / "requests.parquet", trial, begin, each, generator)
        bounds = {"started": begin - 1, "measured_from": begin + WARM_UP, "measured_until": begin + SECONDS}
        write_json(place / "trial.json", "trial", 1, {**trial, **bounds, "sent": sent, "checks": [], "valid": True})
    return each * len(trials)


def _plan(trials: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "retention",
        "question": "How long does a report on ten million samples take?",
        "subject": "keeping 3 releases",
        "baseline": "keep-all",
        "contender": "keep-3",
        "arms": {"keep-all": "", "keep-3": ""},
        "design": {"pairs": PAIRS, "seconds": SECONDS - WARM_UP, "warm_up": WARM_UP, "seed": 10, "attempts": 3},
        "workload": {"arrivals": "poisson", "slots": 64, "mix": {"dashboard": 1.0}},
        "primary": [{"operation": "dashboard", "metric": "p50"}, {"operation": "dashboard", "metric": "p95"}],
        "control": ["audit"],
        "changes": [],
        "margin": 0.10,
        "gate": False,
        "server": {"kind": "octopus"},
        "trials": trials,
    }


def _write(
    path: Path, trial: dict[str, Any], begin: float, count: int, generator: np.random.Generator
) -> dict[str, int]:
    """Write a trial's requests as the generator does; return how many of each operation were measured."""
    names, shares, medians = zip(*[(name, *both) for name, both in OPERATIONS.items()], strict=True)
    operation = generator.choice(len(names), count, p=shares)
    rows = np.zeros(count, LAYOUT)
    rows["intended"] = begin + np.sort(generator.uniform(0, SECONDS, count))
    rows["sent"] = rows["intended"] + generator.exponential(4e-4, count)
    speed = np.exp(generator.normal(0, 0.05)) / (1.3 if trial["arm"] == "keep-3" else 1.0)
    service = np.array(medians)[operation] * np.where(operation == 0, speed, 1.0)
    rows["done"] = rows["sent"] + service * np.exp(generator.normal(0, 0.35, count))
    rows["first_byte"] = rows["done"] - 1e-4
    rows["status"], rows["bytes"], rows["operation"] = 200, 18_000, operation
    file = SamplesFile(path, begin + WARM_UP)
    for first in range(0, count, ROW_GROUP):
        file.add(Batch(rows[first : first + ROW_GROUP], [*names], ["session"], [""], ["node-1"], 0))
        file.write(file.take())
    file.close()
    measured = np.bincount(operation[rows["intended"] >= begin + WARM_UP], minlength=len(names)).tolist()
    return dict(zip(names, measured, strict=True))


if __name__ == "__main__":
    main()
