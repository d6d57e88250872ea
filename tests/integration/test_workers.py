"""Workers elsewhere: planned is sent, recorded and counted, clocks are put right, and a lost worker is noticed."""

import collections
import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

from tests.integration.locust_engine import (
    DEADLINE,
    HOUSE,
    KEY,
    Lines,
    engine,
    free_port,
    gone,
    samples,
    server,
    trial,
    wait_until,
)  # fmt: skip

pytestmark = pytest.mark.integration

#: Seconds by which one worker's clock is wrong.
AHEAD = 5.0
SKEW = f"import time\n_now = time.time\ntime.time = lambda: _now() + {AHEAD}\n"
OLDER = "import octoload\noctoload.__version__ = '0.0.9'\n"


class Worker:
    """A running `octoload worker`; `change` is Python that its processes run first."""

    def __init__(self, folder, master, where=(), change="", **variables):
        folder.mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(change)
        environment = {**os.environ, "OCTOLOAD_TEST_KEY": KEY, **variables}
        environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(HOUSE)])
        self.process = subprocess.Popen(
            [*where, sys.executable, "-m", "experiments", "worker", "--master", master, "--log", folder / "worker.log"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True,
        )  # fmt: skip
        self.said = Lines(self.process.stdout)
        self.seen = set()

    @property
    def locust(self):
        """The Locust process that it has now, if any."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.seen |= set(children)
        return next((child for child in children if child.is_running() and not gone(child)), None)

    def until(self, words):
        while words not in (line := self.said.next()):
            assert line

    def end(self, number=signal.SIGINT):
        """Interrupt it; return its exit code when it and all that it started has gone."""
        _ = self.locust
        self.process.send_signal(number)
        code = self.process.wait(timeout=DEADLINE)
        wait_until(lambda: all(map(gone, self.seen)))
        return code


@pytest.fixture
def hired(tmp_path):
    """Return a function that starts a worker; all that are left are killed."""
    workers = []

    def hire(*arguments, **named):
        workers.append(Worker(tmp_path / f"worker-{len(workers) + 1}", *arguments, **named))
        return workers[-1]

    yield hire
    for worker in workers:
        for process in {*worker.seen, *([worker.locust] if worker.process.poll() is None else [])} - {None}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        worker.process.kill()
        worker.process.wait()
        worker.process.stdout.close()


@pytest.fixture
def networks():
    """Yield (this machine's address, what starts a command in each of two networks), or plain loopback."""
    names = [f"octoload-{os.getpid()}-{number}" for number in (1, 2)]
    made = []
    try:
        for number, name in enumerate(names, start=1):
            ip("netns", "add", name)
            made.append(name)
            ip("link", "add", f"octoload{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("addr", "add", f"10.213.{number}.1/24", "dev", f"octoload{number}")
            ip("link", "set", f"octoload{number}", "up")
            ip("-n", name, "addr", "add", f"10.213.{number}.2/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "route", "add", "default", "via", f"10.213.{number}.1")
        yield "10.213.1.1", [("ip", "netns", "exec", name) for name in names]
    except (OSError, subprocess.CalledProcessError):
        yield "127.0.0.1", [(), ()]
    finally:
        for name in made:
            ip("netns", "del", name)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def leading(host, port, *options):
    return ["--master", "--master-bind-host", host, "--master-bind-port", str(port), *options]


def test_two_workers_in_two_networks(tmp_path, networks, hired):
    """Planned = sent = recorded = counted = served, with a clock 5 s wrong; a trial that loses a worker is invalid.

    It is said to be, the next one waits for the worker's successor, and the other worker stays as it is.
    """
    host, places = networks
    port = free_port(host)
    workers = [
        hired(f"{host}:{port}", places[0]),
        hired(f"{host}:{port}", places[1], change=SKEW),
    ]
    with (
        server("--host", host) as (url, end),
        engine(tmp_path, *leading(host, port, "--expect-workers", "2")) as running,
    ):
        first = running.run(**trial(tmp_path / "1", url))
        check_books(first, samples(tmp_path / "1"))
        check_clocks(first, samples(tmp_path / "1"))

        running.send(**trial(tmp_path / "2", url, seconds=30.0))
        running.until("progress")
        stays, goes = (worker.locust for worker in workers)
        goes.kill()
        lost = running.answer()
        assert (lost["event"], lost["code"]) == ("failed", 3)
        assert "worker 2 of 2" in lost["message"] or "worker 1 of 2" in lost["message"]
        assert not (tmp_path / "2" / "requests.parquet").exists()

        again = running.run(**trial(tmp_path / "3", url))
        check_books(again, samples(tmp_path / "3"))
        check_clocks(again, samples(tmp_path / "3"))
        assert again["planned"] == first["planned"]
        assert workers[0].locust == stays
        assert workers[1].locust != goes
        assert running.end() == 0
        served = end()
    assert served["/api/Spaces-2/dashboard"] >= 2 * 100  # those of the lost trial too
    assert [worker.end() for worker in workers] == [130, 130]


def check_books(facts, rows):
    assert facts["event"] == "finished", facts
    measured = collections.Counter(
        name for name, phase in zip(rows["operation"], rows["phase"], strict=True) if phase == "measured"
    )
    assert {name: facts["sent"][name] for name in facts["planned"]} == facts["planned"]
    assert measured == facts["sent"]
    assert facts["recorded"] == facts["counted"] == len(rows["sent"])
    assert set(rows["worker"]) == {0, 1}


def check_clocks(facts, rows):
    """The offsets are those that were set, and all times are the master's."""
    workers = facts["generator"]["workers"]
    assert all(0 < worker["cpu"] < 1 for worker in workers)
    offsets = sorted(worker["clock"]["offset"] for worker in workers)
    doubt = max(worker["clock"]["uncertainty"] for worker in workers)
    assert doubt < 0.5
    assert offsets == pytest.approx([0.0, AHEAD], abs=doubt + 1e-3)
    assert all(abs(worker["clock"]["moved"]) <= 2 * doubt + 1e-3 for worker in workers)
    intended, sent = np.array(rows["intended"]), np.array(rows["sent"])
    assert intended.min() >= facts["measured_from"] - 0.5 - 1e-6
    assert intended.max() <= facts["measured_until"] + DEADLINE
    # Each worker's part of the schedule spans all of it: neither began 5 s early nor late.
    for worker in (0, 1):
        own = sent[np.array(rows["worker"]) == worker]
        assert own.min() < facts["measured_from"]
        assert own.max() < facts["ended"] + doubt


def test_a_worker_of_another_version_is_refused(tmp_path, hired):
    """Both sides say which versions they have; the worker ends with exit code 2, the master waits for others."""
    port = free_port()
    with engine(tmp_path, *leading("127.0.0.1", port, "--expect-workers-max-wait", "60")) as running:
        older = hired(f"127.0.0.1:{port}", change=OLDER)
        running.process.stdin.write('{"command": "gather"}\n')
        running.process.stdin.flush()
        older.until("has octoload 0.0.9, this run has")
        assert older.process.wait(timeout=DEADLINE) == 2
        hired(f"127.0.0.1:{port}")
        event = running.answer()
        assert event == {"event": "gathered", "workers": event["workers"]}
        assert len(event["workers"]) == 1


def test_what_workers_lack_is_said_before_a_trial(tmp_path, hired):
    """A worker without the API key is named with the variable, and missing workers with their number."""
    port = free_port()
    with server() as (url, _), engine(
        tmp_path, *leading("127.0.0.1", port, "--expect-workers", "2", "--expect-workers-max-wait", "2")
    ) as running:  # fmt: skip
        hired(f"127.0.0.1:{port}", OCTOLOAD_TEST_KEY="")
        too_few = running.run(**trial(tmp_path / "1", url))
        assert (too_few["event"], too_few["code"]) == ("failed", 5)
        assert "of 2 workers connected within 2 s" in too_few["message"]
        hired(f"127.0.0.1:{port}")
        wait_until(lambda: running.run(**trial(tmp_path / "1", url))["code"] == 2)
        keyless = running.run(**trial(tmp_path / "1", url))
        assert (keyless["event"], keyless["code"]) == ("failed", 2)
        assert "OCTOLOAD_TEST_KEY" in keyless["message"]


def test_a_worker_goes_with_its_supervisor_and_stops_without_its_master(tmp_path, hired):
    """Kill -9 of `octoload worker` ends its Locust; kill -9 of the master ends the load, and the worker waits anew."""
    port = free_port()
    with server() as (url, _), engine(tmp_path, *leading("127.0.0.1", port)) as running:
        worker = hired(f"127.0.0.1:{port}")
        running.send(**trial(tmp_path / "1", url, seconds=300.0))
        running.until("progress")
        loading = worker.locust
        running.process.kill()
        worker.until("waits for a run")
        worker.until("waits for a run")
        assert gone(loading)
    successor = worker.locust
    worker.process.kill()
    wait_until(lambda: gone(successor))
