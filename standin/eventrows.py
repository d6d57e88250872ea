"""Rows of the audit trail of a loaded history, in the order of their times, made quickly."""

import heapq
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from standin import events, kinds
from standin.documents import DocumentType, encode, pipes
from standin.work import SERVER, Actor

#: Who did all that a history tells of.
ADMIN = Actor("Users-1", "admin", "API key", "octoload")

_FRAME = '"MessageReferences":[]'
_Row = tuple[Any, ...]


def _frame(actor: Actor) -> tuple[str, str]:
    """Return the JSON of an event before and after its references: it depends on who has caused it only."""
    blank = events.event_document("", "", "", (), datetime.now(UTC), actor=actor)
    before, _, after = str(kinds.EVENT.row(blank)[-1]).partition(_FRAME)
    return before + _FRAME[:-2], after


class EventRows:
    """Gathers the events of a history in `rows`: a running number and the columns of EVENT.

    What is due later, `later`, is added when its time comes, so that running numbers follow the time although a
    deployment's end comes into sight with its beginning.
    """

    def __init__(self, next_id: Callable[[DocumentType], str], first: int) -> None:
        """`next_id` gives ids; `first` is the running number that is taken already."""
        self.rows: list[_Row] = []
        self._next = next_id
        self._number = first
        self._frames = {actor.user_id: _frame(actor) for actor in (ADMIN, SERVER)}
        self._pending: list[tuple[float, int, str, _Row]] = []
        self._sequence = 0

    def add(
        self,
        category: str,
        message: str,
        related: Sequence[str],
        occurred: datetime,
        *,
        place: tuple[str | None, str | None, str | None, str | None],
        references: Sequence[events.Reference],
    ) -> _Row:
        """Add an event that the administrator has caused; return what `later` needs of it.

        `place` is space, project, environment and tenant.
        """
        told = (place, pipes(related), message, encode(events.message_references(message, references)))
        self._put(told, category, ADMIN, occurred)
        return told

    def later(self, when: float, category: str, told: _Row, at: datetime) -> None:
        """Remember what the server tells of a deployment at `when`, in the words of the event that it was queued."""
        self._sequence += 1
        heapq.heappush(self._pending, (when, self._sequence, category, (*told, at)))

    def reach(self, when: float) -> None:
        """Add the events that are due up to a time."""
        while self._pending and self._pending[0][0] <= when:
            _, _, category, (place, related, message, references, at) = heapq.heappop(self._pending)
            queued, ending = events.ENDINGS[events.DEPLOYMENT_QUEUED], events.ENDINGS[category]
            self._put((place, related, message.removesuffix(queued) + ending, references), category, SERVER, at)

    def _put(self, told: _Row, category: str, actor: Actor, occurred: datetime) -> None:
        (space, project, environment, tenant), related, message, references = told
        before, after = self._frames[actor.user_id]
        self._number += 1
        self.rows.append(
            (
                self._number,
                self._next(kinds.EVENT),
                space,
                related,
                project,
                environment,
                tenant,
                category,
                actor.user_id,
                actor.username,
                occurred,
                message,
                before + references + after,
            )
        )
