"""The load client against servers that answer badly: each request is one row with its own answer or a named error."""

import re

import numpy as np
import pytest

from tests.integration.locust_engine import engine, samples, server, trial
from tests.rude_octopus import GOOD, LAST_WORDS, MUTE, UNANNOUNCED

pytestmark = pytest.mark.integration

TIMEOUT = 0.7
UNSEEN = "connection lost before the answer"
ERRORS = {
    **dict.fromkeys(GOOD, ""),
    **dict.fromkeys(MUTE, "timeout"),
    **dict.fromkeys(LAST_WORDS, "malformed answer: .+"),
    "close before the answer": UNSEEN,
    "close in the head": "connection lost in the answer",
    "close in the body": "connection lost in the answer",
    "close in a chunk": "connection lost in the answer",
    "reset in the body": "connection lost in the answer",
    "redirect": "HTTP 302",
    "too many": "HTTP 429",
    "broken": "HTTP 500",
    "mutation": ".*",
}


def test_each_way_of_answering_badly_has_its_error(tmp_path):
    """No hang, no repeated request, no other request's body: rows and requests agree one by one."""
    with server(program="rude_octopus.py") as (url, ways_of), engine(tmp_path) as running:
        command = trial(tmp_path, url, mix={"dashboard": 100}, slots=1, warm_up=0, seconds=3.0, timeout=TIMEOUT)
        facts = running.run(**{**command, "space": "Spaces-2"})
        ways = ways_of()
    assert facts["event"] == "finished", facts
    rows = {name: np.array(column) for name, column in samples(tmp_path).items()}
    assert facts["recorded"] == facts["counted"] == 300
    order = np.argsort(rows["sent"], kind="stable").tolist()
    asked = [index for index in order if rows["error"][index] != "no free slot"]
    number, seen = 0, set()
    for index in asked:
        error = rows["error"][index]
        way = ways[number]
        if error == UNSEEN and number and ways[number - 1] in UNANNOUNCED:
            continue  # sent while the server was closing the connection, so it never saw it
        assert re.fullmatch(ERRORS[way], error), (way, error)
        assert way not in GOOD or rows["bytes"][index] == 1000 + number
        assert rows["done"][index] - rows["sent"][index] < TIMEOUT + 0.5, way
        number += 1
        seen.add(way)
    assert number == len(ways)
    assert seen == ERRORS.keys()
    assert any("Retry-After: 3" in line for line in facts["log"])


def test_a_server_that_goes_away_is_a_failed_sample(tmp_path):
    """Refused connections in the middle of a trial are rows, and the trial ends in time."""
    with engine(tmp_path) as running:
        with server() as (url, _):
            running.send(**trial(tmp_path, url, mix={"dashboard": 50}, warm_up=0, seconds=4.0))
            running.said.next()
            running.said.next()
        facts = running.answer()
    assert facts["event"] == "finished", facts
    errors = set(samples(tmp_path)["error"])
    assert "connection refused" in errors
    assert errors <= {"", "connection refused", "connection lost before the answer", "no connection: Connection reset"}
    assert facts["failures"] > 0
    assert facts["sent"] == facts["planned"]
