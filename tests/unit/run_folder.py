"""Builds the folder of a run as the runner leaves it, with simulated requests whose truth is known."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from octoload.files import write_json
from reports.checks import check_trial

BEGAN = 1_764_000_000.0
#: Requests a second and median latency in seconds of the baseline, by operation.
OPERATIONS = {
    "dashboard": (7.0, 0.180),
    "audit": (6.5, 0.012),
    "tasks": (6.0, 0.022),
    "progression": (1.5, 0.030),
    "create-release": (0.3, 0.015),
}
ROWS = {
    "Deployment": 30_000,
    "DeploymentHistory": 30_000,
    "Event": 93_412,
    "Project": 20,
    "Release": 10_000,
    "ServerTask": 30_012,
}
SQL_PLAN = """\
WindowAgg  (cost=4121.55..4721.55 rows=30000 width=68) (actual time=31.1..58.2 rows={rows} loops=1)
  ->  Sort  (cost=4121.55..4196.55 rows=30000 width=60) (actual time=31.0..36.4 rows={rows} loops=1)
        Sort Key: d."ProjectId", d."EnvironmentId", d."Created" DESC
        ->  Seq Scan on "Deployment" d  (cost=0.00..1890.00) (actual time=0.01..9.7 rows={rows} loops=1)
              Buffers: shared hit={hit} read={read}
Planning Time: 0.412 ms
Execution Time: {milliseconds} ms
"""


def plan(**changes: Any) -> dict[str, Any]:
    """A plan of the retention experiment; `changes` replace members, `design` only the members that it names."""
    design = {"pairs": 6, "seconds": 9.0, "warm_up": 3.0, "seed": 1, "attempts": 3, "demonstration": True}
    content = {
        "name": "retention",
        "question": "What does keeping 3 releases make faster, and what does it leave as it is?",
        "subject": "keeping 3 releases",
        "baseline": "keep-all",
        "contender": "keep-3",
        "arms": {"keep-all": "as seeded; releases are kept for ever", "keep-3": "each lifecycle phase keeps 3 items"},
        "workload": {"arrivals": "poisson", "slots": 64, "mix": {"dashboard": 7.0, "audit-search": 6.5}},
        "primary": [{"operation": "dashboard", "metric": "p50"}],
        "control": ["audit"],
        "changes": ["rows"],
        "margin": 0.10,
        "gate": False,
        "server": {"kind": "standin", "time_scale": 20.0},
    } | changes
    content["design"] = design | changes.get("design", {})
    first = np.random.default_rng(content["design"]["seed"]).permutation(content["design"]["pairs"]) % 2 == 0
    arms = [content["baseline"], content["contender"]]
    order = [arm for forward in first for arm in (arms if forward else arms[::-1])]
    content["trials"] = [{"index": i, "pair": (i + 1) // 2, "arm": arm} for i, arm in enumerate(order, start=1)]
    return content


def requests(
    path: Path,
    decided: dict[str, Any],
    number: int,
    factors: dict[str, float],
    noise: float = 0.06,
    failures: float = 0.0,
    drift: float = 1.0,
) -> dict[str, Any]:
    """Write one trial's requests; latencies are lognormal around the operation's median times `factors`.

    Args:
        path: where `requests.parquet` goes.
        decided: the plan.
        number: which trial it is; arrivals follow from its pair alone.
        factors: true ratio to the baseline, by operation.
        noise: standard deviation of the logarithm of the trial's own speed.
        failures: share of requests that fail.
        drift: how many times longer the last requests of a contender's trial take than the first.
    """
    design, trial = decided["design"], decided["trials"][number - 1]
    arrivals = np.random.default_rng([design["seed"], trial["pair"]])
    own = np.random.default_rng([design["seed"], number, 7])
    began = BEGAN + number * (design["seconds"] + design["warm_up"] + 4)
    speed = np.exp(own.normal(0, noise))
    columns: dict[str, list[np.ndarray]] = {}
    for operation, (rate, median) in OPERATIONS.items():
        length = design["warm_up"] + design["seconds"]
        count = max(1, round(rate * length))
        intended = began + np.sort(arrivals.uniform(0, length, count))
        lag = own.exponential(0.0004, count)
        service = median * factors.get(operation, 1.0) * speed * np.exp(own.normal(0, 0.35, count))
        if trial["arm"] == decided["contender"]:
            service *= drift ** ((intended - began) / length)
        failed = own.uniform(size=count) < failures
        part = {
            "intended": intended,
            "sent": intended + lag,
            "first_byte": np.where(failed, np.nan, intended + lag + service * 0.9),
            "done": intended + lag + service,
            "operation": np.full(count, operation),
            "scenario": np.full(count, operation),
            "phase": np.where(intended < began + design["warm_up"], "warm-up", "measured"),
            "status": np.where(failed, 0, 200).astype(np.int16),
            "bytes": np.full(count, 18_000),
            "error": np.where(failed, "timeout", ""),
            "node": np.full(count, "node-1"),
            "worker": np.zeros(count, dtype=np.int16),
        }
        for name, values in part.items():
            columns.setdefault(name, []).append(values)
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    texts = ("operation", "scenario", "phase", "error", "node")
    table = pa.table({n: pa.array(v).dictionary_encode() if n in texts else pa.array(v) for n, v in whole.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return _facts(whole, trial, began, design)


def _facts(
    columns: dict[str, np.ndarray], trial: dict[str, Any], began: float, design: dict[str, Any]
) -> dict[str, Any]:
    measured = columns["phase"] == "measured"
    names, counts = np.unique(columns["operation"][measured], return_counts=True)
    sent = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return {
        **trial,
        "attempt": 1,
        "started": began,
        "measured_from": began + design["warm_up"],
        "measured_until": began + design["warm_up"] + design["seconds"],
        "ended": began + design["warm_up"] + design["seconds"] + 1,
        "planned": sent,
        "sent": sent,
        "recorded": len(measured),
        "counted": len(measured),
        "failures": int((columns["error"] != "").sum()),
        "generator": {
            "processes": 1,
            "cpu": 0.08,
            "lag_p50": 0.0002,
            "lag_p99": 0.002,
            "read_delay_p50": 4e-5,
            "read_delay_p99": 2e-4,
            "read_delays": 400,
            "steal": 0.002,
            "gc_pause": 0.001,
            "longest_wait": 0.0,
            "schedule": "timerfd",
        },
        "log": [],
    }


def build(
    folder: Path,
    decided: dict[str, Any] | None = None,
    ratio: float = 1 / 6.4,
    others: dict[str, float] | None = None,
    noise: float = 0.06,
    failures: float = 0.0,
    trials: int | None = None,
    drift: float = 1.0,
) -> Path:
    """Write a run whose contender's dashboard takes `ratio` times the baseline's time; all trials unless told."""
    decided = decided or plan()
    write_json(folder / "plan.json", "plan", 1, decided)
    for number, trial in enumerate(decided["trials"][:trials], start=1):
        place = folder / "trials" / f"{number:02d}-{trial['arm']}"
        factors = {"dashboard": ratio, **(others or {})} if trial["arm"] == decided["contender"] else {}
        facts = requests(place / "requests.parquet", decided, number, factors, noise, failures, drift)
        checks = check_trial(facts, place / "requests.parquet", decided)
        valid = all(check.state != "invalid" for check in checks)
        content = facts | {"checks": msgspec.to_builtins(checks), "valid": valid}
        write_json(place / "trial.json", "trial", 1, content)
    _servers(folder, decided)
    _papers(folder, decided)
    return folder


def _servers(folder: Path, decided: dict[str, Any]) -> None:
    """Write each arm's database; the contender's holds less when the plan says so."""
    for arm in (decided["baseline"], decided["contender"]):
        cut = arm == decided["contender"] and "rows" in decided["changes"]
        left = {"Deployment": 2_214, "Release": 738, "ServerTask": 2_226, "Event": 93_500} if cut else {}
        share = 0.08 if cut else 1.0
        hit = round(1590 * share)
        milliseconds = round(61.3 * share, 1)
        sql_plan = SQL_PLAN.format(rows=round(30000 * share), hit=hit, read=0, milliseconds=milliseconds)
        content = {
            "rows": ROWS | left,
            "bytes": round(207e6 * (0.55 if cut else 1)),
            "dashboard": {
                "sql": 'SELECT * FROM "Deployment" WHERE "rank" <= 1 AND 1 < 2',
                "plan": sql_plan,
                "milliseconds": milliseconds,
                "shared_hit": hit,
                "shared_read": 0,
            },
        }
        write_json(folder / "arms" / arm / "database.json", "database", 1, content)


def _papers(folder: Path, decided: dict[str, Any]) -> None:
    """Write what stands beside the trials: manifest, provenance, journal, experiment."""
    manifest = {
        "writer": "bulk",
        "server": None,
        "history": {"name": "demo", "seed": 1, "projects": 20, "age_days": 365},
        "fingerprint": "sha256:9f2c4d1e7b6a5f3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c",
        "counts": {"project": 20, "release": 10_000, "deployment": 30_000, "event": 93_412},
        "verified": {"agrees": True},
        "ids": {"space": {"space-1": "Spaces-2"}},
        "started": BEGAN - 60,
        "finished": BEGAN - 40,
        "octoload": "0.1.0",
    }
    provenance = {
        "machine": {"system": "Linux 6.18", "processor": "AMD EPYC", "cores": 2, "memory_bytes": 25_200_000_000},
        "versions": {"octoload": "0.1.0", "locust": "2.47.0"},
        "server": {"application": "Octopus stand-in", "version": "2026.3.1", "nodes": [{"name": "n1", "task_cap": 5}]},
    }
    write_json(folder / "manifest.json", "manifest", 1, manifest)
    write_json(folder / "provenance.json", "provenance", 1, provenance)
    policy = {"Strategy": "Count", "QuantityToKeep": 3, "Unit": "Items"}
    kept = {"lifecycle": {"Strategy": "Forever"}}
    entries = [
        {
            "at": BEGAN - 30,
            "kind": "change",
            "what": "retention policy",
            "where": "Default",
            "to": policy,
            "put_back": kept,
        },
        {"at": BEGAN - 20, "kind": "task", "what": "Retention", "where": "Spaces-2"},
        {"at": BEGAN - 9, "kind": "done", "what": "Retention", "where": "Spaces-2", "duration": "11 seconds"},
    ]
    (folder / "journal.jsonl").write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
    (folder / "experiment.yaml").write_text(f"name: {decided['name']}\n", encoding="utf-8")
