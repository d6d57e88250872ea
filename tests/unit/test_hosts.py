"""Simulated hosts: what may be asked of them, what a trial reads of them, and what reports make of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import run_folder
from brought import changed

from experiments.experiment import load
from experiments.hosts import Hosts, check_room
from experiments.meter import Meter
from octoload.errors import UsageError
from reports import comparison, costs, markdown, page, results, run, telemetry
from reports.results import Results

pytestmark = pytest.mark.unit

#: CPU seconds that a request costs a node and the database in the runs below; on a shared host 1.1 times as much.
NODE, DATABASE, SHARING = 0.002, 0.0012, 1.1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cpus: 0.4,", "cpus: 0,", "standin.hosts.cpus is 0"),
        ("cpus: 0.4,", "cpus: -0.3,", "standin.hosts.cpus is -0.3"),
        ("cpus: 0.4,", "cpus: 1.5,", "from 0.1 to 0.9"),
        ("cpus: 0.4,", "cpus: .nan,", "standin.hosts.cpus is nan"),
        ("sql_cpus: 0.4", "sql_cpus: 0", "standin.hosts.sql_cpus is 0"),
        ("sql_latency: 2ms", "sql_latency: far", "'far'"),
        ("sql_latency: 2ms", "sql_latency: 2s", "at most a second"),
        ("sql_latency: 2ms", "sql_latency: -2ms", "'-2ms'"),
        ("separate-host, sql_latency", "same-host, sql_latency", "on the same host"),
        ("  hosts: {cpus: 0.4, sql_cpus: 0.4}", "", "there are no hosts"),
        ("[pages throughput]", "[pages p50]", "only pollers ask"),
        ("nonstop-reader: 4", "waiting-agent: 4", "workload.mix is empty"),
    ],
)
def test_hosts_that_cannot_be_are_told_before_anything_is_made(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The message names the file and what is wrong with it; filling a server that cannot be placed takes minutes."""
    with pytest.raises(UsageError) as caught:
        load(changed("sql-host", tmp_path, old, new))
    assert "changed.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_hosts_get_three_quarters_of_a_machine() -> None:
    """On two cores 1.5 CPUs are granted in all, so that the load has the rest; the message says what is wanted."""
    check_room(Hosts(cpus=0.3, sql_cpus=0.6), 3, 2)
    for hosts, nodes in ((Hosts(cpus=0.3, sql_cpus=0.7), 3), (Hosts(cpus=0.6), 2), (Hosts(cpus=0.1), 15)):
        with pytest.raises(UsageError, match=r"1\.5 of the 2 here"):
            check_room(hosts, nodes, 2)


def test_a_meter_counts_within_the_measured_phase_only(tmp_path: Path) -> None:
    """What counts is from its first reading there to its last; one alone says nothing. The telemetry has them all."""
    clock = iter(range(100))

    def read() -> dict[str, Any]:
        at = float(next(clock))
        host = {"name": "node-1", "cpus": 0.5, "members": ["node-1"], "cpu_seconds": at / 4}
        host |= {"periods": round(at * 100), "throttled": round(at * 25)}
        kept = {"mechanism": "cgroup v1", "period": 0.01, "pinned": True, "cores": 2, "sql": "same-host"}
        return {**kept, "round_trip": {"nodes": 0.001}, "at": at, "steal_seconds": at / 10, "hosts": [host]}

    meter = Meter(read, 3.0, 9.0)
    for elapsed in (1.0, 2.99, 3.01):
        meter.look(elapsed)
    assert meter.used == {}
    for elapsed in (5.0, 8.99, 9.01, 10.0):
        meter.look(elapsed)
    used = meter.used
    assert (used["from"], used["until"], used["steal"]) == (2.0, 4.0, pytest.approx(0.05))
    host = used["hosts"]["node-1"]
    assert (host["cpu_seconds"], host["busy"], host["throttled"]) == (0.5, pytest.approx(0.5), pytest.approx(0.25))
    meter.write(tmp_path / "telemetry.parquet")
    machine, node = telemetry.read(tmp_path / "telemetry.parquet")
    assert (machine.host, machine.at.size, node.host, node.cpus) == ("machine", 7, "node-1", 0.5)
    assert (node.at.tolist(), node.used.tolist()) == ([*range(7)], [at / 4 for at in range(7)])
    assert (np.diff(machine.used) >= 0).all()


def build(folder: Path, mechanisms: tuple[str, ...] = ("cgroup v1",), trip: float = 0.0003) -> tuple[run.Run, Results]:
    """Make a run whose contender has the database on a host of its own, `trip` seconds away and back.

    Trials have these mechanisms in turn.
    """
    decided = run_folder.plan(primary=[{"operation": "dashboard", "metric": "throughput"}], changes=[], control=[])
    run_folder.build(folder, decided, ratio=1.0)
    for file in sorted(folder.glob("trials/*/trial.json")):
        trial = json.loads(file.read_text(encoding="utf-8"))
        apart, mechanism = trial["arm"] == "keep-3", mechanisms[trial["index"] % len(mechanisms)]
        done = np.array(pq.read_table(file.parent / "requests.parquet")["done"])
        begin, end = trial["measured_from"], trial["measured_until"]
        answered = ((done > begin) & (done <= end)).sum()
        spent = {"node-1": NODE, "sql": DATABASE} if apart else {"node-1": (NODE + DATABASE) * SHARING, "sql": 0.0}
        members = {"node-1": ["node-1"], "sql": ["PostgreSQL"]} if apart else {"node-1": ["node-1", "PostgreSQL"]}
        trial["hosts"] = {
            "mechanism": mechanism,
            "period": 0.01,
            "pinned": True,
            "cores": 2,
            "steal": 0.0,
            "sql": "separate-host" if apart else "same-host",
            "round_trip": {"nodes": trip if apart else 0.0002},
            "from": begin,
            "until": end,
            "seconds": end - begin,
            "hosts": {
                name: {
                    "cpus": 0.6,
                    "members": members.get(name, []),
                    "cpu_seconds": float(cost * answered),
                    "busy": 0.9,
                    "throttled": 0.8,
                }
                for name, cost in spent.items()
            },
        }
        file.write_text(json.dumps(trial), encoding="utf-8")
    read = run.read(folder)
    return read, results.reduce(read)


def test_cpu_cost_predicts_what_a_separate_host_is_worth(tmp_path: Path) -> None:
    """A node's 2 ms and the database's 1.2 ms of one host predict 3.2 / 2 = 1.6; the rest is what sharing adds."""
    read, reduced = build(tmp_path)
    (found,) = reduced.predictions
    assert found.ratio.estimate == pytest.approx((NODE + DATABASE) / NODE)
    assert (found.node.estimate, found.sql.estimate) == (pytest.approx(NODE), pytest.approx(DATABASE))
    assert found.sharing.estimate == pytest.approx(SHARING)
    assert (found.shared_capacity, found.separate_capacity) == (pytest.approx(0.6 / 0.0032), pytest.approx(300))
    assert found.measured is not None
    said = " ".join(costs.sentences(found))
    for part in ("predicts 1.60 (", "2 ms of CPU", "1.2 ms", "1.10 (", "1.65 to 1.94", "indicative"):
        assert part in said
    (away,) = build(tmp_path / "away", trip=0.003)[1].predictions
    assert "takes 3 ms in keep-3 and 200 µs in keep-all" in " ".join(costs.sentences(away))
    for text in (page.render(read, reduced), markdown.render(read, reduced)):
        assert "CPU cost predicts 1.60" in text


@pytest.mark.parametrize(
    ("mechanisms", "state", "said"),
    [
        (("cgroup v1",), "ok", "cgroup v1, periods of 10 ms, pinned to one CPU each, in all trials"),
        (("governor",), "warn", "indicative"),
        (("none",), "warn", "Nothing holds the hosts"),
        (("cgroup v1", "governor"), "invalid", "in 2 ways"),
    ],
)
def test_mechanisms_are_never_mixed(tmp_path: Path, mechanisms: tuple[str, ...], state: str, said: str) -> None:
    """A comparison of trials that were held by two mechanisms is void; a weaker mechanism is labelled."""
    _, reduced = build(tmp_path, mechanisms)
    (check,) = [one for one in reduced.checks if one.name == "hosts"]
    assert (check.state, reduced.valid) == (state, state != "invalid")
    assert said in check.message
    assert (reduced.predictions == []) == (state == "invalid")
    assert {one.arm for one in reduced.surroundings} == {"keep-all", "keep-3"}


def test_runs_of_two_mechanisms_are_not_compared(tmp_path: Path) -> None:
    """A run under the governor does not stand beside one under control groups."""
    runs = []
    for mechanism in ("cgroup v1", "governor"):
        build(tmp_path / mechanism, (mechanism,))
        results.build(tmp_path / mechanism)
        runs.append(comparison.read(tmp_path / mechanism))
    (unlike,) = comparison.differences(*runs)
    assert unlike.startswith("mechanism of hosts: cgroup v1")
