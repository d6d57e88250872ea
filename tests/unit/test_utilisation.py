"""The load level of a comparison: known from a search, told by the CPU that servers used, or not known."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import other_folders
import pytest
import run_folder

from experiments import computing
from experiments.experiment import load
from experiments.planning import last_carried
from experiments.provenance import machine
from octoload.files import read_json, write_json
from reports import carried, results, run, utilisation
from reports.carried import Carried
from reports.checks import Check

pytestmark = pytest.mark.unit

RETENTION = Path(utilisation.__file__).parents[1] / "experiments" / "retention.yaml"


def level(folder: Path) -> Check:
    (found,) = utilisation.check(run.read(folder))
    return found


def plant(folder: Path, facts: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Give each trial what was read of its servers."""
    for file in sorted(folder.glob("trials/*/trial.json")):
        trial = read_json(file, "trial", 1)
        write_json(file, "trial", 1, {**trial, **facts(trial)})
    return folder


@pytest.mark.parametrize(
    ("busy", "node", "state", "said"),
    [
        (0.45, 0.20, "ok", "servers and database of keep-all computed on 45 % of all 2 CPUs"),
        (0.55, 0.20, "warn", "lower the rates, or compare capacities"),
        (0.30, 0.70, "warn", "busiest node of keep-all computed on 70 % of the one CPU"),
    ],
)
def test_more_than_half_a_machine_is_flagged(tmp_path: Path, busy: float, node: float, state: str, said: str) -> None:
    """In the mean of an arm's trials, of all CPUs or of the one that a node can use; a caution, and never a fault."""

    def server(trial: dict[str, Any]) -> dict[str, Any]:
        part = 1.0 if trial["arm"] == "keep-all" else 0.2
        swing = 0.1 if trial["pair"] % 2 else -0.1  # six pairs
        used = {"busy": (busy + swing) * part, "node": (node + swing) * part}
        return {"server": {"seconds": 9.0, "cores": 2, "cpu_seconds": 9.0, **used}}

    folder = plant(run_folder.build(tmp_path), server)
    found, reduced = level(folder), results.build(folder)
    assert found in reduced.checks
    assert (found.state, reduced.valid) == (state, True)
    assert said in found.message
    assert "api-capacity" in found.message


def test_hosts_tell_their_own_share(tmp_path: Path) -> None:
    """Of simulated hosts the busiest one of any arm counts."""

    def hosts(trial: dict[str, Any]) -> dict[str, Any]:
        busy = {"node-1": 0.4, "sql": 0.62 if trial["arm"] == "keep-all" else 0.1}
        each = {
            name: {"cpus": 0.5, "members": [name], "cpu_seconds": 4.0, "busy": share, "throttled": 0.0}
            for name, share in busy.items()
        }
        kept = {"mechanism": "cgroup v1", "period": 0.01, "pinned": True, "round_trip": {"nodes": 0.0002}}
        return {"hosts": {**kept, "seconds": 9.0, "from": 0.0, "until": 9.0, "hosts": each}}

    found = level(plant(run_folder.build(tmp_path), hosts))
    assert (found.state, found.value) == ("warn", pytest.approx(0.62))
    assert "sql of keep-all, was 62 % busy" in found.message


def test_what_nobody_measured_is_not_known_and_said(tmp_path: Path) -> None:
    """A real server without a search: no number, no fault, and the way to get one."""
    found = level(run_folder.build(tmp_path))
    assert (found.state, found.value) == ("ok", None)
    assert "not known" in found.message
    assert "octoload run api-capacity" in found.message


def test_a_search_tells_more_than_cpu(tmp_path: Path) -> None:
    """13.5 sessions a second are more than half of 25, and less than half of 30; of other data it tells nothing."""
    folder = run_folder.build(tmp_path)
    of = run.read(folder)
    texts = [of.plan.arms[arm] for arm in of.plan.ordered]

    def known(weaker: float, **changes: Any) -> Check:
        found = Carried(
            machine={},
            target="standin",
            standin=None,
            fingerprint=of.manifest["fingerprint"],
            mix=of.plan.workload.mix,
            pollers={},
            at=run_folder.BEGAN,
            objective=0.25,
            arms={texts[0]: weaker, texts[1]: 200.0},
        )
        carried.write(folder, msgspec.structs.replace(found, **changes))
        return level(folder)

    assert (known(25.0).state, known(30.0).state) == ("warn", "ok")
    assert "13.5 sessions a second were 45 % of keep-all's, 6.75 % of keep-3's" in known(30.0).message
    assert known(25.0, fingerprint="sha256:other").value is None
    assert known(25.0, arms={texts[0]: 25.0}).value is None


@pytest.mark.parametrize(
    "changes",
    [
        {"primary": [{"operation": "dashboard", "metric": "throughput"}]},
        {"primary": [{"operation": "queue-wait", "metric": "p95"}]},
        {"workload": {"search": {"objective": 0.25, "seconds": 30.0, "warm_up": 3.0}}},
        {"workload": {"drain": {"tasks": 100}}},
    ],
)
def test_what_is_no_comparison_of_latencies_is_not_judged(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Searches and drains go to the limit on purpose, throughput is what is left at it, and tasks wait by design."""
    plan = run_folder.plan(control=[])
    workload = plan["workload"] | changes.get("workload", {})
    folder = run_folder.build(tmp_path, plan | changes | {"workload": workload}, trials=0)
    assert utilisation.check(run.read(folder)) == []


def test_a_search_is_kept_for_runs_like_it(tmp_path: Path) -> None:
    """It is found again by a run on this machine with its stand-in and its mix at any rate, and by no other."""
    found = utilisation.of_searches(run.read(other_folders.searches(tmp_path / "searches")), "standin", None)
    assert found is not None
    assert sorted(found.arms.values()) == [pytest.approx(100, rel=0.1), pytest.approx(168, rel=0.1)]
    assert utilisation.of_searches(run.read(run_folder.build(tmp_path / "pairs")), "standin", None) is None
    experiment = load(RETENTION)
    mix = experiment.workload.mix
    settings = {"nodes": 1, "time_scale": 20.0, "hosts": None}
    mine = msgspec.structs.replace(found, machine=machine(), standin=settings, mix=load_of("api-capacity"))
    (tmp_path / "runs" / "one").mkdir(parents=True)
    for kept, seen in ((mine, True), (msgspec.structs.replace(mine, standin={**settings, "nodes": 2}), False)):
        carried.write(tmp_path / "runs" / "one", kept)
        assert (last_carried(experiment, mix, tmp_path / "runs") == kept) is seen
    assert last_carried(experiment, {"dashboard": 1.0}, tmp_path / "runs") is None


def load_of(name: str) -> dict[str, float]:
    return load(RETENTION.with_name(f"{name}.yaml")).workload.mix


def test_processes_are_read_at_the_begin_and_the_end_of_a_trial() -> None:
    """Twice or thrice, for a reading is dear; what was computed between them is a share of all CPUs and of one."""
    spent = iter([2.0, 5.0, 6.0])

    def read() -> dict[str, Any]:
        own = next(spent)
        return {"at": own * 2, "cpu_seconds": own, "each": {7: own / 2}}

    watch = computing.Watch(read, 3.0, 9.0)
    for elapsed in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.1):
        watch.look(elapsed)
    assert next(spent, None) is None
    server = watch.used
    assert (server["seconds"], server["cpu_seconds"], server["node"]) == (8.0, 4.0, pytest.approx(0.25))
    assert server["busy"] == pytest.approx(0.5 / server["cores"])


def test_a_process_is_read_with_what_it_has_computed() -> None:
    """This very process computes between two readings; one that is gone counts nothing and stops nobody."""
    gone = 2**22 + 1
    before = computing.read([os.getpid(), gone], [os.getpid()])
    while (after := computing.read([os.getpid(), gone], [os.getpid()]))["cpu_seconds"] < before["cpu_seconds"] + 0.02:
        sum(range(10_000))
    used = computing.used(before, after)
    assert used["cpu_seconds"] > 0.01
    assert used["busy"] * used["cores"] == pytest.approx(used["cpu_seconds"] / used["seconds"])
