"""HTTP/1.1 answers, read from a stream that arrives in pieces of any size."""

import re
from typing import Final

import msgspec

#: Bytes that a head, a trailer and a chunk's size line may have at most.
MAX_HEAD: Final = 65_536
MAX_CHUNK_LINE: Final = 4_096
#: Interim answers (1xx) that may stand before an answer.
MAX_INTERIM: Final = 8
#: Different heads whose meaning is remembered.
MAX_REMEMBERED: Final = 1_024

_CHUNKED: Final = -1
_UNTIL_CLOSE: Final = -2

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_HEADER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\x00]*")
# All headers at once: a head that never came before is checked by two passes in C instead of a loop here.
_HEADERS = re.compile(rb"(?:\r\n" + _HEADER.pattern + rb")*")
_WANTED = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|octopus-node|content-encoding|retry-after):([^\r\n]*)",
    re.IGNORECASE,
)
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
_BLANK_LINE = b"\r\n\r\n"


class AnswerError(Exception):
    """The bytes are no HTTP/1.1 answer; the message names the fault in a few words."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """What octoload needs of an answer's status line and headers."""

    #: HTTP status.
    status: int
    #: Length of the body in bytes; -1 when chunked, -2 when it ends with the connection.
    length: int
    #: Whether the connection may be used again.
    keep_alive: bool
    #: Value of the `Octopus-Node` header.
    node: str
    #: Value of the `Content-Encoding` header.
    encoding: str
    #: Value of the `Retry-After` header.
    retry_after: str


class AnswerReader:
    """Reads one answer after the other.

    Feeding any split of the same bytes gives the same answer. Set `keep`, then `feed` until it says that the answer
    is complete; `head`, `size` and, if asked for, `body` then hold until the next one. After an error, or an answer
    that was cut off, a connection needs a new reader.
    """

    __slots__ = (
        "_interim", "_known", "_known_end", "_left", "_line", "_parts", "_pending", "_state",
        "body", "head", "keep", "reusable", "size", "untouched",
    )  # fmt: skip

    def __init__(self) -> None:
        self.head: Head = _NO_HEAD
        #: Bytes of the body as received, without the framing of chunks.
        self.size = 0
        self.body = b""
        #: Whether the connection may be used again: nobody said no, and no bytes came that belong to no answer.
        self.reusable = True
        #: Whether nothing of the answer has come yet.
        self.untouched = True
        self._pending = bytearray()
        self._parts: list[bytes] = []
        #: Whether the body is wanted.
        self.keep = False
        self._left = 0
        self._line = 0
        self._interim = 0
        self._state = AnswerReader._read_head
        # The bytes of the last head with its blank line, and where its answer ends: most answers begin with the same
        # bytes as the one before.
        self._known = _BLANK_LINE
        self._known_end = -1

    def feed(self, data: bytearray, count: int) -> bool:
        """Take the first `count` bytes of `data`; return whether the answer is complete.

        Raises:
            AnswerError: the bytes are no well-formed answer.
        """
        if self.untouched:
            # What lies in `data` beyond `count` is old, so an equal end matters as much as an equal beginning.
            if count == self._known_end and data.startswith(self._known):
                if self.keep:
                    self.body = bytes(memoryview(data)[len(self._known) : count])
                return True
            self.untouched = False
            end = data.find(_BLANK_LINE, 0, count)
            if 0 < end < MAX_HEAD:
                raw = bytes(memoryview(data)[: end + 4])
                head = head_of(raw[:end])
                if head.status >= 200 and head.length >= 0:
                    return self._sized(head, raw, data, count)
        elif self._state is AnswerReader._read_sized and not self._pending and count <= self._left:
            # The middle of a long body: counted, and copied only where somebody wants it.
            self._left -= count
            if self.keep:
                self._parts.append(bytes(memoryview(data)[:count]))
            return self._left == 0 and self._finish()
        self._pending += memoryview(data)[:count]
        return self._advance()

    def end(self) -> bool:
        """Say that the connection has ended; return whether that completes the answer."""
        return self._state is AnswerReader._read_until_close and self._finish()

    def _sized(self, head: Head, raw: bytes, data: bytearray, count: int) -> bool:
        """Take an answer of known length from the bytes that hold its whole head."""
        begin = len(raw)
        self.head = head
        self._known, self._known_end = raw, begin + head.length
        if head.status >= 400:  # a refusal says why in its body, so it is kept, and read in full each time
            self.keep = True
            self._known_end = -1
        self.size = head.length
        self._left = head.length - (count - begin)
        if self._left < 0:
            self.reusable = False
            count = begin + head.length
            self._left = 0
        if self.keep:
            self._parts.append(bytes(memoryview(data)[begin:count]))
        self._state = AnswerReader._read_sized
        return self._left == 0 and self._finish()

    def _finish(self) -> bool:
        self.body = b"".join(self._parts)
        self._parts = []
        self._interim = 0
        self.untouched = True
        self._state = AnswerReader._read_head
        if self._pending or not self.head.keep_alive:
            self.reusable = False
        return True

    def _advance(self) -> bool:
        """Go on until the answer is complete or more bytes are needed."""
        while True:
            done = self._state(self)
            if done is not None:
                return done

    # Each state takes what it can from the pending bytes and returns True when the answer is complete, False when it
    # needs more bytes, None when it has gone on to the next state.

    def _read_head(self) -> bool | None:
        if not self._pending:
            return False
        end = self._pending.find(_BLANK_LINE)
        if end < 0 or end >= MAX_HEAD:
            _refuse_head(self._pending)
            return False
        head = head_of(bytes(self._pending[:end]))
        del self._pending[: end + 4]
        if head.status < 200:
            self._interim += 1
            if head.status == 101 or self._interim > MAX_INTERIM:
                raise AnswerError("unexpected interim answer")
            return None
        self.head = head
        self._known_end = -1
        self.keep = self.keep or head.status >= 400
        self._left = max(head.length, 0)
        self.size = self._left
        self._state = _BODY_STATES.get(head.length, AnswerReader._read_sized)
        return None

    def _read_sized(self) -> bool | None:
        self._left -= self._take(self._left)
        return self._finish() if self._left == 0 else False

    def _read_until_close(self) -> bool | None:
        self.size += self._take(len(self._pending))
        return False

    def _read_chunk_line(self) -> bool | None:
        line = self._next_line(MAX_CHUNK_LINE, "bad chunk size")
        if line is None:
            return False
        match = _CHUNK_LINE.fullmatch(line)
        if not match:
            raise AnswerError("bad chunk size")
        self._left = int(match[1], 16)
        self._line = 0
        self._state = AnswerReader._read_chunk if self._left else AnswerReader._read_trailer
        return None

    def _read_chunk(self) -> bool | None:
        taken = self._take(self._left)
        self._left -= taken
        self.size += taken
        if self._left:
            return False
        self._state = AnswerReader._read_chunk_end
        return None

    def _read_chunk_end(self) -> bool | None:
        if len(self._pending) < 2:
            return False
        if self._pending[:2] != b"\r\n":
            raise AnswerError("chunk longer than its size")
        del self._pending[:2]
        self._state = AnswerReader._read_chunk_line
        return None

    def _read_trailer(self) -> bool | None:
        line = self._next_line(MAX_HEAD - self._line, "endless trailer")
        if line is None:
            return False
        if not line:
            return self._finish()
        self._line += len(line) + 2
        if not _HEADER.fullmatch(line):
            raise AnswerError("bad trailer")
        return None

    def _next_line(self, limit: int, fault: str) -> bytes | None:
        end = self._pending.find(b"\r\n", 0, max(limit, 2))
        if end < 0:
            if len(self._pending) >= limit:
                raise AnswerError(fault)
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line

    def _take(self, wanted: int) -> int:
        """Move up to `wanted` pending bytes into the body; return how many."""
        count = min(wanted, len(self._pending))
        if self.keep and count:
            self._parts.append(bytes(memoryview(self._pending)[:count]))
        del self._pending[:count]
        return count


_BODY_STATES = {_CHUNKED: AnswerReader._read_chunk_line, _UNTIL_CLOSE: AnswerReader._read_until_close}  # noqa: SLF001
_NO_HEAD = Head(0, 0, keep_alive=False, node="", encoding="", retry_after="")

# A server sends the same head again and again: between two seconds its Date is the same, and a page has the same
# length. So each distinct head is parsed strictly once and then known; a fresh one costs a few microseconds more.
_remembered: dict[bytes, Head] = {}


def head_of(raw: bytes) -> Head:
    """Return the meaning of a head, given without its blank line.

    Raises:
        AnswerError: it is malformed, or says two things about the length of its body.
    """
    head = _remembered.get(raw)
    if head is None:
        head = _parse(raw)
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[raw] = head
    return head


def _parse(raw: bytes) -> Head:
    match = _STATUS_LINE.match(raw)
    if not match or raw[match.end() : match.end() + 2] not in (b"", b"\r\n"):
        raise AnswerError("no HTTP status line")
    headers = _headers(raw, match.end())
    status = int(match[2])
    persistent = match[1] == b"1"
    connection = headers.get(b"connection", b"").lower()
    return Head(
        status=status,
        length=_body_length(status, headers),
        keep_alive=b"close" not in connection and (persistent or b"keep-alive" in connection),
        node=str(headers.get(b"octopus-node", b""), "latin-1"),
        encoding=str(headers.get(b"content-encoding", b""), "latin-1").lower(),
        retry_after=str(headers.get(b"retry-after", b""), "latin-1"),
    )


def _headers(raw: bytes, begin: int) -> dict[bytes, bytes]:
    """Check all headers, and return those that are wanted."""
    if not _HEADERS.fullmatch(raw, begin):
        raise AnswerError("bad header line")
    headers: dict[bytes, bytes] = {}
    for name, value in _WANTED.findall(raw, begin):
        name, value = name.lower(), value.strip(b" \t")  # noqa: PLW2901
        if name in headers:
            if name == b"content-length" and headers[name] != value:
                raise AnswerError("two content lengths")
            value = headers[name] + b", " + value if name != b"content-length" else value  # noqa: PLW2901
        headers[name] = value
    return headers


def _body_length(status: int, headers: dict[bytes, bytes]) -> int:
    """Return the body's length by RFC 9112 section 6.3, which lets nothing but one clear length pass here."""
    length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
    if length is not None and not (length.isdigit() and len(length) <= 18):
        raise AnswerError("bad content length")
    if length is not None and coding is not None:
        raise AnswerError("two lengths: chunked and counted")
    if status < 200 or status in (204, 304):
        return 0
    if coding is not None:
        if coding.lower() != b"chunked":
            raise AnswerError("unknown transfer coding")
        return _CHUNKED
    return _UNTIL_CLOSE if length is None else int(length)


def _refuse_head(pending: bytearray) -> None:
    """Raise as soon as what came can no longer become a head."""
    if not _is_status_prefix(bytes(pending[:8])):
        raise AnswerError("no HTTP status line")
    if len(pending) > MAX_HEAD + 3:
        raise AnswerError("endless header")


def _is_status_prefix(begin: bytes) -> bool:
    return b"HTTP/1.0 ".startswith(begin) or b"HTTP/1.1 ".startswith(begin)
