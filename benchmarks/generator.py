"""What a request costs octoload's load engine, beside its peers, and how well it keeps its schedule."""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

HOUSE = Path(__file__).parent.parent
sys.path.insert(0, str(HOUSE))

from benchmarks import memory, nginx, schedule  # noqa: E402
from benchmarks.peers import CASES, Case, Peers  # noqa: E402

#: Seconds after the first requests, and seconds that are measured then.
SETTLE, WINDOW = 1.0, 3.0
#: Requests that a generator must have made before it counts as started.
STARTED = 500

#: Case, peer, and the largest ratio of octoload's CPU per request to the peer's that is accepted.
GATES = (
    ("2 KB", "FastHttpUser", 1 / 9),
    ("2 KB", "HttpUser", 1 / 45),
    ("2 KB", "wrk", 1.6),
    ("2 KB", "autocannon", 0.65),
    ("60 KB", "FastHttpUser", 1 / 8),
    ("60 KB", "wrk", 1.15),
    ("TLS 2 KB", "FastHttpUser", 1 / 6),
    ("TLS 2 KB", "wrk", 1.6),
    ("POST", "FastHttpUser", 1 / 9),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One window of one generator."""

    #: CPU microseconds a request, user and system, of the generator and its children.
    cpu: float
    #: The system's part of it.
    kernel: float
    #: Requests a second, as nginx counts them.
    rate: float
    #: Resident memory at the end, bytes.
    memory: int


def main() -> None:
    """Run all of it and print a table, or JSON; the exit code says whether all gates hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generator", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each with all generators in turn (default: 5)")
    parser.add_argument("--only", default="", help="cases, schedule or memory, separated by commas (default: all)")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    cores = sorted(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else [0]
    with tempfile.TemporaryDirectory(prefix="octoload-bench-") as name:
        folder = Path(name)
        with nginx.running(folder, cores[0] if len(cores) > 1 else None) as server:
            results = run(server, folder, cores[-1], options.rounds, only)
    print(json.dumps(results, indent=2) if options.json else table(results))
    raise SystemExit(0 if all(each["holds"] for each in results["gates"] + results["memory"]) else 1)


def run(server: nginx.Nginx, folder: Path, core: int, rounds: int, only: list[str]) -> dict[str, Any]:
    """Run all cases in turn, round by round, then the schedule."""
    peers = Peers(folder, server.certificate)
    cases = [case for case in CASES if case.page in server.urls and (not only or case.name in only)]
    costs: dict[tuple[str, str], list[Cost]] = {}
    for _ in range(rounds):
        for case in cases:
            for name in peers.names(case):
                costs.setdefault((case.name, name), []).append(measure(peers, name, case, server, core))
                say(f"{case.name:10}{name:14}{costs[case.name, name][-1].cpu:9.1f} µs")
    lags = schedule.lags(server, folder, core, rounds, say) if not only or "schedule" in only else []
    long = [memory.measure(server, folder, core)] if not only or "memory" in only else []
    return {
        "machine": machine(server),
        "costs": [summary(case, name, values) for (case, name), values in costs.items()],
        "gates": gates(costs),
        "schedule": lags,
        "memory": long,
    }


def measure(peers: Peers, name: str, case: Case, server: nginx.Nginx, core: int) -> Cost:
    """Let a generator run, and count its CPU and nginx's requests over a window."""
    before = server.requests()
    with peers.started(name, case, server.urls[case.page]) as process:
        client = psutil.Process(process.pid)
        if hasattr(client, "cpu_affinity"):
            client.cpu_affinity([core])
        deadline = time.monotonic() + 60
        while server.requests() - before < STARTED:
            assert process.poll() is None, f"{name} ended"
            assert time.monotonic() < deadline, f"{name} makes no requests"
            time.sleep(0.1)
        time.sleep(SETTLE)
        begin, count, cpu = time.perf_counter(), server.requests(), client.cpu_times()
        time.sleep(WINDOW)
        after, done, seconds = client.cpu_times(), server.requests(), time.perf_counter() - begin
        memory = client.memory_info().rss
    requests = done - count - 1
    user, system = after.user - cpu.user, after.system - cpu.system
    return Cost((user + system) / requests * 1e6, system / requests * 1e6, requests / seconds, memory)


def summary(case: str, name: str, values: list[Cost]) -> dict[str, Any]:
    """Return n, median and spread of a generator's windows."""
    cpu = sorted(value.cpu for value in values)
    return {
        "case": case,
        "generator": name,
        "n": len(values),
        "cpu_us": {"min": cpu[0], "median": statistics.median(cpu), "max": cpu[-1]},
        "kernel_us": statistics.median(value.kernel for value in values),
        "requests_per_second": statistics.median(value.rate for value in values),
        "memory_bytes": max(value.memory for value in values),
    }


def gates(costs: dict[tuple[str, str], list[Cost]]) -> list[dict[str, Any]]:
    """Compare octoload with each peer: the ratio of the medians, with the spread of the ratios within a round."""
    results = []
    for case, peer, limit in GATES:
        pairs = list(zip(costs.get((case, "octoload"), []), costs.get((case, peer), []), strict=True))
        if not pairs:
            continue
        ratios = sorted(ours.cpu / theirs.cpu for ours, theirs in pairs)
        ratio = statistics.median(ours.cpu for ours, _ in pairs) / statistics.median(theirs.cpu for _, theirs in pairs)
        results.append(
            {"case": case, "peer": peer, "ratio": ratio, "min": ratios[0], "max": ratios[-1], "limit": limit,
             "n": len(ratios), "holds": ratio <= limit}
        )  # fmt: skip
    return results


def machine(server: nginx.Nginx) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "locust": version("locust"),
        "gevent": version("gevent"),
        "nginx": server.version,
    }


def table(results: dict[str, Any]) -> str:
    """Return the results for reading."""
    lines = [
        f"{'case':10}{'generator':14}{'CPU µs a request (min median max)':>36}{'requests/s':>12}{'MiB':>6}{'n':>4}"
    ]
    for cost in results["costs"]:
        cpu = cost["cpu_us"]
        spread = f"{cpu['min']:.1f} {cpu['median']:.1f} {cpu['max']:.1f}"
        rate, resident = cost["requests_per_second"], cost["memory_bytes"] / 2**20
        lines.append(f"{cost['case']:10}{cost['generator']:14}{spread:>36}{rate:12.0f}{resident:6.0f}{cost['n']:4}")
    for gate in results["gates"]:
        ratio = f"{gate['ratio']:.3f} ({gate['min']:.3f} to {gate['max']:.3f}), limit {gate['limit']:.3f}"
        verdict = "holds" if gate["holds"] else "BROKEN"
        lines += [f"{gate['case']:10}octoload / {gate['peer']:14} {ratio}: {verdict}"]
    lines += schedule.lines(results["schedule"])
    for long in results["memory"]:
        lines += memory.lines(long)
    return "\n".join(lines)


def say(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
