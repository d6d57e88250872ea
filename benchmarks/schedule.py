"""How late the open schedule is, trial by trial, with the steal of the host beside it."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.nginx import Nginx

HOUSE = Path(__file__).parent.parent
#: Arrivals a second, and seconds of a trial.
RATES, SECONDS = (500, 1_000, 2_000), 4.0
#: CPU seconds that the host may have stolen from all cores in a clean trial.
CLEAN = 0.020
#: Seconds of lag that are accepted: median and p99, each the median over clean trials.
P50, P99 = 90e-6, 400e-6


@contextlib.contextmanager
def engine(core: int) -> Iterator[tuple[Callable[[dict[str, Any]], dict[str, Any]], int]]:
    """Yield what runs a trial on an engine that stays up, and the engine's process id."""
    with subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(HOUSE / "locustfile.py"), "--headless", "--octoload-engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OCTOPUS_API_KEY": "API-BENCH"},
    ) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout
        if hasattr(psutil.Process, "cpu_affinity"):
            psutil.Process(process.pid).cpu_affinity([core])

        def run(trial: dict[str, Any]) -> dict[str, Any]:
            stdin.write(json.dumps({"command": "trial", **trial}).encode() + b"\n")
            stdin.flush()
            while True:
                event: dict[str, Any] = json.loads(stdout.readline())
                if event["event"] != "progress":
                    assert event["event"] == "finished", event
                    return event

        try:
            yield run, process.pid
        finally:
            process.kill()


def lags(server: Nginx, folder: Path, core: int, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Run each rate in turn, round by round; return one row a trial."""
    rows = []
    with engine(core) as (run, _):
        for number in range(rounds):
            for rate in RATES:
                facts = run(
                    {"folder": str(folder / "samples"), "urls": [server.urls["small"]], "mix": {"dashboard": rate},
                     "seed": number + 1, "warm_up": 0.5, "seconds": SECONDS, "timeout": 10.0}
                )  # fmt: skip
                generator = facts["generator"]
                stolen = generator["steal"] * SECONDS * (os.cpu_count() or 1)
                rows.append({"rate": rate, "stolen_seconds": stolen, "clean": stolen <= CLEAN, **generator})
                p50, p99 = generator["lag_p50"] * 1e6, generator["lag_p99"] * 1e6
                say(f"schedule {rate:6} p50 {p50:7.0f} µs p99 {p99:7.0f} µs")
    return rows


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lags for reading."""
    said = []
    for rate in sorted({row["rate"] for row in rows}):
        every = [row for row in rows if row["rate"] == rate]
        clean = [row for row in every if row["clean"]]
        chosen = clean or every
        p50, p99 = (statistics.median(row[name] for row in chosen) for name in ("lag_p50", "lag_p99"))
        kind = f"{len(clean)} clean of {len(every)} trials" if clean else f"no clean trial of {len(every)}"
        worst = max(row["stolen_seconds"] for row in every)
        verdict = "holds" if p50 <= P50 and p99 <= P99 else "BROKEN" if clean else "not decided"
        lag = f"lag p50 {p50 * 1e6:.0f} µs, p99 {p99 * 1e6:.0f} µs"
        said.append(f"schedule at {rate}/s: {lag} ({kind}, steal up to {worst:.3f} s): {verdict}")
    return said
