"""Tasks that the server has still to finish, and whether they end as their history says."""

import time
from collections.abc import Callable
from threading import Event

from octoload.api import SpaceView
from octoload.errors import InterruptedRunError, ServerError

#: Seconds between two looks: at first, and at most.
_FIRST_LOOK, _LAST_LOOK = 0.1, 5.0
#: Seconds without a single task finished after which the server is given up.
_STALLED = 1800.0
#: Tasks asked for at a time.
_PAGE = 100


class Outstanding:
    """The unfinished tasks of one project."""

    def __init__(self, space: SpaceView, stop: Event, tick: Callable[[], None]) -> None:
        """`stop` ends all waiting; `tick` is told of each task that ended."""
        self._space = space
        self._stop = stop
        self._tick = tick
        #: Task → (release, how it should end), in the order of creation.
        self._tasks: dict[str, tuple[str, str]] = {}

    def add(self, task: str, release: str, outcome: str) -> None:
        """Watch over one more."""
        self._tasks[task] = (release, outcome)

    def wait_for_release(self, release: str) -> None:
        """Return when no task of a release is unfinished."""
        self._wait(lambda: all(waiting != release for waiting, _ in self._tasks.values()))

    def wait_until_fewer(self, count: int) -> None:
        """Return when fewer than so many are unfinished."""
        self._wait(lambda: len(self._tasks) < count)

    def _wait(self, done: Callable[[], bool]) -> None:
        pause, last = _FIRST_LOOK, time.monotonic()
        while not done():
            if self._look():
                pause, last = _FIRST_LOOK, time.monotonic()
                continue
            if time.monotonic() - last > _STALLED:
                first = next(iter(self._tasks))
                raise ServerError(
                    f"{first} of {self._space.octopus.shown_url} and {len(self._tasks) - 1} more tasks do not end",
                    "See under Tasks what they wait for; seeding again goes on from here.",
                )
            if self._stop.wait(pause):
                raise InterruptedRunError("seeding was stopped", "Seeding again goes on from here.")
            pause = min(_LAST_LOOK, pause * 1.5)

    def _look(self) -> bool:
        """Ask for the oldest tasks; forget those that ended as they should, and say whether there were any."""
        ids = list(self._tasks)[:_PAGE]
        tasks = self._space.get("tasks", ids=ids, take=_PAGE)["Items"]
        ended = [task for task in tasks if task["IsCompleted"]]
        for task in ended:
            _, outcome = self._tasks.pop(task["Id"])
            self._tick()
            if task["State"] != outcome:
                raise ServerError(
                    f"{task['Id']} ({task['Description']}) ended as {task['State']}, its history says {outcome}: "
                    f"{task.get('ErrorMessage') or 'no reason given'}",
                    "Read its log in the portal, under Tasks.",
                )
        return bool(ended)
