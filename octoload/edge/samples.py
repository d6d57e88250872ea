"""Requests as rows of a fixed layout: packed while a trial runs, columns of numbers afterwards."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: One request, without padding: four times, the body's length, the status and four codes.
ROW: Final = struct.Struct("<ddddqhHHHH")
LAYOUT: Final = np.dtype(
    [
        ("intended", "<f8"),
        ("sent", "<f8"),
        ("first_byte", "<f8"),
        ("done", "<f8"),
        ("bytes", "<i8"),
        ("status", "<i2"),
        ("operation", "<u2"),
        ("scenario", "<u2"),
        ("error", "<u2"),
        ("node", "<u2"),
    ]
)
TIMES: Final = ("intended", "sent", "first_byte", "done")

#: Rows that are held before they are handed on, whatever the time.
CAPACITY: Final = 8_192
ROW_SIZE: Final = ROW.size
FULL: Final = ROW_SIZE * CAPACITY
#: Different texts of one kind; a server that invents a new error for each request fills no memory.
MAX_TEXTS: Final = 1_000
OTHER: Final = "other"

Rows = NDArray[Any]


class Texts:
    """Codes for texts that repeat: errors and nodes."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """Return the code of a text, a new one when it is new."""
        code = self._codes.get(text)
        if code is not None:
            return code
        if len(self.texts) > MAX_TEXTS:
            text = OTHER
        elif len(self.texts) == MAX_TEXTS:
            text = OTHER
            self.texts.append(text)
        else:
            self.texts.append(text)
        return self._codes.setdefault(text, len(self.texts) - 1)


class Recorder:
    """A buffer of rows; times are the process' own steady clock until they are taken."""

    __slots__ = ("_buffer", "errors", "nodes", "offset", "pack")

    def __init__(self) -> None:
        self.errors = Texts()
        self.nodes = Texts()
        self._buffer = bytearray(ROW.size * CAPACITY)
        #: Where the next row goes.
        self.offset = 0
        #: Packs a row at an offset, its members in the order of the layout.
        self.pack = partial(ROW.pack_into, self._buffer)

    def add(self, *row: float) -> bool:
        """Add a row, its members in the order of the layout; return whether the buffer is full now.

        Where every tenth of a microsecond counts, do as this does: pack at `offset`, move it by `ROW_SIZE`, and hand
        the rows on at `FULL`.
        """
        self.pack(self.offset, *row)
        self.offset += ROW_SIZE
        return self.offset == FULL

    @property
    def count(self) -> int:
        """Rows that are held."""
        return self.offset // ROW_SIZE

    def take(self, offset: float) -> Rows:
        """Return the rows and forget them; `offset` turns the steady clock into Unix time."""
        rows = np.frombuffer(bytes(memoryview(self._buffer)[: self.offset]), LAYOUT).copy()
        self.offset = 0
        for name in TIMES:
            rows[name] += offset
        return rows


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one process, with the texts that their codes stand for."""

    #: Rows in Unix time.
    rows: Rows
    #: Names of operations by code.
    operations: Sequence[str]
    #: Names of scenarios by code.
    scenarios: Sequence[str]
    #: Errors by code; code 0 is no error.
    errors: Sequence[str]
    #: Nodes by code.
    nodes: Sequence[str]
    #: Number of the process that sent the requests.
    worker: int


def percentile(values: NDArray[np.float64], share: float) -> float | None:
    """Return the value below which `share` of the values lie (numpy's linear definition 7); None when there is none."""
    return float(np.quantile(values, share)) if len(values) else None
