"""A recorded trace of arrivals that is played again: read from a file, checked, and laid over the phases of a trial."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from octoload.edge.arrivals import Phases, Schedule
from octoload.edge.samplesfile import FORMAT
from octoload.errors import UsageError
from octoload.yamlfile import nearest

#: Arrivals that a trace may hold: ten bytes each in every process.
MOST: Final = 10_000_000
#: Arrivals of a block.
PIECE: Final = 65_536

_HOW = "A trace is a CSV or Parquet file with the columns time and scenario, or a requests.parquet (docs/formats.md)."
_ONE_THREAD = pyarrow.csv.ReadOptions(use_threads=False)  # only then does it say which row is wrong
_COLUMNS = pyarrow.csv.ConvertOptions(
    include_columns=["time", "scenario"], column_types={"time": pa.float64(), "scenario": pa.string()}
)
_TIMES, _CODES = np.dtype("<f8"), np.dtype("<i2")


class Trace(msgspec.Struct, frozen=True):
    """Arrivals as they are to be played; it travels to every process."""

    #: Names of its scenarios, sorted.
    names: list[str]
    #: Seconds after the schedule's start, ascending: 8 bytes each, little-endian.
    times: bytes
    #: Index of the scenario in `names`: 2 bytes each.
    scenarios: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What a trace may name."""

    #: Scenario -> the operation that arrives on schedule.
    firsts: Mapping[str, str]
    #: Pollers, whose requests in a requests.parquet are no arrivals.
    pollers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What a file holds: arrivals in the order of their times; the arrays have the same length."""

    #: Seconds, from the trace's start or, with negative ones before it, from the start of a measured phase.
    times: NDArray[np.float64]
    #: Names of scenarios.
    scenarios: pa.ChunkedArray
    #: Whether the times count from a measured phase.
    measured: bool


def read(path: Path, known: Known, phases: Phases) -> Trace:
    """Read what is to be played in a trial.

    The trace begins with the warm-up, and what it holds beyond the trial's end is left out. A requests.parquet is laid
    so that its measured phase begins with the trial's: what is played are the intended times of first steps.

    Raises:
        UsageError: what is wrong with the file, at which arrival, and the cure.
    """
    recorded = _load(path, known)
    _check(path, recorded, known)
    times = recorded.times + phases.warm_up if recorded.measured else recorded.times
    end = np.inf if phases.seconds is None else phases.warm_up + phases.seconds
    keep = (times >= 0) & (times < end)
    if not (times[keep] >= phases.warm_up).any():
        raise UsageError(
            f"{path} has no arrival in the measured phase, from {phases.warm_up:g} to {end:g} s: "
            f"its own come from {times[0]:g} to {times[-1]:g} s",
            "Let its times count from the start of the trial, in seconds, or measure longer.",
        )
    scenarios = recorded.scenarios.filter(pa.array(keep))
    names = sorted(pc.unique(scenarios).to_pylist())
    codes = pc.index_in(scenarios, value_set=pa.array(names)).to_numpy()
    return Trace(names, times[keep].astype(_TIMES).tobytes(), codes.astype(_CODES).tobytes())


def replay(trace: Trace, seed: int) -> Iterator[Schedule]:
    """Yield the trace as blocks of a schedule; what sessions choose follows from the seed."""
    times, scenarios = np.frombuffer(trace.times, _TIMES), np.frombuffer(trace.scenarios, _CODES)
    rng = np.random.default_rng([seed, zlib.crc32(b"trace")])
    for begin in range(0, len(times), PIECE):
        rows = slice(begin, begin + PIECE)
        count = len(times[rows])
        draws = rng.random(count, np.float32)
        yield Schedule(times[rows], scenarios[rows].astype(np.int16), draws, np.arange(begin, begin + count))


def planned(trace: Trace, warm_up: float) -> dict[str, int]:
    """Return how often each scenario arrives in the measured phase."""
    measured = np.frombuffer(trace.times, _TIMES) >= warm_up
    counts = np.bincount(np.frombuffer(trace.scenarios, _CODES)[measured], minlength=len(trace.names))
    return dict(zip(trace.names, counts.tolist(), strict=True))


def _load(path: Path, known: Known) -> _Recorded:
    try:
        if path.suffix == ".parquet":
            return _load_parquet(path, known)
        return _plain(pyarrow.csv.read_csv(path, _ONE_THREAD, convert_options=_COLUMNS))
    except FileNotFoundError as exc:
        raise UsageError(f"{path} is missing", "Name a file that exists.") from exc
    except (OSError, KeyError, pa.ArrowException) as exc:
        raise UsageError(f"{path} is no trace: {str(exc.args[0]).splitlines()[0]}", _HOW) from exc


def _plain(table: pa.Table) -> _Recorded:
    return _Recorded(_seconds(table["time"]), table["scenario"].cast(pa.string()), measured=False)


def _load_parquet(path: Path, known: Known) -> _Recorded:
    metadata = pq.read_schema(path).metadata or {}
    if metadata.get(b"format") != FORMAT.encode():
        return _plain(pq.read_table(path, columns=["time", "scenario"]))
    if b"measured_from" not in metadata:
        raise UsageError(f"{path} does not say when its measured phase began", "Record it with this octoload.")
    table = pq.read_table(path, columns=["intended", "scenario", "operation"])
    table = table.filter(_first_steps(path, table, known))
    times = _seconds(table["intended"]) - float(metadata[b"measured_from"])
    order = np.argsort(times, kind="stable")  # the file has them in the order of their answers
    return _Recorded(times[order], table["scenario"].cast(pa.string()).take(order), measured=True)


def _first_steps(path: Path, table: pa.Table, known: Known) -> pa.ChunkedArray:
    """Say of each request whether it arrived on schedule."""
    found = set(pc.unique(table["scenario"]).to_pylist()) - known.pollers
    _refuse_unknown(path, found, known)
    keep = pa.array(np.zeros(len(table), bool))
    for name in found:
        mine = pc.and_(pc.equal(table["scenario"], name), pc.equal(table["operation"], known.firsts[name]))
        keep = pc.or_(keep, mine)
    return keep


def _check(path: Path, recorded: _Recorded, known: Known) -> None:
    times = recorded.times
    if not len(times):
        raise UsageError(f"{path} holds no arrivals", _HOW)
    if len(times) > MOST:
        raise UsageError(f"{path} holds {len(times):,} arrivals, more than {MOST:,}", "Cut out what you need of it.")
    _refuse(path, times, ~np.isfinite(times), "which is no number of seconds", "Give each arrival its time.")
    if not recorded.measured:
        _refuse(path, times, times < 0, "before the trace begins", "Count times from its start, in seconds.")
    _refuse(path, times, np.diff(times, prepend=times[0]) < 0, "before the one above it", "Sort them by time.")
    _refuse_unknown(path, set(pc.unique(recorded.scenarios).to_pylist()), known)


def _refuse(path: Path, times: NDArray[np.float64], bad: NDArray[np.bool_], what: str, cure: str) -> None:
    """Refuse a trace in which a time is bad; the first one is named."""
    if bad.any():
        row = int(np.argmax(bad))
        raise UsageError(f"{path}: arrival {row + 1} comes at {times[row]:g} s, {what}", cure)


def _refuse_unknown(path: Path, found: set[str | None], known: Known) -> None:
    for name in sorted(found - known.firsts.keys(), key=str):
        if name in known.pollers:
            raise UsageError(
                f"{path} names the poller {name!r}", "Only scenarios arrive; count pollers in the workload."
            )
        raise UsageError(f"{path} names no scenario that there is: {name!r}", nearest(str(name), list(known.firsts)))


def _seconds(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return times as floats; what is missing is no number."""
    values: NDArray[np.float64] = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
    return values
