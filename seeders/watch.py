"""Tasks that the server has still to finish, watched over all projects at once."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from octoload.errors import ServerError
from octoload.flight import Document, Flight

#: Seconds between two looks: at first, and at most.
_FIRST_LOOK, _LAST_LOOK = 0.1, 5.0
#: Seconds without a single task finished after which the server is given up.
_STALLED = 1800.0
#: Tasks asked for at a time.
_PAGE = 100

Ended = asyncio.Future[None]


class Watch:
    """The unfinished tasks; `async with` looks after them."""

    def __init__(self, flight: Flight, tick: Callable[[], None]) -> None:
        """`tick` is told of each task that ended."""
        self._flight = flight
        self._tick = tick
        #: Task → (its end, how it should end), the next to be looked at first.
        self._tasks: dict[str, tuple[Ended, str]] = {}
        self._some = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._looking = asyncio.ensure_future(self._look_after())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)

    def add(self, task: str, outcome: str) -> Ended:
        """Watch over one more; the future raises `ServerError` when it ends other than it should, or never."""
        if self._looking.done():  # it raises what stopped it
            self._looking.result()
        ended: Ended = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda future: future.cancelled() or future.exception())  # not all are awaited
        self._tasks[task] = (ended, outcome)
        self._some.set()
        return ended

    async def _look_after(self) -> None:
        try:
            await self._look_on()
        except Exception as exc:
            for ended, _ in self._tasks.values():
                if not ended.done():
                    ended.set_exception(exc)
            raise

    async def _look_on(self) -> None:
        pause, last = _FIRST_LOOK, time.monotonic()
        while True:
            if not self._tasks:
                self._some.clear()
                await self._some.wait()
                pause, last = _FIRST_LOOK, time.monotonic()
            found = await self._look()
            if found:
                pause, last = _FIRST_LOOK, time.monotonic()
            elif time.monotonic() - last > _STALLED:
                raise ServerError(
                    f"{next(iter(self._tasks))} of {self._flight.shown_url} and {len(self._tasks) - 1} more tasks"
                    " do not end",
                    "See under Tasks what they wait for; seeding again goes on from here.",
                )
            await asyncio.sleep(pause)
            pause = min(_LAST_LOOK, pause * 1.5)

    async def _look(self) -> bool:
        """Ask for some tasks, those first that were asked for longest ago; say whether any has ended."""
        ids = list(self._tasks)[:_PAGE]
        items = (await self._flight.get("tasks", ids=ids, take=_PAGE))["Items"]
        ended = [task for task in items if task["IsCompleted"]]
        for task in ended:
            self._end(task)
        for task in ids:
            if task in self._tasks:
                self._tasks[task] = self._tasks.pop(task)
        return bool(ended)

    def _end(self, task: Document) -> None:
        ended, outcome = self._tasks.pop(task["Id"])
        self._tick()
        if ended.done():
            return
        if task["State"] == outcome:
            ended.set_result(None)
            return
        ended.set_exception(
            ServerError(
                f"{task['Id']} ({task['Description']}) ended as {task['State']}, its history says {outcome}: "
                f"{task.get('ErrorMessage') or 'no reason given'}",
                "Read its log in the portal, under Tasks.",
            )
        )
