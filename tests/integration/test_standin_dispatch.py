"""The task queue in the database against its rules, in any course of events."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from standin import dispatch, tasks
from standin.documents import KeyAllocator, insert
from standin.history import task_document
from standin.kinds import NODE, TASK
from standin.queue import Load, Waiting, choose
from standin.tasks import ACTIVE
from standin.work import Work

pytestmark = pytest.mark.integration

NODES = ("OctopusServerNodes-a", "OctopusServerNodes-b", "OctopusServerNodes-c")
OFFLINE, ORPHAN = 180.0, 3600.0
RUNNING = ("Executing", "Cancelling")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Task:
    """A task as it should be."""

    id: str
    number: int
    tag: str | None
    priority: int
    queued: datetime
    expiry: datetime | None
    state: str = "Queued"
    node: str = ""
    paused: str = ""

    def place(self) -> tuple[int, datetime, int]:
        """Its place in the queue."""
        return -self.priority, self.queued, self.number


@dataclass
class Node:
    """A node as it should be; `runs` is what its process has in memory."""

    id: str
    cap: int = 5
    draining: bool = False
    alive: bool = True
    seen: datetime = BEGIN
    runs: set[str] = field(default_factory=set)


class Cluster(RuleBasedStateMachine):
    """Three nodes on one queue; each rule does a thing in the database and in a model, which must agree."""

    dsn = ""
    #: how often what is worth a look has happened, in all runs
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.conn: Any = self.await_(asyncpg.connect(self.dsn))
        self.keys = KeyAllocator(lambda: asyncpg.connect(self.dsn))
        self.await_(self.conn.execute("TRUNCATE ServerTask, OctopusServerNode, Event"))
        self.now = BEGIN
        self.numbers = count(1)
        self.tasks: dict[str, Task] = {}
        self.nodes = {one: Node(one) for one in NODES}
        for one in NODES:
            self.await_(insert(self.conn, NODE, {"Id": one, "Name": one, "LastSeen": BEGIN}))
        self.queue([None, "a", None, "b", "a"], priority=0, delay=0, window=None)

    def await_(self, step: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(step)

    def do(self, action: Any, *arguments: Any) -> Any:
        """Do something in a transaction at the model's time."""

        async def work() -> Any:
            async with self.conn.transaction():
                return await action(Work(self.conn, self.keys, now=self.now), *arguments)

        return self.await_(work())

    def active(self, node: str) -> int:
        """Count the tasks that take a slot of a node; those that wait for an answer take none."""
        return sum(one.node == node and one.state in RUNNING and not one.paused for one in self.tasks.values())

    def busy(self) -> list[str]:
        """Return the tags that are taken."""
        running = [task for task in self.tasks.values() if task.state in RUNNING and task.paused != "Released"]
        return [task.tag for task in running if task.tag]

    @rule(
        tags=st.lists(st.sampled_from([None, None, "a", "b", "c"]), min_size=1, max_size=4),
        priority=st.sampled_from([0, 0, 0, 1]),
        delay=st.sampled_from([0, 0, 600]),
        window=st.sampled_from([None, None, 900]),
    )
    def queue(self, tags: list[str | None], priority: int, delay: int, window: int | None) -> None:
        queued = self.now + timedelta(seconds=delay)
        expiry = queued + timedelta(seconds=window) if window else None
        for tag in tags:
            number = next(self.numbers)
            task = Task(f"ServerTasks-{number}", number, tag, priority, queued, expiry)
            self.tasks[task.id] = task
            members = {"ConcurrencyTag": tag, "Priority": priority, "QueueTimeExpiry": expiry}
            self.await_(insert(self.conn, TASK, task_document(task.id, "Health", "Check", queued, {}, **members)))

    @rule(nodes=st.permutations(NODES))
    def work(self, nodes: list[str]) -> None:
        """All nodes look, one after the other."""
        for node in nodes:
            self.look(node)

    @rule(node=st.sampled_from(NODES))
    def look(self, node: str) -> None:
        """A node that lives looks at the queue: it gets what the rules give it, in order, and nothing twice."""
        mine = self.nodes[node]
        if not mine.alive:
            return
        for task in self.tasks.values():
            if task.state == "Queued" and task.expiry and task.expiry <= self.now:
                task.state = "TimedOut"
                self.seen["timed out"] += 1
        line = sorted((t for t in self.tasks.values() if t.state == "Queued" and t.queued <= self.now), key=Task.place)
        limit = self.now - timedelta(seconds=OFFLINE)
        taking = [n for n in self.nodes.values() if not n.draining and (n.seen >= limit or n is mine)]
        load = Load(
            self.active(node),
            mine.cap,
            sum(self.active(n.id) for n in taking),
            sum(n.cap for n in taking),
            draining=mine.draining,
        )
        expected = [one.id for one in choose([Waiting(task.id, task.tag) for task in line], self.busy(), load)]
        taken = [row["id"] for row in self.do(dispatch.claim, node, OFFLINE, lambda: self.now)]
        assert taken == expected
        for one in taken:
            self.tasks[one].state, self.tasks[one].node = "Executing", node
        mine.runs |= set(taken)
        self.seen["taken"] += len(taken)

    @rule(node=st.sampled_from(NODES), data=st.data())
    def finish(self, node: str, data: st.DataObject) -> None:
        """A task's work ends on its node, which writes that down only while the task is still its own."""
        mine = self.nodes[node]
        if not (mine.alive and mine.runs):
            return
        one = data.draw(st.sampled_from(sorted(mine.runs)))
        self.end(mine, one, data.draw(st.sampled_from(["Success", "Failed"])))

    def end(self, mine: Node, one: str, state: str) -> None:
        async def write(work: Work) -> bool:
            if kept := await dispatch.is_mine(work, one, mine.id):
                await tasks.complete(work, one, state)
            return kept

        self.seen[f"ended when {self.tasks[one].state}"] += 1
        assert self.do(write) == (self.tasks[one].state in RUNNING)
        if self.tasks[one].state in RUNNING:
            self.tasks[one].state, self.tasks[one].paused = state, ""
        mine.runs.discard(one)

    @rule(node=st.sampled_from(NODES))
    def stop_unwanted(self, node: str) -> None:
        mine = self.nodes[node]
        if mine.alive and mine.runs:
            found = self.await_(dispatch.unwanted(self.conn, mine.runs, node))
            assert found == {one for one in mine.runs if self.tasks[one].state != "Executing"}
            for one in found:
                self.end(mine, one, "Canceled")

    def in_hand(self) -> list[Task]:
        """Return the tasks that nodes which live have in memory."""
        return [self.tasks[one] for node in self.nodes.values() if node.alive for one in sorted(node.runs)]

    @rule(holds=st.sampled_from(["Blocking", "Released"]), data=st.data())
    def talk(self, holds: str, data: st.DataObject) -> None:
        """A task asks somebody something, or one that has asked is answered."""
        waiting = [task for task in self.in_hand() if task.paused]
        able = [task for task in self.in_hand() if task.state == "Executing" and not task.paused]
        if waiting and data.draw(st.booleans()):
            self.answer(data.draw(st.sampled_from(waiting)))
        elif able:
            task = data.draw(st.sampled_from(able))
            # It gives up its slot until the answer, and perhaps its tag.
            self.await_(self.conn.execute("UPDATE ServerTask SET Paused = $2 WHERE Id = $1", task.id, holds))
            task.paused = holds

    def answer(self, task: Task) -> None:
        """It goes on, draining or not, when there is a slot for it on its node and nobody else has its tag."""
        free = task.paused == "Blocking" or task.tag not in self.busy()
        able = task.state == "Executing" and self.active(task.node) < self.nodes[task.node].cap and free
        assert self.do(dispatch.resume, task.id, task.node, OFFLINE) == able
        self.seen["resumed" if able else "kept waiting"] += 1
        if able:
            task.paused = ""

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task = self.tasks[data.draw(st.sampled_from(sorted(self.tasks)))]
        self.do(tasks.cancel, task.id)
        task.state = {"Queued": "Canceled", "Executing": "Cancelling"}.get(task.state, task.state)

    @precondition(lambda self: any(task.state == "Queued" for task in self.tasks.values()))
    @rule(data=st.data())
    def move_to_top(self, data: st.DataObject) -> None:
        line = {one: task for one, task in self.tasks.items() if task.state == "Queued"}
        task = line[data.draw(st.sampled_from(sorted(line)))]
        self.do(tasks.prioritize, task.id)
        task.priority = 1 + max(1, *(other.priority for other in line.values()), 0)

    @rule(node=st.sampled_from(NODES))
    def kill(self, node: str) -> None:
        """A node dies: what it ran looks running."""
        self.nodes[node].alive = False
        self.nodes[node].runs.clear()

    @rule(node=st.sampled_from(NODES))
    def freeze(self, node: str) -> None:
        """A node stands still: it keeps in memory what it runs."""
        self.nodes[node].alive = False

    @rule(node=st.sampled_from(NODES))
    def wake(self, node: str) -> None:
        """A frozen node goes on; a dead one starts again and cancels what it left behind."""
        mine = self.nodes[node]
        if not mine.alive and not mine.runs:
            self.do(dispatch.cancel_left, node)
            for task in self.tasks.values():
                if task.node == node and task.state in RUNNING:
                    task.state, task.paused = "Canceled", ""
                    self.seen["left behind"] += 1
        mine.alive = True

    @rule(node=st.sampled_from(NODES), by=st.sampled_from(NODES), data=st.data())
    def oversleep(self, node: str, by: str, data: st.DataObject) -> None:
        """A busy node is frozen so long that another cancels its tasks; awake, it finds that they are not its own."""
        if node != by and self.nodes[node].runs and self.nodes[node].alive and self.nodes[by].alive:
            self.freeze(node)
            self.pass_time(3700)
            self.sweep(by)
            self.wake(node)
            self.finish(node, data)

    @rule(
        node=st.sampled_from(NODES),
        cap=st.sampled_from([0, 1, 3, 5, 5, 5]),
        draining=st.sampled_from([False, False, True]),
    )
    def configure(self, node: str, cap: int, draining: bool) -> None:  # noqa: FBT001 - drawn
        self.nodes[node].cap, self.nodes[node].draining = cap, draining
        change = "UPDATE OctopusServerNode SET MaxConcurrentTasks = $2, IsInMaintenanceMode = $3 WHERE Id = $1"
        self.await_(self.conn.execute(change, node, cap, draining))

    @rule(seconds=st.sampled_from([20, 200, 1000, 3700]))
    def pass_time(self, seconds: int) -> None:
        """The clock goes on; the nodes that live say so."""
        self.now += timedelta(seconds=seconds)
        for node in self.nodes.values():
            if node.alive:
                node.seen = self.now
                self.await_(
                    self.conn.execute("UPDATE OctopusServerNode SET LastSeen = $2 WHERE Id = $1", node.id, self.now)
                )

    @rule(node=st.sampled_from(NODES))
    def sweep(self, node: str) -> None:
        """A node that lives cancels the tasks of those that have been silent for an hour."""
        if not self.nodes[node].alive:
            return
        others = self.await_(dispatch.other_nodes(self.conn, node))
        running = {task.node for task in self.tasks.values() if task.state in RUNNING}
        assert others == {one: self.nodes[one].seen for one in running - {node}}
        self.do(dispatch.cancel_orphans, others, ORPHAN)
        limit = self.now - timedelta(seconds=ORPHAN)
        for task in self.tasks.values():
            if task.state in RUNNING and task.node != node and self.nodes[task.node].seen < limit:
                task.state, task.paused = "Canceled", ""
                self.seen["orphaned"] += 1

    @invariant()
    def agrees(self) -> None:
        """States and nodes are the model's; no tag runs twice."""
        rows = self.await_(self.conn.fetch("SELECT Id, State, ServerNodeId, Paused FROM ServerTask"))
        found = {row["id"]: (row["state"], row["servernodeid"] or "", row["paused"]) for row in rows}
        assert found == {one: (task.state, task.node, task.paused) for one, task in self.tasks.items()}
        tags = self.busy()
        assert len(tags) == len(set(tags))

    def teardown(self) -> None:
        """However it went, the cluster can be put in order, and then every task ends: none is lost."""
        try:
            for node in NODES:
                self.wake(node)
                self.configure(node, 5, draining=False)
            self.pass_time(1000)
            for _ in range(len(self.tasks) + 1):
                for node in self.nodes.values():
                    self.look(node.id)
                    self.stop_unwanted(node.id)
                    for one in sorted(node.runs):
                        self.end(node, one, "Success")
            assert all(task.state not in ACTIVE for task in self.tasks.values())
            self.agrees()
        finally:
            self.await_(self.keys.close())
            self.await_(self.conn.close())
            self.loop.close()


def test_the_queue_keeps_its_rules_in_any_course_of_events(dsn: str) -> None:
    """Queue, run, ask, cancel, move, kill, freeze, wake, drain: each claim is what the rules say; no task is lost."""
    machine = type("At", (Cluster,), {"dsn": dsn, "seen": Counter()})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=40, stateful_step_count=50, suppress_health_check=checks, derandomize=True),
    )
    rare = ("timed out", "orphaned", "left behind", "resumed", "ended when Canceled")
    assert min(machine.seen[what] for what in rare) >= 1, machine.seen
