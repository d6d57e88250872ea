"""When sessions arrive: one schedule for the whole mix, a pure function of seed, mix and time."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Arrivals = Literal["poisson", "constant"]

#: Seconds of an endless schedule that are drawn at once.
BLOCK = 10.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Arrivals in the order of their times; all arrays have the same length."""

    #: Seconds after the schedule's start.
    times: NDArray[np.float64]
    #: Index of the scenario in the sorted names of the mix.
    scenarios: NDArray[np.int16]
    #: A uniform number in [0, 1) for what a session chooses, such as its project.
    draws: NDArray[np.float32]
    #: The arrival's number in the whole schedule, from 0.
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    def part(self, begin: int, end: int) -> "Schedule":
        """Return the arrivals from index `begin` up to `end`, without a copy."""
        rows = slice(begin, end)
        return Schedule(self.times[rows], self.scenarios[rows], self.draws[rows], self.numbers[rows])

    def share(self, worker: int, workers: int) -> "Schedule":
        """Return every `workers`-th arrival, beginning with number `worker`: shares are disjoint and complete."""
        mine = self.numbers % workers == worker
        return Schedule(self.times[mine], self.scenarios[mine], self.draws[mine], self.numbers[mine])


def plan(mix: Mapping[str, float], arrivals: Arrivals, seed: int, warm_up: float, seconds: float) -> Schedule:
    """Return a trial's schedule: each scenario arrives exactly `round(rate * seconds)` times in each phase.

    `poisson` draws sorted uniform times, which is a Poisson process on the condition of its count (Ross, Stochastic
    Processes, 2nd ed., theorem 2.3.1): gaps are as irregular as in life, and both arms get equally many requests.
    `constant` spaces them evenly after a random first one. `mix` is scenario -> sessions a second.
    """
    warm = _phase(mix, arrivals, (seed, 0), (0.0, warm_up))
    measured = _phase(mix, arrivals, (seed, 1), (0.0, seconds))
    return _number(_join(warm, _later(measured, warm_up)), 0)


def endless(mix: Mapping[str, float], arrivals: Arrivals, seed: int) -> Iterator[Schedule]:
    """Yield a schedule without end, block by block; counts never drift from rate times time by more than one half."""
    number = 0
    for index in range(2**31):
        span = (index * BLOCK, (index + 1) * BLOCK)
        block = _number(_phase(mix, arrivals, (seed, 2 + index), span), number)
        number += len(block)
        yield block


def count(rate: float, begin: float, end: float) -> int:
    """Return how many arrivals lie in [begin, end): the difference of two rounded products, so blocks add up."""
    return _round(rate * end) - _round(rate * begin)


def _phase(mix: Mapping[str, float], arrivals: Arrivals, seed: tuple[int, int], span: tuple[float, float]) -> Schedule:
    """Draw the arrivals in [begin, end)."""
    begin, end = span
    times: list[NDArray[np.float64]] = []
    scenarios: list[NDArray[np.int16]] = []
    draws: list[NDArray[np.float32]] = []
    for index, name in enumerate(sorted(mix)):
        # Each scenario has a stream of its own: adding one to the mix leaves the others' arrivals where they are.
        rng = np.random.default_rng([*seed, zlib.crc32(name.encode())])
        amount = count(mix[name], begin, end)
        times.append(begin + (end - begin) * _unit_times(rng, arrivals, amount))
        scenarios.append(np.full(amount, index, np.int16))
        draws.append(rng.random(amount, np.float32))
    return _sort(times, scenarios, draws)


def _unit_times(rng: np.random.Generator, arrivals: Arrivals, amount: int) -> NDArray[np.float64]:
    if arrivals == "constant":
        return (np.arange(amount) + rng.random()) / max(amount, 1)
    return rng.random(amount)


def _sort(
    times: list[NDArray[np.float64]], scenarios: list[NDArray[np.int16]], draws: list[NDArray[np.float32]]
) -> Schedule:
    if not times:
        return Schedule(np.empty(0), np.empty(0, np.int16), np.empty(0, np.float32), np.empty(0, np.int64))
    when = np.concatenate(times)
    order = np.argsort(when, kind="stable")
    numbers = np.arange(len(when))
    return Schedule(when[order], np.concatenate(scenarios)[order], np.concatenate(draws)[order], numbers)


def _later(schedule: Schedule, seconds: float) -> Schedule:
    return Schedule(schedule.times + seconds, schedule.scenarios, schedule.draws, schedule.numbers)


def _join(first: Schedule, second: Schedule) -> Schedule:
    return Schedule(
        np.concatenate([first.times, second.times]),
        np.concatenate([first.scenarios, second.scenarios]),
        np.concatenate([first.draws, second.draws]),
        np.empty(0, np.int64),
    )


def _number(schedule: Schedule, first: int) -> Schedule:
    numbers = np.arange(first, first + len(schedule.times))
    return Schedule(schedule.times, schedule.scenarios, schedule.draws, numbers)


def _round(value: float) -> int:
    return int(value + 0.5)
