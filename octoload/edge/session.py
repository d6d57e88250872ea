"""A session: the requests that one scenario makes one after the other in a slot, or a poller's in its loop."""

import math
import zlib
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import gevent
import msgspec

from octoload.edge.answer import AnswerReader
from octoload.edge.client import Client
from octoload.edge.clocks import Bounds, bound
from octoload.edge.connection import NO_SLOT, Connection, TrialOverError, clock
from octoload.edge.dispatcher import Arrival
from octoload.edge.samples import FULL, ROW_SIZE, Recorder
from octoload.edge.scenario import Operation

T = TypeVar("T")
Span = tuple[float, float, str]

#: Kinds of failure that are explained in the log, at most.
MAX_EXPLAINED = 20


class Notes:
    """What a process counts and says besides its samples."""

    def __init__(self, operations: int, measured_from: float, until: float) -> None:
        self.measured_from = measured_from
        #: Steady time from which on no session thinks of a next request.
        self.until = until
        #: Requests sent by operation code, those intended in the measured phase only.
        self.sent = [0] * operations
        #: Longest wait that a server asked for, in seconds.
        self.retry_after = 0.0
        #: What servers stamped says about their clocks, against the steady clock.
        self.clocks = Bounds()
        #: Ids of the tasks that requests of the measured phase have queued, as the server answered.
        self.queued: list[str] = []
        #: One line for each kind of failure, when it was first seen.
        self.log: list[str] = []
        self._explained: set[tuple[str, str]] = set()

    def explain(self, operation: str, error: str, reason: str) -> None:
        """Keep the first reason of each kind of failure."""
        key = (operation, error)
        if key not in self._explained and len(self._explained) < MAX_EXPLAINED:
            self._explained.add(key)
            self.log.append(f"{operation}: {error}{f' ({reason})' if reason else ''}")

    def refuse(self, operation: str, error: str, answer: AnswerReader) -> None:
        """Keep what the server says about its refusal, and the longest wait that it asks for."""
        retry_after = answer.head.retry_after
        self.explain(operation, error, _reason(answer, retry_after))
        if retry_after.isdecimal():
            self.retry_after = max(self.retry_after, float(retry_after))


class Session:
    """The slot's side of a session; one object serves the sessions of a slot one after the other."""

    __slots__ = ("_client", "_connection", "_connections", "_full", "_next", "_notes", "_recorder",
                 "_scenario", "_several", "_target", "draw", "number")  # fmt: skip

    def __init__(self, client: Client, recorder: Recorder, notes: Notes, full: Any) -> None:
        """`full` is called when the recorder is."""
        self._client = client
        self._recorder = recorder
        self._notes = notes
        self._full = full
        self._connections: list[Connection | None] = [None] * len(client.targets)
        self._connection: Any = None
        self._several = len(client.targets) > 1
        self._target = client.targets[0]
        self._scenario = 0
        self._next = 0.0
        #: A uniform number in [0, 1) that is the same for this arrival in every trial with this schedule.
        self.draw = 0.0
        #: Number of the arrival in the schedule.
        self.number = 0

    def begin(self, arrival: Arrival, scenario: int) -> None:
        """Take on an arrival; `scenario` is the code of its name."""
        self._next, _, self.draw, self.number = arrival
        self._scenario = scenario
        if self._several or self._connection is None:
            self._choose(self.number % len(self._connections))

    def _choose(self, index: int) -> None:
        """Turn to a node."""
        connection = self._connections[index]
        if connection is None:
            connection = self._connections[index] = self._client.connect(index)
        self._connection = connection
        self._target = self._client.targets[index]

    def get(self, operation: Operation, path: str) -> bool:
        """GET a path; return whether the server answered well."""
        well: bool = self._request(operation, self._target.get(path), None)
        return well

    def get_as(self, operation: Operation, path: str, kind: type[T]) -> T | None:
        """GET a path and read its JSON; None when the request failed or the answer is something else."""
        value: T | None = self._request(operation, self._target.get(path), kind)
        return value

    def post_as(self, operation: Operation, path: str, body: Any, kind: type[T]) -> T | None:
        """POST JSON and read the JSON of the answer; None when the request failed."""
        value: T | None = self._request(operation, self._target.post(path, _encode(body)), kind)
        return value

    @property
    def next(self) -> float:
        """Steady time at which the next request is intended: that of the answer before, as long as nobody thinks."""
        return self._next

    def think(self, seconds: float) -> None:
        """Let the user read: the next request is intended that much later.

        Raises:
            TrialOverError: that is after the trial's end, so the session ends here.
        """
        self._next += seconds
        notes, hub = self._notes, gevent.get_hub()
        while self._next < notes.until and (left := self._next - clock()) > 0.0:
            hub.loop.update_now()  # a timer counts from the hub's last turn, and might be early
            gevent.sleep(left)
        if self._next >= notes.until:
            raise TrialOverError

    @property
    def span(self) -> Span:
        """Steady times at which the last request was sent and its answer began, and the node that answered."""
        connection = self._connection
        return connection.deadline - self._client.timeout, connection.first, connection.answer.head.node

    def stamp(self, span: Span, moment: datetime | None) -> None:
        """Say what the server's own clock showed in the course of a request, such as one that created something."""
        if moment is not None:
            known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            sent, first, node = span
            self._notes.clocks.add(node, bound(sent, first, known.timestamp()))

    def queue(self, task: str) -> None:
        """Say which task the last request has queued: it is to be found on the server from then on."""
        if self.span[0] >= self._notes.measured_from:
            self._notes.queued.append(task)

    def _request(self, operation: Operation, data: bytes, kind: Any) -> Any:
        """Send, wait, record; return the value, or without a kind whether all went well."""
        connection, notes, intended = self._connection, self._notes, self._next
        if intended >= notes.measured_from:
            notes.sent[operation.code] += 1
        sent = clock()
        try:
            connection.exchange(data, kind is not None, sent)
        except TrialOverError:
            if intended >= notes.measured_from:
                notes.sent[operation.code] -= 1
            raise
        error, value = connection.error, None
        status = size = node = code = 0
        if not error:
            answer = connection.answer
            head = answer.head
            status, size = head.status, answer.size
            if head.node:
                node = self._recorder.nodes.code(head.node)
            if status >= 300 and status != 304:
                error = f"HTTP {status}"
                notes.refuse(operation.name, error, answer)
            elif kind is not None:
                error, value = _decode(answer.body, head.encoding, kind)
        if error:
            code = self._recorder.errors.code(error)
            notes.explain(operation.name, error, "")
        self._next = done = connection.done
        recorder = self._recorder
        offset = recorder.offset
        recorder.pack(
            offset, intended, sent, connection.first, done, size, status, operation.code, self._scenario, code, node
        )
        recorder.offset = offset = offset + ROW_SIZE
        if offset == FULL:
            self._full()
        return not error if kind is None else value


def miss(recorder: Recorder, arrival: Arrival, operation: Operation, scenario: int, now: float) -> bool:
    """Record an arrival that never got a slot; return whether the recorder is full."""
    code = recorder.errors.code(NO_SLOT)
    return recorder.add(arrival[0], now, math.nan, now, 0, 0, operation.code, scenario, code, 0)


def inflate(body: bytes, encoding: str) -> bytes:
    """Return a body without its content coding.

    Raises:
        ValueError: the coding is unknown or the body does not follow it.
    """
    if not encoding or encoding == "identity":
        return body
    if encoding != "gzip":
        raise ValueError(f"unknown content coding {encoding}")
    try:
        return zlib.decompress(body, wbits=zlib.MAX_WBITS | 16)
    except zlib.error as exc:
        raise ValueError("broken gzip") from exc


_encode = msgspec.json.Encoder().encode


@cache
def _decoder(kind: Any) -> Any:
    return msgspec.json.Decoder(kind)


def _decode(body: bytes, encoding: str, kind: Any) -> tuple[str, Any]:
    try:
        return "", _decoder(kind).decode(inflate(body, encoding))
    except (msgspec.DecodeError, ValueError) as exc:
        return f"unexpected answer: {exc}"[:200], None


def _reason(answer: AnswerReader, retry_after: str) -> str:
    """Return what the server says about its refusal."""
    try:
        document = msgspec.json.decode(inflate(answer.body, answer.head.encoding))
        message = str(document["ErrorMessage"])[:200]
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        message = ""
    return f"{message} Retry-After: {retry_after}".strip() if retry_after else message
