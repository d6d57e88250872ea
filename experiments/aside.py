"""Work beside the load: a thread of its own, which is told when to stop, and whose failure is not lost."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

#: Waits so many seconds; raises `StoppedError` when the work is no longer wanted.
Rest = Callable[[float], None]


#: Seconds between two looks at an event, and between two that the load tells of itself.
LOOK, PROGRESS = 0.05, 1.0


class StoppedError(Exception):
    """The work is no longer wanted."""


class Aside(Generic[T]):
    """One piece of work in a thread; a context manager that stops it at its end and raises what it failed with."""

    def __init__(self, work: Callable[[Rest], T]) -> None:
        self._work = work
        self._stop = threading.Event()
        self._done: list[T] = []
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._done.append(self._work(self._rest))
        except BaseException as exc:  # noqa: BLE001  raised again by `result`, in the thread that asked for the work
            self._failed.append(exc)

    def _rest(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError

    def check(self) -> None:
        """Raise what the work has failed with, if it has."""
        if self._failed:
            raise self._failed[0]

    def result(self) -> T:
        """Wait for the end of the work and return what it came to, or raise what it failed with."""
        self._thread.join()
        self.check()
        return self._done[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        failed = self._failed[0] if self._failed else None
        if failed is not None and failed is not exc and not isinstance(failed, StoppedError):
            raise failed


class Beginning:
    """The moment at which the measured phase of a load begins, as work beside it waits for it."""

    def __init__(self, warm_up: float) -> None:
        """`warm_up` is in seconds from the begin of the load."""
        self._warm_up = warm_up
        self._come = threading.Event()
        self._timer: threading.Timer | None = None

    def hear(self, elapsed: float) -> None:
        """Hear for how many seconds the load has gone on."""
        left = self._warm_up - elapsed
        if self._timer is None and left <= PROGRESS:
            self._timer = threading.Timer(max(0.0, left), self._come.set)
            self._timer.daemon = True
            self._timer.start()

    def wait(self, rest: Rest) -> None:
        """Wait for it."""
        while not self._come.is_set():
            rest(LOOK)
