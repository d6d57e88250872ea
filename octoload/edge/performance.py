"""A trial as its conductor sees it: what each process has handed over so far."""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from octoload.edge.samples import LAYOUT, Batch, Rows
from octoload.edge.samplesfile import SamplesFile
from octoload.edge.spread import Spread
from octoload.edge.trial import Part, Trial
from octoload.errors import InvalidRunError, OctoloadError

#: Seconds without a word after which a worker counts as lost.
SILENCE: Final = 6.0
#: HTTP status of a request that a rate limit turned away (octopus-api §B.5).
TOO_MANY: Final = 429
#: Batches whose rate a progress line tells, for each process.
RECENT: Final = 5


class Performance:
    """One trial as the conductor sees it."""

    def __init__(self, number: int, trial: Trial, start: float, path: Path | None, workers: dict[str, int]) -> None:
        self.number = number
        self.trial = trial
        self.start = start
        self.measured_from = start + trial.warm_up
        self.file = SamplesFile(path, self.measured_from) if path else None
        self.workers = workers
        self.heard = dict.fromkeys(workers.values(), time.monotonic())
        self.batches = dict.fromkeys(workers.values(), 0)
        self.sent = dict.fromkeys(workers.values(), 0)
        self.waiting = dict.fromkeys(workers.values(), 0)
        self.rows = 0
        self.failures = 0
        self.throttled = 0
        self.lags: list[Any] = []
        self.read_delays: list[Any] = []
        #: Of the batches of late: Unix time at which one came, and its requests; the first is where counting begins.
        self.recent: list[tuple[float, int]] = [(start, 0)]
        #: Latencies of arrivals in the measured phase.
        self.latencies = Spread()
        self.parts: dict[int, Part] = {}
        self.fault: OctoloadError | None = None
        self.changed = Event()
        self.writing = BoundedSemaphore()

    @property
    def done(self) -> bool:
        """Whether every process has closed its books, or there is no point in waiting."""
        return self.fault is not None or len(self.parts) == len(self.workers)

    def take(self, message: dict[str, Any]) -> None:
        """Take a batch."""
        worker = message["worker"]
        if message["batch"] != self.batches[worker]:
            self.fault = InvalidRunError(
                f"batch {self.batches[worker]} of samples from Locust process {worker} is missing",
                "Run the trial again.",
            )
        self.batches[worker] += 1
        self.heard[worker] = time.monotonic()
        self.sent[worker], self.waiting[worker] = message["sent"], message["waiting"]
        self.lags.append(np.frombuffer(message["lags"], np.float32))
        self.read_delays.append(np.frombuffer(message["read_delays"], np.float32))
        rows = np.frombuffer(message["rows"], LAYOUT)
        self.rows += len(rows)
        self.failures += int((rows["error"] > 0).sum())
        self.throttled += int((rows["status"] == TOO_MANY).sum())
        self.recent = [*self.recent, (time.time(), len(rows))][-RECENT * len(self.workers) - 1 :]
        self.latencies.add(self._counting(rows, message["scenarios"]))
        if self.file and len(rows):
            texts = (message["operations"], message["scenarios"], message["errors"], message["nodes"])
            self.file.add(Batch(rows, *texts, worker))

    def _counting(self, rows: Rows, scenarios: list[str]) -> Any:
        """Return the latencies that count: of the measured phase, and not of closed loops."""
        closed = [code for code, name in enumerate(scenarios) if name in self.trial.pollers]
        counts = (rows["intended"] >= self.measured_from) & ~np.isin(rows["scenario"], closed)
        return (rows["done"] - rows["intended"])[counts]

    @property
    def rate(self) -> float:
        """Requests a second of late; 0 before the first batch."""
        (began, _), *batches = self.recent
        lasted = batches[-1][0] - began if batches else 0.0
        return sum(requests for _, requests in batches) / lasted if lasted > 0 else 0.0

    @property
    def silent(self) -> list[int]:
        """Processes that should have said something by now."""
        now = time.monotonic()
        return [worker for worker, heard in self.heard.items() if now - heard > SILENCE and worker not in self.parts]

    def progress(self) -> dict[str, Any]:
        """Return how far the trial is."""
        return {
            "event": "progress",
            "elapsed": round(time.time() - self.start, 3),
            "sent": sum(self.sent.values()),
            "failures": self.failures,
            "waiting": sum(self.waiting.values()),
            "rate": round(self.rate, 1),
            "p95": self.latencies.percentile(0.95),
        }
