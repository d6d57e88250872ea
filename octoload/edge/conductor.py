"""Leads a trial over all processes: orders out, samples in, the books compared at the end."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
import numpy as np
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.runners import MasterRunner

from octoload.edge import place
from octoload.edge import trial as trials
from octoload.edge.player import PART, SAMPLES, STOP, TRIAL, Order
from octoload.edge.samples import LAYOUT, Batch, percentile
from octoload.edge.samplesfile import SamplesFile
from octoload.edge.scenario import Cast
from octoload.edge.trial import Part, Trial
from octoload.errors import InvalidRunError, OctoloadError, ServerError

#: Seconds between the order and the schedule's start: time for every process to prepare.
LEAD: Final = 0.3
#: Seconds without a word after which a worker counts as lost.
SILENCE: Final = 6.0
#: Seconds that Locust gets to bring up its users.
READY: Final = 60.0
#: HTTP status of a request that a rate limit turned away (octopus-api §B.5).
TOO_MANY: Final = 429
#: Batches whose latencies a progress line is about, for each process.
RECENT: Final = 5

Progress = Callable[[dict[str, Any]], None]


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
        self.recent: list[Any] = []
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
        self.recent = [*self.recent, rows["done"] - rows["intended"]][-RECENT * len(self.workers) :]
        if self.file and len(rows):
            texts = (message["operations"], message["scenarios"], message["errors"], message["nodes"])
            self.file.add(Batch(rows, *texts, worker))

    def progress(self) -> dict[str, Any]:
        """Return how far the trial is."""
        return {
            "event": "progress",
            "elapsed": round(time.time() - self.start, 3),
            "sent": sum(self.sent.values()),
            "failures": self.failures,
            "waiting": sum(self.waiting.values()),
            "p95": percentile(np.concatenate(self.recent), 0.95) if self.recent else None,
        }


class Conductor:
    """The one process that leads: Locust's master, or its only process."""

    def __init__(self, environment: Environment, cast: Cast) -> None:
        """Listen for samples; the process' runner must be there."""
        self._environment = environment
        self._cast = cast
        runner: Any = environment.runner
        self._runner = runner
        self._number = 0
        self._performance: Performance | None = None
        #: Whether a worker was lost, so that a new start is better than a trial with fewer.
        self.broken = False
        runner.register_message(SAMPLES, self._on_samples)
        runner.register_message(PART, self._on_part)

    def run(self, trial: Trial, path: Path | None, progress: Progress | None = None) -> dict[str, Any]:
        """Run a trial to its end and return its facts.

        Raises:
            UsageError: the trial is not one that can be run, or the disk is full.
            ServerError: the server cannot be reached, refuses the key or is no Octopus; or a worker was lost.
            InvalidRunError: samples were lost.
        """
        started = time.time()
        performance = self._begin(trial, path)
        try:
            while not performance.done:
                performance.changed.wait(1.0 - (time.time() - performance.start) % 1.0)
                performance.changed.clear()
                self._look_after(performance)
                if progress and not performance.done:
                    progress(performance.progress())
            return self._finish(performance, started)
        except BaseException:
            if performance.file:
                performance.file.discard()
            raise
        finally:
            self._performance = None

    def stop(self) -> None:
        """Let a trial without end come to its end."""
        if self._performance:
            self._runner.send_message(STOP, None)

    def _begin(self, trial: Trial, path: Path | None) -> Performance:
        trial = trials.prepare(trial, self._cast.known)
        needs = self._cast.needs([*trial.scenarios, *trial.pollers])
        where = place.find(trial.urls[0], os.environ.get(trial.key_variable, ""), trial.space, needs)
        if trial.seconds is not None:
            self._fill_slots(trial.slots)
        self._environment.stats.clear_all()
        workers = self._workers()
        self._number += 1
        performance = Performance(self._number, trial, time.time() + LEAD, path, workers)
        self._performance = performance
        for client, worker in workers.items():
            order = Order(self._number, trial, where, performance.start, worker, len(workers))
            self._runner.send_message(TRIAL, msgspec.to_builtins(order), client)
        return performance

    def _workers(self) -> dict[str, int]:
        """Return the processes that run users, by Locust's name for them, numbered from 0."""
        if isinstance(self._runner, MasterRunner):
            clients = [client.id for client in self._runner.clients.all if client.state != "missing"]
            return {client: number for number, client in enumerate(sorted(clients, key=self._runner.get_worker_index))}
        return {self._runner.client_id: 0}

    def _fill_slots(self, slots: int) -> None:
        """Have Locust run so many users.

        Raises:
            ServerError: it does not manage to.
        """
        deadline = time.monotonic() + READY
        self._wait_until(lambda: self._runner.state == "running", deadline)
        if self._runner.target_user_count != slots:
            rate = max(slots, self._runner.target_user_count)  # Locust takes users away at this rate, too
            self._runner.start(slots, spawn_rate=rate)
        self._wait_until(lambda: self._runner.user_count == slots and self._runner.state == "running", deadline)

    def _wait_until(self, reached: Callable[[], bool], deadline: float) -> None:
        while not reached():
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Locust did not bring up its users within {READY:.0f} s", "See its log; are all workers connected?"
                )
            gevent.sleep(0.02)

    def _on_samples(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002  Locust's signature
        performance = self._performance
        if performance is None or msg.data["number"] != performance.number:
            return
        performance.take(msg.data)
        if performance.file and performance.file.full:
            gevent.spawn(self._write, performance, performance.file)

    def _write(self, performance: Performance, file: SamplesFile) -> None:
        """Write a row group in a thread of its own, so that no arrival waits for the disk."""
        try:
            with performance.writing:
                gevent.get_hub().threadpool.apply(file.write, (file.take(),))
        except OctoloadError as exc:
            performance.fault = exc

    def _on_part(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002
        performance = self._performance
        if performance is None or msg.data["number"] != performance.number:
            return
        part = msgspec.convert(msg.data["part"], Part)
        performance.parts[part.worker] = part
        performance.changed.set()

    def _look_after(self, performance: Performance) -> None:
        """Notice workers that are gone."""
        now = time.monotonic()
        silent = [worker for worker, heard in performance.heard.items() if now - heard > SILENCE]
        lost = [worker for worker in silent if worker not in performance.parts]
        if isinstance(self._runner, MasterRunner):
            lost += [number for client, number in performance.workers.items() if client not in self._runner.clients]
        if lost and performance.fault is None:
            self.broken = True
            performance.fault = InvalidRunError(
                f"Locust process {lost[0] + 1} of {len(performance.workers)} was lost in the middle of a trial",
                "Run the trial again; see in Locust's log why it ended.",
            )

    def _planned(self, trial: Trial) -> dict[str, int]:
        """Return the arrivals in the measured phase by the operation that they begin with."""
        firsts = self._cast.known.firsts
        return trials.add({firsts[name]: count} for name, count in trial.planned().items())

    def _finish(self, performance: Performance, started: float) -> dict[str, Any]:
        parts = [part for _, part in sorted(performance.parts.items())]
        fault = next((part.fault for part in parts if part.fault), "")
        if fault and performance.fault is None:
            performance.fault = OctoloadError(f"a mistake in {fault}", "Mend the scenario, or leave it out of the mix.")
        if performance.fault:
            raise performance.fault
        if performance.file:
            with performance.writing:
                gevent.get_hub().threadpool.apply(performance.file.close)
        trial = performance.trial
        lags, read_delays = np.concatenate(performance.lags), np.concatenate(performance.read_delays)
        return {
            "event": "finished",
            "started": started,
            "measured_from": performance.measured_from,
            "measured_until": performance.measured_from + trial.seconds if trial.seconds else time.time(),
            "ended": time.time(),
            "planned": self._planned(trial),
            "sent": trials.add(part.sent for part in parts),
            "recorded": performance.file.rows if performance.file else performance.rows,
            "counted": self._environment.stats.total.num_requests,
            "failures": performance.failures,
            "throttled": performance.throttled,
            "retry_after": max((part.retry_after for part in parts), default=0.0),
            "generator": trials.generator(parts, lags, read_delays),
            "log": [*sorted({line for part in parts for line in part.log}), *trials.judge_waits(parts, trial.slots)],
        }
