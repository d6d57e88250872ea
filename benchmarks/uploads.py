"""A large package through the stand-in, in and out: megabytes a second, and how much the node's memory grows."""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import httpx
import psutil

KEY = "API-BENCHMARKBENCHMARK"
MIB = 1 << 20
#: Bytes that the node's memory may grow by, however large the package is.
MEMORY = 32 * MIB
_BOUNDARY = "octoload"


def main() -> int:
    """Push a package and fetch it again; 1 when the node's memory has grown too much or the bytes differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uploads", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="size of the package (default 1024)")
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    options = parser.parse_args()
    with standin() as (url, node), httpx.Client(base_url=url, headers={"X-Octopus-ApiKey": KEY}, timeout=600) as http:
        push(http, "Small.1.0.0.zip", 4)
        before = node.memory_info().rss
        with Peak(node) as peak:
            sent = timed(lambda: push(http, "Large.1.0.0.zip", options.megabytes))
            fetched = timed(lambda: fetch(http, "packages-Large.1.0.0", options.megabytes))
    results = {
        "megabytes": options.megabytes,
        "push_mb_per_second": options.megabytes / sent,
        "fetch_mb_per_second": options.megabytes / fetched,
        "memory_before_bytes": before,
        "memory_growth_bytes": peak.most - before,
        "memory_limit_bytes": MEMORY,
    }
    print(json.dumps(results, indent=2) if options.json else table(results))
    return int(results["memory_growth_bytes"] > MEMORY)


@contextlib.contextmanager
def standin() -> Iterator[tuple[str, psutil.Process]]:
    """Serve a fresh instance; yield its address and the process of its node."""
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": KEY}
    command = [sys.executable, "-m", "standin", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        found = re.match(r"ready: (\S+)", process.stdout.readline())
        if found is None:
            raise SystemExit("the stand-in did not start; what it wrote above says why")
        children = psutil.Process(process.pid).children()
        yield found[1], next(child for child in children if "standin.node" in child.cmdline())
    finally:
        process.terminate()
        process.wait()


class Peak:
    """The most memory of a process while it is watched; a context manager."""

    def __init__(self, process: psutil.Process) -> None:
        self.most = 0
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, self._process.memory_info().rss)


def push(http: httpx.Client, name: str, megabytes: int) -> None:
    """Push a package of zeros, made as it is sent."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        piece = bytes(MIB)
        for _ in range(megabytes):
            yield piece
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(head) + megabytes * MIB + len(tail)),
    }
    answer = http.post("/api/Spaces-1/packages/raw", content=body(), headers=headers).raise_for_status().json()
    if answer["PackageSizeBytes"] != megabytes * MIB:
        raise SystemExit(f"{name} arrived as {answer['PackageSizeBytes']} bytes instead of {megabytes * MIB}")


def fetch(http: httpx.Client, package: str, megabytes: int) -> None:
    """Fetch a package, keeping nothing of it."""
    with http.stream("GET", f"/api/Spaces-1/packages/{package}/raw") as answer:
        size = sum(len(piece) for piece in answer.iter_bytes(MIB))
    if size != megabytes * MIB:
        raise SystemExit(f"{package} came back as {size} bytes instead of {megabytes * MIB}")


def timed(action: Callable[[], None]) -> float:
    """Return how many seconds something takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def table(results: dict[str, float]) -> str:
    """Return the results as text."""
    return (
        f"A package of {results['megabytes']} MiB through the stand-in:\n"
        f"  pushed   {results['push_mb_per_second']:8.0f} MiB/s\n"
        f"  fetched  {results['fetch_mb_per_second']:8.0f} MiB/s\n"
        f"  memory   {results['memory_growth_bytes'] / MIB:+8.1f} MiB on {results['memory_before_bytes'] / MIB:.0f}; "
        f"at most {results['memory_limit_bytes'] / MIB:.0f} allowed"
    )


if __name__ == "__main__":
    sys.exit(main())
