"""Runs the pollers of a process: each is a greenlet with connections of its own, until the trial ends."""

from collections.abc import Callable
from typing import Any

import gevent

from octoload.edge.connection import TrialOverError, clock
from octoload.edge.poller import Poller
from octoload.edge.session import Session


class Loop:
    """One poller."""

    def __init__(self, poller: Poller, session: Session, fail: Callable[[str, Exception], None]) -> None:
        """`session` has begun and is intended to ask at the first look; `fail` hears of a mistake in the poller."""
        self._poller = poller
        self._session = session
        self._fail = fail
        #: Whether a look is under way.
        self.looking = False
        self.greenlet: Any = None

    def __call__(self) -> None:
        """Look and pause until the trial is over."""
        poller, session = self._poller, self._session
        try:
            session.think(0.0)  # until the first look
            while True:
                self.looking = True
                began = clock()
                poller.run(session)
                self.looking = False
                session.think(poller.pause(session.next - began))
        except TrialOverError:
            pass
        except Exception as exc:  # noqa: BLE001  a poller's mistake ends the trial with its name
            self._fail(poller.name, exc)
        finally:
            self.looking = False


class Loops:
    """All pollers of a process in one trial."""

    def __init__(self) -> None:
        self._loops: list[Loop] = []
        self._left = 0
        self._ended: Callable[[], None] = _ignore

    def begin(self, loops: list[Loop], ended: Callable[[], None]) -> None:
        """Start them; call `ended` when the last one has ended, which is at once when there are none."""
        self._loops = loops
        self._left = len(loops)
        self._ended = ended
        for loop in loops:
            loop.greenlet = gevent.spawn(loop)
            loop.greenlet.rawlink(self._leave)
        if not loops:
            ended()

    @property
    def busy(self) -> int:
        """Looks under way."""
        return sum(loop.looking for loop in self._loops)

    def halt(self) -> None:
        """End those that pause; a look under way is let be."""
        for loop in self._loops:
            if not loop.looking:
                loop.greenlet.kill(block=False)

    def drop(self) -> None:
        """End all, in the middle of whatever they are at."""
        for loop in self._loops:
            loop.greenlet.kill(block=False)

    def _leave(self, _greenlet: Any) -> None:
        self._left -= 1
        if not self._left:
            self._ended()


def _ignore() -> None:
    """Nobody waits for the end."""
