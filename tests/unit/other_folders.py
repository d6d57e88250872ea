"""Builds folders of runs that are no plain pairs: drains over nodes, searches, depths of history."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import run_folder

from octoload.files import write_json
from reports import queueing, ramp
from reports.ramp import RampTrial

#: Slots of a node.
CAP = 5


def drains(folder: Path, rounds: int = 4, sigma: float = 0.08, tasks: int = 100) -> Path:
    """Write drains on one to four nodes whose throughput follows the scalability law with this contention."""
    arms = {f"{n}-node{'s' if n > 1 else ''}": n for n in (1, 2, 3, 4)}
    first, second, *also = arms
    generator = np.random.default_rng(5)
    orders = [generator.permutation(list(arms)).tolist() for _ in range(rounds)]
    order = [(pair, arm) for pair, found in enumerate(orders, start=1) for arm in found]
    trials = [{"index": index, "pair": pair, "arm": arm} for index, (pair, arm) in enumerate(order, start=1)]
    plan = run_folder.plan(
        name="ha-nodes",
        question="What does each further node add to our task queue?",
        subject="running two nodes",
        baseline=first,
        contender=second,
        also={arm: f"running {arm}" for arm in also},
        nodes=arms,
        arms=dict.fromkeys(arms, ""),
        workload={"arrivals": "poisson", "slots": 64, "mix": {}, "drain": {"tasks": tasks, "objective": 60.0}},
        primary=[{"operation": "drain", "metric": "rate"}],
        control=[],
        changes=[],
        design={"pairs": rounds, "demonstration": False},
    )
    write_json(folder / "plan.json", "plan", 1, plan | {"trials": trials})
    for trial in trials:
        _drain(folder, trial, arms[trial["arm"]], sigma, tasks, generator)
    return folder


def _drain(
    folder: Path, trial: dict[str, Any], nodes: int, sigma: float, count: int, generator: np.random.Generator
) -> None:
    slots, began = CAP * nodes, run_folder.BEGAN + 600 * trial["index"]
    run = 10 * (1 + sigma * (nodes - 1)) * np.exp(generator.normal(0, 0.02) + generator.normal(0, 0.2, count))
    queued = began - 30 + np.linspace(0, 20, count)
    waited = queueing.waits(np.zeros(count), run, slots)
    started, completed = began + waited, began + (waited + run)  # an end is the same number as the next start
    names = [f"node-{1 + number % nodes}" for number in range(count)]
    columns = {
        "task": [f"ServerTasks-{number}" for number in range(count)],
        "kind": ["Deploy"] * count,
        "project": [f"Projects-{number}" for number in range(count)],
        "node": names,
        "state": ["Success"] * count,
        "queued": queued,
        "started": started,
        "completed": completed,
        "starts": np.ones(count, dtype=np.int32),
    }
    place = folder / "trials" / f"{trial['index']:02d}-{trial['arm']}"
    place.mkdir(parents=True)
    pq.write_table(pa.table(columns), place / "tasks.parquet")
    until = float(completed.max())
    times = {"started": began - 40, "measured_from": began, "measured_until": until, "ended": until}
    counted = {"sent": {"drain": count}, "planned": {"drain": count}, "recorded": count, "counted": count}
    content = {**trial, **times, **counted, "slots": slots, "steal": 0.0, "log": [], "checks": [], "valid": True}
    write_json(place / "trial.json", "trial", 1, content)


def steps(truth: float) -> list[RampTrial]:
    """A search on a server that turns from 1 % late to 40 % late within 10 % of its capacity."""
    made: list[RampTrial] = []
    while isinstance(rate := ramp.next_rate(made, 100.0), float):
        late = 1 / (1 + np.exp(-(-2.944 + 25 * np.log(rate / truth))))
        made.append(RampTrial(rate, 4000, round(4000 * late), 0.0, 1.0, 0.05, 0.25 * (rate / truth) ** 3))
    return made


def search_facts(found: list[RampTrial], **changes: Any) -> dict[str, Any]:
    """What `trial.json` holds of a search."""
    generator = {"cpu": 0.3, "steal": 0.0}
    return {"recorded": 9, "counted": 9, "generator": generator, "search": msgspec.to_builtins(found), **changes}


def searches(folder: Path, pairs: int = 5, ratio: float = 1.68, noise: float = 0.03) -> Path:
    """Write searches whose contender carries `ratio` times as much as the baseline's 100 sessions a second."""
    generator = np.random.default_rng(68)
    arms = (("a", 100.0), ("b", 100.0 * ratio))
    order = [(pair, *arms[side]) for pair in range(1, pairs + 1) for side in (0, 1)]
    trials = [{"index": index, "pair": pair, "arm": arm} for index, (pair, arm, _) in enumerate(order, start=1)]
    plan = run_folder.plan(
        name="capacity",
        question="How much more?",
        subject="b",
        baseline="a",
        contender="b",
        arms={"a": "as it is", "b": "with more"},
        workload={
            "arrivals": "poisson",
            "slots": 64,
            "mix": {"dashboard": 100.0},
            "search": {"objective": 0.25, "seconds": 30.0, "warm_up": 3.0},
        },
        primary=[{"operation": "api", "metric": "sustained"}],
        control=[],
        changes=[],
        server={"kind": "octopus"},
        design={"pairs": pairs, "demonstration": False},
    )
    write_json(folder / "plan.json", "plan", 1, plan | {"trials": trials})
    for trial, (_, _, truth) in zip(trials, order, strict=True):
        times = dict.fromkeys(("started", "measured_from", "measured_until"), run_folder.BEGAN + trial["index"])
        found = search_facts(steps(truth * float(np.exp(generator.normal(0, noise)))))
        content = {**trial, **times, **found, "sent": {"dashboard": 9}, "checks": [], "valid": True}
        write_json(folder / "trials" / f"{trial['index']:02d}-{trial['arm']}" / "trial.json", "trial", 1, content)
    return folder


def depths(folder: Path, doubling: float = 1.6, rounds: int = 5) -> Path:
    """Write rounds over four depths of history; doubling it multiplies the dashboard's latency by `doubling`."""
    arms = {"d4k": 4_000, "d8k": 8_000, "d16k": 16_000, "d32k": 32_000}
    order = [(pair, arm) for pair in range(1, rounds + 1) for arm in (arms if pair % 2 else reversed(arms))]
    trials = [{"index": index, "pair": pair, "arm": arm} for index, (pair, arm) in enumerate(order, start=1)]
    plan = run_folder.plan(
        baseline="d4k",
        contender="d8k",
        also={"d16k": "16,000 deployments", "d32k": "32,000 deployments"},
        arms={arm: f"{rows:,} deployments" for arm, rows in arms.items()},
        subject="8,000 deployments",
        changes=[],
        meant={arm: ["rows"] for arm in arms if arm != "d4k"},
        design={"pairs": rounds, "seconds": 40.0, "demonstration": False},
    ) | {"trials": trials}
    write_json(folder / "plan.json", "plan", 1, plan)
    for number, trial in enumerate(trials, start=1):
        place = folder / "trials" / f"{number:02d}-{trial['arm']}"
        factor = float(doubling ** np.log2(arms[trial["arm"]] / 4_000))
        facts = run_folder.requests(place / "requests.parquet", plan, number, {"dashboard": factor}, noise=0.03)
        write_json(place / "trial.json", "trial", 1, facts | {"checks": [], "valid": True})
    for arm, rows in arms.items():
        held = {"rows": {"Deployment": rows, "Event": 4 * rows}, "bytes": rows * 2_000}
        write_json(folder / "arms" / arm / "database.json", "database", 1, held)
        write_json(folder / "arms" / arm / "manifest.json", "manifest", 1, {"fingerprint": f"sha256:{rows}"})
    return folder


def suspected(folder: Path, factor: float = 1.3, pairs: int = 4) -> Path:
    """Write trials of half an hour whose dashboard is slower by `factor` while Retention runs, and only then."""
    design = {"pairs": pairs, "seconds": 1_800.0, "demonstration": False}
    plan = run_folder.plan(design=design, changes=[], control=[])
    write_json(folder / "plan.json", "plan", 1, plan)
    generator = np.random.default_rng(9)
    for trial in plan["trials"]:
        begin = run_folder.BEGAN + 2_000 * trial["index"]
        place = folder / "trials" / f"{trial['index']:02d}-{trial['arm']}"
        place.mkdir(parents=True)
        episodes = {"Retention": begin + np.arange(200, 1_700, 250), "Health": begin + np.arange(90, 1_700, 310)}
        intended = begin + np.sort(generator.uniform(0, 1_800, 3_600))
        slow = sum(((intended >= at) & (intended < at + 60)).astype(float) for at in episodes["Retention"])
        service = 0.18 * factor**slow * np.exp(generator.normal(0, 0.35, intended.size))
        write_requests(place / "requests.parquet", intended, service)
        _write_tasks(place / "tasks.parquet", episodes, 60.0)
        times = {"started": begin, "measured_from": begin, "measured_until": begin + 1_800}
        content = {**trial, **times, "sent": {"dashboard": 3_600}, "checks": [], "valid": True}
        write_json(place / "trial.json", "trial", 1, content)
    return folder


def write_requests(path: Path, intended: np.ndarray, service: np.ndarray) -> None:
    texts = {"operation": "dashboard", "phase": "measured", "error": ""}
    columns = {name: np.full(intended.size, text) for name, text in texts.items()}
    pq.write_table(pa.table({"intended": intended, "sent": intended, "done": intended + service} | columns), path)


def _write_tasks(path: Path, episodes: dict[str, np.ndarray], seconds: float) -> None:
    kinds = [kind for kind, begins in episodes.items() for _ in begins]
    begins = np.concatenate(list(episodes.values()))
    texts = {"kind": kinds, "task": [f"ServerTasks-{n}" for n in range(len(kinds))]}
    texts |= {name: [text] * len(kinds) for name, text in (("project", ""), ("node", "node-1"), ("state", "Success"))}
    times = {"queued": begins, "started": begins, "completed": begins + seconds}
    pq.write_table(pa.table({**texts, **times, "starts": np.full(len(kinds), -1, dtype=np.int32)}), path)


def watched(folder: Path, pairs: int = 6, seconds: float = 30.0) -> Path:
    """Write pairs with everything that a trial can have: requests, tasks, and the telemetry of four hosts."""
    plan = run_folder.plan(design={"pairs": pairs, "seconds": seconds})
    run_folder.build(folder, plan)
    for file in folder.glob("trials/*/trial.json"):
        facts = msgspec.json.decode(file.read_bytes())
        begin = facts["started"]
        begins = np.arange(begin, facts["measured_until"], 5.0)
        _write_tasks(file.parent / "tasks.parquet", {"Deploy": begins, "Retention": begins[::4] + 1}, 7.0)
        _write_telemetry(file.parent / "telemetry.parquet", begin, facts["measured_until"])
    return folder


def _write_telemetry(path: Path, begin: float, until: float) -> None:
    hosts = {"machine": (2.0, 0.7), "node-1": (0.3, 0.9), "node-2": (0.3, 0.5), "sql": (0.4, 0.6)}
    at = np.arange(begin, until + 1, 1.01)
    columns: dict[str, list[np.ndarray]] = {}
    for name, (cpus, busy) in hosts.items():
        stolen = 0.01 * (at - begin) if name == "machine" else np.full(at.size, np.nan)
        used = cpus * busy * (at - begin)
        part = {"at": at, "host": np.full(at.size, name), "cpus": np.full(at.size, cpus)}
        for column, values in (part | {"cpu_seconds": used, "stolen_seconds": stolen}).items():
            columns.setdefault(column, []).append(values)
    pq.write_table(pa.table({name: np.concatenate(parts) for name, parts in columns.items()}), path)
