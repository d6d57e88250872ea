"""The processes that run users: who they are, whether they are there, what their clocks show."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import gevent
from gevent.event import Event
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import MasterRunner

from octoload.edge.clocks import Exchange, Offset, best
from octoload.edge.worker import HELLO, PING, PONG, REFUSED, versions
from octoload.errors import ServerError, UsageError

#: Exchanges by which a clock is measured; the quickest counts.
EXCHANGES: Final = 8
#: Seconds that an answer to one may take.
ANSWER_WITHIN: Final = 1.0
#: Seconds between two looks for those that are missing, and between two lines about them.
LOOK, TELL = 0.1, 1.0
#: Seconds that Locust gets to bring up its users.
READY: Final = 60.0

Say = Callable[[dict[str, Any]], None]


class Crew:
    """Locust's workers, or the one process that there is."""

    def __init__(self, environment: Environment, expected: int | None) -> None:
        """`expected` workers take part and others stand by; with None all that are connected take part."""
        runner: Any = environment.runner
        self._runner = runner
        self._leads = isinstance(runner, MasterRunner)
        self._expected = expected
        #: The number of each that takes part, by Locust's name for it.
        self.members: dict[str, int] = {}
        #: Their clocks against ours, by number.
        self.clocks: dict[int, Offset] = {}
        self._hellos: set[str] = set()
        self._refused: dict[str, str] = {}
        self._round = 0
        self._pongs: dict[str, dict[str, Any]] = {}
        self._answered = Event()
        if self._leads:
            runner.register_message(HELLO, self._on_hello)
            runner.register_message(PONG, self._on_pong)
            if expected is not None:
                places: Any = environment
                places.dispatcher_class = self._dispatcher

    def name(self, number: int) -> str:
        """Return the host of a member."""
        client = next(client for client, own in self.members.items() if own == number)
        return client.rpartition("_")[0] or client

    @property
    def lost(self) -> list[int]:
        """Numbers of the members that Locust no longer hears of."""
        if not self._leads:
            return []
        connected = self._connected()
        return [number for client, number in self.members.items() if client not in connected]

    def gather(self, keys: Iterable[str], within: float, say: Say) -> None:
        """Wait until all that are wanted are there, answer and hold the keys; measure their clocks.

        Raises:
            ServerError: they are not there within so many seconds.
            UsageError: one has no API key.
        """
        if not self._leads:
            self.members, self.clocks = {self._runner.client_id: 0}, {0: Offset()}
            return
        names, began, told = list(keys), time.monotonic(), 0.0
        while not self._complete(names):
            now = time.monotonic()
            if now - began > within:
                raise self._too_few(within)
            if now - told >= TELL:
                told = now
                say({"event": "waiting", **self._state()})
            gevent.sleep(LOOK)

    def fill(self, slots: int) -> None:
        """Have Locust run so many users on the members, and none elsewhere.

        Raises:
            ServerError: it does not manage to.
        """
        runner = self._runner
        if runner.target_user_count != slots or runner.state != "running":
            runner.start(slots, spawn_rate=max(slots, runner.target_user_count))  # it takes users away at this rate too
        deadline = time.monotonic() + READY
        while not (runner.user_count == slots and runner.state == "running"):
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Locust did not bring up its users within {READY:.0f} s", "See its log; are all workers connected?"
                )
            gevent.sleep(0.02)

    def send(self, kind: str, data: Any, client: str | None = None) -> None:
        """Send a message to one member, or to all of Locust's workers."""
        self._runner.send_message(kind, data, client)

    def rest(self) -> None:
        """Take all users away: what they were at is not wanted any more."""
        self._runner.stop()

    def measure(self) -> dict[int, Offset]:
        """Return the members' clocks as they are now, of those that answer."""
        if not self._leads:
            return self.clocks
        found = self._exchange([])
        return {self.members[client]: best(exchanges) for client, exchanges in found.items() if exchanges}

    def _complete(self, keys: list[str]) -> bool:
        """Choose who takes part; return whether all who are wanted do, and answer."""
        connected = self._connected()
        present = [client for client in connected if client in self._hellos]
        wanted = len(connected - self._refused.keys()) if self._expected is None else self._expected
        chosen = _number(sorted(present, key=self._runner.get_worker_index), wanted, self.members)
        if chosen != self.members and self._runner.state == "running" and self._expected is not None:
            self.rest()  # Locust then forgets how it had spread the users
        self.members = chosen
        if len(chosen) < max(wanted, 1):
            return False
        found = self._exchange(keys)
        if not all(found.values()):
            return False
        self.clocks = {self.members[client]: best(exchanges) for client, exchanges in found.items()}
        return True

    def _connected(self) -> set[str]:
        return {client.id for client in self._runner.clients.all if client.state != "missing"}

    def _state(self) -> dict[str, Any]:
        present = self._connected() & self._hellos
        wanted = self._expected or max(1, len(self._connected()))
        return {"connected": min(len(present), wanted), "wanted": wanted, "refused": sorted(self._refused.values())}

    def _too_few(self, within: float) -> ServerError:
        state = self._state()
        refused = "".join(f"; {reason}" for reason in state["refused"])
        return ServerError(
            f"{state['connected']} of {state['wanted']} workers connected within {within:.0f} s{refused}",
            "Start `octoload worker --master HOST:PORT` on the machines that are to drive the load, and see that this "
            "one's port is open to them.",
        )

    def _exchange(self, keys: list[str]) -> dict[str, list[Exchange]]:
        """Ask the members what time it is, several times each; those that do not answer have an empty list.

        Raises:
            UsageError: one lacks an API key.
        """
        found: dict[str, list[Exchange]] = {client: [] for client in self.members}
        for _ in range(EXCHANGES):
            self._round += 1
            self._pongs = {}
            self._answered.clear()
            for client in self.members:
                self.send(PING, {"round": self._round, "keys": keys, "sent": time.time()}, client)
            if not self._answered.wait(ANSWER_WITHIN):
                return {client: [] if client not in self._pongs else got for client, got in found.items()}
            for client, pong in self._pongs.items():
                self._demand_keys(client, pong["missing"])
                found[client].append(Exchange(pong["sent"], pong["received"], pong["answered"], pong["returned"]))
        return found

    def _demand_keys(self, client: str, missing: list[str]) -> None:
        if missing:
            raise UsageError(
                f"worker {self.name(self.members[client])} has no API key in {missing[0]}",
                "Set it in the environment of `octoload worker` there and start that again: a master sends no keys.",
            )

    def _on_pong(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002  Locust's signature
        returned = time.time()
        if msg.data["round"] == self._round and msg.node_id in self.members:
            self._pongs[msg.node_id] = {**msg.data, "returned": returned}
            if len(self._pongs) == len(self.members):
                self._answered.set()

    def _on_hello(self, environment: Environment, msg: Any) -> None:  # noqa: ARG002
        ours, theirs = versions(), msg.data
        unlike = [name for name, version in ours.items() if theirs.get(name) != version]
        if not unlike:
            self._hellos.add(msg.node_id)
            return
        name = unlike[0]
        host = msg.node_id.rpartition("_")[0]
        reason = f"the worker on {host} has {name} {theirs.get(name)}, this run has {ours[name]}"
        self._refused[msg.node_id] = reason
        cure = f"Install the same versions on both machines: octoload {ours['octoload']}."
        self.send(REFUSED, {"message": f"the master refuses: {reason}", "cure": cure}, msg.node_id)

    def _dispatcher(self, worker_nodes: list[Any], user_classes: list[Any]) -> UsersDispatcher:
        """Make what Locust asks how to spread its users; it asks anew after each stop."""
        return _Steady([node for node in worker_nodes if node.id in self.members], user_classes)


class _Steady(UsersDispatcher):
    """Leaves users where they are when a worker joins or leaves: a trial under way must not be disturbed."""

    @property
    def dispatch_in_progress(self) -> bool:
        """Locust spreads its users anew unless it is at it already."""
        return True

    def add_worker(self, worker_node: Any) -> None:
        """Whoever joins stands by until the crew is chosen anew."""

    def remove_worker(self, worker_node: Any) -> None:
        """Whoever leaves is noticed by the crew."""


def _number(present: list[str], wanted: int, before: dict[str, int]) -> dict[str, int]:
    """Number those who take part from 0; whoever took part before keeps the number, others get those left free."""
    kept = {client: before[client] for client in present if before.get(client, wanted) < wanted}
    free = (number for number in range(wanted) if number not in kept.values())
    joining = (client for client in present if client not in kept)
    return kept | dict(zip(joining, free, strict=False))
