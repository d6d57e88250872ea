"""When sessions arrive: one schedule for the whole mix, a pure function of seed, mix and time, drawn block by block."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Arrivals = Literal["poisson", "constant"]

#: Seconds of a schedule that are drawn at once: an hour of it needs no more memory than that.
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


def plan(
    mix: Mapping[str, float], arrivals: Arrivals, seed: int, warm_up: float, seconds: float | None
) -> Iterator[Schedule]:
    """Yield a trial's schedule in blocks; with None for seconds it has no end.

    Each scenario arrives exactly `round(rate * length)` times in each phase. `poisson` makes the times independent and
    uniform, which is a Poisson process on the condition of its count (Ross, Stochastic Processes, 2nd ed., theorem
    2.3.1): gaps are as irregular as in life, and both arms get equally many requests. `constant` spaces them evenly
    after a random first one. `mix` is scenario -> sessions a second.
    """
    number = 0
    for block in _blocks(mix, arrivals, seed, warm_up, seconds):
        yield Schedule(block.times, block.scenarios, block.draws, np.arange(number, number + len(block)))
        number += len(block)


def count(rate: float, begin: float, end: float) -> int:
    """Return how many arrivals lie in [begin, end): the difference of two rounded products, so blocks add up."""
    return int(rate * end + 0.5) - int(rate * begin + 0.5)


def _blocks(
    mix: Mapping[str, float], arrivals: Arrivals, seed: int, warm_up: float, seconds: float | None
) -> Iterator[Schedule]:
    """Yield the blocks without numbers: the warm-up, then the measured phase, or one stretch after the other."""
    yield from _phase(mix, arrivals, (seed, 0), (0.0, 0.0, warm_up))
    if seconds is not None:
        yield from _phase(mix, arrivals, (seed, 1), (warm_up, 0.0, seconds))
        return
    for index in range(2**31):
        yield from _phase(mix, arrivals, (seed, 2 + index), (warm_up, index * BLOCK, (index + 1) * BLOCK))


def _phase(
    mix: Mapping[str, float], arrivals: Arrivals, seed: tuple[int, int], span: tuple[float, float, float]
) -> Iterator[Schedule]:
    """Yield the blocks of a phase; `span` is its offset in the schedule, and its begin and end from there."""
    offset, begin, end = span
    if end <= begin:
        return
    edges = np.append(np.arange(begin, end, BLOCK), end)
    streams = [_stream(mix[name], arrivals, [*seed, zlib.crc32(name.encode())], edges) for name in sorted(mix)]
    for pieces in zip(*streams, strict=True):
        when = offset + np.concatenate([times for times, _ in pieces])
        scenarios = np.repeat(np.arange(len(pieces), dtype=np.int16), [len(times) for times, _ in pieces])
        order = np.argsort(when, kind="stable")
        draws = np.concatenate([draws for _, draws in pieces])
        yield Schedule(when[order], scenarios[order], draws[order], order)


def _stream(
    rate: float, arrivals: Arrivals, seed: list[int], edges: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """Yield times and draws of one scenario, block by block.

    Each has a random stream of its own: a scenario more in the mix leaves the arrivals of the others where they are.
    """
    rng = np.random.default_rng(seed)
    amount = count(rate, edges[0], edges[-1])
    first, length = rng.random(), edges[-1] - edges[0]
    shares = rng.multinomial(amount, np.diff(edges) / length)
    for index, (begin, end) in enumerate(pairwise(edges)):
        if arrivals == "constant":
            bounds = np.ceil(amount * (np.array([begin, end]) - edges[0]) / length - first).astype(np.int64)
            times = edges[0] + length * (np.arange(*np.clip(bounds, 0, amount)) + first) / amount
        else:
            times = begin + (end - begin) * rng.random(shares[index])
        yield times, rng.random(len(times), np.float32)
