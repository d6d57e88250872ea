"""Plays one process' share of a trial, and hands its samples over."""

import math
import os
import time
from collections.abc import Iterator
from typing import Any, Final

import gevent
import msgspec
from gevent.event import Event
from locust.env import Environment
from locust.runners import WorkerRunner

from octoload.api import split_keys
from octoload.edge import machine, poller, table
from octoload.edge.arrivals import Schedule
from octoload.edge.client import Client
from octoload.edge.connection import TrialOverError, clock
from octoload.edge.dispatcher import Dispatcher
from octoload.edge.loops import Loop, Loops
from octoload.edge.samples import Batch, Recorder
from octoload.edge.scenario import Cast, Operation, Place, Scenario
from octoload.edge.session import Notes, Session, miss
from octoload.edge.target import Target
from octoload.edge.trial import Part, Trial

#: Locust messages between master and workers.
TRIAL, STOP, SAMPLES, PART = "octoload-trial", "octoload-stop", "octoload-samples", "octoload-part"
ABANDON = "octoload-abandon"

#: Seconds between two batches.
TICK: Final = 1.0
#: Seconds that sessions under way get when a user stops the load.
STOP_GRACE: Final = 2.0


class Order(msgspec.Struct, frozen=True):
    """What the conductor tells one player."""

    #: Number of the trial in this engine.
    number: int
    trial: Trial
    place: Place
    #: Unix time at which the schedule starts.
    start: float
    #: Seconds that this player's clock is ahead of the conductor's, in which all times are given.
    ahead: float
    #: This player's number, and how many there are.
    worker: int
    workers: int


class Play:
    """One trial under way in this process."""

    def __init__(self, order: Order, cast: Cast, full: Any) -> None:
        trial = order.trial
        keys = split_keys(os.environ.get(trial.key_variable, "")) or [""]
        self.order = order
        self.names = trial.scenarios
        # Arrivals go to all nodes in turn before the next key has its turn.
        targets = [Target(url, key, compression=trial.compression) for key in keys for url in trial.urls]
        self.client = Client(targets, trial.timeout)
        self.scenarios: list[Scenario] = [cast.scenarios[name](order.place) for name in self.names]
        self.codes = [cast.names.index(name) for name in self.names]
        #: By index in the sorted names of the mix: the scenario, and the code of its name.
        self.roles = list(zip(self.scenarios, self.codes, strict=True))
        #: What turns the steady clock into Unix time on the conductor's clock.
        self.offset = time.time() - order.ahead - clock()
        self.start = order.start - self.offset
        self.measured_from = self.start + trial.warm_up
        self.until = self.measured_from + (math.inf if trial.seconds is None else trial.seconds)
        self.recorder = Recorder()
        self.notes = Notes(len(cast.operations), self.measured_from, self.until)
        self.full = full
        self.batches = 0
        self.rows = 0
        self.fault = ""
        self.ended = Event()
        self._cast = cast
        # The trial lasts until its arrivals, its pollers and its time have all come to their end.
        self._parts = 3

    def settle(self) -> None:
        """Say that one of the three has ended."""
        self._parts -= 1
        if not self._parts:
            self.ended.set()

    def blame(self, scenario: str, exc: Exception) -> None:
        """Keep the first mistake in a scenario."""
        self.fault = self.fault or f"scenario {scenario}: {type(exc).__name__}: {exc}"

    def pollers(self) -> list[Loop]:
        """Return this process' share of the pollers, each with connections of its own."""
        order, trial = self.order, self.order.trial
        kinds = {name: self._cast.pollers[name](order.place) for name in trial.pollers}
        everybody = poller.starts(trial.pollers, {name: kind.interval for name, kind in kinds.items()}, trial.seed)
        loops = []
        for start in poller.share(everybody, order.worker, order.workers):
            session = Session(self.client, self.recorder, self.notes, self.full)
            session.begin((self.start + start.when, 0, 0.0, start.number), self._cast.names.index(start.name))
            loops.append(Loop(kinds[start.name], session, self.blame))
        return loops

    def schedule(self) -> Iterator[Schedule]:
        """Return this process' share of the arrivals, block by block."""
        order = self.order
        return (block.share(order.worker, order.workers) for block in order.trial.schedule())


class Player:
    """The slots' side of a process that runs users."""

    def __init__(self, environment: Environment, cast: Cast) -> None:
        """Listen for orders; the process' runner must be there."""
        self._environment = environment
        self._cast = cast
        self._dispatcher = Dispatcher()
        self._loops = Loops()
        self._play: Play | None = None
        self._course: Any = None
        self._meter = machine.Meter()
        self._priority = machine.raise_priority()
        runner: Any = environment.runner
        self._runner = runner
        runner.register_message(TRIAL, self._on_trial)
        runner.register_message(STOP, self._on_stop)
        runner.register_message(ABANDON, self._on_abandon)
        machine.settle_memory()

    def serve(self) -> None:
        """Be a slot: take arrivals and play their sessions, until the greenlet is killed."""
        self._dispatcher.enter()
        try:
            self._serve()
        finally:
            self._dispatcher.leave()

    def _serve(self) -> None:
        take = self._dispatcher.take
        play: Any = None
        session: Any = None
        while True:
            arrival = take()
            if play is not self._play:
                play = self._play
                session = Session(play.client, play.recorder, play.notes, play.full)
            try:
                scenario, code = play.roles[arrival[1]]
                session.begin(arrival, code)
                scenario.run(session)
            except TrialOverError:
                continue
            except Exception as exc:  # noqa: BLE001  a scenario's mistake ends the trial with its name, not this slot
                play.blame(play.names[arrival[1]], exc)

    def _on_trial(self, environment: Environment, msg: Any) -> None:
        play = Play(msgspec.convert(msg.data, Order), self._cast, self._hand_over)
        self._play = play
        environment.stats.clear_all()
        self._dispatcher.begin(play.schedule(), play.start, play.measured_from, play.settle)
        self._loops.begin(play.pollers(), play.settle)
        self._course = gevent.spawn(self._see_through, play)

    def _on_stop(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002  Locust's signature
        if self._play is not None:
            self._play.notes.until = clock()
            self._dispatcher.halt()
            self._loops.halt()
            gevent.spawn_later(STOP_GRACE, self._play.ended.set)

    def _on_abandon(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002
        """Drop the trial under way and say no more of it; Locust takes the slots away."""
        if self._play is not None:
            play, self._play = self._play, None
            self._course.kill(block=False)
            self._dispatcher.halt()
            self._loops.drop()
            play.client.close()

    def _see_through(self, play: Play) -> None:
        """Hand samples over each second until the last session has ended, then close the books."""
        trial = play.order.trial
        self._measure(play)
        line_ends, gives_up = play.until + trial.timeout, play.until + 2 * trial.timeout + TICK
        while not play.ended.wait(TICK) and clock() < gives_up:
            self._hand_over()
            if clock() > line_ends:
                self._miss_the_rest(play)
        if self._meter.running:
            self._meter.stop()
        play.client.close()
        self._hand_over()
        self._report()
        self._runner.send_message(PART, {"number": play.order.number, "part": msgspec.to_builtins(self._part(play))})
        self._play = None

    def _measure(self, play: Play) -> None:
        gevent.get_hub().loop.update_now()  # timers count from the hub's last turn, which may be long ago
        gevent.spawn_later(max(play.measured_from - clock(), 0.0), self._begin_measuring, play)
        if play.until < math.inf:
            gevent.spawn_later(max(play.until - clock(), 0.0), self._stop_measuring, play)

    def _begin_measuring(self, play: Play) -> None:
        if play is self._play:
            self._meter.start()
            play.client.stamps.take()

    def _stop_measuring(self, play: Play) -> None:
        if play is self._play:
            self._meter.stop()
            play.settle()

    def _miss_the_rest(self, play: Play) -> None:
        for arrival in self._dispatcher.halt():
            operation: Operation = play.scenarios[arrival[1]].operations[0]
            if miss(play.recorder, arrival, operation, play.codes[arrival[1]], clock()):
                self._hand_over()
                gevent.sleep(0)  # there may be millions: whoever writes them must keep up

    def _hand_over(self) -> None:
        """Give what is recorded to Locust's table and to the conductor."""
        play = self._play
        if play is None:
            return
        batch = Batch(
            play.recorder.take(play.offset),
            self._cast.operation_names,
            self._cast.names,
            play.recorder.errors.texts,
            play.recorder.nodes.texts,
            play.order.worker,
        )
        if len(batch.rows):
            table.publish(self._environment, batch, self._cast.operations)
        self._runner.send_message(SAMPLES, self._message(play, batch))
        play.batches += 1
        play.rows += len(batch.rows)

    def _message(self, play: Play, batch: Batch) -> dict[str, Any]:
        lags = self._dispatcher.lags
        self._dispatcher.lags = lags[:0]
        delays = play.client.stamps.take()
        if clock() < play.measured_from:
            delays = delays[:0]
        return {
            "number": play.order.number,
            "worker": batch.worker,
            "batch": play.batches,
            "rows": batch.rows.tobytes(),
            "operations": list(batch.operations),
            "scenarios": list(batch.scenarios),
            "errors": list(batch.errors),
            "nodes": list(batch.nodes),
            "lags": lags.tobytes(),
            "read_delays": delays.tobytes(),
            "sent": play.rows + len(batch.rows) + self._dispatcher.busy + self._loops.busy,
            "waiting": self._dispatcher.waiting,
        }

    def _report(self) -> None:
        """Bring Locust's own statistics to the master now rather than at the next of its 3 s."""
        if isinstance(self._runner, WorkerRunner):
            data: dict[str, Any] = {}
            events: Any = self._environment.events
            events.report_to_master.fire(client_id=self._runner.client_id, data=data)
            self._runner.send_message("stats", data)

    def _part(self, play: Play) -> Part:
        sent: dict[str, int] = {}
        for operation, count in zip(self._cast.operations, play.notes.sent, strict=True):
            if count:
                sent[operation.name] = sent.get(operation.name, 0) + count
        return Part(
            worker=play.order.worker,
            batches=play.batches,
            rows=play.rows,
            sent=sent,
            cpu=self._meter.cpu,
            steal=self._meter.steal,
            gc_pause=self._meter.gc_pause,
            schedule=self._dispatcher.kind,
            priority=self._priority,
            longest_wait=self._dispatcher.longest_wait,
            clocks={node: found.shift(-play.offset) for node, found in play.notes.clocks.nodes.items()},
            retry_after=play.notes.retry_after,
            queued=play.notes.queued,
            fault=play.fault,
            log=play.notes.log,
        )
