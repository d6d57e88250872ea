"""The course of an outage beside a trial: struck once the measured phase has begun, mended whatever comes between."""

import threading
import time
from pathlib import Path
from typing import Literal

import pytest

from experiments.aside import Aside, Beginning, Rest, StoppedError
from experiments.hooks import Hooks
from experiments.journal import Journal
from experiments.outage import Outage
from experiments.strike import Course
from octoload.errors import ServerError
from tests.octopus_server import until

pytestmark = pytest.mark.unit


class Nodes:
    """Nodes that note what they are told."""

    def __init__(self, refuse: str = "") -> None:
        self.told: list[tuple[str, str]] = []
        self._refuse = refuse

    def tell(self, action: str, node: str) -> None:
        if action == self._refuse:
            raise ServerError(f"{node} does not {action}")
        self.told.append((action, node))


@pytest.fixture
def hooks(tmp_path: Path) -> Hooks:
    return Hooks(Journal(tmp_path / "journal.jsonl"), tmp_path / "logs")


def begun() -> Beginning:
    one = Beginning(warm_up=0.0)
    one.hear(0.0)
    return one


def course(hooks: Hooks, nodes: Nodes, lasts: float, does: Literal["kill", "freeze"] = "kill") -> Course:
    outage = Outage(after=0.01, lasts=lasts, does=does)
    return Course(outage, "struck", "node-2", hooks, tell=nodes.tell)


def test_a_node_is_struck_after_the_warm_up_and_mended(hooks: Hooks) -> None:
    """Not before the measured phase begins, however often that is said; the facts hold both times."""
    nodes = Nodes()
    beginning = Beginning(warm_up=5.0)
    with course(hooks, nodes, 0.05, "freeze").beside(beginning) as aside:
        beginning.hear(1.0)
        heard = time.time()
        beginning.hear(4.5)
        beginning.hear(5.5)
        facts = aside.result()
    assert facts["struck"] - heard >= 0.5
    assert nodes.told == [("freeze", "node-2"), ("thaw", "node-2")]
    assert (facts["node"], facts["does"]) == ("node-2", "freeze")
    assert facts["mended"] - facts["struck"] >= 0.05
    assert hooks.left() == []


def test_a_trial_that_breaks_off_leaves_no_node_struck(hooks: Hooks) -> None:
    """Ctrl-C in the middle of an outage mends the node before it goes on."""
    nodes = Nodes()
    one = course(hooks, nodes, 600)

    def break_off() -> None:
        with one.beside(begun()):
            until(lambda: nodes.told, bool)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert nodes.told == [("kill", "node-2"), ("start", "node-2")]


def test_a_trial_that_breaks_off_early_strikes_nobody(hooks: Hooks) -> None:
    """In the warm-up nothing has happened yet."""
    nodes = Nodes()
    with pytest.raises(KeyboardInterrupt), course(hooks, nodes, 600).beside(Beginning(5.0)):
        raise KeyboardInterrupt
    assert (nodes.told, hooks.left()) == ([], [])


def test_a_strike_that_fails_is_not_lost(hooks: Hooks) -> None:
    """The run ends with its words, and what was begun is left to octoload restore."""
    one = course(hooks, Nodes(refuse="kill"), 0.01)
    with pytest.raises(ServerError, match="node-2 does not kill"), one.beside(begun()) as aside:
        aside.result()
    assert [(undo.what, undo.where) for undo in hooks.left()] == [("outage", "struck")]


def test_work_aside_is_told_to_stop() -> None:
    """What waits beside the load ends with it; what it came to before is kept."""
    seen = threading.Event()

    def work(rest: Rest) -> None:
        seen.set()
        rest(600)

    with Aside(work) as aside:
        assert seen.wait(20)
    with pytest.raises(StoppedError):
        aside.check()
