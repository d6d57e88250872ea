"""Is a page slow while something else runs? A test that noise which remembers itself cannot fool (statistics §7).

Slices of time are not independent, so a plain regression sees a link in a third to a half of cases without any. Here
both sides are prewhitened (AR(1), with phi from the residuals without the suspect), and the statistic is held against
the same statistic of the suspect's history shifted round in a circle: 2 to 8 % false alarms, and the most power.
"""

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from reports import statistics
from reports.statistics import Floats, Untold
from reports.words import times

#: Seconds of a slice.
SLICE = 10.0
#: Shifts that make up the null distribution, and the least of them in seconds.
SHIFTS, LEAST_SHIFT = 999, 300.0
#: Separate times at which the suspect ran; fewer cannot be told from chance.
FEWEST_EPISODES = 3
#: Fewest shifts that can give a p below 0.05 with room to spare.
FEWEST_SHIFTS = 99
#: Seconds around the begin of an episode in the picture of events.
AROUND = 120.0
_SEED = 7


class Link(msgspec.Struct, frozen=True):
    """How an endpoint's latency goes with one kind of task; an association, not a cause."""

    #: Type or project of the tasks.
    suspect: str
    #: What one more running task multiplies the latency by.
    factor: float
    #: Two-sided p against circular shifts.
    p: float
    #: The same as a q-value over all suspects (Benjamini-Hochberg).
    q: float
    #: Separate times at which it ran.
    episodes: int


class EventCurve(msgspec.Struct, frozen=True):
    """Mean latency around the begin of a suspect's episodes, against the slices before."""

    #: Seconds from the begin of an episode.
    offsets: list[float]
    #: Factor to the mean before the begin: geometric mean over episodes.
    factors: list[float]
    #: Standard error of its logarithm; NaN with one episode.
    errors: list[float]
    episodes: int


def link_all(y: Floats, suspects: Mapping[str, Floats], covariates: Floats) -> dict[str, Link | Untold]:
    """Test each suspect; the others' total and the request rate are held constant as covariates.

    Args:
        y: logarithm of the latency in each slice of ten seconds; NaN where there is none.
        suspects: name -> tasks of that kind that run in each slice.
        covariates: one column each, such as the request rate.
    """
    found = {name: link(name, y, x, _beside(name, suspects, covariates)) for name, x in suspects.items()}
    tested = [one for one in found.values() if isinstance(one, Link)]
    q_values = statistics.false_discovery([one.p for one in tested])
    corrected = {one.suspect: msgspec.structs.replace(one, q=q) for one, q in zip(tested, q_values, strict=True)}
    return {name: corrected.get(name, one) for name, one in found.items()}


def link(name: str, y: Floats, x: Floats, covariates: Floats, seed: int = _SEED) -> Link | Untold:
    """Test one suspect by the prewhitened statistic and its circular shifts."""
    z = np.column_stack([np.ones(y.size), covariates]) if covariates.size else np.ones((y.size, 1))
    y = _filled(y)
    fault = _fault(y, x, z)
    if fault:
        return Untold(fault)
    phi = _memory(y - z @ np.linalg.lstsq(z, y, rcond=None)[0])
    y_white, z_white = _whiten(y, phi), _whiten(z, phi)
    basis = np.linalg.qr(z_white)[0]
    rest = y_white - basis @ (basis.T @ y_white)
    shifted = np.array([_whiten(np.roll(x, shift), phi) for shift in [0, *_shifts(y.size, seed)]])
    shifted -= (shifted @ basis) @ basis.T
    lengths = np.sqrt((shifted**2).sum(axis=1))
    if lengths[0] < 1e-9:
        return Untold("it runs exactly as what it is corrected for does")
    values = np.divide(shifted @ rest, lengths, out=np.zeros_like(lengths), where=lengths > 1e-9)
    extreme = int((np.abs(values[1:]) >= abs(values[0]) - 1e-12).sum())
    p = (1 + extreme) / values.size
    return Link(name, math.exp(values[0] / lengths[0]), p, p, episodes(x))


def _beside(name: str, suspects: Mapping[str, Floats], covariates: Floats) -> Floats:
    """Add the other suspects' total to what is held constant, where it is not constant anyway."""
    others = [x for other, x in suspects.items() if other != name]
    total = np.sum(others, axis=0) if others else np.zeros(1)
    return np.column_stack([covariates, total]) if np.ptp(total) > 0 else covariates


def _filled(y: Floats) -> Floats:
    """Bridge slices without an answer when they are few; NaN stays where they are many."""
    known = np.flatnonzero(np.isfinite(y))
    if known.size < 0.9 * y.size:
        return y
    return np.interp(np.arange(y.size), known, y[known])


def _fault(y: Floats, x: Floats, z: Floats) -> str:
    if x.size != y.size or not np.isfinite(x).all() or not np.isfinite(z).all():
        return "the suspect and the latency do not cover the same slices"
    if not np.isfinite(y).all():
        return "more than a tenth of the slices has no latency"
    if len(_shifts(y.size, 0)) < FEWEST_SHIFTS:
        return f"{y.size * SLICE / 60:.0f} minutes are too short to shift the suspect by 5 minutes and more"
    found = episodes(x)
    return f"it ran {found} separate times, and {FEWEST_EPISODES} are needed" if found < FEWEST_EPISODES else ""


def _shifts(size: int, seed: int) -> list[int]:
    """Draw shifts of at least five minutes either way, each once."""
    least = math.ceil(LEAST_SHIFT / SLICE)
    possible = np.arange(least, size - least + 1)
    return sorted(np.random.default_rng(seed).permutation(possible)[:SHIFTS].tolist())


def episodes(x: Floats) -> int:
    """Count the separate times at which a suspect ran."""
    running = np.concatenate([[False], x > 0])
    return int((running[1:] & ~running[:-1]).sum())


def _memory(residuals: Floats) -> float:
    """First autocorrelation: how much of a slice's deviation the next one keeps."""
    total = float((residuals**2).sum())
    return float((residuals[1:] * residuals[:-1]).sum()) / total if total > 0 else 0.0


def _whiten(values: Floats, phi: float) -> Floats:
    return np.asarray(values[1:] - phi * values[:-1])


def around(y: Floats, x: Floats) -> EventCurve | Untold:
    """Align the latency on the begins of episodes: from two minutes before to two minutes after."""
    reach = round(AROUND / SLICE)
    running = np.concatenate([[False], x > 0])
    begins = np.flatnonzero(running[1:] & ~running[:-1])
    inside = [begin for begin in begins.tolist() if reach <= begin and begin + reach < y.size]
    if not inside:
        return Untold("no episode has two minutes on either side")
    windows = np.array([y[begin - reach : begin + reach + 1] for begin in inside])
    windows = windows[np.isfinite(windows).all(axis=1)]
    if not windows.size:
        return Untold("no episode has a latency in every slice around it")
    windows -= windows[:, :reach].mean(axis=1, keepdims=True)
    spread = windows.std(axis=0, ddof=1) if len(windows) > 1 else np.full(windows.shape[1], math.nan)
    return EventCurve(
        offsets=(np.arange(-reach, reach + 1) * SLICE).tolist(),
        factors=np.exp(windows.mean(axis=0)).tolist(),
        errors=(spread / math.sqrt(len(windows))).tolist(),
        episodes=len(windows),
    )


def running(starts: Floats, ends: Floats, begin: float, slices: int) -> Floats:
    """Mean number of tasks that run in each slice from `begin` on; times in Unix seconds."""
    edges = begin + SLICE * np.arange(slices + 1)
    before = np.clip(edges[None, :] - starts[:, None], 0, (ends - starts)[:, None]).sum(axis=0)
    return np.asarray(np.diff(before) / SLICE)


def sentence(found: Link | Untold, what: str, suspect: str) -> str:
    """Say a link in words; `what` is an endpoint such as "dashboard p95"."""
    if isinstance(found, Untold):
        return f"Whether {what} goes with {suspect} is not testable: {found.reason}."
    if found.q >= 0.05:
        return f"No link of {what} with {suspect} is shown (p = {found.p:.2g}, {found.episodes} episodes)."
    return (
        f"While {suspect} runs, {what} is x{times(found.factor)} (p = {found.p:.2g}, {found.episodes} episodes): "
        "an association, not a cause."
    )
