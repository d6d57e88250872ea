"""Samples: what a request was is what stands on disk, to the last bit."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from octoload.edge import samplesfile
from octoload.edge.samples import CAPACITY, LAYOUT, MAX_TEXTS, OTHER, ROW, Batch, Recorder, Texts, percentile
from octoload.edge.samplesfile import SamplesFile
from octoload.errors import UsageError

pytestmark = pytest.mark.unit


def batch(recorder, worker=0):
    rows = recorder.take(1000.0)
    return Batch(rows, ["dashboard", "audit"], ["watch"], recorder.errors.texts, recorder.nodes.texts, worker)


def test_rows_and_layout_are_the_same_bytes():
    """What is packed by struct is read by numpy."""
    assert ROW.size == LAYOUT.itemsize == sum(LAYOUT[name].itemsize for name in LAYOUT.names)


def test_samples_are_written_as_they_were(tmp_path):
    """Two workers' batches become one file with the columns of docs/formats.md; nothing is rounded or dropped."""
    first, second = Recorder(), Recorder()
    first.add(0.1, 0.2, 0.3, 0.4 + 1e-7, 77, 200, 0, 0, 0, first.nodes.code("node-1"))
    second.add(5.0, 5.0, math.nan, 6.0, 0, 0, 1, 0, second.errors.code("timeout"), 0)
    file = SamplesFile(tmp_path / "requests.parquet", measured_from=1003.0)
    file.add(batch(first))
    file.add(batch(second, worker=1))
    file.close()
    table = pq.read_table(tmp_path / "requests.parquet")
    assert table.schema.names == ["intended", "sent", "first_byte", "done", "operation", "scenario", "phase", "status",
                                  "bytes", "error", "node", "worker"]  # fmt: skip
    assert table.schema.metadata[b"format"] == b"octoload.requests"
    assert table.schema.metadata[b"version"] == b"1"
    assert table.column("operation").type == pa.dictionary(pa.int16(), pa.string())
    rows = table.to_pylist()
    assert rows[0] == {
        "intended": 1000.1, "sent": 1000.2, "first_byte": 1000.3, "done": 1000.0 + (0.4 + 1e-7),
        "operation": "dashboard", "scenario": "watch", "phase": "warm-up", "status": 200,
        "bytes": 77, "error": "", "node": "node-1", "worker": 0,
    }  # fmt: skip
    assert math.isnan(rows[1]["first_byte"])
    assert (rows[1]["phase"], rows[1]["error"], rows[1]["worker"], rows[1]["operation"]) == (
        "measured", "timeout", 1, "audit",
    )  # fmt: skip


def test_a_trial_without_requests_leaves_an_empty_file(tmp_path):
    """No samples is a result, and readers find the columns."""
    SamplesFile(tmp_path / "requests.parquet", 0.0).close()
    assert pq.read_table(tmp_path / "requests.parquet").num_rows == 0


def test_a_file_that_is_not_closed_is_not_there(tmp_path):
    """A reader sees the whole file or none."""
    file = SamplesFile(tmp_path / "requests.parquet", 0.0)
    recorder = Recorder()
    recorder.add(0, 0, 0, 0, 0, 200, 0, 0, 0, 0)
    file.add(batch(recorder))
    file.write(file.take())
    assert not (tmp_path / "requests.parquet").exists()
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_reported(tmp_path):
    """The message names the file, and nothing half-written is left."""
    (tmp_path / "trials").write_text("a file where a folder should be")
    with pytest.raises(UsageError, match=r"requests\.parquet"):
        SamplesFile(tmp_path / "trials" / "requests.parquet", 0.0).close()


def test_a_recorder_says_when_it_is_full():
    """The buffer never grows; taking the rows empties it."""
    recorder = Recorder()
    full = [recorder.add(0, 0, 0, 0, 0, 200, 0, 0, 0, 0) for _ in range(CAPACITY)]
    assert full == [False] * (CAPACITY - 1) + [True]
    assert len(recorder.take(0.0)) == CAPACITY
    assert recorder.count == 0


def test_texts_without_end_share_one_code():
    """A server that invents a new error for each request fills neither memory nor the code's 16 bits."""
    texts = Texts()
    codes = [texts.code(f"error {number}") for number in range(3 * MAX_TEXTS)]
    assert texts.code("error 0") == codes[0]
    assert texts.texts[codes[-1]] == OTHER
    assert len(texts.texts) == MAX_TEXTS + 1


def test_a_percentile_is_numpys_linear_one():
    """An empty sample has none."""
    assert percentile(np.array([1.0, 2.0, 3.0, 4.0]), 0.5) == 2.5
    assert percentile(np.array([]), 0.5) is None


def test_row_groups_bound_the_memory(tmp_path, monkeypatch):
    """Rows are written in groups while a trial runs, and all are there at the end."""
    monkeypatch.setattr(samplesfile, "ROW_GROUP", 100)
    file = SamplesFile(tmp_path / "requests.parquet", 0.0)
    for _ in range(30):
        recorder = Recorder()
        for number in range(10):
            recorder.add(number, number, number, number, 1, 200, 0, 0, 0, 0)
        file.add(batch(recorder))
        if file.full:
            file.write(file.take())
    file.close()
    assert pq.ParquetFile(tmp_path / "requests.parquet").num_row_groups >= 3
    assert file.rows == pq.read_table(tmp_path / "requests.parquet").num_rows == 300
