"""The supervisor: starts PostgreSQL and the nodes, and ends all of them together."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from standin import database, node
from standin.cluster import Cluster
from standin.control import Control
from standin.errors import UsageError
from standin.home import Home
from standin.hosts.site import OpenField, Site, Wish, lay_out
from standin.keeper import Keeper, interrupt_on_signals, stop_on_signals
from standin.orders import NodeOrders, Orders
from standin.parent import Parent

#: Name of the instance's database on a PostgreSQL of our own.
DATABASE = "octopus"


@dataclass(frozen=True, slots=True)
class Service:
    """What `serve` was asked for."""

    #: port of the first node; the others follow; 0 takes any
    port: int = 8065
    #: number of node processes
    nodes: int = 1
    #: the administrator's API key; "" makes one
    api_key: str = ""
    #: folder of the instance, or None for one that is deleted at the end
    data: Path | None = None
    #: DSN of a PostgreSQL that runs already, or ""
    database: str = ""
    #: Octopus' timers divided by this
    time_scale: float = 1.0
    #: which statement of dashboard.sql is run: `ranked`, `lateral` or `more`
    dashboard: str = "ranked"
    #: Retention is run by itself when its time comes
    schedule: bool = True
    #: hosts of nodes and database, or None when all share the machine
    hosts: Wish | None = None


def serve(service: Service, say: Callable[[str], None]) -> None:
    """Serve in the foreground until Ctrl-C, SIGTERM or the parent's end.

    Raises:
        UsageError: a port, a folder or the key cannot be used.
        FailureError: PostgreSQL or a node has failed.
    """
    interrupt_on_signals()
    key = service.api_key or database.new_api_key()
    if not re.fullmatch(r"API-[A-Z0-9]{4,60}", key):
        raise UsageError("the API key must be API- followed by capital letters and digits", "Leave it out to get one.")
    names = [f"node-{number + 1}" for number in range(service.nodes)]
    if service.hosts:
        lay_out(service.hosts, names)  # before anything is made: this may be refused
    with contextlib.ExitStack() as stack:
        dsn, keeper = stack.enter_context(_storage(service))
        home = _home(service, keeper, stack)
        asyncio.run(database.prepare(dsn, key))
        site = stack.enter_context(Site(service.hosts, names, dsn)) if service.hosts else None
        helpers = [helper for helper in (keeper, site) if helper is not None]
        cluster = stack.enter_context(
            Cluster(lambda: [pid for helper in helpers for pid in helper.pids()], site or OpenField())
        )

        def settings(name: str) -> node.Settings:
            return _settings(service, name, site.dsn if site else dsn, home)

        orders = Orders(NodeOrders(cluster, key, settings), site)
        for name in names:
            cluster.launch(settings(name))
        for member in cluster.members:
            cluster.await_ready(member)
        control = stack.enter_context(Control(home))
        stop = stop_on_signals()
        urls = [member.url for member in cluster.members]
        if len(urls) > 1:
            for url in urls:
                say(f"node: {url}")
        say(f"ready: {urls[0]} api-key: {key}")
        parent = Parent()
        while not stop.is_set() and not parent.is_gone():
            control.listen(0.1, orders.obey)
            for one in (*helpers, cluster):
                one.check()


@contextlib.contextmanager
def _storage(service: Service) -> Iterator[tuple[str, Keeper | None]]:
    """Yield the DSN of the instance's database, and the keeper when PostgreSQL is ours."""
    if service.database:
        yield service.database, None
        return
    data = service.data or Path(tempfile.mkdtemp(prefix="octoload-standin-"))
    with Keeper(data, temporary=service.data is None) as keeper:
        yield database.with_database(keeper.dsn, DATABASE), keeper


def _home(service: Service, keeper: Keeper | None, stack: contextlib.ExitStack) -> Path:
    """Return the folder of the instance; one that is deleted at the end when it has none."""
    home = service.data or (keeper.data if keeper else None)
    if home is None:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="octoload-standin-")))
    Home(home).prepare()
    return home


def _settings(service: Service, name: str, dsn: str, home: Path) -> node.Settings:
    number = re.fullmatch(r"node-(\d+)", name)
    return node.Settings(
        dsn=dsn,
        name=name,
        port=service.port + int(number[1]) - 1 if service.port and number else 0,
        home=str(home),
        time_scale=service.time_scale,
        dashboard=service.dashboard,
        # Scheduled retention would surprise an experiment, and experiments run at a scale of their own.
        schedule=service.schedule and service.time_scale == 1,
        connections=min(database.POOL_SIZE, database.ALL_POOLS // service.nodes),
    )
