"""Simulations that hold the procedures to their promises: coverage, false alarms and what a gate lets through.

They call the same functions as a report. `statistics §` names the table that each must reproduce.
"""

import math
from dataclasses import dataclass

import numpy as np

from reports import statistics
from reports.effects import CLAIMS, judge
from reports.looks import ALPHA

#: Margin of practical importance in all simulations.
MARGIN = 0.10


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in a simulation."""

    #: Share of the runs.
    share: float
    #: Simulated runs.
    runs: int

    def agrees(self, truth: float, width: float = 4.0) -> bool:
        """Whether the share lies within so many Monte-Carlo standard errors of a truth."""
        return abs(self.share - truth) <= width * math.sqrt(max(truth * (1 - truth), 1 / self.runs) / self.runs)


def coverage(pairs: int, runs: int, generator: np.random.Generator) -> tuple[Rate, Rate]:
    """How often Student's and Wilcoxon's 95 % interval hold the true centre of normal log-ratios (statistics §2.3)."""
    student = ranks = 0
    for differences in generator.normal(size=(runs, pairs)):
        interval = statistics.paired_t(differences).interval()
        robust = statistics.hodges_lehmann(differences)
        student += interval.low <= 0 <= interval.high
        ranks += robust.low <= 0 <= robust.high
    return Rate(student / runs, runs), Rate(ranks / runs, runs)


def gate(sd: float, pairs: int, ratio: float, runs: int, generator: np.random.Generator) -> Rate:
    """How often an endpoint with this true ratio is shown to be less than 10 % worse (statistics §2.9)."""
    draws = generator.normal(math.log(ratio), sd, size=(runs, pairs))
    passed = sum(statistics.no_worse(statistics.paired_t(differences), math.log1p(MARGIN)) for differences in draws)
    return Rate(passed / runs, runs)


def false_alarms(endpoints: int, pairs: int, runs: int, generator: np.random.Generator, sd: float = 0.08) -> Rate:
    """How often a comparison of an arm with itself claims a change in any primary endpoint (statistics §2.7)."""
    alarms = 0
    for block in generator.normal(0, sd, size=(runs, endpoints, pairs)):
        tests = [statistics.paired_t(differences) for differences in block]
        adjusted = statistics.holm([test.p for test in tests])
        alarms += any(judge(test, p, MARGIN) in CLAIMS or p < ALPHA for test, p in zip(tests, adjusted, strict=True))
    return Rate(alarms / runs, runs)
