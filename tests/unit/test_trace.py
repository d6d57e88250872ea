"""Recorded traces: played as recorded, shared out without gaps or doubles, refused when they make no sense."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octoload.edge import trace
from octoload.edge.arrivals import Phases
from octoload.edge.samples import LAYOUT, Batch
from octoload.edge.samplesfile import SamplesFile
from octoload.edge.trace import Known
from octoload.errors import UsageError

pytestmark = pytest.mark.unit

KNOWN = Known({"dashboard": "dashboard", "project-page": "project"}, frozenset({"waiting-agent"}))
PHASES = Phases(2.0, 10.0)


def written(folder, text):
    file = folder / "trace.csv"
    file.write_text(text, encoding="utf-8")
    return file


def read(file, phases=PHASES):
    return trace.read(file, KNOWN, phases)


def played(found, seed=1):
    """Return (time, scenario) of each arrival."""
    blocks = trace.replay(found, seed)
    return [(time, found.names[index]) for block in blocks for time, index in zip(block.times, block.scenarios)]  # noqa: B905


def test_a_trace_is_played_to_the_letter(tmp_path):
    """Its first seconds are the warm-up, what comes after the trial is left out, columns beside are ignored."""
    rows = [(0.0, "dashboard"), (1.5, "project-page"), (2.0, "dashboard"), (2.0, "dashboard"), (11.9, "project-page")]
    text = "user,time,scenario\n" + "".join(f"x,{time},{name}\n" for time, name in [*rows, (12.0, "dashboard")])
    found = read(written(tmp_path, text))
    assert played(found) == rows
    assert trace.planned(found, PHASES.warm_up) == {"dashboard": 2, "project-page": 1}


def test_parquet_is_read_like_csv(tmp_path):
    """The same rows give the same arrivals, whole numbers of seconds included."""
    file = tmp_path / "trace.parquet"
    pq.write_table(pa.table({"time": [1, 3, 3], "scenario": pa.array(["dashboard"] * 3).dictionary_encode()}), file)
    text = "time,scenario\n1,dashboard\n3,dashboard\n3,dashboard\n"
    assert read(file) == read(written(tmp_path, text))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    times=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=300),
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 7),
)
def test_the_union_is_the_same_for_any_number_of_workers(tmp_path, times, seed, workers):
    """Each arrival is played once, at its time, and chooses the same, however many share the trace."""
    rows = [f"{time!r},{('dashboard', 'project-page')[n % 2]}\n" for n, time in enumerate(sorted([*times, 2.0]))]
    found = read(written(tmp_path, "time,scenario\n" + "".join(rows)))

    def arrivals(worker, of):
        blocks = [block.share(worker, of) for block in trace.replay(found, seed)]
        return [row for block in blocks for row in zip(block.numbers, block.times, block.scenarios, block.draws)]  # noqa: B905

    alone = arrivals(0, 1)
    shared = [row for worker in range(workers) for row in arrivals(worker, workers)]
    assert sorted(shared) == alone
    assert [row[0] for row in alone] == list(range(len(alone)))


def test_an_earlier_run_is_played_again(tmp_path):
    """Of a requests.parquet the intended times of first steps count, from its measured phase on, sorted.

    Later steps of a session and the requests of pollers are no arrivals.
    """
    operations = ["dashboard", "project", "progression", "agent-poll"]
    scenarios = ["dashboard", "project-page", "waiting-agent"]
    dashboards = [(time, 0, 0) for time in (104.5, 98.5, 90.0, 110.0)]
    projects = [(103.0, 1, 1), (103.4, 2, 1), (99.0, 1, 1)]
    asked = [*dashboards, *projects, (105.0, 3, 2)]  # intended, operation, scenario
    rows = np.zeros(len(asked), LAYOUT)
    for row, (intended, operation, scenario) in zip(rows, asked, strict=True):
        row["intended"], row["operation"], row["scenario"] = intended, operation, scenario
    file = SamplesFile(tmp_path / "requests.parquet", measured_from=100.0)
    file.add(Batch(rows, operations, scenarios, [""], [""], 0))
    file.close()
    found = read(file.path)
    assert played(found) == [(0.5, "dashboard"), (1.0, "project-page"), (5.0, "project-page"), (6.5, "dashboard")]
    assert trace.planned(found, PHASES.warm_up) == {"dashboard": 1, "project-page": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Empty CSV"),
        ("time,scenario\n", "holds no arrivals"),
        ("time,scnario\n1,dashboard\n", "'scenario'"),
        ("time,scenario\n3,dashboard\nsoon,dashboard\n", "Row #3"),
        ("time,scenario\n3,dashboard\n4\n", "Row #3"),
        ("time,scenario\n3,dashboard\nnan,dashboard\n", "arrival 2 comes at nan s"),
        ("time,scenario\n3,dashboard\n,dashboard\n", "arrival 2 comes at nan s"),
        ("time,scenario\n3,dashboard\ninf,dashboard\n", "arrival 2 comes at inf s"),
        ("time,scenario\n-1,dashboard\n3,dashboard\n", "arrival 1 comes at -1 s, before the trace begins"),
        ("time,scenario\n3,dashboard\n5,dashboard\n4,dashboard\n", "arrival 3 comes at 4 s, before the one above"),
        ("time,scenario\n3,dashbord\n", "'dashbord'"),
        ("time,scenario\n3,\n", "names no scenario"),
        ("time,scenario\n3,waiting-agent\n", "the poller 'waiting-agent'"),
        ("time,scenario\n1764000000,dashboard\n", "no arrival in the measured phase"),
        ("time,scenario\n1,dashboard\n", "no arrival in the measured phase"),
        ("\x00\x01\x02", "is no trace"),
    ],
)
def test_a_bad_trace_is_refused_in_one_message(tmp_path, text, said):
    """File, arrival and cure are named."""
    with pytest.raises(UsageError, match=r"trace\.csv") as caught:
        read(written(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.cure
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more"])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, content):
    """Neither leads to anything but a UsageError; nor does a folder."""
    for name in ("trace.parquet", "trace.csv") if content is None else ("trace.parquet",):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=name):
            read(tmp_path / name)
    with pytest.raises(UsageError, match="is no trace"):
        read(tmp_path)


def test_requests_of_an_unknown_beginning_are_refused(tmp_path):
    """A requests.parquet that does not say when its measured phase began cannot be laid over another."""
    file = tmp_path / "requests.parquet"
    pq.write_table(pa.table({"intended": [1.0]}, metadata={"format": "octoload.requests"}), file)
    with pytest.raises(UsageError, match="measured phase began"):
        read(file)
