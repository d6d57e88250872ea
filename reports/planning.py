"""What an experiment will be able to say, before it runs: effects it sees, pairs it needs, time it takes."""

import math

import msgspec

from reports import looks, power, ramp
from reports.plan import LEAST_PAIRS, Design, Plan
from reports.rig import Noise

#: Deviations to plan with when no A/A has shown the rig's own: a quiet machine, a decent one, a noisy one.
SUPPOSED = (0.05, 0.12, 0.20)


class Outlook(msgspec.Struct, frozen=True):
    """What the planned pairs can say about one endpoint."""

    #: Deviation of a pair's log-ratio that was planned with: the upper 80 % limit of what the A/A showed.
    sd: float
    #: Smallest ratio above 1 that the planned pairs show with a power of 80 %.
    resolves: float
    #: Pairs that show a change as large as asked for, with a power of 80 %; a run of fewer than four is INVALID.
    pairs_to_see: int
    #: Pairs that show that nothing is worse by more than the margin when nothing is, with a power of 80 %.
    pairs_to_pass: int
    #: Pairs that show that nothing differs by more than the margin either way when nothing does, with the same power.
    pairs_to_equal: int
    #: Chance that the planned pairs show the change that was asked for.
    power: float


def outlook(sd: float, design: Design, effect: float, margin: float) -> Outlook:
    """Foresee an endpoint whose pairs waver by `sd`; `effect` is a ratio such as 1.10, `margin` a share such as 0.1."""
    level, change = looks.levels(design.looks).claim, abs(math.log(effect))
    return Outlook(
        sd,
        power.smallest_effect(sd, design.pairs, level),
        max(LEAST_PAIRS, power.pairs_to_see(sd, change, alpha=level)),
        max(LEAST_PAIRS, power.pairs_for_no_worse(sd, math.log1p(margin))),
        max(LEAST_PAIRS, power.pairs_for_equivalence(sd, math.log1p(margin))),
        power.power_to_see(sd, change, design.pairs, level),
    )


def usable(noise: Noise | None) -> bool:
    """Say whether an A/A tells an endpoint's noise well enough to plan with: from six pairs, and some noise."""
    return noise is not None and noise.degrees >= 5 and math.isfinite(noise.sd) and noise.sd > 0


def seconds(plan: Plan, trials: int, between: float = 0.0) -> float | None:
    """How long so many trials take, `between` being what passes between two; None of drains, which take what they take.

    A search is taken to need the usual number of steps.
    """
    design, search = plan.design, plan.workload.search
    if plan.workload.drain:
        return None
    each = ramp.USUAL_STEPS * (search.warm_up + search.seconds) if search else design.warm_up + design.seconds
    return trials * (each + between)
