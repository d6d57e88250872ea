"""The queue's rules: the published example of a cluster, and what must hold for any queue."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin.queue import Load, Waiting, choose
from standin.silence import Silence

pytestmark = pytest.mark.unit


def test_the_published_cluster_takes_0_5_and_7() -> None:
    """Three nodes of 10, 12 pending: 8 active takes 0, 3 active takes 5, the empty one takes 7 (octopus-facts §2.2)."""
    waiting = [Waiting(f"ServerTasks-{number}", f"tag-{number}") for number in range(12)]
    taken = []
    total = 10
    for active in (8, 3, 0):
        mine = choose(waiting, (), Load(active, 10, total, 30))
        taken.append(len(mine))
        waiting = waiting[len(mine) :]
        total += len(mine)
    assert taken == [0, 5, 7]
    assert waiting == []


@pytest.mark.parametrize(
    "load",
    [
        Load(0, 5, 0, 5, draining=True),
        Load(0, 0, 0, 5),
        Load(5, 5, 5, 10),
        Load(3, 5, 3, 10),
    ],
    ids=["draining", "cap 0", "at its cap", "busier than the cluster"],
)
def test_a_node_declines(load: Load) -> None:
    """A node takes nothing when it drains, has a cap of 0, is at its cap, or is busier than its cluster."""
    assert choose([Waiting("ServerTasks-1", None)], (), load) == []


def test_a_blocked_task_does_not_hold_up_those_behind_it() -> None:
    """The second deployment of a project and environment waits; the next in line goes ahead of it."""
    waiting = [Waiting("1", "a"), Waiting("2", "a"), Waiting("3", "b"), Waiting("4", "c")]
    assert [task.id for task in choose(waiting, {"c"}, Load(1, 5, 1, 5))] == ["1", "3"]


tags = st.one_of(st.none(), st.sampled_from("abcdef"))


@given(
    st.lists(tags, max_size=40),
    st.sets(st.sampled_from("abcdef")),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_no_cap_is_exceeded_and_no_tag_runs_twice(
    queue: list[str | None], busy: set[str], active: int, cap: int, others: int, other_cap: int
) -> None:
    """Whatever waits, a node stays within its cap, takes no tag that runs, none twice, and keeps the queue's order."""
    waiting = [Waiting(str(number), tag) for number, tag in enumerate(queue)]
    taken = choose(waiting, busy, Load(active, cap, active + others, cap + other_cap))
    assert active + len(taken) <= max(active, cap)
    running = [task.tag for task in taken if task.tag is not None]
    assert len(running) == len(set(running))
    assert not set(running) & busy
    assert [int(task.id) for task in taken] == sorted(int(task.id) for task in taken)


@given(st.integers(1, 40), st.integers(1, 10))
def test_a_single_node_fills_its_cap(pending: int, cap: int) -> None:
    """Alone, a node takes as many as wait, up to its cap: the ratio rule never holds it back."""
    waiting = [Waiting(str(number), None) for number in range(pending)]
    assert len(choose(waiting, (), Load(0, cap, 0, cap))) == min(pending, cap)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=5),
    st.lists(tags, min_size=1, max_size=30),
)
def test_no_task_waits_while_all_nodes_decline(nodes: list[tuple[int, int]], queue: list[str | None]) -> None:
    """While some node has room, one of the nodes takes the first task in line: the ratio rule stops no cluster."""
    total, caps = sum(active for active, _ in nodes), sum(cap for _, cap in nodes)
    waiting = [Waiting(str(number), tag) for number, tag in enumerate(queue)]
    taken = [choose(waiting, (), Load(active, cap, total, caps)) for active, cap in nodes]
    assert any(taken) == any(active < cap for active, cap in nodes)


def test_a_clock_that_jumps_kills_no_node() -> None:
    """Only who has been watched silent for so long counts as silent, whatever the time of day is now."""
    silence, dawn = Silence(), datetime(2026, 1, 1, tzinfo=UTC)
    assert silence.watch({"a": dawn, "b": dawn}, 0.0, 180.0) == []
    assert silence.watch({"a": dawn, "b": dawn + timedelta(hours=2)}, 100.0, 180.0) == []
    assert silence.watch({"a": dawn, "b": dawn + timedelta(hours=2)}, 200.0, 180.0) == ["a"]
    assert silence.watch({"b": dawn + timedelta(hours=2), "deleted": None}, 300.0, 180.0) == ["b"]
    assert silence.watch({"a": dawn, "deleted": None}, 480.0, 180.0) == ["deleted"]
