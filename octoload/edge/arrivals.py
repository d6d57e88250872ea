"""When sessions arrive: one schedule for the whole mix, a pure function of seed, mix and time, drawn block by block."""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Arrivals = Literal["poisson", "constant"]

#: Seconds of a schedule that are drawn at once: an hour of it needs no more memory than that.
BLOCK = 10.0


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of the measured phase with a rate of its own."""

    #: How long it lasts, in seconds.
    seconds: float
    #: What the rates of the mix are multiplied by in it; 0 is a pause.
    factor: float


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


@dataclass(frozen=True, slots=True)
class Phases:
    """How long a trial is."""

    #: Seconds of load before measuring; their rates are those of the first stage.
    warm_up: float
    #: Measured seconds; None has no end.
    seconds: float | None
    #: Stages of the measured phase, which last `seconds` together; none leaves the rates of the mix.
    stages: Sequence[Stage] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the schedule in which the rates stay as they are."""

    #: Its number among the random streams of a seed.
    stream: int
    #: Bounds in seconds after the schedule's start.
    begin: float
    end: float
    #: The same bounds in seconds of load at the mix's own rates, from the start of the phase: counts of stretches that
    #: follow each other add up.
    load_begin: float
    load_end: float


def plan(mix: Mapping[str, float], arrivals: Arrivals, seed: int, phases: Phases) -> Iterator[Schedule]:
    """Yield a trial's schedule in blocks.

    Each scenario arrives exactly `round(rate * length)` times in each phase. `poisson` makes the times independent and
    uniform, which is a Poisson process on the condition of its count (Ross, Stochastic Processes, 2nd ed., theorem
    2.3.1): gaps are as irregular as in life, and both arms get equally many requests. `constant` spaces them evenly
    after a random first one. `mix` is scenario -> sessions a second.
    """
    number = 0
    for stretch in _stretches(phases):
        for block in _blocks(mix, arrivals, seed, stretch):
            yield Schedule(block.times, block.scenarios, block.draws, np.arange(number, number + len(block)))
            number += len(block)


def planned(mix: Mapping[str, float], phases: Phases) -> dict[str, int]:
    """Return how often each scenario arrives in the measured phase, which has an end."""
    measured = [stretch for stretch in _stretches(phases) if stretch.stream]
    return {name: sum(_count(rate, stretch) for stretch in measured) for name, rate in mix.items()}


def stage_faults(stages: Sequence[Stage], seconds: float | None) -> list[tuple[str, str]]:
    """Return what is wrong with stages, and the cure; `seconds` is the length of the measured phase."""
    for number, stage in enumerate(stages, start=1):
        if not 0 < stage.seconds < math.inf:
            return [(f"stage {number} lasts {stage.seconds} s", "Give each stage more than 0 seconds.")]
        if not 0 <= stage.factor < math.inf:
            return [(f"stage {number} has the factor {stage.factor}", "Give 0 for a pause, 1 for the mix's own rates.")]
    if not stages:
        return []
    if not any(stage.factor for stage in stages):
        return [("all stages have the factor 0, so that nothing arrives", "Give one of them a factor above 0.")]
    length = sum(stage.seconds for stage in stages)
    if seconds is None or not math.isclose(length, seconds, rel_tol=1e-6):
        measured = "without end" if seconds is None else f"{seconds:g} s"
        return [(f"the stages last {length:g} s together, the measured phase {measured}", "Make the two equal.")]
    return []


def _stretches(phases: Phases) -> Iterator[Stretch]:
    """Yield the warm-up, then the stages of the measured phase, or one block after the other."""
    begin, seconds, stages = phases.warm_up, phases.seconds, phases.stages
    yield Stretch(0, 0.0, begin, 0.0, begin * (stages[0].factor if stages else 1.0))
    if seconds is None:
        for index in range(2**31):
            span = index * BLOCK, (index + 1) * BLOCK
            yield Stretch(2 + index, begin + span[0], begin + span[1], *span)
        return
    load = 0.0
    for index, stage in enumerate(stages or [Stage(seconds, 1.0)]):
        more = stage.seconds * stage.factor
        yield Stretch(1 + index, begin, begin + stage.seconds, load, load + more)
        begin, load = begin + stage.seconds, load + more


def _count(rate: float, stretch: Stretch) -> int:
    """Return how many arrivals lie in a stretch: the difference of two rounded products, so that stretches add up."""
    return int(rate * stretch.load_end + 0.5) - int(rate * stretch.load_begin + 0.5)


def _blocks(mix: Mapping[str, float], arrivals: Arrivals, seed: int, stretch: Stretch) -> Iterator[Schedule]:
    """Yield the blocks of a stretch, without numbers."""
    length = stretch.end - stretch.begin
    if length <= 0 or not mix:
        return
    edges = np.append(np.arange(0.0, length, BLOCK), length)
    streams = [
        _stream(_count(mix[name], stretch), arrivals, [seed, stretch.stream, zlib.crc32(name.encode())], edges)
        for name in sorted(mix)
    ]
    for pieces in zip(*streams, strict=True):
        when = stretch.begin + np.concatenate([times for times, _ in pieces])
        scenarios = np.repeat(np.arange(len(pieces), dtype=np.int16), [len(times) for times, _ in pieces])
        order = np.argsort(when, kind="stable")
        draws = np.concatenate([draws for _, draws in pieces])
        yield Schedule(when[order], scenarios[order], draws[order], order)


def _stream(
    amount: int, arrivals: Arrivals, seed: list[int], edges: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """Yield times and draws of one scenario, block by block; `edges` are those of the blocks, the first is 0.

    Each has a random stream of its own: a scenario more in the mix leaves the arrivals of the others where they are.
    """
    rng = np.random.default_rng(seed)
    first, length = rng.random(), edges[-1]
    shares = rng.multinomial(amount, np.diff(edges) / length)
    for index, (begin, end) in enumerate(pairwise(edges)):
        if arrivals == "constant":
            bounds = np.ceil(amount * np.array([begin, end]) / length - first).astype(np.int64)
            times = length * (np.arange(*np.clip(bounds, 0, amount)) + first) / max(amount, 1)
        else:
            times = begin + (end - begin) * rng.random(shares[index])
        yield times, rng.random(len(times), np.float32)
