"""An outage as an experiment's file says it: what happens to a node in each trial of an arm."""

from collections.abc import Iterator
from typing import Literal

import msgspec


class Outage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to a node in each trial of an arm."""

    #: Seconds after the begin of the measured phase.
    after: float
    #: Seconds until it is mended.
    lasts: float
    #: Stand-in: `kill` (as a power cut; then started again) or `freeze` (its processes stand still; then thawed).
    does: Literal["kill", "freeze"] | None = None
    #: Real Octopus: commands that strike a node and mend it, as lists of arguments without a shell.
    strike: list[str] = []
    mend: list[str] = []
    #: Seconds that each of them may take.
    within: float = 120.0
    #: Name of the node that it is done to; of a stand-in the last one when left out.
    node: str = ""


def faults(name: str, outage: Outage, url: str | None, nodes: int, seconds: float) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the outage of an arm, and what to do.

    Args:
        name: of the arm.
        outage: what is asked for.
        url: the arm's instance; None on a stand-in.
        nodes: those of the stand-in.
        seconds: length of the measured phase.
    """
    if not (outage.after >= 0 and outage.lasts > 0 and outage.after + outage.lasts <= seconds):
        cure = f"`after` and `lasts` are seconds and fit together into the {seconds:g} s of a trial."
        yield f"the outage of arm {name!r} does not lie within a trial", cure
    if not 0 < outage.within <= 86_400:
        cure = "`within` is in seconds, above 0; leave it out for 120."
        yield f"the outage of arm {name!r} gives its commands {outage.within:g} s", cure
    if url and outage.does:
        cure = "`does` is for nodes of the stand-in; here `strike` and `mend` say it."
        yield f"the outage of arm {name!r} cannot {outage.does} a node of {url}", cure
    if not url and (outage.strike or outage.mend):
        cure = "Say `does: kill` or `does: freeze` instead; commands are for instances with a url."
        yield f"the outage of arm {name!r} has commands for a node of the stand-in", cure
    if url and not (outage.strike and outage.mend):
        cure = "Give `strike` and `mend`, commands as lists of arguments: [ssh, node-2, net, stop, OctopusDeploy]."
        yield f"arm {name!r} does not say how to strike a node of {url}", cure
    if not url and not (outage.does and nodes > 1):
        cure = "Say `does: kill` or `does: freeze`, and give `standin` two `nodes` or more: one must go on."
        yield f"the outage of arm {name!r} says not what it does to which of several nodes", cure
