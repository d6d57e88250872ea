"""The task queue's rules, pure: which node takes which queued task (octopus-facts §2.2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued task."""

    #: id of the task
    id: str
    #: two tasks of one tag never run at once; None runs beside anything
    tag: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a node and its cluster are when the node looks at the queue."""

    #: tasks that the node runs
    active: int
    #: tasks that the node may run at once
    cap: int
    #: tasks that all nodes run
    cluster_active: int
    #: sum of the caps of all nodes that take tasks
    cluster_cap: int
    #: the node takes no new tasks
    draining: bool = False


def choose(waiting: Sequence[Waiting], busy_tags: Collection[str], load: Load) -> list[Waiting]:
    """Return the tasks that a node takes, from a queue in its order (priority, then first in first out).

    A node declines when it drains, when it runs as many tasks as its cap, or when its ratio active/cap exceeds the
    cluster's (active + pending)/sum of caps; it takes one task after the other until then. Of each tag only one task
    runs, and the next in line waits without holding up those behind it.
    """
    if load.draining or load.cap <= 0 or load.cluster_cap <= 0:
        return []
    # Taking a task moves it from pending to active: the cluster's ratio stays as it is.
    cluster_ratio = (load.cluster_active + len(waiting)) / load.cluster_cap
    taken: list[Waiting] = []
    busy = set(busy_tags)
    for task in waiting:
        active = load.active + len(taken)
        if active >= load.cap or active / load.cap > cluster_ratio:
            break
        if task.tag in busy:
            continue
        if task.tag is not None:
            busy.add(task.tag)
        taken.append(task)
    return taken
