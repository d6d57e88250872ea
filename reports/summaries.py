"""A trial's requests reduced to block values: latency quantiles, throughput and error rate by operation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from octoload.errors import UsageError

Floats = npt.NDArray[np.float64]

#: Requests that a block must hold before it gets this quantile (statistics §1.4 step 4).
FEWEST = {"p50": 50, "p95": 200, "p99": 1000}
#: The share that each quantile's name stands for.
SHARE = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
#: All metrics, in the order in which reports show them.
METRICS = ("p50", "p95", "p99", "throughput", "rate", "capacity", "sustained")

_COLUMNS = ["intended", "sent", "done", "operation", "phase", "error"]


@dataclass(frozen=True, slots=True)
class Samples:
    """The requests of one trial as columns of equal length; times in Unix seconds."""

    #: When the schedule wanted the request sent.
    intended: Floats
    #: When it was sent.
    sent: Floats
    #: When its answer was complete, or its failure known.
    done: Floats
    #: What was asked, as a place in `names`.
    kind: npt.NDArray[np.int32]
    #: The operations that `kind` refers to; some may not occur.
    names: tuple[str, ...]
    #: Whether it failed; a failed request stays in every quantile with the time that it took.
    failed: npt.NDArray[np.bool_]
    #: Rows of the file, warm-up included.
    recorded: int

    @property
    def latency(self) -> Floats:
        """Seconds from the intended time to the answer."""
        return self.done - self.intended

    @property
    def lag(self) -> Floats:
        """Seconds from the intended time to the sending: the generator's own fault."""
        return self.sent - self.intended

    @property
    def counts(self) -> dict[str, int]:
        """Requests by operation, in the order of their names; operations that do not occur are left out."""
        found = np.bincount(self.kind, minlength=len(self.names)).tolist()
        return dict(sorted((name, count) for name, count in zip(self.names, found, strict=True) if count))

    def of(self, operation: str) -> "Samples":
        """Keep one operation."""
        return self._only(self._mask([operation]))

    def on_schedule(self, closed: Sequence[str]) -> "Samples":
        """Keep what no closed loop asked for; `closed` are the operations of pollers."""
        return self._only(~self._mask(closed))

    def _mask(self, operations: Sequence[str]) -> npt.NDArray[np.bool_]:
        return np.array([name in operations for name in self.names])[self.kind]

    def _only(self, keep: npt.NDArray[np.bool_]) -> "Samples":
        places = np.flatnonzero(keep)  # taking rows by number is twice as fast as by a mask, column after column
        return Samples(
            self.intended.take(places),
            self.sent.take(places),
            self.done.take(places),
            self.kind.take(places),
            self.names,
            self.failed.take(places),
            self.recorded,
        )


class Summary(msgspec.Struct, frozen=True):
    """One operation in one block."""

    #: Requests in the measured phase.
    requests: int
    #: How many of them failed.
    failures: int
    #: Latency quantiles in seconds; None when the block holds too few requests for it.
    p50: float | None
    p95: float | None
    p99: float | None
    #: Answers without a failure that came within the measured phase, a second; None where nothing answers.
    throughput: float | None
    #: Failures as a share of requests.
    error_rate: float
    #: Tasks a minute that a full queue was worked off with; None of everything else.
    rate: float | None = None
    #: Tasks an hour that may arrive while 95 % start in time, by replay; None where that cannot be told.
    capacity: float | None = None
    #: Sessions a second that keep the objective, by ramp and fit; None of everything but a search.
    sustained: float | None = None

    def value(self, metric: str) -> float | None:
        """Look a metric up by its name."""
        value: float | None = getattr(self, metric)
        return value


def read(path: Path) -> Samples:
    """Read the measured phase of a trial; `UsageError` as below."""
    return read_phases(path)[1]


def read_phases(path: Path) -> tuple[Samples, Samples]:
    """Read the warm-up and the measured phase of a trial.

    Raises:
        UsageError: the file is missing, damaged or lacks a column.
    """
    try:
        table = pq.read_table(path, columns=_COLUMNS)
    except (OSError, pa.ArrowException) as exc:
        raise UsageError(f"{path} cannot be read: {str(exc).splitlines()[0]}", "Run the trial again.") from exc
    missing = set(_COLUMNS) - set(table.column_names)
    if missing:
        raise UsageError(f"{path} lacks the column {min(missing)!r}", "Is it an octoload.requests file?")
    measured = pa.compute.equal(table["phase"], "measured")
    return _samples(table, pa.compute.invert(measured)), _samples(table, measured)


def _samples(table: pa.Table, keep: pa.ChunkedArray) -> Samples:
    part = table.filter(keep)
    intended, sent, done = (_floats(part[name]) for name in ("intended", "sent", "done"))
    kind, names = _coded(part["operation"])
    error, errors = _coded(part["error"])
    failed = np.array([text != "" for text in errors])[error]
    return Samples(intended, sent, done, kind, names, failed, len(table))


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Give texts as places in a list of different ones: ten million strings would fill gigabytes; "" where none is."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = coded.unify_dictionaries().chunks
    texts = [text or "" for text in chunks[0].dictionary.to_pylist()] if chunks else []
    names = texts if "" in texts else [*texts, ""]
    places = [chunk.indices.fill_null(names.index("")).to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate([np.empty(0, np.int32), *places]).astype(np.int32), tuple(names)


def summarise(samples: Samples, seconds: float, until: float = math.inf) -> dict[str, Summary]:
    """Reduce a trial to one Summary an operation.

    `seconds` is the length of the measured phase and `until` its end: an answer that comes later is no throughput of
    this trial, though its latency counts. With open arrivals a lower throughput so means a backlog.
    """
    return {name: _summary(samples.of(name), seconds, until) for name in samples.counts}


def _summary(samples: Samples, seconds: float, until: float) -> Summary:
    count, failures = samples.latency.size, int(samples.failed.sum())
    p50, p95, p99 = quantiles(samples.latency)
    in_time = int((~samples.failed & (samples.done <= until)).sum())
    served = in_time / seconds if seconds > 0 else 0.0
    return Summary(count, failures, p50, p95, p99, served, failures / count if count else 0.0)


def quantile(latency: Floats, metric: str) -> float | None:
    """Give a latency quantile in seconds, or None when the sample is too small to carry it."""
    return float(np.quantile(latency, SHARE[metric])) if latency.size >= FEWEST[metric] else None


def quantiles(latency: Floats) -> list[float | None]:
    """Give all latency quantiles as `quantile` does, in half the time: the values are put in order once."""
    known = [metric for metric in SHARE if latency.size >= FEWEST[metric]]
    if not known:
        return [None] * len(SHARE)
    found = dict(zip(known, np.quantile(latency, [SHARE[metric] for metric in known]).tolist(), strict=True))
    return [found.get(metric) for metric in SHARE]
