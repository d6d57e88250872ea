"""What a poller is: a closed loop, as life has them, with the pauses that Octopus' own clients make."""

import zlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from octoload.edge.scenario import Scenario

#: Pause of a portal tab after an answer that came within the time below, in seconds (OctopusDeploy/Issues#8098).
REFRESH: Final = 5.0
#: Seconds that an answer may take before a tab backs off.
PROMPT: Final = 0.75
#: Longest pause of a tab in the foreground and in the background, in seconds.
LONGEST, LONGEST_BEHIND = 60.0, 120.0
#: How many times longer a tab in the background waits.
BEHIND: Final = 4.0


class Poller(Scenario):
    """One kind of closed loop: a look, a pause, the next look; `run` is one look."""

    #: Seconds between two looks at a server that answers at once; the first look falls somewhere within them.
    interval: ClassVar[float]

    @abstractmethod
    def pause(self, took: float) -> float:
        """Return the seconds from the end of a look, which took so many, to the next one."""


@dataclass(frozen=True, slots=True)
class Start:
    """When one poller begins."""

    #: Its kind.
    name: str
    #: Its number among the pollers of all kinds, from 0.
    number: int
    #: When it looks for the first time, in seconds after the schedule's start.
    when: float


def starts(pollers: Mapping[str, int], intervals: Mapping[str, float], seed: int) -> Iterator[Start]:
    """Yield the pollers of all processes: the first looks are independent and uniform over the kind's interval.

    So they are as many in any second as in any other, from the first one on. `pollers` is kind -> how many, `intervals`
    kind -> seconds. Each kind has a random stream of its own, and one more of a kind leaves the others where they are.
    """
    number = 0
    for name in sorted(pollers):
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        for when in (intervals[name] * rng.random(pollers[name])).tolist():
            yield Start(name, number, when)
            number += 1


def share(everybody: Iterator[Start], worker: int, workers: int) -> list[Start]:
    """Return every `workers`-th poller, beginning with number `worker`: shares are disjoint and complete."""
    return [start for start in everybody if start.number % workers == worker]


def refresh(took: float, *, behind: bool = False) -> float:
    """Return the pause of a portal tab after a look that took so many seconds; `behind` is a tab in the background.

    The rule is that of OctopusDeploy/Issues#8098 (2022.4.8572 and later): 5 s after a prompt answer, else 20/3 of what
    it took up to 60 s; four times as long up to 2 minutes while the window has no focus. The example in that issue
    contradicts its formula; the formula is continuous at both ends (0.75 s gives 5 s, 9 s gives 60 s) and is used here.
    """
    pause = REFRESH if took <= PROMPT else min(took * REFRESH / PROMPT, LONGEST)
    return min(pause * BEHIND, LONGEST_BEHIND) if behind else pause
