"""octoload inside Locust: a Locust user is a slot, and one schedule feeds all slots.

Importing this module imports Locust, which patches the standard library for gevent: only a locustfile may do so.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import gevent
from locust import User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from octoload.edge import machine, table
from octoload.edge.conductor import Conductor
from octoload.edge.conversation import Conversation
from octoload.edge.crew import READY, Crew
from octoload.edge.engine import Engine
from octoload.edge.player import STOP_GRACE, Player
from octoload.edge.poller import Poller
from octoload.edge.scenario import Cast, Scenario
from octoload.edge.tab import Tab, Watch, Watched
from octoload.edge.trial import Trial
from octoload.edge.worker import Line
from octoload.errors import OctoloadError, UsageError

#: Where the API key stands for load by hand.
KEY_VARIABLE = "OCTOPUS_API_KEY"
#: Users when nobody says how many.
SLOTS = 64

N = TypeVar("N", int, float)

logger = logging.getLogger("octoload")


class Slot(User):
    """Room for one session at a time; sessions arrive on schedule, so more users make no more load."""

    player: ClassVar[Player]

    @task
    def serve(self) -> None:
        """Play the sessions that are handed to this slot."""
        self.player.serve()


def install(scenarios: tuple[type[Scenario], ...], pollers: tuple[type[Poller], ...] = ()) -> None:
    """Make Locust run these scenarios, and these pollers beside them."""
    cast = Cast(scenarios, pollers)
    declared = os.environ.get("OCTOLOAD_PARENT")
    if declared:  # from now on: a worker may wait for its master for hours before Locust has set it up
        machine.die_with_parent(os.getppid(), int(declared))
    if hasattr(os, "register_at_fork"):  # workers that --processes forks end with their master
        first = os.getpid()
        os.register_at_fork(after_in_child=lambda: machine.die_with_parent(first, None))
    table.sharpen()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request that it makes
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(lambda parser: _add_options(parser, cast))
    hooks.init.add_listener(lambda environment, **_: _set_up(environment, cast))


def _add_options(parser: LocustArgumentParser, cast: Cast) -> None:
    mix = ",".join(name for name, kind in cast.scenarios.items() if not (kind.writes or kind.thinks))
    known, loops = ", ".join(cast.scenarios), ", ".join(cast.pollers)
    for name, kind, default, text in (
        ("rate", float, 10.0, "Sessions a second in all"),
        ("mix", str, mix, f"Scenarios with their shares, such as dashboard=3,task-list=1. Known: {known}"),
        ("pollers", str, "", f"Closed loops beside them, such as portal-dashboard=20,waiting-agent=30. Known: {loops}"),
        ("space", str, "", "Id or name of the space; empty: the one that octoload filled, else the default space"),
        ("seed", int, 1, "The schedule of arrivals follows from it"),
        ("samples", str, "", "File for all requests, in Parquet"),
    ):
        parser.add_argument(f"--octoload-{name}", type=kind, default=default, help=text)
    parser.add_argument(
        "--octoload-engine",
        action="store_true",
        help="Take trials from standard input; octoload run starts Locust so",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--octoload-run",
        type=str,
        default="",
        help="Folder of the run whose plan the web page shows; octoload run --web gives it",
        include_in_web_ui=False,
    )


def _set_up(environment: Environment, cast: Cast) -> None:
    options: Any = environment.parsed_options
    # Timers count from the hub's last turn, and imports took seconds since: Locust's -t would end that much early.
    gevent.get_hub().loop.update_now()
    if not isinstance(environment.runner, MasterRunner):
        Slot.player = Player(environment, cast)
    if isinstance(environment.runner, WorkerRunner):
        supervised = options.octoload_engine and not options.processes
        Line(environment, Conversation() if supervised else None)
        return
    if options.num_users is None:
        options.num_users = SLOTS
    if options.spawn_rate is None:
        options.spawn_rate = options.num_users
    crew = Crew(environment, int(options.expect_workers) if options.octoload_engine else None)
    conductor = Conductor(environment, cast, crew, options.expect_workers_max_wait or READY)
    watch = _add_tab(environment, conductor)
    if options.octoload_engine:
        options.only_summary = True
        Engine(environment, conductor, watch).start()
    else:
        Alone(environment, conductor, watch).listen()


def _add_tab(environment: Environment, conductor: Conductor) -> Watch:
    """Add the tab to Locust's web page, if there is one; return what tells it what is under load."""
    options: Any = environment.parsed_options
    if environment.web_ui is None:
        return lambda _: None
    run = Path(options.octoload_run) if options.octoload_engine else None
    tab = Tab(environment, conductor.progress, run)
    tab.install(environment.web_ui)
    return tab.watch


def _urls(environment: Environment) -> list[str]:
    return (environment.host or "").replace(",", " ").split()


class Alone:
    """Load without an experiment: Locust's own command line and web page say when it begins and ends."""

    def __init__(self, environment: Environment, conductor: Conductor, watch: Watch) -> None:
        """`watch` hears what is under load."""
        self._environment = environment
        self._conductor = conductor
        self._watch = watch
        self._greenlet: Any = None

    def listen(self) -> None:
        """Follow Locust's test."""
        events: Any = self._environment.events
        events.test_start.add_listener(lambda **_: self._begin())
        events.test_stopping.add_listener(lambda **_: self._end())
        self._tell()

    def _tell(self) -> None:
        """Tell which server is meant, once one is named."""
        for url in _urls(self._environment)[:1]:
            self._watch(Watched(url, os.environ.get(KEY_VARIABLE, "")))

    def _begin(self) -> None:
        self._tell()
        self._greenlet = gevent.spawn(self._run)

    def _end(self) -> None:
        if self._greenlet and self._greenlet is not gevent.getcurrent():
            self._conductor.stop()
            self._greenlet.join(timeout=STOP_GRACE + 3)

    def _run(self) -> None:
        options: Any = self._environment.parsed_options
        try:
            path = Path(options.octoload_samples) if options.octoload_samples else None
            facts = self._conductor.run(_trial(self._environment), path)
            _sum_up(facts)
        except OctoloadError as exc:
            logger.error("%s. %s", exc.message, exc.cure)  # noqa: TRY400  a user wants the cure, not a traceback
            self._environment.process_exit_code = exc.exit_code
            runner: Any = self._environment.runner
            # Not from this greenlet, which Locust's end waits for.
            gevent.spawn(runner.quit if options.headless else runner.stop)


def _trial(environment: Environment) -> Trial:
    options: Any = environment.parsed_options
    if not environment.host:
        raise UsageError("no server is named", "Name it: --host http://127.0.0.1:8065")
    shares = _amounts("mix", options.octoload_mix, float)
    total = sum(shares.values())
    if not total > 0:
        raise UsageError("--octoload-mix has no positive share", "Write it like dashboard=3,task-list=1")
    return Trial(
        urls=_urls(environment),
        key_variable=KEY_VARIABLE,
        mix={name: float(options.octoload_rate) * share / total for name, share in shares.items()},
        pollers=_amounts("pollers", options.octoload_pollers, int),
        space=options.octoload_space or None,
        seed=int(options.octoload_seed),
    )


def _amounts(option: str, text: str, kind: Callable[[str], N]) -> dict[str, N]:
    amounts: dict[str, N] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, amount = part.partition("=")
        try:
            amounts[name] = kind(amount or "1")
        except ValueError:
            raise UsageError(f"--octoload-{option}: {part!r} has no number", "Write it like name=3,other=1") from None
    return amounts


def _sum_up(facts: dict[str, Any]) -> None:
    generator = facts["generator"]
    logger.info(
        "%d requests sent, %d recorded, %d counted, %d failed; the schedule was late by %.2f ms (p50), %.2f ms (p99)",
        sum(facts["sent"].values()),
        facts["recorded"],
        facts["counted"],
        facts["failures"],
        generator["lag_p50"] * 1000,
        generator["lag_p99"] * 1000,
    )
    for line in facts["log"]:
        logger.warning(line)
