"""Hosts: what a group of processes computes stays within its capacity, also when moved, and nothing stays behind."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from standin.control import command
from standin.errors import FailureError, UsageError
from standin.hosts.cgroups import find_place
from standin.hosts.family import usable_cores
from standin.hosts.helper import Helper
from tests.integration.standin_cluster import cluster
from tests.integration.test_standin_processes import alive, ask, refused, running, wait_for
from tests.octopus_server import Octopus, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="hosts are held to their CPUs on Linux only"),
]

MECHANISMS = ("cgroup", "governor")
SMALL = ("--host-cpus", "0.3", "--sql-cpus", "0.4")


@contextlib.contextmanager
def manager(mechanism: str) -> Iterator[Helper]:
    """A manager of hosts, where its mechanism works."""
    with contextlib.ExitStack() as stack:
        try:
            helper = stack.enter_context(Helper("standin.hosts.manager", mechanism))
        except FailureError as exc:
            pytest.skip(exc.message)
        yield helper


@contextlib.contextmanager
def burning() -> Iterator[subprocess.Popen[bytes]]:
    """A process that computes without end, with one child that does so too, and another one half a second later."""
    script = "burn() { while :; do :; done; }; burn & { sleep 0.5; burn; } & burn"
    process = subprocess.Popen(["bash", "-c", script], start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def host(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["hosts"] if one["name"] == name)


def used_share(helper: Helper, name: str, seconds: float) -> float:
    """Return what a host computes in so many seconds and more, as a share of its capacity."""
    first = helper.tell(do="report")
    last = until(lambda: helper.tell(do="report"), lambda seen: seen["at"] >= first["at"] + seconds)
    spent = host(last, name)["cpu_seconds"] - host(first, name)["cpu_seconds"]
    return float(spent / (last["at"] - first["at"]) / host(last, name)["cpus"])


def uses_its_capacity(helper: Helper, name: str) -> None:
    """Hold that a host never computes more than its capacity, and most of it when other programs let it."""

    def look() -> float:
        share = used_share(helper, name, 1.5)
        assert share < 1.1
        return share

    until(look, lambda share: share > 0.5, within=60)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_host_computes_no_more_than_its_capacity(mechanism: str) -> None:
    """Three burning processes on a host of 0.3 CPUs, one of them started later, use 0.3; on one of 0.6, 0.6."""
    with manager(mechanism) as helper, burning() as burner:
        helper.tell(do="limit", host="small", cpus=0.3, core=usable_cores()[0])
        helper.tell(do="limit", host="large", cpus=0.6, core=usable_cores()[-1])
        helper.tell(do="place", host="small", pid=burner.pid)
        until(lambda: host(helper.tell(do="report"), "small"), lambda seen: seen["processes"] >= 3)
        uses_its_capacity(helper, "small")
        helper.tell(do="place", host="large", pid=burner.pid)
        uses_its_capacity(helper, "large")
        report = helper.tell(do="report")
        assert (host(report, "small")["processes"], host(report, "large")["processes"]) == (0, 3)
        assert used_share(helper, "small", 0.1) == 0
        helper.tell(do="limit", host="large", cpus=0.2, core=usable_cores()[-1])
        uses_its_capacity(helper, "large")
        # What keeps it to its capacity is the limit, and not other programs alone.
        until(lambda: host(helper.tell(do="report"), "large"), lambda seen: seen["throttled"] > 10)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_processes_are_free_again_when_the_manager_has_gone(mechanism: str) -> None:
    """They compute on all CPUs, none is left standing still, and no group is left behind."""
    with burning() as burner:
        process = psutil.Process(burner.pid)
        with manager(mechanism) as helper:
            helper.tell(do="limit", host="one", cpus=0.1, core=usable_cores()[0])
            helper.tell(do="place", host="one", pid=burner.pid)
            until(lambda: host(helper.tell(do="report"), "one"), lambda seen: seen["throttled"] > 3)
            assert process.cpu_affinity() == usable_cores()[:1]
        family = [process, *process.children()]
        assert [one.cpu_affinity() for one in family] == [usable_cores()] * len(family)
        assert psutil.STATUS_STOPPED not in [one.status() for one in family]
        assert "octoload-" not in Path(f"/proc/{burner.pid}/cgroup").read_text()


def test_the_database_moves_while_it_serves(tmp_path: Path) -> None:
    """From the first node's host to its own and back, with all of its processes and new ones; distance comes too."""
    with cluster(tmp_path, 2, 100, *SMALL, "--sql-latency", "4ms") as two:
        home = two.home()

        def tell(*words: str) -> dict[str, Any]:
            return command(tmp_path, "host", words[0], list(words[1:]))

        first = tell("list")
        assert first["mechanism"] in ("cgroup v1", "cgroup v2", "governor")
        assert host(first, "node-1")["members"] == ["node-1", "PostgreSQL"]
        assert (host(first, "sql")["processes"], host(first, "node-2")["members"]) == (0, ["node-2"])
        beside = host(first, "node-1")["processes"]
        alone = tell("sql", "separate-host")
        assert host(alone, "node-1")["processes"] < beside
        assert host(alone, "sql")["processes"] >= 6
        for number in range(5):
            home.environment(f"E{number}")
        later = tell("list")
        assert host(later, "sql")["cpu_seconds"] > host(alone, "sql")["cpu_seconds"]
        assert later["round_trip"]["nodes"] >= 0.004 > later["round_trip"]["direct"]
        near = tell("latency", "0ms")["round_trip"]
        assert near["nodes"] <= later["round_trip"]["nodes"] - 0.003
        back = tell("sql", "same-host")
        assert (host(back, "sql")["processes"], back["round_trip"]["added"]) == (0, 0)
        assert host(tell("cpus", "sql", "0.9"), "sql")["cpus"] == 0.9
        for words in (("cpus", "node-1", "0.9"), ("cpus", "node-9", "0.2"), ("sql", "elsewhere"), ("latency", "soon")):
            with pytest.raises(UsageError):
                tell(*words)
        with pytest.raises(UsageError, match="CPUs together"):
            two.tell("add")
        two.tell("kill", "node-2")
        assert host(tell("list"), "node-2")["processes"] == 0
        two.tell("start", "node-2")
        assert host(tell("list"), "node-2")["processes"] == 1


def test_the_governor_leaves_a_frozen_node_alone(tmp_path: Path) -> None:
    """While others are stopped and continued, a node frozen by hand stands still until it is thawed by hand."""
    with cluster(tmp_path, 2, 100, *SMALL, "--host-mechanism", "governor") as two:
        frozen = psutil.Process(two.tell("freeze", "node-2")["pid"])
        before = host(command(tmp_path, "host", "list", []), "node-1")["periods"]
        until(
            lambda: (two.home().get("/environments/all"), host(command(tmp_path, "host", "list", []), "node-1"))[1],
            lambda seen: seen["periods"] > before + 20,
        )
        assert frozen.status() == psutil.STATUS_STOPPED
        two.tell("thaw", "node-2")
        assert Octopus(two.nodes["node-2"].http).get("/octopusservernodes/ping")["Name"] == "node-2"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_killed_manager_ends_the_whole_and_leaves_nothing(tmp_path: Path, mechanism: str) -> None:
    """Figures without their hosts would be false: it ends with code 5 and says why, and nothing stands still."""
    words = ("--data", str(tmp_path), "--port", "0", *SMALL, "--host-mechanism", mechanism)
    with running(*words) as (process, _):
        children = psutil.Process(process.pid).children(recursive=True)
        victim = next(child for child in children if "standin.hosts.manager" in child.cmdline())
        victim.kill()
        assert process.wait(30) == 5
        assert process.stderr is not None
        said = process.stderr.read()
        assert "standin.hosts.manager has ended" in said
        assert "Traceback" not in said
        wait_for(lambda: not alive(children), f"still alive: {alive(children)}")
    folders = [folder for place in find_place() for folder in place.folders]
    assert not [folder for folder in folders if (folder / f"octoload-{victim.pid}").exists()]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_database_of_its_own_is_free_after_a_killed_supervisor(tmp_path: Path, mechanism: str) -> None:
    """A PostgreSQL that ran before goes on after `serve` with hosts was killed, on all CPUs and at full speed."""
    with running("postgres", "--data", str(tmp_path / "postgres")) as (_, lines):
        dsn = lines[-1].removeprefix("ready: ")
        options = ("--database", dsn.rpartition("/")[0] + "/octopus", "--data", str(tmp_path / "files"), "--port", "0")
        with running(*options, *SMALL, "--sql", "separate-host", "--host-mechanism", mechanism) as (process, _):
            children = psutil.Process(process.pid).children(recursive=True)
            file = tmp_path / "postgres" / "PostgreSQL" / "postmaster.pid"
            postmaster = psutil.Process(int(file.read_text().splitlines()[0]))
            assert len(postmaster.cpu_affinity() or ()) == 1
            process.kill()
            process.wait()
            wait_for(lambda: not alive(children), f"still alive: {alive(children)}")
        assert postmaster.cpu_affinity() == usable_cores()
        assert asyncio.run(ask(dsn, "SELECT 42")) == 42
        assert "octoload-" not in Path(f"/proc/{postmaster.pid}/cgroup").read_text()


def test_the_proxy_keeps_the_order_of_bytes(tmp_path: Path) -> None:
    """A million bytes arrive as they were sent while the distance changes, not before their time, and the end too."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        proxy = stack.enter_context(Helper("standin.hosts.proxy", "127.0.0.1", str(listener.getsockname()[1])))
        near = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.said["port"])))
        far = stack.enter_context(listener.accept()[0])
        sent, received = os.urandom(1_000_000), b""
        for number in range(10):
            proxy.tell(round_trip=0.05 if number % 2 else 0.0)
            near.sendall(sent[number * 100_000 : (number + 1) * 100_000])
        while len(received) < len(sent):
            received += far.recv(1 << 16)
        assert received == sent
        proxy.tell(round_trip=0.2)
        began = time.monotonic()
        far.sendall(b"back")
        assert near.recv(4) == b"back"
        assert time.monotonic() - began >= 0.1
        near.shutdown(socket.SHUT_WR)
        assert far.recv(1) == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nodes", "32", "--host-cpus", "0.9"], "CPUs together"),
        (["--host-cpus", "0.05"], "from 0.1"),
        (["--host-cpus", "0"], "from 0.1"),
        (["--host-cpus", "-0.3"], "from 0.1"),
        (["--host-cpus", "0.3", "--sql-cpus", "0"], "from 0.1"),
        (["--host-cpus", "lots"], "no capacity"),
        (["--sql", "separate-host"], "--host-cpus"),
        (["--host-cpus", "0.3", "--sql-latency", "far"], "no distance"),
        (["--host-cpus", "0.3", "--sql", "elsewhere"], "same-host"),
    ],
)
def test_hosts_that_cannot_be_are_refused(words: list[str], said: str, tmp_path: Path) -> None:
    """With what is wrong, exit code 2, before anything is made."""
    done = refused("serve", "--port", "0", "--data", str(tmp_path), *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert list(tmp_path.iterdir()) == []
    assert said in done.stderr


@pytest.mark.skipif(len(usable_cores()) >= 32, reason="32 nodes are not too many here")
def test_more_nodes_than_cpus_are_told() -> None:
    """Nodes that share CPUs are served, with a line that says what they cannot show; hosts of their own can."""
    said = "32 nodes share"
    assert said in refused("serve", "--nodes", "32", "--sql", "same-host").stderr
    assert said not in refused("serve", "--nodes", "32", "--host-cpus", "lots").stderr
