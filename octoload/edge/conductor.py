"""Leads a trial over all processes: orders out, samples in, the books compared at the end."""

import os
import time
from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
import numpy as np
from locust.env import Environment

from octoload.edge import place
from octoload.edge import trial as trials
from octoload.edge.clocks import Bounds
from octoload.edge.crew import Crew, Say
from octoload.edge.performance import Performance
from octoload.edge.player import ABANDON, PART, SAMPLES, STOP, TRIAL, Order
from octoload.edge.samplesfile import SamplesFile
from octoload.edge.scenario import Cast
from octoload.edge.trial import Part, Trial
from octoload.errors import InvalidRunError, OctoloadError

#: Seconds between the order and the schedule's start: time for every process to prepare.
LEAD: Final = 0.3


class Conductor:
    """The one process that leads: Locust's master, or its only process."""

    def __init__(self, environment: Environment, cast: Cast, crew: Crew, patience: float) -> None:
        """Listen for samples; the process' runner must be there. `patience` is how long workers are waited for."""
        self._environment = environment
        self._cast = cast
        self._crew = crew
        self._patience = patience
        self._number = 0
        self._performance: Performance | None = None
        #: What answers before the trial told of the server's clock.
        self._dates = Bounds()
        #: Whether a worker was lost in a trial.
        self.bereaved = False
        runner: Any = environment.runner
        runner.register_message(SAMPLES, self._on_samples)
        runner.register_message(PART, self._on_part)

    def gather(self, keys: list[str], say: Say) -> list[str]:
        """Wait for the workers; return their hosts.

        Raises:
            ServerError: too few came in time.
            UsageError: one lacks an API key.
        """
        self._crew.gather(keys, self._patience, say)
        return [self._crew.name(number) for number in sorted(self._crew.members.values())]

    def run(self, trial: Trial, path: Path | None, say: Say = lambda _: None) -> dict[str, Any]:
        """Run a trial to its end and return its facts; `say` hears how far it is.

        Raises:
            UsageError: the trial is not one that can be run, or the disk is full.
            ServerError: the server cannot be reached, refuses the key or is no Octopus; or workers are missing.
            InvalidRunError: a worker or samples were lost.
        """
        started = time.time()
        performance = self._begin(trial, path, say)
        try:
            while not performance.done:
                performance.changed.wait(1.0 - (time.time() - performance.start) % 1.0)
                performance.changed.clear()
                self._look_after(performance)
                if not performance.done:
                    say(performance.progress())
            return self._finish(performance, started)
        except BaseException as exc:
            if performance.file:
                performance.file.discard()
            if isinstance(exc, Exception) and trial.seconds is not None:
                self._abandon()
            raise
        finally:
            self._performance = None

    def progress(self) -> dict[str, Any] | None:
        """Return how far the trial is; None when there is none."""
        return self._performance.progress() if self._performance else None

    def stop(self) -> None:
        """Let a trial without end come to its end."""
        if self._performance:
            self._crew.send(STOP, None)

    def _abandon(self) -> None:
        """Have all processes drop the trial, so that the next one begins with nothing of it."""
        self._crew.send(ABANDON, None)
        self._crew.rest()

    def _begin(self, trial: Trial, path: Path | None, say: Say) -> Performance:
        trial = trials.prepare(trial, self._cast.known)
        needs = self._cast.needs([*trial.scenarios, *trial.pollers])
        self._dates = Bounds()
        where = place.find(trial.urls[0], os.environ.get(trial.key_variable, ""), trial.space, needs, self._dates)
        self._crew.gather([trial.key_variable], self._patience, say)
        if trial.seconds is not None:
            self._crew.fill(trial.slots)
        self._environment.stats.clear_all()
        self._number += 1
        members, clocks = self._crew.members, self._crew.clocks
        start = time.time() + LEAD + 2 * max(clock.uncertainty for clock in clocks.values())
        performance = Performance(self._number, trial, start, path, members)
        self._performance = performance
        for client, worker in members.items():
            order = Order(self._number, trial, where, start, clocks[worker].value, worker, len(members))
            self._crew.send(TRIAL, msgspec.to_builtins(order), client)
        return performance

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
        lost = [*performance.silent, *(worker for worker in self._crew.lost if worker not in performance.parts)]
        if lost and performance.fault is None:
            self.bereaved = True
            performance.fault = InvalidRunError(
                f"worker {lost[0] + 1} of {len(performance.workers)} ({self._crew.name(lost[0])}) was lost in the "
                "middle of a trial",
                "Run the trial again; see in the worker's log why it ended.",
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
        workers = self._workers(parts)
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
            "generator": {**trials.generator(parts, lags, read_delays), "workers": workers},
            "clocks": trials.server_clocks(parts, workers, self._dates),
            "queued": [task for part in parts for task in part.queued],
            "log": [*sorted({line for part in parts for line in part.log}), *trials.judge_waits(parts, trial.slots)],
        }

    def _workers(self, parts: list[Part]) -> list[dict[str, Any]]:
        """Say of each process what it did and how its clock went."""
        before, after = self._crew.clocks, self._crew.measure()
        return [
            trials.worker(part, self._crew.name(part.worker), before[part.worker], after.get(part.worker))
            for part in parts
        ]
