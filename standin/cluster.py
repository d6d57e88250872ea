"""The cluster's processes: nodes are started, added, killed, stopped, frozen and thawed, and all end together."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import msgspec
import psutil

from standin import node
from standin.errors import FailureError, UsageError
from standin.hosts.site import Housing
from standin.parent import adopt_orphans, as_parent, reap

#: Seconds that nodes get to finish what they are answering.
PATIENCE = 8.0
#: Nodes of a cluster at most.
MOST = 32


@dataclass(slots=True)
class Member:
    """A node of the cluster and its process, if it has one."""

    #: what it is started with
    settings: node.Settings
    #: `running`, `frozen`, `killed` or `stopped`
    state: str = "stopped"
    #: its process
    process: subprocess.Popen[bytes] | None = None
    #: where it answers; "" before its first start
    url: str = ""

    def tell(self) -> dict[str, Any]:
        """Say how it is."""
        pid = self.process.pid if self.process and self.state in ("running", "frozen") else None
        return {"name": self.settings.name, "state": self.state, "url": self.url, "pid": pid}


class Cluster:
    """The nodes of a server; a context manager that stops all of them at the end."""

    def __init__(self, others: Callable[[], Iterable[int]], housing: Housing) -> None:
        """`others` says which children of this process are no nodes, and none of theirs."""
        self._members: dict[str, Member] = {}
        self._others = others
        self._housing = housing

    def __enter__(self) -> Self:
        adopt_orphans()
        return self

    def __exit__(self, *_: object) -> None:
        living = [one for one in self._members.values() if one.process and one.process.poll() is None]
        for one in living:
            self._continue(one)
            assert one.process is not None
            one.process.terminate()
        for one in living:
            _end(one)
        self._sweep()

    @property
    def members(self) -> list[Member]:
        """All nodes, in the order in which they came."""
        return list(self._members.values())

    def member(self, name: str) -> Member:
        """Return a node by its name.

        Raises:
            UsageError: there is none of this name.
        """
        if name not in self._members:
            raise UsageError(f"there is no node {name}", f"There are {', '.join(self._members)}.")
        return self._members[name]

    def free_name(self) -> str:
        """Return a name that no node has."""
        return next(name for number in range(1, MOST + 2) if (name := f"node-{number}") not in self._members)

    def launch(self, settings: node.Settings) -> Member:
        """Start the process of a new node; `await_ready` says when it answers.

        Raises:
            UsageError: there are too many, one has its name, or there is no room for it.
        """
        if len(self._members) >= MOST:
            raise UsageError(f"a cluster has {MOST} nodes at most", "Start one of those that are stopped.")
        if settings.name in self._members:
            raise UsageError(f"there is a node {settings.name} already", "Choose another name.")
        self._housing.prepare(settings.name)
        member = self._members[settings.name] = Member(settings)
        _launch(member)
        return member

    def await_ready(self, member: Member) -> None:
        """Wait until a node that was launched answers.

        Raises:
            UsageError, FailureError: it cannot be started; a node that has never answered is forgotten.
        """
        try:
            member.url = _first_words(member)
        except (UsageError, FailureError):
            member.state = "stopped"
            if not member.url:
                del self._members[member.settings.name]
            raise
        # The next start shall answer at the same address.
        port = int(member.url.rpartition(":")[2])
        member.settings = msgspec.structs.replace(member.settings, port=port)
        assert member.process is not None
        # Only now: the start of a program is no part of what its host shall be seen to do.
        self._housing.house(member.settings.name, member.process.pid)

    def start(self, name: str) -> Member:
        """Start a node that was killed or stopped, under its name and address."""
        member = self._in_state(name, "killed", "stopped")
        _launch(member)
        self.await_ready(member)
        return member

    def kill(self, name: str) -> Member:
        """End a node at once, as a power cut would, with the scripts that it runs."""
        member = self._in_state(name, "running", "frozen")
        assert member.process is not None
        member.state = "killed"
        family = _family(member)
        member.process.kill()
        _end(member)
        _kill(family)
        self._sweep()
        return member

    def stop(self, name: str) -> Member:
        """End a node in an orderly way: it cancels what it runs."""
        member = self._in_state(name, "running", "frozen")
        assert member.process is not None
        self._continue(member)
        member.state = "stopped"
        member.process.terminate()
        _end(member)
        self._sweep()
        return member

    def freeze(self, name: str) -> Member:
        """Let a node and its scripts stand still.

        Raises:
            UsageError: it does not run, or this is not Linux.
        """
        if sys.platform != "linux":
            # Elsewhere nothing would wake it when this process is killed, and it would stay for ever.
            raise UsageError("a node can be frozen on Linux only", "Kill it instead, and start it again later.")
        member = self._in_state(name, "running")
        assert member.process is not None
        member.state = "frozen"
        self._housing.freeze(member.process.pid, frozen=True)
        self._signal(member, "SIGSTOP")
        return member

    def thaw(self, name: str) -> Member:
        """Let a frozen node go on."""
        member = self._in_state(name, "frozen")
        self._continue(member)
        return member

    def check(self) -> None:
        """Make sure that the nodes which should run do.

        Raises:
            FailureError: one has ended without being told to.
        """
        reap(self._known())
        for one in self._members.values():
            if one.state in ("running", "frozen") and one.process and one.process.poll() is not None:
                raise FailureError(
                    f"the node {one.settings.name} (process {one.process.pid}) has stopped with code "
                    f"{one.process.returncode}",
                    "The other nodes and PostgreSQL are stopped as well; start again with the same --data.",
                )

    def _in_state(self, name: str, *states: str) -> Member:
        member = self.member(name)
        if member.state not in states:
            raise UsageError(f"the node {name} is {member.state}", f"It must be {' or '.join(states)} for this.")
        return member

    def _continue(self, member: Member) -> None:
        if member.state == "frozen":
            assert member.process is not None
            member.state = "running"
            self._signal(member, "SIGCONT")
            self._housing.freeze(member.process.pid, frozen=False)

    def _signal(self, member: Member, number: str) -> None:
        assert member.process is not None
        for process in (psutil.Process(member.process.pid), *_family(member)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.Signals[number])

    def _known(self) -> set[int]:
        return {one.process.pid for one in self._members.values() if one.process} | set(self._others())

    def _sweep(self) -> None:
        """Kill what a dead node has left to this process: scripts live in sessions of their own."""
        known = self._known()
        left = [child for child in psutil.Process().children() if child.pid not in known]
        _kill([*left, *(one for child in left for one in _children(child))])
        if sys.platform != "win32":
            for child in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child.pid, 0)


def _launch(member: Member) -> None:
    environment = {**as_parent(), node.VARIABLE: msgspec.json.encode(member.settings).decode()}
    # A session of its own: Ctrl-C in a terminal reaches the supervisor only, which stops them in order.
    member.process = subprocess.Popen(
        [sys.executable, "-m", "standin.node"], stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    member.state = "running"


def _first_words(member: Member) -> str:
    """Return the URL of a node that has come up, or raise what it says."""
    assert member.process is not None
    assert member.process.stdout is not None
    line = member.process.stdout.readline()
    if not line:
        raise FailureError(f"the node {member.settings.name} did not start", "What it wrote above says why.")
    said = msgspec.json.decode(line)
    if "url" in said:
        return str(said["url"])
    raise (UsageError if said["code"] == UsageError.exit_code else FailureError)(said["message"], said["cure"])


def _end(member: Member) -> None:
    assert member.process is not None
    try:
        member.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        member.process.kill()
        member.process.wait()
    if member.process.stdout is not None:
        member.process.stdout.close()


def _family(member: Member) -> list[psutil.Process]:
    assert member.process is not None
    with contextlib.suppress(psutil.NoSuchProcess):
        return _children(psutil.Process(member.process.pid))
    return []


def _children(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
