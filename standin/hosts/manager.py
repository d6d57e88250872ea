"""The manager: a small process that holds hosts to their capacity, and sets all free when its parent goes away.

Run as `python -m standin.hosts.manager auto|cgroup|governor`. It reads one order a line of JSON on standard input and
answers each with a line; first it says which mechanism is in force. It ends when its input does.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import psutil

from standin.errors import FailureError, StandinError
from standin.hosts.cgroups import open_groups
from standin.hosts.family import family, pin, usable_cores
from standin.hosts.governor import Governor
from standin.hosts.mechanism import Mechanism, NoMechanism
from standin.parent import INTERVAL, Parent

#: Names of mechanisms that may be asked for; `auto` takes the first that works.
CHOICES = ("auto", "cgroup", "governor")
#: Looks for processes that were started while their family was moved.
LOOKS = 20


class Order(msgspec.Struct, frozen=True):
    """What the manager is told to do."""

    #: `limit`, `place`, `release`, `hold`, `free` or `report`
    do: str
    #: name of the host
    host: str = ""
    #: its capacity in CPUs
    cpus: float = 0.0
    #: the CPU that it lies on
    core: int = 0
    #: the process that is meant, with all that it has started
    pid: int = 0


class Manager:
    """Carries out orders with one mechanism."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._all = usable_cores()
        self._cores: dict[str, int] = {}
        self._cpus: dict[str, float] = {}

    def obey(self, order: Order) -> dict[str, Any]:
        """Carry out an order; return what is to be said.

        Raises:
            OSError: the kernel refuses.
        """
        match order.do:
            case "limit":
                self._limit(order)
            case "place":
                self._move(order.pid, order.host)
            case "release":
                self._move(order.pid, None)
            case "hold" | "free":
                self._mechanism.hold(family([order.pid]), held=order.do == "hold")
            case "report":
                return self._report()
        return {}

    def close(self) -> None:
        """Set all processes free, on all CPUs."""
        for host in self._cores:
            pin(self._mechanism.members(host), self._all)
        self._mechanism.close()

    def _limit(self, order: Order) -> None:
        self._mechanism.limit(order.host, order.cpus)
        self._cores[order.host], self._cpus[order.host] = order.core, order.cpus
        pin(self._mechanism.members(order.host), [order.core])

    def _move(self, root: int, host: str | None) -> None:
        """Move a process and all that it has started; again while it starts more, which would stay behind."""
        moved: set[int] = set()
        for _ in range(LOOKS):
            new = family([root]) - moved
            if not new:
                return
            pin(new, [self._cores[host]] if host else self._all)
            if host:
                self._mechanism.place(host, new)
            else:
                self._mechanism.release(new)
            moved |= new

    def _report(self) -> dict[str, Any]:
        hosts = []
        for name, core in self._cores.items():
            usage = self._mechanism.usage(name)
            hosts.append(
                {
                    "name": name,
                    "cpus": self._cpus[name],
                    "core": core,
                    "processes": len(self._mechanism.members(name)),
                    "cpu_seconds": usage.cpu_seconds,
                    "periods": usage.periods,
                    "throttled": usage.throttled,
                    "throttled_seconds": usage.throttled_seconds,
                }
            )
        own = psutil.Process().cpu_times()
        return {
            "at": time.time(),
            "mechanism": self._mechanism.name,
            "period": self._mechanism.period,
            "pinned": sys.platform in ("linux", "win32"),
            "cores": len(self._all),
            "steal_seconds": getattr(psutil.cpu_times(), "steal", 0.0),
            "manager_cpu_seconds": own.user + own.system,
            "hosts": hosts,
        }


def choose(wanted: str) -> Mechanism:
    """Return the mechanism that is wanted, or the best that works here.

    Raises:
        FailureError: what is wanted does not work here.
    """
    if wanted in ("auto", "cgroup"):
        groups = open_groups() if sys.platform == "linux" else None
        if groups is not None:
            return groups
        if wanted == "cgroup":
            raise FailureError(
                "no control group with a CPU quota can be made here",
                "Run as root, or where the cpu controller is delegated; or leave --host-mechanism out.",
            )
    if sys.platform == "linux":
        return Governor()
    if wanted == "governor":
        raise FailureError("the governor works on Linux only", "Leave --host-mechanism out.")
    return NoMechanism()


def run(mechanism: Mechanism, orders: "queue.SimpleQueue[bytes]", say: Callable[[dict[str, Any]], None]) -> None:
    """Carry out orders, and what the mechanism has to do meanwhile, until the input or the parent ends."""
    manager, parent = Manager(mechanism), Parent()
    try:
        while not parent.is_gone():
            pause = mechanism.tick()
            try:
                line = orders.get(timeout=min(INTERVAL, pause or INTERVAL))
            except queue.Empty:
                continue
            if not line:
                return
            try:
                say(manager.obey(msgspec.json.decode(line, type=Order)))
            except (OSError, StandinError) as exc:
                say({"message": f"a host cannot be changed: {exc}"})
    finally:
        manager.close()


def _say(said: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.flush()


def _main() -> int:
    # It ends with its input: signals to the whole group must not stop it before it has set all processes free.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        mechanism = choose(sys.argv[1])
    except StandinError as exc:
        _say({"message": exc.message, "cure": exc.cure})
        return exc.exit_code
    with contextlib.suppress(AttributeError, PermissionError):
        os.nice(-10)  # who holds others back must come in time
    _say({"mechanism": mechanism.name})
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            orders.put(line)
        orders.put(b"")

    threading.Thread(target=read, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        run(mechanism, orders, _say)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
