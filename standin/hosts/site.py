"""The site: the hosts of a serving stand-in, one for each node and one for the database, and the distance between."""

import asyncio
import contextlib
import math
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import urlsplit

from standin.control import Answer, Order
from standin.errors import FailureError, UsageError
from standin.hosts.cgroups import find_place, sweep
from standin.hosts.database import TRIPS, find_postmaster, round_trip, with_address
from standin.hosts.family import family, pin, usable_cores
from standin.hosts.helper import Helper
from standin.hosts.layout import Host, arrange, grant

#: Name of the database's own host; nodes have hosts of their names.
SQL = "sql"
#: Where the database may lie: beside the first node, or on its own host.
PLACES = ("same-host", "separate-host")
ACTIONS = {
    "list": "say the mechanism, and what each host has used",
    "sql same-host": "move the database beside the first node",
    "sql separate-host": "move the database to its own host",
    "cpus HOST N": "give a host another capacity, in CPUs",
    "latency TIME": "set the round trip to a separate database host: 2ms",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What `serve` was asked for."""

    #: CPUs of each node's host
    host_cpus: float
    #: CPUs of the database's own host
    sql_cpus: float
    #: one of PLACES
    sql: str = PLACES[0]
    #: round trip to the database's own host, seconds; None for no proxy between
    latency: float | None = None
    #: `auto`, `cgroup` or `governor`
    mechanism: str = "auto"


class Housing(Protocol):
    """Where nodes live, as the cluster sees it."""

    def prepare(self, node: str) -> None:
        """Make room for a node, or raise UsageError."""

    def house(self, node: str, pid: int) -> None:
        """Move a node's process in."""

    def freeze(self, pid: int, *, frozen: bool) -> None:
        """Learn that a process is frozen, or goes on."""


class OpenField:
    """No hosts: all processes share the machine."""

    def prepare(self, node: str) -> None:
        """Do nothing."""

    def house(self, node: str, pid: int) -> None:
        """Do nothing."""

    def freeze(self, pid: int, *, frozen: bool) -> None:
        """Do nothing."""


class Site:
    """The hosts of a stand-in; a context manager that makes them, and sets all processes free at the end."""

    def __init__(self, wish: Wish, nodes: list[str], dsn: str) -> None:
        """`nodes` are the names of the first nodes, `dsn` is that of the database itself.

        Raises:
            UsageError: as `lay_out` says.
        """
        self._wish = wish
        self._dsn = dsn
        self._sql = wish.sql
        self._latency = wish.latency or 0.0
        self._nodes: dict[str, int] = dict.fromkeys(nodes, 0)
        self._hosts = lay_out(wish, nodes)
        self._manager = Helper("standin.hosts.manager", wish.mechanism)
        target = urlsplit(dsn)
        words = (target.hostname or "127.0.0.1", str(target.port or 5432))
        self._proxy = None if wish.latency is None else Helper("standin.hosts.proxy", *words)
        self._stack = contextlib.ExitStack()
        self._postmaster = 0
        self._trips: dict[str, float] = {}
        #: the DSN by which nodes reach the database
        self.dsn = dsn

    def __enter__(self) -> Self:
        """Make the hosts and put the database into its own.

        Raises:
            UsageError: the database lies on another machine; FailureError: hosts cannot be made.
        """
        with contextlib.ExitStack() as stack:
            self._postmaster = asyncio.run(find_postmaster(self._dsn))
            stack.callback(self._free)
            stack.enter_context(self._manager)
            if self._proxy is not None:
                port = stack.enter_context(self._proxy).said["port"]
                self.dsn = with_address(self._dsn, f"127.0.0.1:{port}")
            for host in self._hosts:
                self._limit(host)
            self._place_sql()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def pids(self) -> Iterator[int]:
        """Yield the processes that serve the site."""
        yield self._manager.pid
        if self._proxy is not None:
            yield self._proxy.pid

    def check(self) -> None:
        """Make sure that the hosts are still held to their capacity.

        Raises:
            FailureError: who held them has ended.
        """
        try:
            self._manager.check()
        except FailureError:
            self._free()  # what stands still could not be ended in an orderly way
            raise
        if self._proxy is not None:
            self._proxy.check()

    def prepare(self, node: str) -> None:
        """Make a host for a new node."""
        if node == SQL:
            raise UsageError(f"{SQL} is the name of the database's host", "Choose another name for the node.")
        if node not in self._nodes:
            self._grant(node, self._wish.host_cpus)
            self._nodes[node] = 0

    def house(self, node: str, pid: int) -> None:
        """Move a node's process to its host."""
        self._nodes[node] = pid
        self._manager.tell(do="place", host=node, pid=pid)

    def freeze(self, pid: int, *, frozen: bool) -> None:
        """Let the governor leave alone what is frozen by hand."""
        self._manager.tell(do="hold" if frozen else "free", pid=pid)

    def obey(self, order: Order) -> Answer:
        """Carry out a command about hosts; return how they are then.

        Raises:
            UsageError: there is no such command or host, or the machine has not so much to give.
        """
        match [order.action, *order.words]:
            case ["list"]:
                pass
            case ["sql", place] if place in PLACES:
                self._sql = place
                self._place_sql()
            case ["cpus", host, cpus] if any(one.name == host for one in self._hosts):
                self._grant(host, parse_cpus(cpus))
            case ["latency", text]:
                self._set_latency(parse_seconds(text))
            case words:
                raise UsageError(
                    f"'host {' '.join(words)}' is no command, or there is no such host",
                    f"Commands: {', '.join(ACTIONS)}; hosts: {', '.join(host.name for host in self._hosts)}.",
                )
        return self.report()

    def report(self) -> Answer:
        """Return the mechanism in force and what each host has used so far; a trial's is the difference of two."""
        report = self._manager.tell(do="report")
        report["sql"] = self._sql
        report["round_trip"] = {"added": self._added(), "trips": TRIPS, **self._trips}
        report["proxy_cpu_seconds"] = self._proxy.cpu_seconds if self._proxy is not None else 0.0
        for host in report["hosts"]:
            beside = host["name"] == self._sql_host()
            host["members"] = [name for name in self._nodes if name == host["name"]] + ["PostgreSQL"] * beside
        return report

    def _sql_host(self) -> str:
        return SQL if self._sql == PLACES[1] else next(iter(self._nodes))

    def _added(self) -> float:
        return self._latency if self._sql == PLACES[1] else 0.0

    def _place_sql(self) -> None:
        self._manager.tell(do="place", host=self._sql_host(), pid=self._postmaster)
        self._set_distance()

    def _set_latency(self, seconds: float) -> None:
        if self._proxy is None:
            raise UsageError("there is no distance that could be changed", "Start with --sql-latency 0ms.")
        self._latency = seconds
        self._set_distance()

    def _set_distance(self) -> None:
        """Set the delay, and measure the round trips as they are: a proxy costs time itself."""
        if self._proxy is not None:
            self._proxy.tell(round_trip=self._added())
        self._trips = {"direct": asyncio.run(round_trip(self._dsn))}
        self._trips["nodes"] = asyncio.run(round_trip(self.dsn)) if self._proxy else self._trips["direct"]

    def _grant(self, name: str, cpus: float) -> None:
        host = grant(self._hosts, name, cpus, usable_cores())
        self._hosts = [one for one in self._hosts if one.name != name] + [host]
        self._limit(host)

    def _limit(self, host: Host) -> None:
        self._manager.tell(do="limit", host=host.name, cpus=host.cpus, core=host.core)

    def _free(self) -> None:
        """Do the manager's last work for it when it was killed: wake what stands still, remove the groups."""
        if sys.platform != "linux" or not self._manager.was_killed:
            return
        members = family([*filter(None, self._nodes.values()), self._postmaster])
        pin(members, usable_cores())
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for place in find_place():
            sweep(place)


def lay_out(wish: Wish, nodes: list[str]) -> list[Host]:
    """Return the hosts of nodes and database.

    Raises:
        UsageError: the machine has not so much to give.
    """
    return arrange([(SQL, wish.sql_cpus), *((name, wish.host_cpus) for name in nodes)], usable_cores())


def parse_cpus(text: str) -> float:
    """Read a capacity in CPUs.

    Raises:
        UsageError: it is no number.
    """
    with contextlib.suppress(ValueError):
        if math.isfinite(value := float(text)):
            return value
    raise UsageError(f"'{text}' is no capacity", "Give a number of CPUs such as 0.6.")


def parse_seconds(text: str) -> float:
    """Read a length of time such as `0.5ms` or `0.002s`; return seconds.

    Raises:
        UsageError: it is none, or longer than a second.
    """
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(ms|s)|0", text.strip())
    if found:
        seconds = float(found[1] or 0) / (1000 if found[2] == "ms" else 1)
        if seconds <= 1:
            return seconds
    raise UsageError(f"'{text}' is no distance", "Give a round trip of at most a second, such as 1ms.")
