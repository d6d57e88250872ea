"""A purge as an experiment's file says it: policies that each trial of an arm makes tighter, at once or in steps."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

import msgspec


class Purge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The steps in which a trial comes to its retention policy, each a policy and a Retention task that applies it."""

    #: What each phase keeps after each step, besides what its dashboards show: [3] at once, [40, 20, 3] in steps.
    keep: list[int]
    #: `Items` counts releases, `Days` their age.
    unit: Literal["Items", "Days"] = "Items"
    #: Seconds of the measured phase before the first step.
    after: float = 0.0
    #: Seconds from the begin of one step to that of the next; a step that takes longer delays those after it.
    every: float = 0.0

    @property
    def begins(self) -> list[float]:
        """When each step begins at the earliest, in seconds of the measured phase."""
        return [self.after + number * self.every for number in range(len(self.keep))]


def faults(purges: Mapping[str, Purge], seconds: float) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the purges of arms, and what to do; `seconds` is the length of the measured phase."""
    for name, purge in purges.items():
        steps = purge.keep
        if not steps or min(steps) < 1 or any(later >= earlier for earlier, later in pairwise(steps)):
            yield f"arm {name!r} purges to {steps}", "Each step keeps less than the one before, 1 or more: [40, 20, 3]."
        elif not (purge.after >= 0 and purge.every >= 0 and purge.begins[-1] < seconds):
            cure = f"`after` and `every` are seconds; all steps begin within the {seconds:g} s of a trial."
            yield f"the purge of arm {name!r} does not begin within a trial", cure
        if purge.every == 0 and len(steps) > 1:
            yield f"the steps of arm {name!r} have no time between them", "Give `every` in seconds, or one step."
    if len({(purge.keep[-1], purge.unit) for purge in purges.values() if purge.keep}) > 1:
        yield "arms purge to different policies", "Let all end with the same one: what differs is the way to it."
