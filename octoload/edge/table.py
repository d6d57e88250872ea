"""Keeps Locust's own table right: requests are handed to it in batches, with percentiles exact to half a percent."""

import math
from typing import Any

import numpy as np
from locust import stats as locust_stats
from locust.env import Environment
from locust.stats import StatsEntry

from octoload.edge.samples import Batch, Rows
from octoload.edge.scenario import Operation

#: Listeners that Locust itself has for requests: the one that fills its table.
_OWN_LISTENERS = 1


def sharpen() -> None:
    """Give Locust's table three significant digits; its own two are up to 5 % off, and whole milliseconds.

    The function is Locust's documented place for this ("customizing response time bucketing").
    """
    locust_stats.bucket_response_time = bucket  # type: ignore[assignment]


def bucket(milliseconds: float) -> float:
    """Round to three significant digits, at most one half percent off."""
    if milliseconds <= 0:
        return 0.0
    digits = 2 - math.floor(math.log10(milliseconds))
    return round(milliseconds, digits)


def publish(environment: Environment, batch: Batch, operations: list[Operation]) -> None:
    """Add a batch to Locust's statistics.

    A listener of somebody else, a plug-in say, gets each request by Locust's event, which then fills the table too.
    """
    if len(environment.events.request._handlers) > _OWN_LISTENERS:  # noqa: SLF001  Locust has no other way to ask
        _fire(environment, batch, operations)
        return
    stats = environment.stats
    for code in np.unique(batch.rows["operation"]):
        rows = batch.rows[batch.rows["operation"] == code]
        operation = operations[code]
        entry = _entry(stats, operation, rows)
        stats.get(operation.name, operation.method).extend(entry)
        stats.total.extend(entry)
        for error in rows["error"][rows["error"] > 0]:
            stats.log_error(operation.method, operation.name, batch.errors[error])


def _entry(stats: locust_stats.RequestStats, operation: Operation, rows: Rows) -> StatsEntry:
    latency = (rows["done"] - rows["intended"]) * 1000
    entry = StatsEntry(stats, operation.name, operation.method)
    entry.num_requests = len(rows)
    entry.total_response_time = float(latency.sum())  # type: ignore[assignment]
    entry.min_response_time = float(latency.min())  # type: ignore[assignment]
    entry.max_response_time = float(latency.max())  # type: ignore[assignment]
    entry.total_content_length = int(rows["bytes"].sum())
    entry.start_time = float(rows["sent"].min())
    entry.last_request_timestamp = float(rows["done"].max())
    entry.response_times = _count(_buckets(latency))
    entry.num_reqs_per_sec = _count(rows["done"].astype(np.int64))
    return entry


def _buckets(milliseconds: Any) -> Any:
    positive = np.maximum(milliseconds, 1e-6)
    unit = 10.0 ** (np.floor(np.log10(positive)) - 2)
    # Rounded once more as a decimal, so that every process has the same key for the same bucket.
    return np.round(np.round(positive / unit) * unit, 9)


def _count(values: Any) -> Any:
    keys, counts = np.unique(values, return_counts=True)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def _fire(environment: Environment, batch: Batch, operations: list[Operation]) -> None:
    fire: Any = environment.events.request.fire
    for row in batch.rows:
        operation = operations[row["operation"]]
        error = batch.errors[row["error"]]
        fire(
            request_type=operation.method,
            name=operation.name,
            response_time=float(row["done"] - row["intended"]) * 1000,
            response_length=int(row["bytes"]),
            exception=RuntimeError(error) if error else None,
            context={},
            start_time=float(row["sent"]),
            url="",
        )
