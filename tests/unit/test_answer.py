"""Reading answers: any split of well-formed bytes gives the same, and bytes that are none end in a named fault."""

import contextlib
import gzip
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from octoload.edge.answer import MAX_HEAD, AnswerError, AnswerReader

pytestmark = pytest.mark.unit

HEAD = b"HTTP/1.1 200 OK\r\n"

bodies = st.binary(max_size=400)
names = st.text("abcdefgh-", min_size=1, max_size=8).map(lambda name: f"X-{name}".encode())
values = st.text("abc xyz,;=", max_size=12).map(str.encode)
statuses = st.sampled_from([200, 201, 299, 400, 404, 500, 503])


@st.composite
def chunks(draw):
    """A chunked body with extensions and trailers."""
    body, wire = draw(bodies), b""
    rest = body
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from([b"", b";a=b", b" ; x"]))
        wire += draw(st.sampled_from([b"%x", b"%X", b"00%x"])) % size + extension + b"\r\n" + rest[:size] + b"\r\n"
        rest = rest[size:]
    trailers = b"".join(b"%b: %b\r\n" % pair for pair in draw(st.lists(st.tuples(names, values), max_size=2)))
    return body, wire + b"0\r\n" + trailers + b"\r\n"


@st.composite
def answers(draw):
    """A well-formed answer as (bytes, status, body, whether it ends with the connection)."""
    interim = b"".join(draw(st.lists(st.sampled_from([b"HTTP/1.1 100 Continue\r\n\r\n"]), max_size=2)))
    extra = b"".join(b"%b:%b\r\n" % pair for pair in draw(st.lists(st.tuples(names, values), max_size=3)))
    kind = draw(st.sampled_from(["length", "chunked", "none", "close"]))
    status = draw(st.sampled_from([204, 304]) if kind == "none" else statuses)
    body, wire = draw(chunks()) if kind == "chunked" else (b"", b"") if kind == "none" else (draw(bodies),) * 2
    framing = {
        "length": draw(st.sampled_from([b"Content-Length: ", b"content-length:"])) + b"%d\r\n" % len(body),
        "chunked": b"Transfer-Encoding: chunked\r\n",
        "none": draw(st.sampled_from([b"", b"Content-Length: 7\r\n"])),
        "close": b"Connection: close\r\n",
    }[kind]
    head = b"HTTP/1.1 %d Some Reason\r\n%b%bOctopus-Node: n1\r\n\r\n" % (status, extra, framing)
    return interim + head + wire, status, body, kind == "close"


def read(reader, data, cuts, *, keep):
    """Feed the bytes in pieces; return whether the answer was complete exactly with the last one."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    complete = [reader.feed(bytearray(data[a:b]) + bytearray(9), b - a) for a, b in pairwise(edges)]
    assert not any(complete[:-1])
    return complete[-1]


@given(answers(), st.lists(st.integers(0, 2000), max_size=12), st.booleans())
def test_any_split_reads_the_same(answer, cuts, keep):
    """Status, size, body and node do not depend on how the network cuts the bytes."""
    data, status, body, until_close = answer
    reader = AnswerReader()
    reader.keep = keep
    assert read(reader, data, cuts, keep=keep) is not until_close
    assert reader.end() is until_close
    assert (reader.head.status, reader.size, reader.head.node) == (status, len(body), "n1")
    assert reader.reusable is not until_close
    assert reader.body == (body if keep or status >= 400 else b"")


@given(st.lists(answers().filter(lambda answer: not answer[3]), min_size=2, max_size=4))
def test_one_reader_reads_many_answers(stream):
    """Nothing of an answer is left over for the next one."""
    reader = AnswerReader()
    for data, status, body, _ in stream:
        reader.keep = True
        assert read(reader, data, [7], keep=True)
        assert (reader.head.status, reader.body, reader.reusable) == (status, body, True)


def test_an_answer_like_the_one_before_is_read_as_new():
    """The short cut for equal heads takes the body that came, and forgets its head when another answer comes."""
    good, other = (HEAD + b"Content-Length: 3\r\n\r\n" + body for body in (b"one", b"two"))
    refusal = b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone"
    pieces = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    reader, read_so_far = AnswerReader(), []
    for data in (good, other, refusal, good, refusal, pieces, other, other):
        reader.keep = data is not pieces
        assert reader.feed(bytearray(data), len(data))
        read_so_far.append((reader.head.status, reader.size, reader.body))
    one, two, no = (200, 3, b"one"), (200, 3, b"two"), (404, 4, b"gone")
    assert read_so_far == [one, two, no, one, no, (200, 2, b""), two, two]


@given(answers().filter(lambda answer: not answer[3]), st.binary(min_size=1, max_size=20))
def test_bytes_after_an_answer_are_noticed(answer, more):
    """A connection that says more than it was asked is marked, and its bytes are in no body."""
    data, _, body, _ = answer
    reader = AnswerReader()
    reader.keep = True
    assert reader.feed(bytearray(data + more), len(data) + len(more))
    assert not reader.reusable
    assert reader.body == body


MALFORMED = {
    "no HTTP status line": [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"\r\n\r\n"],
    "bad header line": [HEAD + b"Name\r\n\r\n", HEAD + b"A: b\r\n folded\r\n\r\n", HEAD + b"A : b\r\n\r\n"],
    "bad content length": [HEAD + b"Content-Length: -1\r\n\r\n", HEAD + b"Content-Length: 1x\r\n\r\n"],
    "two content lengths": [HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    "two lengths: chunked and counted": [HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
    "unknown transfer coding": [HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"],
    "unexpected interim answer": [b"HTTP/1.1 101 Switch\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 20],
    "bad chunk size": [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size for size in (b"x\r\n", b"-1\r\n", b"1" * 9999)
    ],
    "chunk longer than its size": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"],
    "bad trailer": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n"],
    "endless trailer": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 20_000],
    "endless header": [HEAD + b"A: " + b"b" * MAX_HEAD, HEAD + b"A: b\r\n" * 20_000],
}


@pytest.mark.parametrize(("fault", "data"), [(fault, data) for fault, cases in MALFORMED.items() for data in cases])
@pytest.mark.parametrize("piece", [1, 1000, 1_000_000])
def test_malformed_answers_are_refused_by_name(fault, data, piece):
    """What no HTTP/1.1 server may say is refused as soon as it is seen, in whatever pieces it comes."""
    reader = AnswerReader()
    reader.keep = True
    parts = (data[begin : begin + piece] for begin in range(0, len(data), piece))
    with pytest.raises(AnswerError, match=f"^{fault}$"):
        assert not any(reader.feed(bytearray(part), len(part)) for part in parts)


@given(st.binary(max_size=300), st.integers(1, 40))
@example(HEAD + b"A: " + b" " * 60_000 + b"x\r\n\r\n", 7000)
def test_garbage_ends_in_an_answer_or_a_named_fault(data, piece):
    """Whatever comes, the reader neither breaks nor gives a body longer than what was received."""
    reader = AnswerReader()
    reader.keep = True
    parts = (data[begin : begin + piece] for begin in range(0, len(data), piece))
    with contextlib.suppress(AnswerError):
        any(reader.feed(bytearray(part), len(part)) for part in parts)
    assert len(reader.body) <= len(data)


def test_compressed_bodies_are_counted_as_received():
    """Inflating is left to whoever reads the body."""
    body = gzip.compress(b"x" * 5000)
    reader = AnswerReader()
    reader.keep = True
    data = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert reader.feed(bytearray(data), len(data))
    assert (reader.size, reader.head.encoding, reader.body) == (len(body), "gzip", body)
