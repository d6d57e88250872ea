"""Experiments request by request on simulated machines: what a run would have measured, block by block."""

import math

import numpy as np

from reports.effects import Block, Pair
from reports.noise import Profile, environment
from reports.plan import Design, Endpoint, Plan, PlannedTrial, Server, Workload
from reports.statistics import Floats
from reports.summaries import SHARE, Summary

#: Pairs, measured seconds, requests a second of each operation, and seconds between blocks (statistics §2.8).
PAIRS, SECONDS, RATE, PAUSE = 8, 120, 10, 15
REQUESTS = SECONDS * RATE
OPERATIONS = ("dashboard", "project")
#: Pages of one server share its noise, so that endpoints are not independent.
PRIMARY = [
    Endpoint(operation, metric)
    for operation, metrics in (("dashboard", ("p50", "p95", "p99")), ("project", ("p50", "p95")))
    for metric in metrics
]

PLAN = Plan(
    name="calibration",
    question="",
    subject="the same",
    baseline="one",
    contender="same",
    arms={},
    design=Design(PAIRS, SECONDS, PAUSE, 0),
    workload=Workload("poisson", 64, {}),
    primary=PRIMARY,
    control=[],
    changes=[],
    margin=0.10,
    gate=False,
    server=Server("standin"),
    trials=[PlannedTrial(1, 1, "one")],
)


def latencies(profile: Profile, experiments: int, generator: np.random.Generator) -> Floats:
    """Simulate log-latencies of A/A experiments: [experiment, operation, block in time, request].

    Service times are lognormal (sd 0.5 of the logarithm), 4 % of them of a slower kind: the sampling error of their
    quantiles is that of statistics §1.4 step 4. Each block begins with a restart of its server.
    """
    blocks, stride = 2 * PAIRS, SECONDS + PAUSE
    path = environment(profile, experiments, blocks * stride, 1.0, generator)
    restarts = generator.normal(0, profile.restart, (experiments, blocks))
    shape = (experiments, len(OPERATIONS), blocks, REQUESTS)
    at = generator.integers(0, SECONDS, shape) + (np.arange(blocks) * stride)[:, None]
    service = generator.normal(0, 0.5, shape)
    slow = generator.uniform(size=shape) < 0.04
    service[slow] = 1.0 + 0.7 * service[slow] / 0.5
    moment = np.take_along_axis(path[:, None, None, :], at.reshape(experiments, 1, 1, -1), axis=3).reshape(shape)
    return np.asarray(service + moment + restarts[:, None, :, None])


def orders(experiments: int, generator: np.random.Generator) -> np.ndarray:
    """Draw for each experiment which block of each pair is the baseline's: exactly half of them the first."""
    half = np.tile(np.arange(PAIRS) % 2, (experiments, 1))
    first = generator.permuted(half, axis=1)
    starts = 2 * np.arange(PAIRS)
    return np.stack([starts + first, starts + 1 - first], axis=2)


def pairs(values: Floats, order: np.ndarray, ratio: float = 1.0) -> list[Pair]:
    """Reduce one experiment to its pairs; the contender's latencies are multiplied by `ratio`.

    Args:
        values: log-latencies by operation, block and request.
        order: (baseline's block, contender's block) of each pair.
        ratio: true effect.
    """
    quantiles = np.exp(np.quantile(values, list(SHARE.values()), axis=2))
    made = []
    for number, (a, b) in enumerate(order.tolist(), start=1):
        blocks = [
            Block(block + 1, number, arm, _operations(quantiles[:, :, block] * factor), float(SECONDS))
            for block, arm, factor in ((a, "one", 1.0), (b, "same", ratio))
        ]
        made.append(Pair(*blocks))
    return made


def _operations(quantiles: Floats) -> dict[str, Summary]:
    return {
        name: Summary(REQUESTS, 0, *(float(value) for value in quantiles[:, number]), float(RATE), 0.0)
        for number, name in enumerate(OPERATIONS)
    }


def log(ratio: float) -> float:
    """Natural logarithm, for readers of tables in ratios."""
    return math.log(ratio)
