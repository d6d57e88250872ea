"""What five million samples cost: memory of the generator, and the share of its CPU that goes into writing them."""

import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.nginx import Nginx
from benchmarks.schedule import engine
from octoload.edge.samples import LAYOUT, TIMES, Batch
from octoload.edge.samplesfile import ROW_GROUP, SamplesFile

SAMPLES, RATE = 5_000_000, 30_000
#: Bytes that a generator may take, and share of its CPU that writing may.
MEMORY, SHARE = 300 * 2**20, 0.05


def measure(server: Nginx, folder: Path, core: int) -> dict[str, Any]:
    """Run one long trial, and write as many rows in this process for their CPU time."""
    with engine(core) as (run, pid):
        watch = Watch(psutil.Process(pid))
        try:
            facts = run(
                {"folder": str(folder / "samples"), "urls": [server.urls["small"]], "mix": {"dashboard": RATE},
                 "seconds": SAMPLES / RATE, "timeout": 30.0}
            )  # fmt: skip
        finally:
            watch.end()
    file = folder / "samples" / "requests.parquet"
    share = write_seconds() * RATE / facts["generator"]["cpu"]
    return {
        "samples": facts["recorded"],
        "counted": facts["counted"],
        "failures": facts["failures"],
        "bytes_a_sample": file.stat().st_size / facts["recorded"],
        "cpu": facts["generator"]["cpu"],
        "peak_bytes": watch.peak,
        "write_share": share,
        "holds": watch.peak <= MEMORY and share <= SHARE and facts["recorded"] == facts["counted"] >= SAMPLES,
    }


class Watch:
    """The most resident memory that a process was seen with."""

    def __init__(self, process: psutil.Process) -> None:
        self.peak = 0
        self._process = process
        self._running = True
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._running = False
        self._thread.join()

    def _look(self) -> None:
        while self._running:
            self.peak = max(self.peak, self._process.memory_info().rss)
            time.sleep(0.1)


def write_seconds() -> float:
    """Return the CPU seconds that a row takes from the recorder's bytes to the disk."""
    random = np.random.default_rng(1)
    rows = np.zeros(ROW_GROUP, LAYOUT)
    rows["intended"] = 1.8e9 + np.sort(random.random(ROW_GROUP)) * 10
    for before, name in pairwise(TIMES):
        rows[name] = rows[before] + random.exponential(1e-4, ROW_GROUP)
    rows["status"], rows["bytes"] = 200, 2_161
    batch = Batch(rows, ["dashboard"], ["dashboard"], [""], ["", "node-1"], 0)
    with tempfile.TemporaryDirectory() as folder:
        file = SamplesFile(Path(folder) / "requests.parquet", 1.8e9)
        begin = time.process_time()
        for _ in range(4):
            file.add(batch)
            file.write(file.take())
        file.close()
    return (time.process_time() - begin) / (4 * ROW_GROUP)


def lines(result: dict[str, Any]) -> list[str]:
    """Return the result for reading."""
    memory, share = result["peak_bytes"] / 2**20, result["write_share"]
    size, verdict = result["bytes_a_sample"], "holds" if result["holds"] else "BROKEN"
    limits = (
        f"{memory:.0f} MiB at most (limit {MEMORY / 2**20:.0f}), writing {share:.1%} of the CPU (limit {SHARE:.0%})"
    )
    return [f"{result['samples']:,} samples of {size:.1f} bytes: {limits}: {verdict}"]
