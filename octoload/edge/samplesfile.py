"""The samples of a trial on disk: Parquet, row group by row group, under its name only when it is whole."""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from octoload import files
from octoload.edge.samples import TIMES, Batch

FORMAT = "octoload.requests"
VERSION = 1

#: Rows that are held before a row group is written.
ROW_GROUP = 262_144

_TEXT = pa.dictionary(pa.int16(), pa.string())
_TEXT_COLUMNS = ("operation", "scenario", "phase", "error", "node")
_PHASES = ["warm-up", "measured"]

SCHEMA = pa.schema(
    [
        *((name, pa.float64()) for name in TIMES),
        ("operation", _TEXT),
        ("scenario", _TEXT),
        ("phase", _TEXT),
        ("status", pa.int16()),
        ("bytes", pa.int64()),
        ("error", _TEXT),
        ("node", _TEXT),
        ("worker", pa.int16()),
    ],
    metadata={"format": FORMAT, "version": str(VERSION)},
)


class SamplesFile:
    """Writes `octoload.requests` (docs/formats.md)."""

    def __init__(self, path: Path, measured_from: float) -> None:
        """`measured_from` is the Unix time at which the warm-up ends."""
        self.path = path
        self.rows = 0
        self._measured_from = measured_from
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._batches: list[pa.RecordBatch] = []
        self._held = 0
        self._writer: Any = None

    def add(self, batch: Batch) -> None:
        """Take a batch; it stays in memory until it is written."""
        self._batches.append(to_arrow(batch, self._measured_from))
        self._held += len(batch.rows)
        self.rows += len(batch.rows)

    @property
    def full(self) -> bool:
        """Whether enough rows are held for a row group."""
        return self._held >= ROW_GROUP

    def take(self) -> list[pa.RecordBatch]:
        """Return what is held, for `write`, which may then run in another thread."""
        batches, self._batches, self._held = self._batches, [], 0
        return batches

    def write(self, batches: list[pa.RecordBatch]) -> None:
        """Write a row group.

        Raises:
            UsageError: the disk is full or the folder cannot be written.
        """
        table = pa.Table.from_batches(batches, SCHEMA).unify_dictionaries()
        with self._disk():
            if self._writer is None:
                self._writer = _open(self._temporary, self._measured_from)
            self._writer.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> None:
        """Write the rest and give the file its name.

        Raises:
            UsageError: the disk is full or the folder cannot be written.
        """
        self.write(self.take())
        with self._disk():
            self._writer.close()
            self._temporary.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            if self._writer is not None:
                self._writer.close()
            self._temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _disk(self) -> Any:
        try:
            yield
        except OSError as exc:
            self.discard()
            raise files.disk_error(self.path, exc) from exc


def to_arrow(batch: Batch, measured_from: float) -> pa.RecordBatch:
    """Return a batch as Arrow columns in the order of the schema."""
    rows = batch.rows
    columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in (*TIMES, "status", "bytes")}
    columns["phase"] = _texts((rows["intended"] >= measured_from).astype(np.int16), _PHASES)
    columns["worker"] = np.full(len(rows), batch.worker, np.int16)
    for name, texts in (
        ("operation", batch.operations),
        ("scenario", batch.scenarios),
        ("error", batch.errors),
        ("node", batch.nodes),
    ):
        columns[name] = _texts(rows[name].astype(np.int16), list(texts))
    return pa.RecordBatch.from_arrays([pa.array(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


def _texts(codes: Any, texts: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(texts, pa.string()))


def _open(path: Path, measured_from: float) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {**SCHEMA.metadata, b"measured_from": repr(measured_from).encode()}
    # Times differ in their low bytes only: bytes of the same weight side by side compress to half the size.
    return pq.ParquetWriter(
        path,
        SCHEMA.with_metadata(metadata),
        compression="zstd",
        use_dictionary=[*_TEXT_COLUMNS, "status", "worker", "bytes"],
        use_byte_stream_split=list(TIMES),
    )
