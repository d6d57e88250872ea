"""How fast a history is written, loaded and put in through the API, and how much memory that takes."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks import writer
from octoload.api import Octopus
from seeders import api, history
from seeders.history import History

KEY = "API-BENCHMARKBENCHMARK"
#: Deployments → seconds for writing and loading together; the memory is for both.
TARGETS = {30_000: 15.0, 300_000: 150.0}
MEMORY = 500e6
PARTS = ("bulk", "rates", "amounts")
WRITE = """
import sys
from pathlib import Path
from seeders import bulk, history
footer = bulk.write(history.load(Path(sys.argv[1])), Path(sys.argv[2]))
print(sum(footer.counts.values()))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One command, from its start to its end."""

    #: Seconds.
    seconds: float
    #: Most memory of the command and the programs that it started, bytes, without PostgreSQL.
    peak_bytes: int
    #: Most memory of PostgreSQL's processes, bytes; what they share is counted once where the system tells.
    database_bytes: int
    #: What it said last.
    said: str


def main() -> int:
    """Run all of it, or some parts, and print a table, or JSON; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeding", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"only these: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="leave the 300,000 deployments in bulk out")
    size.add_argument("--full", action="store_true", help="put 100,000 releases in through the API as well")
    options = parser.parse_args()
    parts = options.part or PARTS
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
    amounts = [amount for amount in writer.AMOUNTS if options.full or amount < max(writer.AMOUNTS)]
    with tempfile.TemporaryDirectory(prefix="octoload-seeding-") as folder:
        deployments = [amount for amount in TARGETS if amount <= 30_000 or not options.quick]
        results: dict[str, Any] = {"bulk": [run_bulk(one, Path(folder)) for one in deployments if "bulk" in parts]}
        if set(parts) & {"rates", "amounts"}:
            results |= run_api(Path(folder), parts, amounts)
    print(json.dumps(results, indent=2) if options.json else table(results))
    gates = [*results["bulk"], *results.get("memory", ()), results.get("rates", {"holds": True})]
    return int(not all(one["holds"] for one in gates))


def run_bulk(deployments: int, folder: Path) -> dict[str, Any]:
    """Write and load a history of so many deployments."""
    settings = demo(releases_per_project=deployments // 150)
    (folder / "bench.yaml").write_bytes(msgspec.yaml.encode(settings))
    stream, data = folder / "bench.jsonl.gz", folder / f"data-{deployments}"
    written = measure([sys.executable, "-c", WRITE, str(folder / "bench.yaml"), str(stream)])
    loaded = measure([sys.executable, "-m", "standin", "load", str(stream), "--data", str(data)])
    rows = sum(json.loads(loaded.said)["rows"].values())
    seconds, peak = written.seconds + loaded.seconds, max(written.peak_bytes, loaded.peak_bytes)
    return {
        "deployments": settings.deployments,
        "write": asdict(written),
        "load": asdict(loaded),
        "file_bytes": stream.stat().st_size,
        "rows": rows,
        "rows_per_second": rows / loaded.seconds,
        "seconds": seconds,
        "target_seconds": TARGETS[deployments],
        "peak_bytes": peak,
        "target_bytes": MEMORY,
        "holds": seconds <= TARGETS[deployments] and peak <= MEMORY,
    }


def run_api(folder: Path, parts: Sequence[str], amounts: Sequence[int]) -> dict[str, Any]:
    """Measure the API writer against a stand-in whose timers run 100 times faster."""
    results: dict[str, Any] = {}
    with serving(folder / "served") as url, Octopus(url, KEY) as octopus:
        if "rates" in parts:
            results["rates"] = writer.rates(octopus, folder)
        if "amounts" in parts:
            results["small"] = run_small(octopus, folder)
            results["memory"] = [writer.memory(octopus, amount, folder) for amount in amounts]
    return results


def run_small(octopus: Octopus, folder: Path) -> dict[str, Any]:
    """Put the small history in, with all of its deployments."""
    small = history.load(history.find("small", Path()))
    began = time.perf_counter()
    written = api.write(small, octopus, folder)
    seconds = time.perf_counter() - began
    resources = sum(written.counts.values())
    return {
        "resources": resources,
        "deployments": small.deployments,
        "seconds": seconds,
        "resources_per_second": resources / seconds,
        "deployments_per_minute": small.deployments / seconds * 60,
    }


def demo(**changes: int) -> History:
    """Return the demonstration's history, changed."""
    return msgspec.structs.replace(history.load(history.find("demo", Path())), **changes)


def measure(command: list[str]) -> Measured:
    """Run a command to its end and watch the memory of all its processes.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    began, peak, database = time.perf_counter(), 0, 0
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdout=said, env=environment()) as process:
        while process.poll() is None:
            programs, servers = memory_of(process.pid)
            peak, database = max(peak, programs), max(database, servers)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        seconds = time.perf_counter() - began
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        said.seek(0)
        return Measured(seconds, peak, database, said.read().strip().rpartition("\n")[2])


def memory_of(pid: int) -> tuple[int, int]:
    """Return the bytes that a process and its children hold, without PostgreSQL's processes, and these apart."""
    programs, database = 0, 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                memory = process.memory_full_info()
                held = getattr(memory, "pss", 0) or memory.rss
                if process.name().startswith("postgres"):
                    database += held
                else:
                    programs += held
    return programs, database


@contextlib.contextmanager
def serving(data: Path) -> Iterator[str]:
    """Run a stand-in; give its address."""
    command = [sys.executable, "-m", "standin", "serve", "--port", "0", "--data", str(data), "--time-scale", "100"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield next(line for line in server.stdout if line.startswith("ready:")).split()[1]
        finally:
            server.terminate()


def environment() -> dict[str, str]:
    """Return the environment of a program that ends with this one."""
    return {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": KEY}


def table(results: dict[str, Any]) -> str:
    """Return the results as lines of text."""
    lines = []
    for one in results["bulk"]:
        verdict = "ok" if one["holds"] else "MISSED"
        write, load = one["write"], one["load"]
        lines.append(
            f"bulk {one['deployments']:,} deployments, {one['rows']:,} rows:"
            f" {one['seconds']:.1f} s of {one['target_seconds']:.0f} s: {verdict}\n"
            f"  written in {write['seconds']:.1f} s ({write['peak_bytes'] / 1e6:.0f} MB)\n"
            f"  loaded in {load['seconds']:.1f} s, {one['rows_per_second']:,.0f} rows/s"
            f" ({load['peak_bytes'] / 1e6:.0f} MB, and PostgreSQL {load['database_bytes'] / 1e6:.0f} MB)"
        )
    if small := results.get("small"):
        lines.append(
            f"API {small['deployments']:,} deployments: {small['seconds']:.1f} s, {small['resources_per_second']:.1f}"
            f" resources/s, {small['deployments_per_minute']:.0f} deployments/min (stand-in, time scale 100)"
        )
    return "\n".join([*lines, *writer.lines(results)])


if __name__ == "__main__":
    sys.exit(main())
