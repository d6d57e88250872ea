"""A timer on the gevent hub that is exact to microseconds where the system has timerfd.

libev rounds its waits up to whole milliseconds, so a schedule on gevent's own timers is half a millisecond late at the
median. On Linux the kernel's timerfd, watched like any socket, is not.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any, Literal, Protocol

import gevent

from octoload.edge.connection import READ, clock

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_MONOTONIC = 1  # CLOCK_MONOTONIC, which Python's perf_counter reads on Linux
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC if sys.platform == "linux" else 0
_NANO = 1_000_000_000

Kind = Literal["timerfd", "timer"]


class Timer(Protocol):
    """Calls back once, at a time of `clock`."""

    kind: Kind

    def at(self, when: float) -> None:
        """Set the time, in place of the one before; a time that has passed calls back at once."""

    def close(self) -> None:
        """Call back no more."""


def make(callback: Callable[[], None]) -> Timer:
    """Return the best timer that this system has."""
    try:
        return DescriptorTimer(callback)
    except (OSError, AttributeError, NotImplementedError):
        return HubTimer(callback)


class HubTimer:
    """gevent's own timer: late by up to a millisecond."""

    kind: Kind = "timer"

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._timer: Any = None

    def at(self, when: float) -> None:
        """Set the time."""
        self.close()
        loop = gevent.get_hub().loop
        loop.update_now()  # its idea of now is from its last turn
        self._timer = loop.timer(max(when - clock(), 0.0))
        self._timer.start(self._callback)

    def close(self) -> None:
        """Call back no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


class DescriptorTimer:
    """Linux' timerfd."""

    kind: Kind = "timerfd"

    def __init__(self, callback: Callable[[], None]) -> None:
        """Make the descriptor.

        Raises:
            OSError: the kernel refuses.
            AttributeError: the system has no timerfd.
        """
        self._callback = callback
        self._set = _setter()
        self._descriptor = _create()
        self._watcher: Any = gevent.get_hub().loop.io(self._descriptor, READ)
        self._watcher.start(self._expire)

    def at(self, when: float) -> None:
        """Set the time."""
        self._set(self._descriptor, max(int(when * _NANO), 1))

    def close(self) -> None:
        """Call back no more."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._descriptor)

    def _expire(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return  # set anew meanwhile
        self._callback()


if sys.version_info >= (3, 13) and sys.platform == "linux":

    def _create() -> int:
        return os.timerfd_create(_MONOTONIC, flags=_FLAGS)

    def _setter() -> Callable[[int, int], None]:
        def set_time(descriptor: int, when: int) -> None:
            os.timerfd_settime_ns(descriptor, flags=_ABSOLUTE, initial=when)

        return set_time

else:

    class _Times(ctypes.Structure):
        """struct itimerspec."""

        _fields_ = (
            ("interval_seconds", ctypes.c_long),
            ("interval_nanoseconds", ctypes.c_long),
            ("seconds", ctypes.c_long),
            ("nanoseconds", ctypes.c_long),
        )

    def _create() -> int:
        library = ctypes.CDLL(None, use_errno=True)
        descriptor: int = library.timerfd_create(_MONOTONIC, _FLAGS)
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        return descriptor

    def _setter() -> Callable[[int, int], None]:
        settime = ctypes.CDLL(None, use_errno=True).timerfd_settime
        settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Times), ctypes.c_void_p)
        times = _Times()
        pointer = ctypes.byref(times)

        def set_time(descriptor: int, when: int) -> None:
            times.seconds, times.nanoseconds = divmod(when, _NANO)
            settime(descriptor, _ABSOLUTE, pointer, None)

        return set_time
