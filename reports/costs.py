"""What a separate host for the database should be worth, by the CPU that a request costs node and database.

A host of q CPUs on which a request costs d CPU seconds serves q / d requests a second at most, and a server as many as
its first host that is full. With the database beside the node both costs fall on one host: that is the whole gain, as
far as CPU goes. What is measured beyond it is the mechanism's own, or distance.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import msgspec
import numpy as np

from reports import statistics, summaries
from reports.effects import Effect
from reports.run import Trial
from reports.statistics import Interval
from reports.words import duration, times

#: The member of a host that is the database.
DATABASE = "PostgreSQL"
#: Seconds by which a way is longer that is spoken of.
FAR = 0.0005
#: Known of control groups with periods of 10 ms on two cores: ratios of throughput.
KNOWN = "where CPU cost predicted about 1.6, 1.65 to 1.94 was measured with hosts pinned to a CPU each, 2.1 without"


class Prediction(msgspec.Struct, frozen=True):
    """What CPU cost predicts of an arm against the baseline, round by round, with 95 % intervals."""

    baseline: str
    arm: str
    #: Rounds behind it.
    rounds: int
    #: CPU seconds that a request costs the nodes, and the database, while each has a host of its own.
    node: Interval
    sql: Interval
    #: CPU seconds that a request costs on a shared host, over the sum of the two.
    sharing: Interval
    #: Requests a second that the hosts can serve by these costs, shared and separate.
    shared_capacity: float
    separate_capacity: float
    #: Capacity of the arm over the baseline's, as these costs predict it.
    ratio: Interval
    #: The same as measured: the throughput's effect; None where none was measured.
    measured: Interval | None
    #: Measured round trips of nodes to the database and back, seconds: the baseline's and the arm's.
    trips: tuple[float, float]


class Cost(msgspec.Struct, frozen=True):
    """CPU seconds that a request of one trial cost."""

    #: Host -> CPU seconds a request.
    hosts: Mapping[str, float]
    #: Host -> its capacity in CPUs.
    cpus: Mapping[str, float]
    #: The host on which the database lies.
    database: str
    #: Measured round trip to it, seconds.
    trip: float

    @property
    def separate(self) -> bool:
        """Whether the database has its host for itself."""
        return self.database == "sql"

    @property
    def whole(self) -> float:
        """CPU seconds a request on all hosts."""
        return sum(self.hosts.values())


def predict(trials: Sequence[Trial], baseline: str, effects: Mapping[str, Effect | None]) -> list[Prediction]:
    """Predict every arm that differs from the baseline in where the database lies.

    `effects` is arm -> the measured effect on throughput, None where there is none.
    """
    found: dict[int, dict[str, Cost]] = {}
    for trial in trials:
        if cost := _cost(trial):
            found.setdefault(trial.facts.pair, {})[trial.facts.arm] = cost
    predictions = []
    for arm, effect in effects.items():
        rounds = [(costs[baseline], costs[arm]) for costs in found.values() if {baseline, arm} <= set(costs)]
        rounds = [(one, other) for one, other in rounds if one.separate != other.separate]
        if len(rounds) > 1:
            predictions.append(_predict(baseline, arm, rounds, effect))
    return predictions


def _predict(baseline: str, arm: str, rounds: Sequence[tuple[Cost, Cost]], effect: Effect | None) -> Prediction:
    rows = [_round(one, other) for one, other in rounds]
    node, sql, sharing, shared, separate, ratio = (_interval(column) for column in np.log(rows).T)
    return Prediction(
        baseline=baseline,
        arm=arm,
        rounds=len(rounds),
        node=node,
        sql=sql,
        sharing=sharing,
        shared_capacity=shared.estimate,
        separate_capacity=separate.estimate,
        ratio=ratio,
        measured=Interval(effect.ratio, effect.ci_low, effect.ci_high) if effect else None,
        trips=(fmean(one.trip for one, _ in rounds), fmean(other.trip for _, other in rounds)),
    )


def _round(one: Cost, other: Cost) -> tuple[float, ...]:
    """Return what one round says: costs of node and database, sharing, both capacities and their ratio."""
    apart, together = (other, one) if other.separate else (one, other)
    sql = apart.hosts[apart.database]
    node = apart.whole - sql
    capacities = {side.separate: capacity(side, node, sql) for side in (apart, together)}
    ratio = capacities[other.separate] / capacities[one.separate]
    return node, sql, together.whole / (node + sql), capacities[False], capacities[True], ratio


def capacity(place: Cost, node: float, sql: float) -> float:
    """Return the requests a second that hosts can serve, the first that is full ending it.

    `node` and `sql` are the CPU seconds that a request costs a node and the database; nodes take turns.
    """
    nodes = [name for name in place.hosts if name != "sql"]
    loads = {name: node / len(nodes) for name in nodes}
    loads[place.database] = loads.get(place.database, 0.0) + sql
    return min(place.cpus[name] / load for name, load in loads.items())


def _cost(trial: Trial) -> Cost | None:
    """Divide what the hosts of a trial computed by the requests that were answered meanwhile; None without either."""
    facts = trial.facts
    if not (facts.valid and facts.hosts and facts.slots is None):
        return None
    hosts: Mapping[str, Any] = facts.hosts["hosts"]
    done = np.concatenate([part.done for part in summaries.read_phases(trial.folder / "requests.parquet")])
    answered = int(((done > facts.hosts["from"]) & (done <= facts.hosts["until"])).sum())
    database = next((name for name, host in hosts.items() if DATABASE in host["members"]), None)
    if not answered or database is None:
        return None
    return Cost(
        {name: host["cpu_seconds"] / answered for name, host in hosts.items()},
        {name: host["cpus"] for name, host in hosts.items()},
        database,
        facts.hosts["round_trip"]["nodes"],
    )


def _interval(logarithms: Any) -> Interval:
    limits = statistics.paired_t(logarithms).interval()
    return Interval(math.exp(limits.estimate), math.exp(limits.low), math.exp(limits.high))


def sentences(found: Prediction) -> list[str]:
    """Say what was predicted, what was measured, and where the difference comes from."""
    node, sql = duration(found.node.estimate), duration(found.sql.estimate)
    predicted = (
        f"{found.arm} against {found.baseline}: CPU cost predicts {_limits(found.ratio)} x the throughput. A request "
        f"costs a node {node} of CPU and the database {sql} ({found.rounds} rounds), so the shared host can serve "
        f"{found.shared_capacity:.0f} requests a second and hosts of their own {found.separate_capacity:.0f}."
    )
    if found.measured:
        predicted += f" Measured: {_limits(found.measured)} x."
    near, far = found.trips
    if far > near + FAR:
        beyond = (
            f"Of distance CPU cost knows nothing: a statement's way to the database and back takes {duration(far)} in "
            f"{found.arm} and {duration(near)} in {found.baseline}, as measured. That is waited for, and counts for "
            "more the fewer requests are under way at once."
        )
    else:
        beyond = f"On the shared host a request cost {_limits(found.sharing)} x as much CPU as on two."
        if found.sharing.low > 1:
            beyond += (
                f" Part of that is the mechanism's own artefact: short quota periods exaggerate what sharing costs "
                f"({KNOWN}; the governor, whose figures are indicative, exaggerates more)."
            )
    return [predicted, beyond]


def _limits(found: Interval) -> str:
    return f"{times(found.estimate)} ({times(found.low)} to {times(found.high)})"
