"""A large package through the stand-in, in and out: megabytes a second, and how much the node's memory grows."""

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil

from benchmarks.memory import Watch
from benchmarks.seeding import KEY, serving

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
    headers = {"X-Octopus-ApiKey": KEY}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        httpx.Client(base_url=url, headers=headers, timeout=600) as http,
    ):
        push(http, "Small.1.0.0.zip", 4)
        node = node_of_ours()
        before = node.memory_info().rss
        watch = Watch(node)
        try:
            sent = timed(lambda: push(http, "Large.1.0.0.zip", options.megabytes))
            fetched = timed(lambda: fetch(http, "packages-Large.1.0.0", options.megabytes))
        finally:
            watch.end()
    results = {
        "megabytes": options.megabytes,
        "push_mb_per_second": options.megabytes / sent,
        "fetch_mb_per_second": options.megabytes / fetched,
        "memory_before_bytes": before,
        "memory_growth_bytes": watch.peak - before,
        "memory_limit_bytes": MEMORY,
    }
    print(json.dumps(results, indent=2) if options.json else table(results))
    return int(results["memory_growth_bytes"] > MEMORY)


def node_of_ours() -> psutil.Process:
    """Return the process of the node that we serve with."""
    return next(one for one in psutil.Process().children(recursive=True) if "standin.node" in one.cmdline())


def push(http: httpx.Client, name: str, megabytes: int) -> None:
    """Push a package whose every MiB is another one, made as it is sent."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from pieces(megabytes)
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(head) + megabytes * MIB + len(tail)),
    }
    answer = http.post("/api/Spaces-1/packages/raw", content=body(), headers=headers).raise_for_status().json()
    if answer["PackageSizeBytes"] != megabytes * MIB:
        raise SystemExit(f"{name} arrived as {answer['PackageSizeBytes']} bytes instead of {megabytes * MIB}")


def pieces(megabytes: int) -> Iterator[bytes]:
    """Yield the content of a package."""
    return (number.to_bytes(8, "big") * (MIB // 8) for number in range(megabytes))


def fetch(http: httpx.Client, package: str, megabytes: int) -> None:
    """Fetch a package, keeping none of it: each MiB is held against what was sent as it comes."""
    with http.stream("GET", f"/api/Spaces-1/packages/{package}/raw") as answer:
        both = itertools.zip_longest(pieces(megabytes), answer.iter_bytes(MIB))
        if not all(sent == come for sent, come in both):
            raise SystemExit(f"{package} came back with other bytes than were sent")


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
