"""The course of an outage: in the middle of a trial a node is struck, and after a while it is mended."""

import time
from collections.abc import Callable
from typing import Any

from experiments.aside import Aside, Beginning, Rest
from experiments.hooks import Hooks, Undo
from experiments.outage import Outage

#: Does something to a node: `kill`, `start`, `freeze` or `thaw`, and its name.
Tell = Callable[[str, str], object]
_MENDS = {"kill": "start", "freeze": "thaw"}


class Course:
    """One outage in the course of one trial."""

    #: Where `trial.json` has what came of it.
    name = "outage"

    def __init__(self, outage: Outage, arm: str, node: str, hooks: Hooks, *, tell: Tell) -> None:
        self._outage = outage
        self._node = node
        self._hooks = hooks
        self._tell = tell
        self._undo = Undo("outage", arm, outage.mend, outage.within)

    def beside(self, beginning: Beginning) -> Aside[dict[str, Any]]:
        """Return what makes it happen beside the load, reckoned from the begin of its measured phase.

        A node that is struck when the load breaks off is mended before that context ends.
        """
        return Aside(lambda rest: self._run(beginning, rest))

    def _run(self, beginning: Beginning, rest: Rest) -> dict[str, Any]:
        """Strike, wait and mend; return `outage` of `trial.json`."""
        beginning.wait(rest)
        rest(self._outage.after)
        struck = self._strike()  # what fails here stands in the journal as begun
        try:
            rest(self._outage.lasts)
        finally:
            self._mend()
        told = {"node": self._node, "does": self._outage.does or "strike"}
        return {**told, "struck": struck, "mended": time.time()}

    def _strike(self) -> float:
        """Strike the node; return when that was done."""
        self._hooks.begin(self._undo, self._outage.strike)
        if self._outage.does:
            self._tell(self._outage.does, self._node)
        return time.time()

    def _mend(self) -> None:
        if self._outage.does:
            self._tell(_MENDS[self._outage.does], self._node)
        self._hooks.undo(self._undo)
