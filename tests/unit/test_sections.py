"""The parts of the page that only some runs have: they show what was measured, and no more than that."""

import itertools
import re
from pathlib import Path

import msgspec
import numpy as np
import other_folders
import pytest
import run_folder

from reports import markdown, page, queues, results, run
from reports.run import Run
from reports.scaling import Scaling

pytestmark = pytest.mark.unit

PARTS = {"capacity", "queue", "links", "depth", "scaling"}


def shown(folder: Path) -> tuple[Run, str, set[str]]:
    finished, found = results.finish(run.read(folder))
    source = page.render(finished, found)
    return finished, source, PARTS & set(re.findall(r'<section id="(\w+)"', source))


def test_each_run_has_the_parts_that_it_measured(tmp_path: Path) -> None:
    """Pairs have none, searches a capacity, drains over nodes a queue and scaling too, depths their response."""
    assert shown(run_folder.build(tmp_path / "pairs"))[2] == set()
    assert shown(other_folders.searches(tmp_path / "searches"))[2] == {"capacity"}
    assert shown(other_folders.drains(tmp_path / "drains"))[2] == {"capacity", "queue", "scaling"}
    assert shown(other_folders.depths(tmp_path / "depths"))[2] == {"depth"}


def test_the_law_is_drawn_no_further_than_was_measured(tmp_path: Path) -> None:
    """The curve runs from one node to four inside its limits, through the rounds; the peak is bounded, not named."""
    _, source, _ = shown(other_folders.drains(tmp_path, sigma=0.08))
    found = results.build(tmp_path).scaling
    assert isinstance(found, Scaling)
    assert (found.curve[0].nodes, found.curve[-1].nodes) == (1, 4)
    assert all(one.low <= one.fitted <= one.high for one in found.curve)
    means = np.exp(np.log(found.measured).mean(axis=0))
    whole = [one.fitted for one in found.curve if one.nodes.is_integer()]
    assert whole == pytest.approx(means.tolist(), rel=0.06)
    assert "where, these measurements cannot say" in source
    assert "nodes or more" in source


def test_the_queue_s_curves_are_its_waits_and_runs(tmp_path: Path) -> None:
    """The areas under both curves are the sums of waits and of run times; no more run than slots; nodes share all."""
    finished, _, _ = shown(other_folders.drains(tmp_path))
    found = queues.of_run(finished)
    assert [queue.arm for queue in found] == ["1-node", "2-nodes", "3-nodes", "4-nodes"]
    for queue in found:
        before = queue.waits.sum() - area(queue.waiting)  # seconds that tasks were queued before the first start
        assert 0 < before <= 30 * queue.tasks
        assert area(queue.running) == pytest.approx(queue.runs.sum(), rel=1e-6)
        assert queue.most_running == queue.slots
        assert sum(node.tasks for node in queue.nodes) == queue.tasks
        assert sum(node.running for node in queue.nodes) == pytest.approx(queue.mean_running)
        assert queue.doubt == ""
        assert queue.arrivals is None


def area(level: list[tuple[float, int]]) -> float:
    return sum((right[0] - left[0]) * left[1] for left, right in itertools.pairwise(level))


def test_a_search_shows_each_of_its_steps(tmp_path: Path) -> None:
    """Every step of every search is a point of both pictures and a line of the table; so is a run without latencies."""
    finished, source, _ = shown(other_folders.searches(tmp_path))
    steps = sum(len(trial.facts.search) for trial in finished.trials)
    section = re.search(r'<section id="capacity">.*?</section>', source, re.DOTALL)
    assert section
    assert len(re.findall(r"<circle", section[0])) == 2 * steps
    assert len(re.findall(r"<tr><td", section[0])) == steps + len(finished.trials)
    assert "Latency (p95) by throughput" in section[0]
    for file in tmp_path.glob("trials/*/trial.json"):
        file.write_bytes(re.sub(rb',\s*"p(?:50|95)": [\d.e-]+', b"", file.read_bytes()))
    assert "Latency (p95) by throughput" not in shown(tmp_path)[1]


def test_a_step_that_served_nothing_has_no_throughput(tmp_path: Path) -> None:
    """Of a rate at which every request failed there is a share of late ones, and no point of latency by throughput."""
    other_folders.searches(tmp_path)
    (file, *_) = sorted(tmp_path.glob("trials/*/trial.json"))
    facts = msgspec.json.decode(file.read_bytes())
    facts["search"][0] |= {"served": 0.0, "errors": 1.0, "over": facts["search"][0]["requests"]}
    file.write_bytes(msgspec.json.encode(facts))
    finished, source, _ = shown(tmp_path)
    section = re.search(r'<section id="capacity">.*?</section>', source, re.DOTALL)
    assert section
    assert len(re.findall(r"<circle", section[0])) == 2 * sum(len(trial.facts.search) for trial in finished.trials) - 1


def test_each_arm_says_what_it_is_meant_to_change(tmp_path: Path) -> None:
    """A contender that retention cuts, a further arm that it cuts, one that is meant to fail, and the baseline."""
    file = other_folders.depths(tmp_path) / "plan.json"
    changes = {"changes": ["rows"], "cuts": ["d16k"], "meant": {"d32k": ["errors"]}}
    file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | changes))
    table = re.search(r'<table class="small arms">.*?</table>', shown(tmp_path)[1], re.DOTALL)
    assert table
    said = re.findall(r'<th scope="row"><span[^>]*></span>(\w+)</th>.*<td>([^<]*)</td></tr>', table[0])
    assert said == [("d4k", "-"), ("d8k", "rows"), ("d16k", "rows"), ("d32k", "errors")]


def test_doubling_the_history_is_told_with_its_interval(tmp_path: Path) -> None:
    """Four depths in five rounds whose truth is x1.6 a doubling: the interval holds it and the page says it."""
    _, source, _ = shown(other_folders.depths(tmp_path, doubling=1.6))
    reduced = results.build(tmp_path)
    (found,) = reduced.depths
    assert reduced.sentence.startswith("Doubling the history multiplies dashboard p50")
    for text in (source, markdown.render(run.read(tmp_path), reduced)):
        assert "Doubling the history multiplies" in text
    assert found.found
    assert found.found.doubling.low < 1.6 < found.found.doubling.high
    assert (found.found.shallowest, found.found.deepest) == (4_000, 32_000)
    assert "Doubling the history multiplies dashboard p50 by 1." in source
