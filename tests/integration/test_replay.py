"""A recorded trace through the real engine: what was recorded arrives again, at its times."""

import collections

import numpy as np
import pytest

from tests.integration.locust_engine import engine, samples, server, trial

pytestmark = pytest.mark.integration


def test_a_trace_and_a_run_of_it_are_played_again(tmp_path):
    """A CSV is played to the microsecond by two processes, and its requests.parquet by one, the same again."""
    rng = np.random.default_rng(4)
    times, names = np.sort(rng.uniform(0, 3, 150)), rng.choice(["audit-search", "project-page"], 150)
    lines = [f"{time!r},{name}\n" for time, name in zip(times.tolist(), names.tolist(), strict=True)]
    (tmp_path / "trace.csv").write_text("time,scenario\n" + "".join(lines))
    measured = collections.Counter(names[(times >= 0.5) & (times < 2.5)].tolist())
    with server() as (url, _):
        with engine(tmp_path, "--processes", "2") as running:
            command = trial(tmp_path / "1", url, mix={}, trace=str(tmp_path / "trace.csv"))
            first = running.run(**command)
        with engine(tmp_path) as running:
            again = trial(tmp_path / "2", url, mix={}, trace=str(tmp_path / "1" / "requests.parquet"))
            second = running.run(**again)
            other = running.run(**trial(tmp_path / "3", url))
    assert other["event"] == "finished", other
    kept = times[times < 2.5]
    for number, facts in (("1", first), ("2", second)):
        rows = {name: np.array(column) for name, column in samples(tmp_path / number).items()}
        steps = np.isin(rows["operation"], ["audit", "project"])
        intended = np.sort(rows["intended"][steps]) - (facts["measured_from"] - 0.5)
        assert facts["planned"] == {"audit": measured["audit-search"], "project": measured["project-page"]}
        assert {name: facts["sent"][name] for name in facts["planned"]} == facts["planned"]
        assert facts["recorded"] == facts["counted"] == len(rows["sent"])
        assert intended == pytest.approx(kept, abs=2e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mix": {}, "trace": "/no/such/trace.csv"}, "is missing"),
        ({"trace": "/no/such/trace.csv"}, "a trace says itself"),
    ],
)
def test_a_trace_that_cannot_be_played_is_refused(tmp_path, changes, message):
    """The engine says so as a mistake of the user's."""
    with server() as (url, _), engine(tmp_path) as running:
        event = running.run(**{**trial(tmp_path, url), **changes})
    assert event["event"] == "failed"
    assert message in event["message"]
    assert event["code"] == 2
